package projections

import (
	"context"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// History returns the sequences of the events of an aggregate up to sequence
// upTo, from the register: with them its state can be folded without a search
// of the log. It returns upTo 0 when the read models cannot say.
func (m *Models) History(ctx context.Context, ref domain.Ref) (seqs []uint64, upTo uint64, err error) {
	if !m.Position().Ready {
		return nil, 0, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		id, found, at, err := registered(q.conn, ref)
		if upTo = at; err == nil && found {
			seqs, err = historyAfter(q.conn, id, 0)
		}
		return err
	})
	return seqs, upTo, err
}

// registered finds an aggregate in the register, which goes as far as sequence upTo.
func registered(conn *sqlite.Conn, ref domain.Ref) (id int64, found bool, upTo uint64, err error) {
	at, err := readPosition(conn)
	if err == nil {
		id, found, err = selectInt(conn, selectEntity, string(ref.Agreement), ref.Path())
	}
	return id, found, at.seq, err
}

// historyAfter lists the events of an aggregate after a sequence.
func historyAfter(conn *sqlite.Conn, aggregate int64, seq uint64) (seqs []uint64, err error) {
	err = each(conn, "SELECT seq FROM event WHERE aggregate = ? AND seq > ? ORDER BY seq", []any{aggregate, seq}, func(stmt *sqlite.Stmt) (bool, error) {
		seqs = append(seqs, uint64(stmt.ColumnInt64(0)))
		return true, nil
	})
	return seqs, err
}

// Changed returns which parts of an aggregate its event of that id changed, "" for its
// own fields, and up to which sequence it was looked for: 0 where Past cannot say either.
func (m *Models) Changed(ctx context.Context, ref domain.Ref, id string) (parts []string, found bool, upTo uint64, err error) {
	if !m.ofTheLog() {
		return nil, false, 0, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		aggregate, known, at, err := registered(q.conn, ref)
		if upTo = at; err != nil || !known {
			return err
		}
		seq, ok, err := selectInt(q.conn, "SELECT seq FROM event WHERE id_start = ? AND event_id = ? AND +aggregate = ?", idStart(id), id, aggregate)
		if found = ok; err != nil || !found {
			return err
		}
		const changed = "SELECT DISTINCT e.path FROM change c JOIN entity e ON e.id = c.entity WHERE c.id BETWEEN ? AND ?"
		return each(q.conn, changed, []any{seq << changeBits, (seq+1)<<changeBits - 1}, func(stmt *sqlite.Stmt) (bool, error) {
			parts = append(parts, strings.TrimPrefix(strings.TrimPrefix(stmt.ColumnText(0), ref.Path()), "/"))
			return true, nil
		})
	})
	return parts, found, upTo, err
}
