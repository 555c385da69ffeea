package projections

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// fieldWords are the dictionary's ids of the fields that a walk is about; 0,
// which no word has, for one that no change ever named.
type fieldWords [4]int64

func (q *query) fieldWords(names ...string) (ids fieldWords, err error) {
	for i, name := range names {
		if ids[i], _, err = selectInt(q.conn, "SELECT id FROM word WHERE text = ?", name); err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// selectChangesOf walks the changes of one entity by their index: it costs what
// happened to the entity, however long the log is.
const selectChangesOf = `SELECT c.id, c.field, c.new, e.effective, e.at, e.type, e.reason, e.actor, e.party
	FROM change c CROSS JOIN event e ON e.seq = c.id >> 16
	WHERE c.entity = ? AND c.id < ? AND c.field IN (?, ?, ?, ?) ORDER BY c.id`

// Columns of selectChangesOf.
const (
	changeID = iota
	_
	_
	changeEffective
	changeAt
	changeType
	changeReason
	changeActor
	changeParty
)

// changesOf calls f for the changes up to the point of some fields of an
// entity, in the order in which they were recorded. value is the new value as
// JSON, "" where there is none.
func (q *query) changesOf(entity int64, fields fieldWords, f func(stmt *sqlite.Stmt, field, value string) error) error {
	args := []any{entity, int64(q.at.Seq+1) << changeBits, fields[0], fields[1], fields[2], fields[3]}
	return each(q.conn, selectChangesOf, args, func(stmt *sqlite.Stmt) (bool, error) {
		field, err := q.wordAt(stmt, 1)
		if err != nil {
			return false, err
		}
		value, err := q.wordAt(stmt, 2)
		if err == nil {
			err = f(stmt, field, value)
		}
		if err != nil {
			err = fmt.Errorf("change %d: %w", stmt.ColumnInt64(changeID), err)
		}
		return err == nil, err
	})
}

// wordAt is the text in a column of words, "" for none.
func (q *query) wordAt(stmt *sqlite.Stmt, column int) (string, error) {
	if stmt.ColumnType(column) == sqlite.TypeNull {
		return "", nil
	}
	return q.words.text(stmt.ColumnInt64(column))
}

// everyBelow calls f for every row of a kind that is below an entity at the
// point, in the order in which they came. It is for sums: lists are answered
// in pages. f must not ask the same of the connection.
func everyBelow[T any](q *query, t *table[T], parent int64, f func(*T, found)) error {
	args := []any{parent, t.name, 0, q.at.Seq, q.at.Seq}
	return each(q.conn, t.listSQL, args, func(stmt *sqlite.Stmt) (bool, error) {
		row := new(T)
		_, err := t.scan(stmt, 3, row, q.words)
		if err == nil {
			f(row, found{stmt.ColumnInt64(0), domain.Key(stmt.ColumnText(1)), stmt.ColumnText(2)})
		}
		return err == nil, err
	})
}
