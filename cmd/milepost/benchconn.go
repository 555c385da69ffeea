package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// bareConnections are kept open and used by one request after the other, each of
// which is written and answered on the goroutine that sends it. A client that makes
// load is to take little of the processors that it shares with what it measures:
// http.Transport has two goroutines for each connection, and costs as much as the
// server. The channel holds those that are idle, and has room for all.
type bareConnections chan *bareConnection

type bareConnection struct {
	net.Conn
	in  *bufio.Reader
	out *bufio.Writer
}

// RoundTrip sends a request without regard to its context, and to proxies.
func (idle bareConnections) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := idle.take(req.URL.Host)
	if err != nil {
		return nil, err
	}
	err = errors.Join(req.Write(c.out), c.out.Flush())
	if err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(c.in, req); err == nil {
			resp.Body = &bareBody{resp.Body, c, idle}
			return resp, nil
		}
	}
	_ = c.Close() // err says what is the matter
	return nil, err
}

func (idle bareConnections) take(host string) (*bareConnection, error) {
	select {
	case c := <-idle:
		return c, nil
	default:
	}
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &bareConnection{conn, bufio.NewReader(conn), bufio.NewWriter(conn)}, nil
}

func (idle bareConnections) close() {
	for len(idle) > 0 {
		_ = (<-idle).Close() // nothing more is asked of it
	}
}

// bareBody gives its connection back when it was read.
type bareBody struct {
	io.ReadCloser
	c    *bareConnection
	idle bareConnections
}

func (b *bareBody) Close() error {
	if b.c == nil {
		return nil
	}
	err := b.ReadCloser.Close() // reads what is left
	select {
	case b.idle <- b.c:
	default:
		err = errors.Join(err, b.c.Close())
	}
	b.c = nil
	return err
}
