package ledger

import (
	"context"
)

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
