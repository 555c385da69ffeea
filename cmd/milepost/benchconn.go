package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// commandConnections are connections that reforecasts are sent on, one after the
// other, each written and answered on the goroutine that sends it. A client that
// makes load is to take little of the processors that it shares with what it
// measures: http.Client costs as much as the server.
type commandConnections struct {
	host string
	head string // of a request, up to the length of its body
	idle chan *commandConnection
}

type commandConnection struct {
	net.Conn
	in  *bufio.Reader
	out bytes.Buffer
}

// commandConnections makes so many connections to the server of the client.
func (c *client) commandConnections(n int) (*commandConnections, error) {
	all := &commandConnections{host: strings.TrimPrefix(c.base, "http://"), idle: make(chan *commandConnection, n)}
	all.head = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nMilepost-Actor: %s\r\nContent-Type: application/json\r\nContent-Length: ",
		path("v1", "commands", "reforecast-milestone"), all.host, c.token, c.actor)
	for range n {
		conn, err := net.Dial("tcp", all.host)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.idle <- &commandConnection{Conn: conn, in: bufio.NewReader(conn)}
	}
	return all, nil
}

// Close closes those which are idle: no request is under way.
func (all *commandConnections) Close() (err error) {
	for len(all.idle) > 0 {
		err = errors.Join(err, (<-all.idle).Close())
	}
	return err
}

// reforecast sends the command that [busyMilestone.reforecast] makes.
func (all *commandConnections) reforecast(_ context.Context, milestone *busyMilestone) error {
	var body bytes.Buffer
	milestone.said++
	milestone.late(&body)
	c := <-all.idle
	defer func() { all.idle <- c }()
	c.out.Reset()
	fmt.Fprintf(&c.out, "%s%d\r\n\r\n", all.head, body.Len())
	c.out.Write(body.Bytes())
	if _, err := c.Write(c.out.Bytes()); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusCreated {
		err = readRefusal(resp, answer)
	}
	return err
}
