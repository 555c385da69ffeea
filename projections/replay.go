package projections

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// ReplayOptions say how to replay.
type ReplayOptions struct {
	Files    Files                    // where the evidence is; nil leaves it out
	Progress func(done, total uint64) // of the events, and then of the files; nil tells nobody
	LogOnly  bool                     // leaves out VerifyTables: the log is checked, and what the tables say of it
}

// Replayed tells what came of a replay.
type Replayed struct {
	Seq        uint64      `json:"seq"`        // up to which the read models are compared with the log
	Events     uint64      `json:"events"`     // of the log that were folded
	Digest     string      `json:"digest"`     // of read models made from the log up to Seq; "" when it was not reached
	Root       string      `json:"root"`       // hash of the ledger's Merkle tree at Seq, base64
	Evidence   *int        `json:"evidence"`   // files that events name and that are or were stored, of which each was read; null when they were left out
	Identical  bool        `json:"identical"`  // the log is whole, the read models are what it gives, and the evidence is what it names
	Difference *Difference `json:"difference"` // the first in the order of sequences; null when identical
}

// Replay folds the log from the first event to the last again, as far from the
// read models as can be: nothing is changed, and nothing that they hold is used
// but to be compared. It checks that
//
//   - no sequence is missing, and every atomic batch is whole;
//   - each event is one of this ledger, is understood, is stored under the subject of
//     its aggregate, and is the aggregate's next version;
//   - the hash of its stored bytes is the one that the read models have, and
//     what they say it wrote is what it writes (the mark, see digest.go);
//   - the digests and the roots of the Merkle tree are the same;
//   - the tables hold what was written ([Models.VerifyTables]), and the states that
//     decisions begin with are those that the log gives;
//   - each file that an event names as evidence is stored, and whatever file it names has
//     the hash by which it is named.
//
// Whatever does not hold is a result and no error. Replay takes no part in the
// following of the log, and holds up no question. With another replay or a
// rebuild under way it returns ErrBusy.
func (m *Models) Replay(ctx context.Context, log Log, opts ReplayOptions) (r Replayed, err error) {
	if m.opts.View != nil {
		return r, errOfView
	}
	defer func() {
		if damaged(err) {
			r.Identical, r.Difference = false, &Difference{Code: DiffersTables, Seq: r.Seq, What: "the tables cannot be read: " + err.Error()}
			err = nil
		}
	}()
	modelsDone, end, err := m.beginReplay()
	if err != nil {
		return r, err
	}
	defer end()
	var live position
	var snapshots storedSnapshots
	err = m.read(ctx, Point{}, func(q *query) (err error) {
		if live, err = readPosition(q.conn); err == nil && !opts.LogOnly {
			err = snapshots.read(q.conn, m.opts.Ledger, live.seq)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	r.Seq = live.seq
	var named *namedFiles
	if opts.Files != nil {
		named = &namedFiles{known: map[domain.Hash]int{}}
	}
	if r.Difference, err = m.replay(ctx, log, live, &snapshots, named, opts.Progress, &r); err != nil {
		return r, ofDisk(err)
	}
	if r.Difference == nil {
		snapshots.end()
	}
	if d := snapshots.first; d != nil && (r.Difference == nil || d.Seq < r.Difference.Seq) {
		r.Difference = d
	}
	if !opts.LogOnly {
		var tables *TablesError
		if err := m.VerifyTables(ctx); err != nil && !errors.As(err, &tables) {
			return r, err
		}
		// What was edited in the tables explains why the log differs from them.
		if tables != nil && (r.Difference == nil || tables.Seq <= r.Difference.Seq) {
			if r.Difference, err = m.tablesDifference(ctx, log, tables); err != nil {
				return r, err
			}
		}
	}
	if named != nil {
		modelsDone() // this takes as long as the files are large, and needs none
		files, d, err := named.check(ctx, opts.Files, opts.Progress)
		if err != nil {
			return r, err
		}
		if r.Evidence = &files; d != nil && (r.Difference == nil || d.Seq < r.Difference.Seq) {
			r.Difference = d
		}
	}
	r.Identical = r.Difference == nil
	return r, nil
}

// replay folds the log, and returns the first difference from the live models,
// which are at that position and have these snapshots. It notes which files are named.
func (m *Models) replay(ctx context.Context, log Log, live position, snapshots *storedSnapshots, named *namedFiles, progress func(done, total uint64), r *Replayed) (*Difference, error) {
	defer collectLess()()
	last, err := log.Last(ctx)
	if err != nil {
		return nil, fmt.Errorf("projections: %w", err)
	}
	w := witness{models: m, live: live, chain: newChain(digest{}, digest{}), replayed: r}
	if live.seq == 0 {
		err = w.compareEnd(ctx)
	}
	p := newFold(log, true, position{}, m.opts)
	defer p.aside.close()
	p.stored, p.named = snapshots, named
	if err == nil {
		take := func(b *rowBuffer) error { return w.take(ctx, b) }
		err = p.readAside(ctx, log, last, take, func(int, time.Time, eventstore.Record) {
			if progress != nil {
				progress(p.at.seq, last)
			}
		})
	}
	r.Events = p.at.seq
	if err == nil && last < live.seq {
		err = &Difference{Code: DiffersEnd, Seq: last + 1, What: fmt.Sprintf("the log ends at %d, and the read models are at %d", last, live.seq)}
	}
	if err == nil {
		return nil, nil
	}
	return m.differenceOf(ctx, log, err)
}

// beginReplay keeps others from replaying until end is called, and from making read
// models until then or until modelsDone is. The first read models answer a moment before
// their making ends: that is waited for.
func (m *Models) beginReplay() (modelsDone, end func(), err error) {
	if !m.asked.TryLock() {
		return nil, nil, ErrBusy
	}
	if !m.building.TryLock() {
		if b := m.Build(); b.Running && b.Why != noneYet {
			m.asked.Unlock()
			return nil, nil, ErrBusy
		}
		m.building.Lock()
	}
	modelsDone = sync.OnceFunc(m.building.Unlock)
	return modelsDone, func() { modelsDone(); m.asked.Unlock() }, nil
}

// witness holds what a fold makes against what the live models say of the log.
type witness struct {
	models   *Models
	live     position
	replayed *Replayed
	chain    *chain // of the fold
	ledger   tree
	rows     []witnessed // of the events to come
	room     []witnessed // of rows
}

// witnessed is what the register keeps of one event.
type witnessed struct {
	seq  uint64
	leaf tlog.Hash
	mark int64
}

// witnessedAtOnce is how many events are looked up in one question.
const witnessedAtOnce = 4 * maxBatch

// take holds the events of a batch against their rows.
func (w *witness) take(ctx context.Context, b *rowBuffer) error {
	return w.chain.take(&b.digests, func(i int) error {
		if w.ledger.size >= w.live.seq {
			return nil
		}
		if err := w.ledger.add(b.leaves[i], func(*tileRow) error { return nil }); err != nil {
			return err
		}
		return w.compare(ctx, w.ledger.size, b.leaves[i])
	})
}

// compare holds an event against its row.
func (w *witness) compare(ctx context.Context, seq uint64, leaf tlog.Hash) error {
	if len(w.rows) == 0 {
		if err := w.look(ctx, seq); err != nil {
			return err
		}
	}
	if len(w.rows) == 0 || w.rows[0].seq != seq {
		return &Difference{Code: DiffersTables, Seq: seq, What: "table event: the row is missing"}
	}
	row := w.rows[0]
	w.rows = w.rows[1:]
	switch {
	case row.leaf != leaf:
		return &Difference{Code: DiffersHash, Seq: seq, What: fmt.Sprintf("the event is not the one that the read models were made from: its hash is %s, theirs %s", leaf, row.leaf)}
	case row.mark != w.chain.mark.short():
		return &Difference{Code: DiffersTables, Seq: seq, What: "the read models wrote something else for this event than the log gives"}
	case seq == w.live.seq:
		return w.compareEnd(ctx)
	}
	return nil
}

func (w *witness) look(ctx context.Context, from uint64) error {
	w.rows = w.room[:0]
	defer func() { w.room = w.rows }()
	return w.models.read(ctx, Point{}, func(q *query) error {
		return each(q.conn, "SELECT seq, leaf, mark FROM event WHERE seq >= ? ORDER BY seq", []any{from}, func(stmt *sqlite.Stmt) (bool, error) {
			row := witnessed{seq: uint64(stmt.ColumnInt64(0)), mark: stmt.ColumnInt64(2)}
			stmt.ColumnBytes(1, row.leaf[:])
			w.rows = append(w.rows, row)
			return len(w.rows) < witnessedAtOnce, nil
		})
	})
}

// compareEnd holds digest and root against those of the live models, at their
// position.
func (w *witness) compareEnd(ctx context.Context) error {
	seq := w.live.seq
	root, err := w.ledger.root()
	if err != nil {
		return err
	}
	w.replayed.Digest, w.replayed.Root = w.chain.now.String(), root.String()
	stored, err := w.models.TreeRoot(ctx, "", seq)
	if tree := (*TreeError)(nil); err != nil && !errors.As(err, &tree) {
		return err
	}
	switch {
	case err != nil:
		return &Difference{Code: DiffersTables, Seq: seq, What: err.Error()}
	case stored != root:
		return &Difference{Code: DiffersTables, Seq: seq, What: fmt.Sprintf("the root of the ledger's Merkle tree is %s, and the log gives %s", stored, root)}
	case w.live.digest != w.chain.now || w.live.mark != w.chain.mark:
		return &Difference{Code: DiffersTables, Seq: seq, What: "table position: the digest is not the one that the log gives"}
	}
	return nil
}
