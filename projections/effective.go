package projections

import (
	"context"
	"fmt"
	"sort"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// The second axis is made by the means of the first. The events of one
// agreement that are known at a sequence, put in the order of their effective
// dates and numbered anew, are projected into a file of their own by the same
// projector. Effective by a date is then nothing but as of a number of that
// file, so every question is answered from it as it is from the other, and one
// file answers for every date.
//
// What a file does not have: other agreements, and what belongs to the whole
// ledger. Nothing below an agreement is answered from those: answers name
// parties by their keys.

// effective is the file of an agreement and a sequence.
type effective struct {
	agreement domain.Key
	seq       uint64 // of the agreement's last event that is known
	events    []placed
	file      *file
	err       error // why there is no file

	built     chan struct{} // closed when file or err is there
	cancel    context.CancelFunc
	users     int  // who read it or wait for it
	forgotten bool // nobody new gets it
}

// pos is the number of the last event that is effective by a date, 0 for none.
func (e *effective) pos(by domain.Date) uint64 {
	return uint64(sort.Search(len(e.events), func(i int) bool { return e.events[i].effective > by }))
}

// real is the sequence in the log of event n of the file.
func (e *effective) real(n uint64) uint64 { return e.events[n-1].seq }

// effectiveFile returns the second axis of an agreement by what is known at
// sequence asOf; release ends its use. It is made if it is not at hand, from
// the log that was last followed, which takes time that grows with the events
// of the agreement. It refuses with not-found where the agreement has no event
// by then.
func (m *Models) effectiveFile(ctx context.Context, of domain.Key, asOf uint64) (e *effective, release func(), err error) {
	var known uint64
	err = m.read(ctx, Point{Seq: asOf}, func(q *query) error {
		// Whatever else was recorded since, the file stays good.
		n, _, err := selectInt(q.conn, `SELECT seq FROM event WHERE agreement = (SELECT id FROM word WHERE text = ?) AND seq <= ?
	ORDER BY seq DESC LIMIT 1`, string(of), asOf)
		known = uint64(n)
		return err
	})
	if err == nil && known == 0 {
		err = domain.NotFound("agreement", "agreement", of)
	}
	if err != nil {
		return nil, nil, err
	}
	e, err = m.effective.get(m.opts.Dir, of, known, m.buildEffective)
	if err != nil {
		return nil, nil, err
	}
	select {
	case <-e.built:
		err = e.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		m.effective.release(e)
		return nil, nil, err
	}
	return e, func() { m.effective.release(e) }, nil
}

// buildEffective makes the file of e at path.
func (m *Models) buildEffective(ctx context.Context, e *effective, path string) (err error) {
	m.mu.RLock()
	log := m.followed
	m.mu.RUnlock()
	if log == nil { // opened and not followed yet: the log is not known
		return &BehindError{Asked: e.seq, Reached: m.Position().Seq}
	}
	err = m.read(ctx, Point{Seq: e.seq}, func(q *query) (err error) {
		e.events, err = q.placeEvents(m.opts.Ledger, e.agreement, e.seq)
		return err
	})
	if err != nil {
		return err
	}
	f := &file{path: path}
	if _, err = m.fill(ctx, &reordered{log, e.events}, uint64(len(e.events)), path, nil, nil); err == nil {
		f.readers, err = openReaders(path, effectiveReaders, 2048)
	}
	if err != nil {
		_ = f.remove()
		return fmt.Errorf("projections: put agreement %s in the order of effective dates: %w", e.agreement, err)
	}
	e.file = f
	return nil
}

// readEffective is read for a point on the second axis.
func (m *Models) readEffective(ctx context.Context, at Point, f func(*query) error) error {
	e, release, err := m.effectiveFile(ctx, at.Agreement, at.Seq)
	if err != nil {
		return err
	}
	defer release()
	within := at
	within.Seq = e.pos(at.Effective)
	return e.file.read(ctx, func(conn *sqlite.Conn) error {
		return f(&query{conn: conn, words: wordReader{conn, &e.file.words}, paths: &e.file.paths, line: &e.file.timeline, at: within, asked: at, axis: e})
	})
}

// logged is the sequence in the log of an event of the file at hand.
func (q *query) logged(seq uint64) uint64 {
	if q.axis == nil {
		return seq
	}
	return q.axis.real(seq)
}

// number is the number in the file at hand of the last event that a point on
// its axis is as of; of the zero Point, which is before the first, 0.
func (q *query) number(at Point) uint64 {
	if q.axis == nil || at.Effective == 0 {
		return at.Seq
	}
	return q.axis.pos(at.Effective)
}

// covers fails where the file at hand does not have what belongs to an
// agreement, or with "" to the ledger: its answer would be too short.
func (q *query) covers(of domain.Key) error {
	if q.axis != nil && of != q.axis.agreement {
		return fmt.Errorf("projections: a point on the effective axis of agreement %s does not answer for %q", q.axis.agreement, of)
	}
	return nil
}
