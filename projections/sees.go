package projections

import (
	"context"
	"encoding/hex"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// Sees reports whether the view has an event of an aggregate. The main models see
// everything, whether it is there or not.
func (m *Models) Sees(ctx context.Context, ref domain.Ref) (seen bool, err error) {
	if m.opts.View == nil {
		return true, nil
	}
	if !m.scope.covers(ref.Agreement, ref.Kind) {
		return false, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		e, ok, err := q.entity(ref.Agreement, ref.Path())
		if !ok || err != nil {
			return err
		}
		version, err := q.latest(e.id)
		seen = version > 0
		return err
	})
	return seen, err
}

// Version is the version of an aggregate as of a point: that of the last of its
// events that the view has, 0 where it has none. It is what answers call its
// version, and other views may show another.
func (m *Models) Version(ctx context.Context, ref domain.Ref, at Point) (version uint64, err error) {
	err = m.read(ctx, at, func(q *query) error {
		e, ok, err := q.entity(ref.Agreement, ref.Path())
		if ok && err == nil {
			version, err = q.version(e.id)
		}
		return err
	})
	return version, err
}

// EventsOf counts the events of an aggregate that the view has, of which other views
// may have more.
func (m *Models) EventsOf(ctx context.Context, ref domain.Ref) (n uint64, err error) {
	err = m.read(ctx, Point{}, func(q *query) error {
		e, ok, err := q.entity(ref.Agreement, ref.Path())
		if !ok || err != nil {
			return err
		}
		count, _, err := selectInt(q.conn, "SELECT count(*) FROM event WHERE aggregate = ?", e.id)
		n = uint64(count)
		return err
	})
	return n, err
}

// SeesEvent reports whether the view has the event at a sequence, and waits until
// it has come as far.
func (m *Models) SeesEvent(ctx context.Context, seq uint64) (seen bool, err error) {
	if m.opts.View == nil {
		return true, nil
	}
	if p := m.Position(); !p.Ready || p.Seq < seq {
		if ends, err := m.logEnds(ctx); err != nil || seq > ends {
			return false, err
		}
		if err := m.Wait(ctx, seq); err != nil {
			return false, err
		}
	}
	err = m.read(ctx, Point{Seq: seq}, func(q *query) error {
		_, seen, err = selectInt(q.conn, "SELECT 1 FROM event WHERE seq = ?", seq)
		return err
	})
	return seen, err
}

// SeesEvidence reports whether an event in the view names a file by its hash.
func (m *Models) SeesEvidence(ctx context.Context, hash domain.Hash) (seen bool, err error) {
	if m.opts.View == nil {
		return true, nil
	}
	raw, err := hex.DecodeString(string(hash))
	if err != nil || !hash.Valid() {
		return false, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		_, seen, err = selectInt(q.conn, "SELECT 1 FROM evidence WHERE hash = ?", raw)
		return err
	})
	return seen, err
}

// logEnds is the last sequence of the log that is followed.
func (m *Models) logEnds(ctx context.Context) (uint64, error) {
	m.mu.RLock()
	log := m.followed
	m.mu.RUnlock()
	if log == nil {
		return 0, &BehindError{Reached: m.Position().Seq}
	}
	return log.Last(ctx)
}

// Names reports whether a text for people names something that is withheld from
// the view: by a key, unless something in the view has that as well, or by a
// title. Where that cannot be told, as the view is being made, it does. The main
// models have nothing to withhold.
func (m *Models) Names(text string) bool {
	if m.opts.View == nil {
		return false
	}
	f, err := m.acquire(0)
	if err != nil {
		return true
	}
	defer f.inUse.Done()
	shown := func(key string) (shown bool) {
		err := f.read(context.Background(), func(conn *sqlite.Conn) (err error) {
			_, shown, err = selectInt(conn, "SELECT 1 FROM entity WHERE substr(path, -?) = ? LIMIT 1", len(key)+1, "/"+key)
			return err
		})
		return err == nil && shown
	}
	return f.withheld.Load().foundIn(text, shown)
}
