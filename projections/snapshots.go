package projections

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
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

// stateVersion grows when an event makes another state than it did, of the same shape
// (TestStatesAreThoseOfTheirVersion).
const stateVersion = 1

// How much is written of snapshots. Where few write, the aggregate of each event and
// some more; when a crowd does, one for so many events. A large aggregate waits until
// its events are in proportion.
const (
	overdue      = 32 // events of a crowd for one snapshot
	catchUp      = 16 // beside those of a batch
	partsAnEvent = 16
)

// keepSome has snapshots written with the rows of a batch of n events, of those
// aggregates that have waited for longest.
func (p *projector) keepSome(n int) error {
	budget := n/overdue + 1
	if n < crowd {
		budget = n + catchUp
	}
	for ; budget > 0 && p.states.waiting.Len() > 0; budget-- {
		if err := p.keep(p.states.waiting.Front().Value.(*aggregate)); err != nil {
			return err
		}
	}
	return nil
}

// keptAtOnce is how many snapshots one transaction writes of all.
const keptAtOnce = 256

// keepAll writes snapshots of all aggregates at hand that have moved since, or of as
// many as it comes to before ctx ends.
func (p *projector) keepAll(ctx context.Context) error {
	p.states.keeps = true
	var moved []*aggregate
	for e := p.states.used.Front(); e != nil; e = e.Next() {
		if a := e.Value.(*aggregate); a.version != a.kept {
			moved = append(moved, a)
		}
	}
	for len(moved) > keptAtOnce && ctx.Err() == nil {
		if err := p.keepTogether(moved[:keptAtOnce]); err != nil {
			return err
		}
		if err := p.commit(); err != nil {
			return err
		}
		moved = moved[keptAtOnce:]
	}
	if ctx.Err() == nil {
		if err := p.keepTogether(moved); err != nil {
			return err
		}
	}
	return p.commit()
}

// keepTogether has snapshots written of aggregates that have moved. Their states are
// written down side by side, for nothing else is done meanwhile.
func (p *projector) keepTogether(moved []*aggregate) error {
	snapshots := make([][]cell, len(moved))
	var parts errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		parts.Go(func() (err error) {
			for i := first; i < len(moved) && err == nil; i += workers {
				snapshots[i], err = moved[i].snapshot()
			}
			return err
		})
	}
	if err := parts.Wait(); err != nil {
		return err
	}
	for i, a := range moved {
		p.addSnapshot(a, snapshots[i])
	}
	return nil
}

// keep has a snapshot written of an aggregate, unless there is one of its last event.
func (p *projector) keep(a *aggregate) error {
	p.states.waitNoMore(a)
	if a.version == a.kept {
		return nil
	}
	if p.entities.whole && !p.states.keeps {
		return p.aside.keep(a)
	}
	snapshot, err := a.snapshot()
	if err == nil {
		p.addSnapshot(a, snapshot)
	}
	return err
}

func (p *projector) addSnapshot(a *aggregate, snapshot []cell) {
	p.states.waitNoMore(a)
	p.out.add(snapshotRows, insertSnapshot, snapshot, a.entity.id, int64(a.seq))
	a.kept = a.version
}

// snapshot is the row of a snapshot after what leads it.
func (a *aggregate) snapshot() ([]cell, error) {
	kind, _ := catalogue.Aggregate(a.ref.Kind)
	state, err := kind.Encode(a.state)
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", a.ref, err)
	}
	sum := snapshotSum(a.subject, a.seq, a.version, a.weight, state)
	return []cell{
		{kind: columnInt, i: int64(a.version)}, {kind: columnInt, i: int64(a.weight)},
		{kind: columnBlob, s: string(sum[:])}, {kind: columnBlob, s: string(state)},
	}, nil
}

// patience is for how long a file that is closed may write snapshots.
const patience = 5 * time.Second

// keepAll writes snapshots of the aggregates that the projector has at hand.
func (f *file) keepAll() error {
	if f.projector == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return f.projector.keepAll(ctx)
}

// readSnapshot reads the snapshot of an aggregate, that before its first event where
// there is none that is worth anything.
func readSnapshot(conn *sqlite.Conn, kind *domain.Aggregate, subject string, entity int64) (s domain.Snapshot, weight int, err error) {
	err = each(conn, selectSnapshot, []any{entity}, func(stmt *sqlite.Stmt) (bool, error) {
		row := snapshotAt(stmt, 0)
		if !row.holds(subject) {
			return false, nil
		}
		if state, err := kind.Decode(row.state); err == nil {
			s, weight = domain.Snapshot{State: state, Seq: row.seq, Version: row.version}, row.weight
		}
		return false, nil
	})
	return s, weight, err
}

// snapshotRow is one as it is in the table.
type snapshotRow struct {
	seq, version uint64
	weight       int
	sum          [sha256.Size]byte
	state        []byte
}

// snapshotAt reads it from a column on.
func snapshotAt(stmt *sqlite.Stmt, first int) snapshotRow {
	row := snapshotRow{
		seq: uint64(stmt.ColumnInt64(first)), version: uint64(stmt.ColumnInt64(first + 1)), weight: stmt.ColumnInt(first + 2),
		state: make([]byte, stmt.ColumnLen(first+4)),
	}
	stmt.ColumnBytes(first+3, row.sum[:])
	stmt.ColumnBytes(first+4, row.state)
	return row
}

// holds reports whether it is what was written of the aggregate of that subject.
func (row *snapshotRow) holds(subject string) bool {
	return row.seq > 0 && row.sum == snapshotSum(subject, row.seq, row.version, row.weight, row.state)
}

// snapshotSum covers all that a snapshot says.
func snapshotSum(subject string, seq, version uint64, weight int, state []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(subject))
	for _, n := range []uint64{seq, version, uint64(weight)} {
		h.Write(binary.BigEndian.AppendUint64([]byte{0}, n))
	}
	h.Write(state)
	h.Sum(sum[:0])
	return sum
}

// states names the states of this program: what they hold, and the version of what
// makes them of events.
var states = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprint(h, stateVersion)
	for i := range catalogue.Aggregates {
		a := &catalogue.Aggregates[i]
		fmt.Fprintf(h, " %s %s", a.Kind, a.Shape())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
})

// readySnapshots lets a file have snapshots of this program's states, and no others.
func readySnapshots(conn *sqlite.Conn) error {
	var of string
	err := each(conn, "SELECT value FROM meta WHERE name = 'states'", nil, func(stmt *sqlite.Stmt) (bool, error) {
		of = stmt.ColumnText(0)
		return false, nil
	})
	if err != nil || of == states() {
		return err
	}
	return script(conn, "DROP TABLE IF EXISTS snapshot;\n"+createSnapshots+"INSERT OR REPLACE INTO meta VALUES ('states', '"+states()+"');")
}

// Past returns a snapshot of an aggregate, the sequences of its events after that,
// and the sequence up to which there are no others. The snapshot is that before the
// first event where there is none. It returns upTo 0 when the read models cannot say:
// also when it was not seen yet that they are of the log, or they were seen not to be.
func (m *Models) Past(ctx context.Context, ref domain.Ref) (s domain.Snapshot, later []uint64, upTo uint64, err error) {
	kind, ok := catalogue.Aggregate(ref.Kind)
	if !ok || !m.ofTheLog() {
		return s, nil, 0, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		id, found, at, err := registered(q.conn, ref)
		if upTo = at; err != nil || !found {
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

// ofTheLog reports whether the read models can be asked, and follow a log that they
// were made from.
func (m *Models) ofTheLog() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p := m.Position()
	return m.followed != nil && p.Ready && p.Err == nil
}
