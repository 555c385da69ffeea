package bundle

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// line is a stored event at its sequence.
type line struct {
	seq  uint64
	data []byte
}

// decoded is a line, and what its bytes say and hash to.
type decoded struct {
	line
	leaf  tlog.Hash
	env   domain.Envelope
	event domain.Event
	named []domain.Hash // files
	err   error
}

func decode(l line) decoded {
	d := decoded{line: l, leaf: tlog.RecordHash(l.data)}
	if d.env, d.event, d.err = catalogue.Decode(l.data); d.err == nil {
		for hash := range d.env.Files() {
			d.named = append(d.named, hash)
		}
	}
	return d
}

// decoders is how many batches are decoded at a time, maxBatch how many lines one
// has at most.
const (
	decoders = 2
	maxBatch = 256
)

// batch is lines on their way through a decoder.
type batch struct {
	lines  []line
	events []decoded
	err    error         // the end of the lines
	done   chan struct{} // closed when events are decoded
}

// decodeAhead decodes lines off the goroutine that reads them and off the one that
// consumes them, and keeps their order. An error of read is the last thing
// yielded. Reading has ended when the loop has.
func decodeAhead(ctx context.Context, read func(context.Context) iter.Seq2[[]line, error]) iter.Seq2[[]decoded, error] {
	return func(yield func([]decoded, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		inOrder, work := make(chan *batch, 4*decoders), make(chan *batch, 4*decoders)
		running.Go(func() {
			defer close(inOrder)
			defer close(work)
			send := func(b *batch) bool {
				for _, to := range []chan<- *batch{work, inOrder} {
					select {
					case to <- b:
					case <-ctx.Done():
						return false
					}
				}
				return true
			}
			for lines, err := range read(ctx) {
				for len(lines) > 0 && err == nil {
					n := min(len(lines), maxBatch)
					if !send(&batch{lines: lines[:n], done: make(chan struct{})}) {
						return
					}
					lines = lines[n:]
				}
				if err != nil {
					send(&batch{err: err, done: make(chan struct{})})
					return
				}
			}
		})
		for range decoders {
			running.Go(func() {
				for b := range work {
					b.events = make([]decoded, len(b.lines))
					for i, l := range b.lines {
						b.events[i] = decode(l)
					}
					close(b.done)
				}
			})
		}
		for b := range inOrder {
			<-b.done // every batch in order was sent to work before
			if !yield(b.events, b.err) || b.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// readLines yields the lines of events.jsonl. An error of the reader is passed
// on; what is no line is a *Failure.
func readLines(ctx context.Context, r io.Reader) iter.Seq2[[]line, error] {
	return func(yield func([]line, error) bool) {
		in := bufio.NewReaderSize(r, 256<<10)
		for after := uint64(0); ; {
			lines := make([]line, 0, maxBatch)
			room := make([]byte, 0, maxBatch*600)
			for len(lines) < maxBatch {
				from := len(room)
				var err error
				room, err = appendUntilNewline(room, in)
				if err == io.EOF && len(room) == from {
					if len(lines) > 0 {
						yield(lines, nil)
					}
					return
				}
				if err == io.EOF || errors.Is(err, errLongLine) {
					err = &Failure{Code: CodeMalformed, Seq: after, Detail: "a line of " + nameEvents + " has no end, or is too long"}
				}
				if err == nil {
					l, ok := line{}, false
					if l.seq, l.data, ok = parseLine(room[from:len(room):len(room)]); !ok {
						err = &Failure{Code: CodeMalformed, Seq: after, Detail: "a line of " + nameEvents + " is no sequence and event"}
					}
					after = l.seq
					lines = append(lines, l)
				}
				if err != nil {
					yield(nil, err)
					return
				}
			}
			if ctx.Err() != nil || !yield(lines, nil) {
				return
			}
		}
	}
}

var errLongLine = errors.New("line too long")

// appendUntilNewline appends bytes up to and with a newline.
func appendUntilNewline(b []byte, in *bufio.Reader) ([]byte, error) {
	for from := len(b); ; {
		piece, err := in.ReadSlice('\n')
		b = append(b, piece...)
		if err != bufio.ErrBufferFull {
			return b, err
		}
		if len(b)-from > maxLine {
			return b, errLongLine
		}
	}
}
