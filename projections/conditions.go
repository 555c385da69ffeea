package projections

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// conditions collects the postings of a question's conditions: events whose
// intersection is what it asks for. Each walks an index that its query names,
// so one that cannot be walked fails and is never sorted or searched through.
type conditions struct {
	q       *query
	first   int64 // the ids of changes between which to look, both included
	last    int64
	events  intersection
	entries []*entry // opened
	err     error    // the first; what is added after it adds nothing
}

// word adds events whose column is text; an empty text adds nothing. A text
// that no event ever said has no events.
func (c *conditions) word(column, text string) {
	if text != "" {
		c.words(column, text)
	}
}

// words adds events whose column is one of several texts.
func (c *conditions) words(column string, texts ...string) {
	p := &postings{}
	for _, text := range texts {
		if id, ok := c.find(selectWord, text); ok {
			c.open(p, fmt.Sprintf("SELECT seq FROM event INDEXED BY event_%s WHERE %s = ? AND seq BETWEEN ? AND ? ORDER BY seq", column, column), 0, id)
		}
	}
	c.events = append(c.events, p)
}

// flag adds the events of an index that has some of them only.
func (c *conditions) flag(asked bool, index, which string) {
	if asked {
		p := &postings{}
		c.open(p, fmt.Sprintf("SELECT seq FROM event INDEXED BY %s WHERE %s AND seq BETWEEN ? AND ? ORDER BY seq", index, which), 0)
		c.events = append(c.events, p)
	}
}

// aggregate adds the events of an aggregate.
func (c *conditions) aggregate(agreement domain.Key, path string) {
	p := &postings{}
	if id, ok := c.find(selectEntity, string(agreement), path); ok {
		c.open(p, "SELECT seq FROM event INDEXED BY event_aggregate WHERE aggregate = ? AND seq BETWEEN ? AND ? ORDER BY seq", 0, id)
	}
	c.events = append(c.events, p)
}

// walk calls f for each of the rows that belongs to an event that meets every
// condition, until f says no.
func (c *conditions) walk(rows *postings, f func(*sqlite.Stmt) (more bool, err error)) error {
	if c.err != nil {
		return c.err
	}
	return c.events.walk(c.first>>changeBits, rows, f)
}

// selectChanges begins the walks of changes; query.change reads its rows.
const selectChanges = "SELECT id, entity, field, old, new FROM change "

// changes returns the changes to walk: those of the whole log or, as one more
// condition, those of an entity, of a field, or of both.
func (c *conditions) changes(agreement domain.Key, path, field string) *postings {
	rows := &postings{}
	if path == "" && field == "" {
		c.open(rows, selectChanges+"WHERE id BETWEEN ? AND ? ORDER BY id", changeBits)
		return rows
	}
	c.events = append(c.events, rows)
	var entity, word int64
	if path != "" {
		var ok bool
		if entity, ok = c.find(selectEntity, string(agreement), path); !ok {
			return rows
		}
	}
	if field != "" {
		var ok bool
		if word, ok = c.find(selectWord, field); !ok {
			return rows
		}
	}
	const ofEntity = selectChanges + "INDEXED BY change_entity WHERE entity = ? AND field = ? AND id BETWEEN ? AND ? ORDER BY id"
	switch {
	case path == "":
		c.open(rows, selectChanges+"INDEXED BY change_field WHERE field = ? AND id BETWEEN ? AND ? ORDER BY id", changeBits, word)
	case field != "":
		c.open(rows, ofEntity, changeBits, entity, word)
	default: // an entry for each field that the entity ever had, which are few
		for ok := c.err == nil; ok; {
			if word, ok = c.find("SELECT field FROM change INDEXED BY change_entity WHERE entity = ? AND field > ? ORDER BY field", entity, word); ok {
				c.q.visited++
				c.open(rows, ofEntity, changeBits, entity, word)
			}
		}
	}
	return rows
}

const selectWord = "SELECT id FROM word WHERE text = ?"

func (c *conditions) find(query string, args ...any) (id int64, ok bool) {
	if c.err == nil {
		id, ok, c.err = selectInt(c.q.conn, query, args...)
	}
	return id, ok && c.err == nil
}

// open adds to p the walk of a query whose first column is the id, and which
// takes args and then the first and the last id.
func (c *conditions) open(p *postings, sql string, bits int, args ...any) {
	if c.err != nil {
		return
	}
	// Two walks of one form need a statement each, and the connection has one
	// for each text.
	stmt, err := c.q.conn.Prepare(fmt.Sprintf("%s -- walk %d", sql, len(c.entries)))
	if err != nil {
		c.err = err
		return
	}
	shift := changeBits - bits
	e := &entry{q: c.q, stmt: stmt, args: args[:len(args):len(args)], bits: bits, first: c.first >> shift, last: c.last >> shift}
	p.entries, c.entries = append(p.entries, e), append(c.entries, e)
}

// close ends all walks.
func (c *conditions) close() (err error) {
	for _, e := range c.entries {
		err = errors.Join(err, e.stmt.Reset())
	}
	return err
}
