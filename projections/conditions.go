package projections

import (
	"github.com/milepost-ledger/milepost/domain"
)

// conditions collects the conditions of a question, with texts and entities
// looked up and bound: questions of one form are one prepared statement. The first is the one whose index is walked; a + before a column
// keeps SQLite from the index of that column.
type conditions struct {
	sql   []byte
	args  []any
	any   bool
	never bool // a text or entity does not exist: nothing can match
	err   error
}

// word adds that column is text; an empty text adds nothing.
func (c *conditions) word(q *query, column, text string) {
	if text == "" || c.err != nil {
		return
	}
	id, ok, err := selectInt(q.conn, "SELECT id FROM word WHERE text = ?", text)
	c.add(column, id, ok, err)
}

// entity adds that column is an entity.
func (c *conditions) entity(q *query, column string, agreement domain.Key, path string) {
	id, ok, err := selectInt(q.conn, selectEntity, string(agreement), path)
	c.add(column, id, ok, err)
}

func (c *conditions) add(column string, id int64, ok bool, err error) {
	c.any, c.never, c.err = true, c.never || !ok, err
	c.sql = append(c.sql, " AND "+column+" = ?"...)
	c.args = append(c.args, id)
}

// filter is the column as the first condition, and off its index as a later one.
func (c *conditions) filter(column string) string {
	if c.any {
		return "+" + column
	}
	return column
}
