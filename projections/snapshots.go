package projections

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Snapshots are states of aggregates as of one of their events. With them an
// aggregate is at hand at the same cost however long its history: without, all its
// events are read, from places all over the log. They are no read models: they are in
// no digest, and nothing that is answered comes from them. One that is missing or is
// not what was written is as good as none, and those of a program with other states are
// removed. A replay compares each with what the log gives.
//
// A snapshot is of events that are in the register of the same file, so it is of the
// same log as that.
const createSnapshots = `CREATE TABLE IF NOT EXISTS snapshot (entity INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, weight INTEGER NOT NULL, sum BLOB NOT NULL, state BLOB NOT NULL);
`

const (
	insertSnapshot = "INSERT OR REPLACE INTO snapshot (entity, seq, version, weight, sum, state) VALUES (?, ?, ?, ?, ?, ?)"
	selectSnapshot = "SELECT seq, version, weight, sum, state FROM snapshot WHERE entity = ?"
)

// overdue bounds how much is written of snapshots when a crowd writes events: a state
// for so many of them. In quiet times there is one for each event and some more.
const (
	overdue = 32
	catchUp = 16
)

// keepSome has snapshots written with the rows of a batch of n events, of those
// aggregates that have waited for longest.
func (p *projector) keepSome(n int) error {
	budget := n/overdue + 1
	if n < crowd {
		budget = n + catchUp
	}
	c := p.states
	for ; budget > 0 && len(c.changed) > 0; budget-- {
		a := c.changed[0]
		c.changed = c.changed[1:]
		a.waits = false
		if err := p.keep(a); err != nil {
			return err
		}
	}
	return nil
}

// keepAll has snapshots written of all aggregates at hand.
func (p *projector) keepAll() error {
	p.states.keeps = true
	for e := p.states.used.Front(); e != nil; e = e.Next() {
		if err := p.keep(e.Value.(*aggregate)); err != nil {
			return err
		}
	}
	return nil
}

// keep has a snapshot written of an aggregate, unless there is one of its last event.
func (p *projector) keep(a *aggregate) error {
	if !p.states.keeps || a.version == a.kept {
		return nil
	}
	kind, _ := catalogue.Aggregate(a.ref.Kind)
	state, err := kind.Encode(a.state)
	if err != nil {
		return fmt.Errorf("snapshot of %s: %w", a.ref, err)
	}
	sum := snapshotSum(a.subject, a.seq, a.version, state)
	p.out.add(snapshotRows, insertSnapshot, []cell{
		{kind: columnInt, i: int64(a.version)}, {kind: columnInt, i: int64(a.weight)},
		{kind: columnBlob, s: string(sum[:])}, {kind: columnBlob, s: string(state)},
	}, a.entity.id, int64(a.seq))
	a.kept = a.version
	return nil
}

// keepAll writes snapshots of all aggregates that the projector has at hand.
func (f *file) keepAll() error {
	if f.projector == nil {
		return nil
	}
	if err := f.projector.keepAll(); err != nil {
		return err
	}
	return f.projector.commit()
}

// readSnapshot reads the snapshot of an aggregate, that before its first event where
// there is none that is worth anything.
func readSnapshot(conn *sqlite.Conn, kind *domain.Aggregate, subject string, entity int64) (s domain.Snapshot, weight int, err error) {
	err = each(conn, selectSnapshot, []any{entity}, func(stmt *sqlite.Stmt) (bool, error) {
		seq, version := uint64(stmt.ColumnInt64(0)), uint64(stmt.ColumnInt64(1))
		var sum [sha256.Size]byte
		stmt.ColumnBytes(3, sum[:])
		state := make([]byte, stmt.ColumnLen(4))
		stmt.ColumnBytes(4, state)
		if sum != snapshotSum(subject, seq, version, state) {
			return false, nil
		}
		decoded, err := kind.Decode(state)
		if err != nil {
			return false, fmt.Errorf("snapshot of %s: %w", subject, err)
		}
		s, weight = domain.Snapshot{State: decoded, Seq: seq, Version: version}, stmt.ColumnInt(2)
		return false, nil
	})
	return s, weight, err
}

// snapshotSum covers all that a snapshot says.
func snapshotSum(subject string, seq, version uint64, state []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(subject))
	h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{0}, seq), version))
	h.Write(state)
	h.Sum(sum[:0])
	return sum
}

// states names the states of this program: what they hold, and the version of what
// makes them of events.
var states = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d.%d", schemaVersion, projectionVersion)
	for i := range catalogue.Aggregates {
		a := &catalogue.Aggregates[i]
		fmt.Fprintf(h, " %s %s", a.Kind, a.Shape())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
})

// readySnapshots lets a file have snapshots of this program's states, and no others.
func readySnapshots(conn *sqlite.Conn) error {
	return script(conn, createSnapshots+fmt.Sprintf(`DELETE FROM snapshot WHERE '%[1]s' IS NOT (SELECT value FROM meta WHERE name = 'states');
INSERT OR REPLACE INTO meta SELECT 'states', '%[1]s' WHERE '%[1]s' IS NOT (SELECT value FROM meta WHERE name = 'states');
`, states()))
}

// Past returns a snapshot of an aggregate, the sequences of its events after that,
// and the sequence up to which there are no others. The snapshot is that before the
// first event where there is none. It returns upTo 0 when the read models cannot say.
func (m *Models) Past(ctx context.Context, ref domain.Ref) (s domain.Snapshot, later []uint64, upTo uint64, err error) {
	kind, ok := catalogue.Aggregate(ref.Kind)
	if !m.Position().Ready || !ok {
		return s, nil, 0, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		at, err := readPosition(q.conn)
		if err != nil {
			return err
		}
		upTo = at.seq
		id, found, err := selectInt(q.conn, selectEntity, string(ref.Agreement), ref.Path())
		if err != nil || !found {
			return err
		}
		if s, _, err = readSnapshot(q.conn, kind, subjectOf(m.opts.Ledger, ref), id); err != nil {
			return err
		}
		later, err = historyAfter(q.conn, id, s.Seq)
		return err
	})
	return s, later, upTo, err
}
