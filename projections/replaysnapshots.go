package projections

import (
	"crypto/sha256"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// storedSnapshots are what the tables have of snapshots, to be compared with the
// states that the log gives: decisions begin with them.
type storedSnapshots struct {
	bySeq map[uint64]storedSnapshot
	first *Difference // of them from the log
}

type storedSnapshot struct {
	agreement domain.Key
	path      string
	sum       [sha256.Size]byte
}

// read reads those of tables that are at a position.
func (all *storedSnapshots) read(conn *sqlite.Conn, ledger string, at uint64) error {
	all.bySeq = map[uint64]storedSnapshot{}
	const query = "SELECT s.seq, s.version, s.sum, s.state, coalesce(e.agreement, ''), coalesce(e.path, '') FROM snapshot s LEFT JOIN entity e ON e.id = s.entity"
	return each(conn, query, nil, func(stmt *sqlite.Stmt) (bool, error) {
		seq, version := uint64(stmt.ColumnInt64(0)), uint64(stmt.ColumnInt64(1))
		s := storedSnapshot{agreement: domain.Key(stmt.ColumnText(4)), path: stmt.ColumnText(5)}
		stmt.ColumnBytes(2, s.sum[:])
		state := make([]byte, stmt.ColumnLen(3))
		stmt.ColumnBytes(3, state)
		if seq > at || s.sum != snapshotSum(subjectOf(ledger, domain.ParsePath(s.agreement, s.path)), seq, version, state) {
			all.differs(seq, s, "it is not what was written")
		}
		all.bySeq[seq] = s
		return true, nil
	})
}

// compare holds the state of an aggregate against the snapshot of its last event, if
// there is one.
func (all *storedSnapshots) compare(kind *domain.Aggregate, a *aggregate) error {
	s, ok := all.bySeq[a.seq]
	if !ok {
		return nil
	}
	state, err := kind.Encode(a.state)
	if err == nil && s.sum != snapshotSum(a.subject, a.seq, a.version, state) {
		all.differs(a.seq, s, "it is not the state that the log gives")
	}
	return err
}

func (all *storedSnapshots) differs(seq uint64, s storedSnapshot, why string) {
	if all.first == nil || seq < all.first.Seq {
		all.first = &Difference{Code: DiffersTables, Seq: seq, Agreement: s.agreement, Entity: s.path, What: "table snapshot: " + why}
	}
}
