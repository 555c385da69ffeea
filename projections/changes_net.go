package projections

import (
	"zombiezen.com/go/sqlite"
)

// netChanges answers with one line for each field that the walk comes upon.
// What a field was at either end is looked up: others than those asked for may
// have moved it too.
func (q *query) netChanges(c *conditions, p opened, answer *Changes) error {
	type line struct {
		move
		last int64 // event that made the last of its moves
	}
	type name struct{ entity, field int64 }
	var lines []*line // by their first move
	byName := map[name]*line{}
	err := c.walk(func(stmt *sqlite.Stmt) (bool, error) {
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
		if err := c.ends(&l.move); err != nil {
			return err
		}
		if l.old != l.new {
			moved = append(moved, l)
		}
	}
	moved, answer.Next = pageOf(moved, p)
	for _, l := range moved {
		var event EventItem
		err := each(q.conn, selectEvent+"WHERE e.seq = ?", []any{l.last}, func(stmt *sqlite.Stmt) (_ bool, err error) {
			q.visited++
			event, err = q.event(stmt, 0)
			return false, err
		})
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

// A field was at the beginning of a range what its first change there
// replaced, and is at the end what its last one left.
const (
	selectOldest = "SELECT old FROM change INDEXED BY change_entity WHERE entity = ? AND field = ? AND id BETWEEN ? AND ? ORDER BY id"
	selectNewest = "SELECT new FROM change INDEXED BY change_entity WHERE entity = ? AND field = ? AND id BETWEEN ? AND ? ORDER BY id DESC"
)

// ends replaces a move by that from the one end of the range to the other.
func (c *conditions) ends(m *move) (err error) {
	if m.old, _, err = selectInt(c.q.conn, selectOldest, m.entity, m.field, c.first, c.last); err != nil {
		return err
	}
	m.new, _, err = selectInt(c.q.conn, selectNewest, m.entity, m.field, c.first, c.last)
	c.q.visited += 2
	return err
}
