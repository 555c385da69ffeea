package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
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
	m.asked.Lock()
	defer m.asked.Unlock()
	m.giveUpRenewal() // it is to do the same, and does not compare
	m.building.Lock()
	defer m.building.Unlock()
	if m.Position().Ready {
		if err := m.VerifyTables(ctx); err != nil {
			tables := (*TablesError)(nil)
			if !errors.As(err, &tables) {
				return r, err
			}
			r.FirstDifference, r.Finding = tables.Seq, tables.Error()
		}
	}
	if err := m.build(ctx, log, "it was asked for", progress, &r); err != nil {
		return r, err
	}
	return r, nil
}

// compare tells of fresh, which is at now, and finds out whether, and from where on,
// was differs, which is at live, or is nil.
func (r *Rebuilt) compare(was, fresh *file, live, now position) (err error) {
	r.Seq, r.Events, r.Fresh = now.seq, now.seq, now.digest.String()
	if r.FreshRoot, err = ledgerRoot(fresh.write, now.seq); err != nil {
		return err
	}
	if was == nil {
		r.Identical = true
		return nil
	}
	old := was.write
	r.Live = live.digest.String()
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
		b, hasB, err := selectInt(fresh.write, "SELECT mark FROM event WHERE seq = ?", middle)
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
		switch {
		case was.former != "":
			r.Finding = fmt.Sprintf("%s; what they say differs from sequence %d on", was.former, low)
		case low > now.seq:
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
