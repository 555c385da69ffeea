package ledger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/milepost-ledger/milepost/domain"
)

// MaxLine is how long one line of an import may be.
const MaxLine = 1 << 20

// Item is one command of an import, or the error that stands in its place.
type Item struct {
	Line int // where it comes from, from 1: a line of JSONL, a release of OCDS
	Request
	Err error // the line does not read as a command; what follows is not looked at

	// Source, where it is set, stands for the evidence in the key that the
	// import derives: a file whose bytes were put right since is still the same.
	Source string
	// Unless is a code of a refusal that means that nothing is left to do, as
	// already-exists may; the item is then skipped.
	Unless string

	size int // bytes, about
}

// Summary says what an import came to.
type Summary struct {
	Lines    int    `json:"lines" doc:"Lines read."`
	Commands int    `json:"commands" doc:"Commands that this import carried out."`
	Events   int    `json:"events" doc:"Events that they added to the log."`
	FirstSeq uint64 `json:"first_seq" doc:"Sequence of the first event added; 0 when none was."`
	LastSeq  uint64 `json:"last_seq" doc:"Sequence of the last event added; 0 when none was."`
	Skipped  int    `json:"skipped" doc:"Commands that the ledger had already."`
}

// LineError says which line stopped an import, and why. Everything before the
// line is in the log, and nothing from it on.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Import carries out items in order, in atomic batches of up to [MaxBatch]
// events. It stops at the first that is refused, with a *LineError. An item
// without an idempotency key gets one from what it asks for and from how often
// the same was asked for before in this import: so the same items can be
// imported again, after any interruption, and nothing is added twice.
//
// may, if not nil, is asked before each batch, and ends the import with the error
// that it returns: items can come for hours, and who gave them may have lost the
// right meanwhile.
func (l *Ledger) Import(ctx context.Context, items iter.Seq[Item], may func() error) (Summary, error) {
	// Reading and decoding go on while a batch is decided, and that while the one
	// before is appended.
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan []queued, 2)
	g.Go(func() error {
		defer close(chunks)
		return l.feed(ctx, items, chunks)
	})
	var sum Summary
	g.Go(func() (err error) {
		im := importing{Ledger: l, sum: &sum, may: may}
		defer func() {
			if _, e := im.land(ctx); err == nil {
				err = e
			}
		}()
		var queue []queued // what is read and not in the log; a full batch is worth waiting for
		for chunk := range chunks {
			queue = append(queue, chunk...)
			for len(queue) >= MaxBatch || sizeOf(queue) > maxBatchBytes {
				n, err := im.next(ctx, queue)
				if err != nil {
					return err
				}
				queue = queue[n:]
			}
		}
		for len(queue) > 0 && ctx.Err() == nil {
			n, err := im.next(ctx, queue)
			if err != nil {
				return err
			}
			queue = queue[n:]
		}
		return ctx.Err()
	})
	err := g.Wait()
	return sum, err
}

// queued is an item that was checked as far as it can be without the log.
type queued struct {
	line int
	task *task
	err  error // in the place of task
	size int
}

func sizeOf(items []queued) (bytes int) {
	for i := range items {
		bytes += items[i].size
	}
	return bytes
}

// feed gives each item its idempotency key and cuts them into chunks.
func (l *Ledger) feed(ctx context.Context, items iter.Seq[Item], chunks chan<- []queued) error {
	keys := importKeys{}
	var chunk []queued
	bytes := 0
	send := func() bool {
		select {
		case chunks <- chunk:
			chunk, bytes = make([]queued, 0, MaxBatch), 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for item := range items {
		q := queued{line: item.Line, err: item.Err, size: item.size}
		if q.err == nil {
			if item.Meta.IdempotencyKey == "" {
				item.Meta.IdempotencyKey = keys.of(&item)
			}
			if q.task, q.err = l.newTask(item.Request); q.err == nil {
				q.task.unless = item.Unless
			}
		}
		bytes += q.size
		if chunk = append(chunk, q); (len(chunk) == MaxBatch || bytes > maxBatchBytes) && !send() {
			return ctx.Err()
		}
	}
	if len(chunk) > 0 && !send() {
		return ctx.Err()
	}
	return nil
}

// importing is an import under way. One batch at most is being appended.
type importing struct {
	*Ledger
	sum    *Summary
	may    func() error
	flying *appending // nil for none
}

// appending is a batch that is being appended.
type appending struct {
	*batch
	queue []queued // what it is made of, and what comes after it
	tasks []*task
	first uint64
	done  chan error // says that first is known, or why not
}

// next carries out as many items from the front of the queue as fit into one
// atomic batch, at least one, and returns how many. It returns while they are
// being appended; the next call, or land, sees to what comes of that.
//
// They are decided while the batch before them is on its way into the log, as if
// it were there. Only when it is, are they sent after it. When it came to
// something else, or what was decided is a refusal, they are decided again.
func (im *importing) next(ctx context.Context, queue []queued) (int, error) {
	tasks := tasksOf(queue)
	var before *batch
	if im.flying != nil {
		before = im.flying.batch
	}
	b, refused := im.decideBatch(ctx, tasks, before)
	asSupposed, err := im.land(ctx)
	if err != nil {
		return 0, err
	}
	if im.may != nil {
		if err := im.may(); err != nil {
			return 0, err
		}
	}
	switch n := len(b.receipts); {
	case !asSupposed || refused != nil || n == 0:
		return im.atOnce(ctx, queue, tasks)
	case len(b.msgs) == 0:
		im.add(queue, b.receipts)
		return n, nil
	}
	if before != nil {
		b.follow(before)
	}
	f := &appending{batch: b, queue: queue, tasks: tasks, done: make(chan error, 1)}
	go func() {
		var err error
		f.first, err = im.log.Append(ctx, b.msgs)
		f.done <- err
	}()
	im.flying = f
	return len(b.receipts), nil
}

// land waits until the batch under way is in the log, and reports whether it is
// there as it was decided: if others were faster its items are decided again,
// and carried out before land returns.
func (im *importing) land(ctx context.Context) (asSupposed bool, err error) {
	f := im.flying
	if f == nil {
		return true, nil
	}
	im.flying = nil
	if err = <-f.done; err == nil {
		im.add(f.queue, f.settle(im.Ledger, f.first))
		return true, nil
	}
	if err := im.recover(ctx, err, f.decisions...); err != nil {
		return false, err
	}
	for left := len(f.receipts); left > 0; {
		n, err := im.atOnce(ctx, f.queue, f.tasks[:left])
		if err != nil {
			return false, err
		}
		f.queue, f.tasks, left = f.queue[n:], f.tasks[n:], left-n
	}
	return false, nil
}

// atOnce carries out tasks, those of the front of the queue, without anything
// supposed, and returns how many it came to.
func (im *importing) atOnce(ctx context.Context, queue []queued, tasks []*task) (int, error) {
	receipts, err := im.executeBatch(ctx, tasks)
	im.add(queue, receipts)
	n := len(receipts)
	if err == nil && n == len(tasks) && n < len(queue) && queue[n].err != nil {
		err = &LineError{queue[n].line, queue[n].err}
	} else if isRejected(err) {
		err = &LineError{queue[n].line, err}
	}
	return n, err
}

// tasksOf are those of the front of the queue that one batch may take.
func tasksOf(queue []queued) []*task {
	tasks := make([]*task, 0, MaxBatch)
	for _, q := range queue[:min(len(queue), MaxBatch)] {
		if q.err != nil {
			break
		}
		tasks = append(tasks, q.task)
	}
	return tasks
}

// add notes what the items at the front of the queue came to.
func (im *importing) add(queue []queued, receipts []Receipt) {
	for i, r := range receipts {
		im.sum.add(queue[i].line, r)
	}
}

func (s *Summary) add(line int, r Receipt) {
	s.Lines = line
	if r.Replayed {
		s.Skipped++
		return
	}
	s.Commands++
	s.Events += len(r.Events)
	if s.FirstSeq == 0 {
		s.FirstSeq = r.Events[0].Seq
	}
	s.LastSeq = r.Seq
}

// importKeys derives idempotency keys. Two equal lines of one file are two
// commands, so the key counts them.
type importKeys map[string]int

func (k importKeys) of(item *Item) string {
	req := &item.Request
	req.hash = hashOf(*req)
	req.local = req.Command.Ref().Key != ""
	id := req.hash
	if item.Source != "" {
		plain := *req
		plain.Meta.Evidence = nil
		id = hashOf(plain, item.Source)
	}
	k[id]++
	return "import-" + id + "-" + strconv.Itoa(k[id])
}

// Lines reads commands as JSON Lines: one object a line, the command's name in
// its field "command", empty lines skipped. It ends after the first line that
// cannot be read, with an Item that says why.
func Lines(r io.Reader) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(make([]byte, 64<<10), MaxLine)
		line := 0
		for scanner.Scan() {
			line++
			raw := bytes.TrimSpace(scanner.Bytes())
			if line == 1 {
				raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
			}
			if len(raw) == 0 {
				continue
			}
			req, err := decodeLine(raw)
			if !yield(Item{Line: line, Request: req, Err: err, size: len(raw)}) || err != nil {
				return
			}
		}
		switch err := scanner.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Item{Line: line + 1, Err: domain.Refuse(CodeLineTooLong, "", "longer than %d bytes", MaxLine)})
		case err != nil:
			yield(Item{Line: line + 1, Err: fmt.Errorf("read: %w", err)})
		}
	}
}

// CodeLineTooLong refuses a line of an import over MaxLine.
const CodeLineTooLong = "too-large"

func decodeLine(raw []byte) (Request, error) {
	name, err := domain.CommandNamed(raw)
	if err != nil {
		return Request{}, err
	}
	if name == "" {
		return Request{}, domain.Refuse(domain.CodeMissingField, "command", `each line names its command, {"command": "register-party", ...}`)
	}
	return Decode(name, raw)
}
