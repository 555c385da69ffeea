package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Rebuilt tells how read models that were made anew compare to those before.
type Rebuilt struct {
	Seq       uint64 `json:"seq"`       // at which they are compared
	Live      string `json:"live"`      // digest of the former; "" when there were none
	Fresh     string `json:"fresh"`     // digest of the new
	LiveRoot  string `json:"live_root"` // hash of the ledger's Merkle tree in the former, base64; "" when there were none
	FreshRoot string `json:"fresh_root"`
	Identical bool   `json:"identical"` // digests and trees are the same, and the former tables are what was written
	// FirstDifference is the first sequence at which the two part, or at which
	// the former tables are not what was written; 0 when Identical.
	FirstDifference uint64 `json:"first_difference"`
	// Finding says in words what differs, "" when Identical.
	Finding string        `json:"finding,omitempty"`
	Events  uint64        `json:"events"`
	Load    time.Duration `json:"-"` // of making the new ones
}

// Rebuild makes the read models anew from the log, beside those that answer
// meanwhile, compares the two, and switches to the new ones. No question is
// refused for it. With no Follow running it works all the same.
func (m *Models) Rebuild(ctx context.Context, log Log, progress func(done, total uint64)) (r Rebuilt, err error) {
	if m.opts.View != nil {
		return r, errOfView
	}
	m.building.Lock()
	defer m.building.Unlock()
	last, err := log.Last(ctx)
	if err != nil {
		return r, fmt.Errorf("projections: %w", err)
	}
	to := last
	if p := m.Position(); p.Ready {
		to = min(p.Seq, last)
		if err := m.VerifyTables(ctx); err != nil {
			tables := (*TablesError)(nil)
			if !errors.As(err, &tables) {
				return r, err
			}
			r.FirstDifference, r.Finding = tables.Seq, tables.Error()
		}
	}
	start := time.Now()
	fresh, err := m.load(ctx, log, to, progress)
	if err != nil {
		return r, err
	}
	r.Load = time.Since(start)

	m.work.Lock()
	defer m.work.Unlock()
	old, err := m.switchTo(ctx, log, fresh, last, &r)
	if err != nil {
		return r, errors.Join(err, fresh.remove())
	}
	if old != nil {
		if err := old.remove(); err != nil {
			m.log.Warn("the former read models could not be removed", "error", err)
		}
	}
	return r, nil
}

// switchTo brings fresh to where the live file is, compares and installs it.
// The caller holds work, so the live file stands still.
func (m *Models) switchTo(ctx context.Context, log Log, fresh *file, last uint64, r *Rebuilt) (old *file, err error) {
	p, err := newProjector(fresh.write, log, false, m.opts)
	if err != nil {
		return nil, err
	}
	m.mu.RLock()
	old, closed := m.live, m.closed
	m.mu.RUnlock()
	if closed {
		return nil, ErrClosed
	}
	if old == nil {
		r.Seq, r.Events, r.Fresh, r.Identical = p.at.seq, p.at.seq, p.at.digest.String(), true
		if r.FreshRoot, err = ledgerRoot(fresh.write, p.at.seq); err != nil {
			return nil, err
		}
		return nil, m.install(fresh, log)
	}
	live, err := readPosition(old.write)
	if err != nil {
		return nil, err
	}
	if live.seq > p.at.seq && last >= live.seq || live.seq > last {
		// What came while fresh was loaded; nothing of it when the log is shorter.
		if last, err = log.Last(ctx); err != nil {
			return nil, fmt.Errorf("projections: %w", err)
		}
	}
	if err := p.readUpTo(ctx, log, min(live.seq, max(last, p.at.seq)), func(int, time.Time, eventstore.Record) error { return p.commit() }); err != nil {
		return nil, err
	}
	r.Seq, r.Events, r.Fresh = p.at.seq, p.at.seq, p.at.digest.String()
	if err := r.compare(old.write, fresh.write, live, p.at); err != nil {
		return nil, err
	}
	fresh.projector = p
	return old, m.install(fresh, log)
}

// compare finds out whether, and from where on, the live digest differs.
func (r *Rebuilt) compare(old, fresh *sqlite.Conn, live, now position) error {
	r.Live = live.digest.String()
	var err error
	if r.FreshRoot, err = ledgerRoot(fresh, now.seq); err != nil {
		return err
	}
	var tree *TreeError
	if r.LiveRoot, err = ledgerRoot(old, live.seq); err != nil && !errors.As(err, &tree) {
		return err
	}
	if live.seq == now.seq && live.mark == now.mark {
		if r.LiveRoot != r.FreshRoot && r.Finding == "" { // since the tables were verified
			r.FirstDifference, r.Finding = now.seq, "the former read models had another Merkle tree"
		}
		r.Identical = r.Finding == ""
		return nil
	}
	// A mark holds all before it: once two histories part, they stay apart.
	low, high := uint64(1), now.seq+1 // the first difference lies in [low, high]
	for low < high {
		middle := (low + high) / 2
		a, hasA, err := selectInt(old, "SELECT mark FROM event WHERE seq = ?", middle)
		if err != nil {
			return err
		}
		b, hasB, err := selectInt(fresh, "SELECT mark FROM event WHERE seq = ?", middle)
		if err != nil {
			return err
		}
		if hasA && hasB && a == b {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if r.FirstDifference == 0 || low < r.FirstDifference {
		r.FirstDifference = low
		r.Finding = fmt.Sprintf("the former read models were made from other events from sequence %d on", low)
		if low > now.seq {
			r.Finding = fmt.Sprintf("the former read models go on after sequence %d, where the log ends", now.seq)
		}
	}
	return nil
}

// ledgerRoot is the hash of the ledger's tree as it is stored.
func ledgerRoot(conn *sqlite.Conn, seq uint64) (string, error) {
	root, err := treeHash(seq, (&tileReader{conn: conn, tree: ledgerTree}).read)
	if err != nil {
		return "", err
	}
	return root.String(), nil
}
