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
	"strconv"
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
	status, answer, err := c.answer()
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("the server answered %d: %s", status, firstLine(answer))
	}
	return err
}

// answer reads one, of which the length is told.
func (c *commandConnection) answer() (status int, body []byte, err error) {
	length := 0
	for n := 0; ; n++ {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimSpace(line)
		value, ok := bytes.CutPrefix(line, []byte("Content-Length: "))
		switch {
		case n == 0 && len(line) >= 12:
			status, err = strconv.Atoi(string(line[9:12])) // HTTP/1.1 201 Created
		case ok:
			length, err = strconv.Atoi(string(value))
		case len(line) == 0:
			body = make([]byte, length)
			_, err = io.ReadFull(c.in, body)
			return status, body, err
		}
		if err != nil {
			return 0, nil, fmt.Errorf("answer not understood: %s", line)
		}
	}
}
