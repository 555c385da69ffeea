package eventstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Headers of JetStream's atomic batches (ADR-50). nats.go has no call for
// them, and the extension which has waits for an answer to the first message
// of a batch before it sends the second: one round trip more than is needed,
// because a batch whose beginning was refused is refused at its commit.
const (
	headerBatchID     = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
)

// ackTimeout is how long a commit waits for its answer before the outcome is
// called unknown.
const ackTimeout = 10 * time.Second

// flight is one commit on its way to the server: an atomic batch for one or
// more requests, or a plain publish for one request of one message.
type flight struct {
	reqs     []*request
	messages int
	batch    bool
	attempts int // how often it was sent before
	sent     time.Time

	batchID string
	timer   *time.Timer

	// The outcome, set before it is handed back to the committer.
	first     uint64
	duplicate bool
	err       error
	unsent    bool // the commit was never sent, so err means nothing was written
}

// wire sends flights and matches answers to them. Its subscription's goroutine
// belongs to the connection and ends with it.
type wire struct {
	nc     *nats.Conn
	sub    *nats.Subscription
	inbox  string // with its final dot
	landed func(*flight)

	mu      sync.Mutex
	flying  map[uint64]*flight
	counter uint64
}

func newWire(nc *nats.Conn, landed func(*flight)) (*wire, error) {
	w := &wire{nc: nc, inbox: nc.NewInbox() + ".", landed: landed, flying: make(map[uint64]*flight)}
	sub, err := nc.Subscribe(w.inbox+"*", w.answer)
	if err != nil {
		return nil, fmt.Errorf("eventstore: subscribe to answers: %w", err)
	}
	w.sub = sub
	return w, nil
}

// send puts a flight on the connection. The outcome comes through landed, and
// from another goroutine; also when sending fails.
func (w *wire) send(f *flight) {
	w.mu.Lock()
	w.counter++
	token := w.counter
	f.sent = time.Now()
	f.timer = time.AfterFunc(ackTimeout, func() {
		w.land(token, func(f *flight) { f.err = &OutcomeUnknownError{Err: nats.ErrTimeout} })
	})
	w.flying[token] = f
	w.mu.Unlock()

	reply := w.inbox + strconv.FormatUint(token, 36)
	var err error
	if f.batch {
		err = w.publishBatch(f, reply)
	} else {
		m := f.reqs[0].msgs[0]
		m.Reply = reply
		// It may have been in a batch that was refused; with a batch's headers
		// the server would stage it and wait for the rest.
		delete(m.Header, headerBatchID)
		delete(m.Header, headerBatchSeq)
		delete(m.Header, headerBatchCommit)
		err = w.nc.PublishMsg(m)
	}
	if err != nil {
		w.land(token, func(f *flight) { f.fail(err) })
	}
}

// fail notes that publishing failed. Some errors come before the connection
// took a byte; with the others, the connection may have the message still.
func (f *flight) fail(err error) {
	for _, early := range []error{
		nats.ErrConnectionClosed, nats.ErrReconnectBufExceeded, nats.ErrConnectionDraining,
		nats.ErrMaxPayload, nats.ErrBadSubject, nats.ErrHeadersNotSupported,
	} {
		if errors.Is(err, early) {
			f.unsent = true
			f.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
			return
		}
	}
	f.err = &OutcomeUnknownError{Err: err}
}

// publishBatch sends the messages of an atomic batch. Only the last has a
// reply: its answer is the answer for all. If a publish fails on the way the
// commit is not sent, and the server drops what it staged after a while.
func (w *wire) publishBatch(f *flight, reply string) error {
	f.batchID = nuid.Next() // a new one each time: a refused id is spent
	id := []string{f.batchID}
	n := 0
	for _, r := range f.reqs {
		for _, m := range r.msgs {
			n++
			m.Header[headerBatchID] = id
			m.Header[headerBatchSeq] = []string{strconv.Itoa(n)}
			m.Reply = ""
			delete(m.Header, headerBatchCommit)
			if n == f.messages {
				m.Header[headerBatchCommit] = []string{"1"}
				m.Reply = reply
			}
			if err := w.nc.PublishMsg(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// land ends a flight once; later answers for it find nothing.
func (w *wire) land(token uint64, outcome func(*flight)) {
	w.mu.Lock()
	f, ok := w.flying[token]
	delete(w.flying, token)
	w.mu.Unlock()
	if !ok {
		return
	}
	f.timer.Stop()
	outcome(f)
	w.landed(f)
}

// answer handles one answer of the server.
func (w *wire) answer(m *nats.Msg) {
	token, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, w.inbox), 36, 64)
	if err != nil {
		return
	}
	w.land(token, func(f *flight) { f.read(m) })
}

// lost ends all flights: the connection broke, and answers which were under
// way will not come.
func (w *wire) lost(err error) {
	w.mu.Lock()
	tokens := make([]uint64, 0, len(w.flying))
	for t := range w.flying {
		tokens = append(tokens, t)
	}
	w.mu.Unlock()
	for _, t := range tokens {
		w.land(t, func(f *flight) { f.err = &OutcomeUnknownError{Err: err} })
	}
}

type pubAck struct {
	Error     *jetstream.APIError `json:"error"`
	Sequence  uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	Batch     string              `json:"batch"`
	Count     int                 `json:"count"`
}

// plainAck reads {"stream":"LEDGER","seq":7}, as the server answers a plain publish:
// to find the fields of any JSON costs more than all else that is done for one.
func plainAck(data []byte) (ack pubAck, ok bool) {
	_, digits, _ := bytes.Cut(data, []byte(`","seq":`))
	digits, ok = bytes.CutSuffix(digits, []byte("}"))
	if ok = ok && len(digits) < 20 && bytes.HasPrefix(data, []byte(`{"stream":"`)); ok {
		ack.Sequence, ok = decimal(string(digits))
	}
	return ack, ok
}

// read takes the outcome from the server's answer.
func (f *flight) read(m *nats.Msg) {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		f.unsent = true // nobody is there who could have stored it
		f.err = fmt.Errorf("%w: %w", ErrUnavailable, nats.ErrNoResponders)
		return
	}
	ack, plain := plainAck(m.Data)
	if !plain {
		if err := json.Unmarshal(m.Data, &ack); err != nil {
			f.err = &OutcomeUnknownError{Err: fmt.Errorf("answer not understood: %w", err)}
			return
		}
	}
	switch {
	case ack.Error != nil:
		f.err = ack.Error
	case f.batch && (ack.Batch != f.batchID || ack.Count != f.messages):
		f.err = &OutcomeUnknownError{Err: errors.New("answer is for another batch")}
	case ack.Sequence < uint64(f.messages):
		f.err = &OutcomeUnknownError{Err: errors.New("answer has no sequence")}
	default:
		f.first = ack.Sequence - uint64(f.messages) + 1
		f.duplicate = ack.Duplicate
	}
}
