package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// reader reads a stream as a browser's EventSource does.
type reader struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Reader
	id   string
	stop context.CancelFunc
}

// message is what an EventSource hands on, or with no data an id alone.
type message struct{ id, name, data string }

// stream opens the stream, which must begin.
func (r *rig) stream(query string, headers ...string) *reader {
	r.t.Helper()
	return r.streamBy(http.DefaultClient, query, headers...)
}

func (r *rig) streamBy(by *http.Client, query string, headers ...string) *reader {
	r.t.Helper()
	ctx, stop := context.WithTimeout(r.t.Context(), 30*time.Second) // so that what never comes fails the test
	req := r.request(ctx, http.MethodGet, "/v1/events"+query, nil)
	req.Header.Set("Accept", mediaStream)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := by.Do(req)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, resp.StatusCode)
	require.Equal(r.t, mediaStream, resp.Header.Get("Content-Type"))
	s := &reader{t: r.t, resp: resp, in: bufio.NewReader(resp.Body), stop: stop}
	r.t.Cleanup(s.close)
	first := s.next()
	require.Equal(r.t, message{id: first.id}, first, "the stream says first where it begins")
	return s
}

func (s *reader) close() {
	s.stop()
	_ = s.resp.Body.Close()
}

// read returns the next message, false at the end.
func (s *reader) read() (m message, ok bool) {
	m.id = s.id
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return m, false
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			s.id = m.id
			return m, true
		case name == "id":
			m.id = value
		case name == "event":
			m.name = value
		case name == "data":
			m.data += value
		}
	}
}

func (s *reader) next() message {
	s.t.Helper()
	m, ok := s.read()
	require.True(s.t, ok, "the stream has ended")
	return m
}

// end requires that the stream ends with a named event, and returns where.
func (s *reader) end(name string) uint64 {
	s.t.Helper()
	m := s.next()
	require.Equal(s.t, name, m.name, "%+v", m)
	var told struct {
		After  uint64 `json:"after"`
		Detail string `json:"detail"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(m.data), &told))
	assert.NotEmpty(s.t, told.Detail)
	_, more := s.read()
	assert.False(s.t, more, "that was the last")
	return told.After
}

// parties registers n parties more, each one event, and returns the last
// sequence.
func (r *rig) parties(n int) (last uint64) {
	r.t.Helper()
	for range n {
		last = r.done("register-party", `{"title":"One of many","kind":"other"}`).Seq
	}
	return last
}

func TestStream_sendsWhatIsStored(t *testing.T) {
	r := start(t)
	last := r.parties(3)
	require.NoError(t, r.models.Wait(t.Context(), last))

	// From a sequence on, and then live
	s := r.stream("?after=1")
	assert.Equal(t, "1", s.resp.Header.Get(headerSeq))
	r.parties(1)
	for seq := uint64(2); seq <= last+1; seq++ {
		rec, err := r.store.Get(t.Context(), seq)
		require.NoError(t, err)
		assert.Equal(t, message{id: strconv.FormatUint(seq, 10), data: string(rec.Data)}, s.next())
	}

	// The header wins, and without either it is from now on
	assert.Equal(t, "3", r.stream("?after=1", "Last-Event-ID: 2").next().id)
	s = r.stream("")
	assert.Equal(t, strconv.FormatUint(last+1, 10), s.id)
	r.parties(1)
	assert.Equal(t, strconv.FormatUint(last+2, 10), s.next().id)

	// and those who do not ask for a stream get the list
	assert.Equal(t, mediaJSON, r.get("/v1/events", "Accept: */*").is(http.StatusOK).header.Get("Content-Type"))
	assert.Equal(t, mediaJSON, r.get("/v1/events", "Accept: text/event-stream;q=0.1, application/json").is(http.StatusOK).header.Get("Content-Type"))
}

// A reader that is cut off anywhere and comes back misses nothing and repeats
// nothing, while events are written.
func TestStream_resumesWithoutGapOrDuplicate(t *testing.T) {
	r := start(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	var got []string
	id := "0"
	for range 20 {
		r.parties(rnd.IntN(6))
		s := r.stream("", "Last-Event-ID: "+id)
		behind := r.last() - uint64(len(got))
		for range rnd.Uint64N(behind + 1) {
			m := s.next()
			got, id = append(got, m.id), m.id
		}
		s.close()
	}
	for i, m := range got {
		require.Equal(t, strconv.Itoa(i+1), m)
	}
	assert.Greater(t, len(got), 20)
}

func TestStream_filters(t *testing.T) {
	beats := make(chan time.Time)
	r := start(t)
	r.server.beats = beats
	last := r.signed().Seq
	require.NoError(t, r.models.Wait(t.Context(), last))
	for query, matches := range map[string]func(domain.Envelope) bool{
		"&agreement=wuxi-2017":               func(e domain.Envelope) bool { return e.Ref.Agreement == "wuxi-2017" },
		"&kind=party":                        func(e domain.Envelope) bool { return e.Ref.Kind == "party" },
		"&kind=project&agreement=wuxi-2017":  func(e domain.Envelope) bool { return e.Ref.Kind == "project" },
		"&type=milepost.party.registered.v1": func(e domain.Envelope) bool { return e.Type == "milepost.party.registered.v1" },
		"&agreement=other":                   func(domain.Envelope) bool { return false },
	} {
		t.Run(query, func(t *testing.T) {
			s, found := r.on(t).stream("?after=0"+query), 0
			for rec, err := range r.store.Read(t.Context(), 1, 0, "") {
				require.NoError(t, err)
				env, err := domain.DecodeEnvelope(rec.Data)
				require.NoError(t, err)
				if matches(env) {
					found++
					require.Equal(t, message{id: strconv.FormatUint(rec.Seq, 10), data: string(rec.Data)}, s.next())
				}
			}
			assert.Equal(t, query != "&agreement=other", found > 0)

			// A heartbeat moves the position over all that did not match
			for s.id != strconv.FormatUint(last, 10) {
				beats <- time.Time{}
				assert.Empty(t, s.next().data)
			}
			s.close()
			require.Eventually(t, func() bool { return r.server.streams.length() == 0 }, 5*time.Second, time.Millisecond, "or it would take the next one's heartbeats")
		})
	}
}

func TestStream_refusesWhatItCannotDo(t *testing.T) {
	r := start(t, func(c *Config) { c.MaxStreams = 1 })
	r.parties(1)
	accept := "Accept: " + mediaStream
	for query, field := range map[string]string{
		"?limit=3": "limit", "?as_of=seq:1": "as_of", "?kind=no-such": "kind", "?type=no.such": "type", "?agreement=A": "agreement",
		"?after=x": "after", "?after=9": "after", "?format=csv": "format",
	} {
		p := r.get("/v1/events"+query, accept).problem(http.StatusBadRequest, CodeInvalidParameter)
		assert.Equal(t, field, p.Field, query)
	}
	p := r.get("/v1/events", accept, "Last-Event-ID: x").problem(http.StatusBadRequest, CodeInvalidParameter)
	assert.Equal(t, headerLastEventID, p.Field)
	r.get("/v1/events?nothing=1", accept).problem(http.StatusBadRequest, CodeUnknownParameter)

	// One at a time, here
	s := r.stream("")
	answer := r.get("/v1/events", accept)
	answer.problem(http.StatusServiceUnavailable, CodeOverloaded)
	assert.NotEmpty(t, answer.header.Get("Retry-After"))
	s.close()
	require.Eventually(t, func() bool { return r.server.streams.length() == 0 }, 5*time.Second, time.Millisecond)
	r.stream("")
}

// When the asker may no longer see it all, nothing more goes out, and the stream
// says so: at the next event, whatever the filter, and at the next heartbeat.
func TestStream_endsWhenRightsChange(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		wake  func(*rig, chan time.Time)
	}{
		"at an event":           {"?after=1", func(r *rig, _ chan time.Time) { r.parties(1) }},
		"at one that is hidden": {"?after=1&kind=fund", func(r *rig, _ chan time.Time) { r.parties(1) }},
		"at a heartbeat":        {"?after=1", func(_ *rig, beats chan time.Time) { beats <- time.Time{} }},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			beats := make(chan time.Time)
			r.server.beats = beats
			var until uint64 = 1
			r.server.stillAllowed = func(_ context.Context, models *projections.Models, upTo uint64) error {
				assert.Same(t, r.models, models)
				if upTo > until || name == "at a heartbeat" {
					return errors.New("revoked")
				}
				return nil
			}
			require.NoError(t, r.models.Wait(t.Context(), r.parties(1)))
			s := r.stream(c.query)
			c.wake(r, beats)
			assert.EqualValues(t, 1, s.end(endRightsChanged))
			assert.EqualValues(t, 1, r.metric(`milepost_streams_ended_total{reason="rights-changed"}`))
		})
	}
}

func TestStream_endsWhenTheReadModelsStop(t *testing.T) {
	r := start(t)
	require.NoError(t, r.models.Wait(t.Context(), r.parties(2)))
	s := r.stream("?after=1")
	assert.Equal(t, "2", s.next().id)
	r.halt()
	poison(t, r)
	require.Error(t, r.models.Follow(t.Context(), r.store))
	assert.EqualValues(t, 2, s.end(endUnavailable))
}

// serve has another HTTP server answer r's requests from now on.
func (r *rig) serve(change func(*httptest.Server)) {
	r.t.Helper()
	web := httptest.NewUnstartedServer(nil)
	r.running = Server(r.server.handler(), nil)
	web.Config = r.running.Server
	change(web)
	web.Start()
	r.t.Cleanup(web.Close)
	r.url = web.URL
}

// A shutdown does not wait for readers: it tells them.
func TestStream_endsWithTheServer(t *testing.T) {
	r := start(t)
	require.NoError(t, r.models.Wait(t.Context(), r.parties(1)))
	r.serve(func(*httptest.Server) {})
	streams := []*reader{r.stream(""), r.stream("?kind=fund")}
	require.Zero(t, r.running.Stop(0, 20*time.Second), "streams that were cut off")
	for _, s := range streams {
		assert.EqualValues(t, 1, s.end(endClosing))
	}
}

// The limits of the server are for requests that end.
func TestStream_outlivesTheLimitsOfRequests(t *testing.T) {
	const limit = 50 * time.Millisecond
	r := start(t)
	r.serve(func(web *httptest.Server) {
		web.Config.ReadHeaderTimeout, web.Config.ReadTimeout, web.Config.WriteTimeout = limit, limit, limit
	})
	s := r.stream("")

	// Given that another connection has met them meanwhile
	idle, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = idle.Close() }()
	_, err = io.ReadAll(idle)
	require.NoError(t, err, "the server closes it")

	r.parties(1)
	assert.Equal(t, "1", s.next().id)
}

// By HTTP/2 a deadline ends a stream even while nothing is written. That of what was
// sent before is none of the time after it.
func TestStream_byHTTP2IsQuietForLongerThanItsReaderMayBe(t *testing.T) {
	// Given a stream by HTTP/2 on which nothing is said
	r := start(t, func(c *Config) { c.StreamPatience = 10 * time.Millisecond })
	plain := new(http.Protocols)
	plain.SetHTTP1(true)
	plain.SetUnencryptedHTTP2(true)
	r.serve(func(web *httptest.Server) {
		web.Config.Protocols, web.Config.ReadHeaderTimeout = plain, 10*r.server.cfg.StreamPatience
	})
	second := new(http.Protocols)
	second.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: second}
	defer transport.CloseIdleConnections()
	s := r.streamBy(&http.Client{Transport: transport}, "")
	require.Equal(t, 2, s.resp.ProtoMajor)

	// When what it may take for an event has passed, as another connection shows
	idle, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = idle.Close() }()
	_, err = io.ReadAll(idle)
	require.NoError(t, err, "the server closes it")

	// Then it has the next one.
	r.parties(1)
	assert.Equal(t, "1", s.next().id)
}

// One that takes what it is sent, but too late, is told where it was, and goes on
// from there.
func TestStream_dropsTheSlow(t *testing.T) {
	r := start(t, func(c *Config) { c.StreamPatience = time.Minute })
	var late atomic.Bool
	var now atomic.Int64
	r.server.clock = func() time.Time {
		if late.Load() {
			now.Add(int64(2 * time.Minute))
		}
		return time.Unix(0, now.Load())
	}
	require.NoError(t, r.models.Wait(t.Context(), r.parties(2)))
	s := r.stream("?after=1")
	assert.Equal(t, "2", s.next().id)
	require.Eventually(t, func() bool { return r.metric("milepost_stream_events_total") == 1 }, 5*time.Second, time.Millisecond, "it is done with that one")
	late.Store(true)
	r.parties(1)
	assert.Equal(t, "3", s.next().id)
	assert.EqualValues(t, 3, s.end(endDropped))
	assert.EqualValues(t, 1, r.metric(`milepost_streams_ended_total{reason="dropped"}`))

	late.Store(false)
	again := r.stream("", "Last-Event-ID: "+s.id)
	r.parties(1)
	assert.Equal(t, "4", again.next().id)
}

// One that takes nothing is cut off: it holds up nobody, and no memory.
func TestStream_cutsOffWhoTakesNothing(t *testing.T) {
	r := start(t, func(c *Config) { c.StreamPatience = 50 * time.Millisecond })
	r.serve(func(web *httptest.Server) { web.Listener = narrow{web.Listener} })
	require.NoError(t, r.models.Wait(t.Context(), r.parties(100)))

	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(1024))
	_, err = fmt.Fprintf(conn, "GET /v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\nAuthorization: Bearer %s\r\n\r\n", mediaStream, r.token)
	require.NoError(t, err)

	require.Eventually(t, func() bool {
		return r.metric(`milepost_streams_ended_total{reason="dropped"}`) == 1
	}, 10*time.Second, time.Millisecond)
	assert.Zero(t, r.metric("milepost_streams_open"))

	// What it has is whole events in order, and then it ends in the middle.
	got, _ := io.ReadAll(conn)
	assert.Contains(t, string(got), "id: 1\ndata: ")
	assert.NotContains(t, string(got), "id: 100\n")
}

// narrow is a listener whose connections hold little that was not read.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(1024)
	}
	return c, err
}
