package projections

import (
	"fmt"
	"os"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// aside keeps the snapshots of aggregates that a load or a replay forgets when it
// remembers as much as it may. The projector that follows has them in its tables; a load
// cannot ask its own before its end, and a replay has none, so both would search the log
// for all events of an aggregate, each time that it is met again.
type aside struct {
	dir  string       // of the read models
	path string       // of a file that is removed when all is done
	conn *sqlite.Conn // nil before anything is kept
}

// keep keeps the state of an aggregate in place of the one before.
func (s *aside) keep(a *aggregate) error {
	if err := durable.Room(s.dir); err != nil { // the log and what serves come first
		return err
	}
	if s.conn == nil {
		if err := s.open(); err != nil {
			return fmt.Errorf("keep a state aside: %w", err)
		}
	}
	row, err := a.snapshot()
	if err == nil {
		err = insert(s.conn, insertSnapshot, a.entity.id, a.seq, row[0].i, row[1].i, []byte(row[2].s), []byte(row[3].s))
	}
	a.kept = a.version
	return err
}

// read reads the state that was kept of an aggregate, that before its first event where
// there is none.
func (s *aside) read(kind *domain.Aggregate, subject string, entity int64) (domain.Snapshot, int, error) {
	if s.conn == nil {
		return domain.Snapshot{}, 0, nil
	}
	return readSnapshot(s.conn, kind, subject, entity)
}

// copyTo puts all that is kept into the tables of a file.
func (s *aside) copyTo(conn *sqlite.Conn) error {
	if s.conn == nil {
		return nil
	}
	if err := insert(conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	const all = "SELECT entity, seq, version, weight, sum, state FROM snapshot"
	err := each(s.conn, all, nil, func(stmt *sqlite.Stmt) (bool, error) {
		if err := durable.Room(s.dir); err != nil {
			return false, err
		}
		row := snapshotAt(stmt, 1)
		return true, insert(conn, insertSnapshot, stmt.ColumnInt64(0), row.seq, row.version, row.weight, slices.Clone(row.sum[:]), row.state)
	})
	if err != nil {
		return err // of a file that is thrown away
	}
	return insert(conn, "COMMIT")
}

func (s *aside) open() error {
	f, err := os.CreateTemp(s.dir, "read-v*.db") // what is left of it by a crash is removed like any other such file
	if err != nil {
		return err
	}
	s.path = f.Name()
	if err := f.Close(); err != nil {
		return err
	}
	if s.conn, err = sqlite.OpenConn(s.path, sqlite.OpenReadWrite); err != nil {
		return err
	}
	if err = settings(s.conn, "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"); err == nil {
		err = script(s.conn, createSnapshots)
	}
	if err == nil {
		err = insert(s.conn, "BEGIN") // nothing has to outlast the connection
	}
	return err
}

// close forgets all that is kept.
func (s *aside) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	if s.path != "" {
		_ = os.Remove(s.path)
	}
	*s = aside{dir: s.dir}
}
