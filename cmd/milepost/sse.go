package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// streamSilence is how long a stream may say nothing: three heartbeats.
const streamSilence = 45 * time.Second

// eventStream is the server's stream of events, as a client reads it.
type eventStream struct {
	body    io.ReadCloser
	in      *bufio.Reader
	cancel  context.CancelFunc
	silence *time.Timer
	base    string
}

// streamed is one message of a stream: an event as it is stored, or no data and
// the sequence up to which there is nothing more.
type streamed struct {
	seq  uint64
	data []byte
}

// endedError says why the server ended a stream, by its own word.
type endedError struct{ why, detail string }

func (e *endedError) Error() string {
	return fmt.Sprintf("the server ended the stream of events (%s): %s", e.why, e.detail)
}

// stream opens the stream of the events that filter asks for, after a sequence,
// or with nil from now on. Its errors are those of client.do.
func (c *client) stream(ctx context.Context, filter url.Values, after *uint64) (*eventStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	address := c.base + path("v1", "events")
	if len(filter) > 0 {
		address += "?" + filter.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != nil {
		req.Header.Set("Last-Event-ID", strconv.FormatUint(*after, 10))
	}
	silence := time.AfterFunc(streamSilence, cancel) // from before the answer begins
	resp, err := c.ask(req)
	if err != nil {
		silence.Stop()
		cancel()
		return nil, err
	}
	return &eventStream{body: resp.Body, in: bufio.NewReaderSize(resp.Body, 64<<10), cancel: cancel, silence: silence, base: c.base}, nil
}

// next returns the next message; a stream has no end without an error.
func (s *eventStream) next() (m streamed, err error) {
	var name string
	var given bool // there is an id, which may be 0
	for {
		line, err := s.in.ReadBytes('\n')
		if err != nil {
			return m, s.broken(err)
		}
		field, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(": "))
		switch string(field) {
		case "id":
			if m.seq, err = strconv.ParseUint(string(value), 10, 64); err != nil {
				return m, fmt.Errorf("the stream of %s is not one of events: id %.40q", s.base, value)
			}
			given = true
		case "event":
			name = string(value)
		case "data":
			m.data = value
		case "": // the end of a message, or a comment
			s.silence.Reset(streamSilence)
			switch {
			case len(value) > 0:
			case name != "":
				return m, ended(name, m.data)
			case given:
				return m, nil
			}
		}
	}
}

func ended(name string, data []byte) error {
	var said struct{ Detail string }
	_ = json.Unmarshal(data, &said) // its name says enough
	return &endedError{name, said.Detail}
}

func (s *eventStream) broken(err error) error {
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("nothing came for %v", streamSilence) // unless the caller ended it, who then knows
	}
	return fmt.Errorf("the stream of %s broke off: %w", s.base, err)
}

func (s *eventStream) close() {
	s.silence.Stop()
	s.cancel()
	_ = s.body.Close()
}
