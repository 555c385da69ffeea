package projections

import (
	"context"
	"errors"
	"time"

	"zombiezen.com/go/sqlite"
)

// Position is how far the read models have come.
type Position struct {
	Seq    uint64    // of the last event
	Digest string    // at Seq, 64 hexadecimal digits; see digest
	Events uint64    // projected in all
	At     time.Time // ledger time of the last event
	Ready  bool      // there are read models to ask; false while they are first made
	Err    error     // why the projector stopped; nil while it runs or was told to stop
}

// Position says how far the read models have come, at no cost.
func (m *Models) Position() Position { return m.position.Load().(Position) }

func (m *Models) publish(at position) {
	p := m.Position()
	p.Seq, p.Events, p.Digest, p.At, p.Ready = at.seq, at.seq, at.digest.String(), at.time(), true
	m.setPosition(p)
}

func (m *Models) setError(err error) {
	p := m.Position()
	p.Err = err
	m.setPosition(p)
}

func (m *Models) setPosition(p Position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.position.Store(p)
	m.wake()
}

// wake has everybody who waits look again. The caller holds mu.
func (m *Models) wake() {
	if !m.closed {
		close(m.moved)
		m.moved = make(chan struct{})
	}
}

// Wait returns when the read models have reached seq and can be asked. When
// ctx ends first, or when the projector has stopped before, it returns a
// *BehindError.
func (m *Models) Wait(ctx context.Context, seq uint64) error { return m.wait(ctx, seq, false) }

// waitFollowed is Wait for read models that were seen to be made from the log.
func (m *Models) waitFollowed(ctx context.Context, seq uint64) error { return m.wait(ctx, seq, true) }

func (m *Models) wait(ctx context.Context, seq uint64, follow bool) error {
	for {
		m.mu.RLock()
		p, moved, closed, followed := m.Position(), m.moved, m.closed, m.followed != nil || !follow
		m.mu.RUnlock()
		switch {
		case closed:
			return ErrClosed
		case p.Ready && p.Seq >= seq && followed:
			return nil
		case p.Err != nil:
			return &BehindError{Asked: seq, Reached: p.Seq, Err: p.Err}
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return &BehindError{Asked: seq, Reached: m.Position().Seq}
		}
	}
}

// position is how far the tables go.
type position struct {
	seq    uint64
	at     int64  // ledger time of seq, microseconds since 1970
	event  string // id of event seq
	digest digest
	mark   digest
}

func (at position) time() time.Time {
	if at.at == 0 { // there is no event yet, or none in the view
		return time.Time{}
	}
	return time.UnixMicro(at.at).UTC()
}

func readPosition(conn *sqlite.Conn) (at position, err error) {
	err = each(conn, "SELECT seq, at, event, digest, mark FROM position", nil, func(stmt *sqlite.Stmt) (bool, error) {
		at.seq, at.at, at.event = uint64(stmt.ColumnInt64(0)), stmt.ColumnInt64(1), stmt.ColumnText(2)
		if stmt.ColumnBytes(3, at.digest[:]) != len(at.digest) || stmt.ColumnBytes(4, at.mark[:]) != len(at.mark) {
			return false, errors.New("projections: the position's digest is damaged")
		}
		return false, nil
	})
	return at, err
}

func (p *projector) writePosition() error {
	return insert(p.conn, "INSERT OR REPLACE INTO position (id, seq, at, event, digest, mark) VALUES (1, ?, ?, ?, ?, ?)",
		p.at.seq, p.at.at, p.at.event, p.at.digest[:], p.at.mark[:])
}
