package projections

import (
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// storedSnapshots are what the tables have of snapshots, to be compared with the
// states that the log gives: decisions begin with them.
type storedSnapshots struct {
	bySubject map[string]storedSnapshot // that no event was met of yet
	first     *Difference               // of them from the log
}

type storedSnapshot struct {
	snapshotRow
	agreement domain.Key
	path      string
}

// read reads those of tables that are at a position.
func (all *storedSnapshots) read(conn *sqlite.Conn, ledger string, at uint64) error {
	all.bySubject = map[string]storedSnapshot{}
	const query = "SELECT coalesce(e.agreement, ''), coalesce(e.path, ''), s.seq, s.version, s.weight, s.sum, s.state FROM snapshot s LEFT JOIN entity e ON e.id = s.entity"
	return each(conn, query, nil, func(stmt *sqlite.Stmt) (bool, error) {
		s := storedSnapshot{snapshotAt(stmt, 2), domain.Key(stmt.ColumnText(0)), stmt.ColumnText(1)}
		subject := subjectOf(ledger, domain.ParsePath(s.agreement, s.path))
		if s.seq > at || !s.holds(subject) {
			all.differs(s, "it is not what was written")
		}
		s.state = nil // its sum says it
		all.bySubject[subject] = s
		return true, nil
	})
}

// compare holds the state of an aggregate against its snapshot, when that is of its
// last event.
func (all *storedSnapshots) compare(kind *domain.Aggregate, a *aggregate) error {
	s, ok := all.bySubject[a.subject]
	if !ok || s.seq != a.seq {
		return nil
	}
	delete(all.bySubject, a.subject)
	state, err := kind.Encode(a.state)
	if err == nil && s.sum != snapshotSum(a.subject, a.seq, a.version, s.weight, state) {
		all.differs(s, "it is not the state that the log gives")
	}
	return err
}

// end holds against the log what is left of them when all of it was folded.
func (all *storedSnapshots) end() {
	for _, s := range all.bySubject {
		all.differs(s, "it is of no event of this aggregate")
	}
}

func (all *storedSnapshots) differs(s storedSnapshot, why string) {
	if all.first == nil || s.seq < all.first.Seq {
		all.first = &Difference{Code: DiffersTables, Seq: s.seq, Agreement: s.agreement, Entity: s.path, What: "table snapshot: " + why}
	}
}
