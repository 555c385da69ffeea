package projections

import (
	"zombiezen.com/go/sqlite"
)

// netChanges answers with one line for each field that the walk comes upon.
// What a field's value was at either end is looked up: others than those asked
// for may have moved it too.
func (q *query) netChanges(c *conditions, rows *postings, p opened, answer *Changes) error {
	type line struct {
		move
		last int64 // event that made the last of its moves
	}
	type name struct{ entity, field int64 }
	var lines []*line // by their first move
	byName := map[name]*line{}
	err := c.walk(rows, func(stmt *sqlite.Stmt) (bool, error) {
		m := moveAt(stmt)
		l := byName[name{m.entity, m.field}]
		if l == nil {
			l = &line{move: m}
			l.moves = 0
			byName[name{m.entity, m.field}] = l
			lines = append(lines, l)
		}
		l.moves++
		l.last = stmt.ColumnInt64(0) >> changeBits
		return true, nil
	})
	if err != nil {
		return err
	}
	moved := lines[:0]
	for _, l := range lines {
		if l.old, err = q.valueBefore(l.entity, l.field, c.first); err != nil {
			return err
		}
		if l.new, err = q.valueBefore(l.entity, l.field, c.last+1); err != nil {
			return err
		}
		if l.old != l.new {
			moved = append(moved, l)
		}
	}
	moved, answer.Next = pageOf(moved, p)
	for _, l := range moved {
		event, err := q.eventAt(uint64(l.last))
		if err != nil {
			return err
		}
		change, err := q.change(&l.move, &event)
		if err != nil {
			return err
		}
		answer.Changes = append(answer.Changes, change)
	}
	return nil
}

// valueBefore is the word that a field had before a change by its id: what the
// last one before it left. 0 is none.
func (q *query) valueBefore(entity, field, change int64) (word int64, err error) {
	word, ok, err := selectInt(q.conn, "SELECT new FROM change INDEXED BY change_entity WHERE entity = ? AND field = ? AND id < ? ORDER BY id DESC", entity, field, change)
	if ok {
		q.visited++
	}
	return word, err
}
