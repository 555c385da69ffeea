package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/feed"
)

// flushBytes is about how much goes out at a time, and has to be taken within
// the writer's patience.
const flushBytes = 64 << 10

// errSlow: the reader took what was written, but not in time.
var errSlow = errors.New("the reader is too slow")

// eventWriter writes a stream of server-sent events to one reader.
//
// A reader has so long for what is flushed at a time: one that takes it later is
// told that it is dropped; one that has not taken it after twice as long is cut
// off, since nothing more can be written to it.
type eventWriter struct {
	w        http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
	now      func() time.Time
	after    uint64 // the last id that was flushed
	pending  uint64 // the last id that was written
	bytes    int    // written since the last flush
	since    time.Time
}

func newEventWriter(w http.ResponseWriter, patience time.Duration, now func() time.Time, after uint64) *eventWriter {
	return &eventWriter{w: w, conn: http.NewResponseController(w), patience: patience, now: now, after: after}
}

// begin answers with the head, and where the stream begins.
func (o *eventWriter) begin() error {
	h := o.w.Header()
	h.Set("Content-Type", mediaStream)
	h.Set(headerSeq, strconv.FormatUint(o.after, 10))
	h.Set("X-Accel-Buffering", "no") // a proxy is to pass on what there is
	o.id(o.after)
	return o.flush(fmt.Appendf(nil, "retry: %d\n\n", reconnect.Milliseconds()))
}

// events writes a chunk.
func (o *eventWriter) events(c feed.Chunk) error {
	for i := range c.Events {
		e := &c.Events[i]
		o.id(e.Seq)
		o.write([]byte("data: "))
		o.write(e.Data) // one line, as everything that is stored
		if o.bytes < flushBytes && i < len(c.Events)-1 {
			o.write([]byte("\n\n"))
		} else if err := o.flush([]byte("\n\n")); err != nil {
			return err
		}
	}
	return nil
}

// beat shows that the stream lives, and moves the reader's position.
func (o *eventWriter) beat(at uint64) error {
	o.id(max(at, o.after))
	return o.flush([]byte(": heartbeat\n\n"))
}

func (o *eventWriter) id(seq uint64) {
	o.write(fmt.Appendf(nil, "id: %d\n", seq))
	o.pending = seq
}

// write leaves errors to flush, which has them too.
func (o *eventWriter) write(b []byte) {
	if o.bytes == 0 {
		o.since = o.now()
		_ = o.conn.SetWriteDeadline(time.Now().Add(2 * o.patience))
	}
	_, _ = o.w.Write(b)
	o.bytes += len(b)
}

// flush writes the last bytes and waits until all has been taken.
func (o *eventWriter) flush(last []byte) error {
	o.write(last)
	o.bytes = 0
	if err := o.conn.Flush(); err != nil {
		return err
	}
	_ = o.conn.SetWriteDeadline(time.Time{}) // by HTTP/2 it would end the stream while nothing is written
	o.after = o.pending
	if o.now().Sub(o.since) > o.patience {
		return errSlow
	}
	return nil
}

// failed says why the stream ends after a write that failed, to the reader
// where that is possible.
func (o *eventWriter) failed(err error) string {
	if errors.Is(err, errSlow) {
		return o.end(endDropped, "You read too slowly and were dropped. Come back with Last-Event-ID; nothing is lost.")
	}
	if timeout := (interface{ Timeout() bool })(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return endDropped
	}
	return endLeft
}

// end tells the reader why the stream ends, and returns it. Of a server that stops
// all streams end at once, and shall not come back at once.
func (o *eventWriter) end(why, detail string) string {
	data, err := json.Marshal(struct {
		After  uint64 `json:"after"`
		Detail string `json:"detail"`
	}{o.after, detail})
	if err == nil {
		if why == endClosing {
			o.write(fmt.Appendf(nil, "retry: %d\n", (reconnect + rand.N(2*reconnect)).Milliseconds()))
		}
		_ = o.flush(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", why, data)) // one that is gone hears nothing
	}
	return why
}
