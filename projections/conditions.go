package projections

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// conditions collects the postings of a question's conditions: those events
// whose intersection is what it asks for. Each walks an index that its query
// names, so that one which cannot be walked fails and is never sorted, or
// searched through.
type conditions struct {
	q       *query
	form    form  // of the rows that are asked for
	first   int64 // the ids of changes between which to look, both included
	last    int64
	all     intersection
	rows    *postings // of all, those that have the rows; the others say which events
	entries []*entry  // opened
	err     error     // the first; what is added after it adds nothing
}

// form is what the walk of an index of events gives for each of them. Its query
// has places for the index and for what the index is asked; ?1 and ?2 are the
// ids between which to look.
type form struct {
	sql  string
	bits int
}

const (
	inEvents  = "FROM event e %s WHERE %s e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq"
	inChanges = "SELECT c.id, c.entity, c.field, c.old, c.new, " + eventColumns
	eventAt   = 5 // of its columns, those of the event
)

var (
	seqForm    = form{"SELECT e.seq " + inEvents, 0}
	eventForm  = form{"SELECT " + eventColumns + " " + inEvents, 0}
	changeForm = form{inChanges + ` FROM event e %s CROSS JOIN change c ON c.id BETWEEN e.seq << 16 AND e.seq << 16 | 65535
	WHERE %s e.seq BETWEEN ?1 >> 16 AND ?2 >> 16 AND +c.id >= ?1 ORDER BY e.seq, c.id`, changeBits}
)

// The walks of an index of changes.
const (
	changesOf = inChanges + " FROM change c INDEXED BY %s CROSS JOIN event e ON e.seq = c.id >> 16 WHERE %s AND c.id BETWEEN ?1 AND ?2 ORDER BY c.id"
	nextField = "SELECT field FROM change INDEXED BY change_entity WHERE entity = ? AND field > ? ORDER BY field"
)

// word adds events whose column is text; an empty text adds nothing. A text
// that no event ever said has no events.
func (c *conditions) word(column, text string) {
	if text != "" {
		c.words(column, text)
	}
}

// words adds events whose column is one of several texts.
func (c *conditions) words(column string, texts ...string) {
	var ids []int64
	for _, text := range texts {
		if id, ok := c.find(selectWord, text); ok {
			ids = append(ids, id)
		}
	}
	c.index("event_"+column, "e."+column+" = ?3 AND", ids...)
}

// aggregate adds the events of an aggregate.
func (c *conditions) aggregate(agreement domain.Key, path string) {
	var ids []int64
	if id, ok := c.find(selectEntity, string(agreement), path); ok {
		ids = append(ids, id)
	}
	c.index("event_aggregate", "e.aggregate = ?3 AND", ids...)
}

// backdated and corrections add the events of an index that has only some.
func (c *conditions) backdated()   { c.part("event_backdated", "e.backdated = 1 AND") }
func (c *conditions) corrections() { c.part("event_corrections", "e.corrects <> '' AND") }

func (c *conditions) part(index, which string) {
	p, f := c.add()
	c.open(p, fmt.Sprintf(f.sql, "INDEXED BY "+index, which), f.bits)
}

// index adds the events of some entries of an index.
func (c *conditions) index(index, which string, ids ...int64) {
	p, f := c.add()
	for _, id := range ids {
		c.open(p, fmt.Sprintf(f.sql, "INDEXED BY "+index, which), f.bits, id)
	}
}

// add begins one more condition. The first has the rows.
func (c *conditions) add() (*postings, form) {
	p, f := &postings{}, seqForm
	if c.rows == nil {
		c.rows, f = p, c.form
	}
	c.all = append(c.all, p)
	return p, f
}

// changes adds the changes of an entity, where path is not "", of a field,
// where that is not "", or of both. It comes first: it has the rows.
func (c *conditions) changes(agreement domain.Key, path, field string) {
	if path == "" && field == "" {
		return
	}
	p, _ := c.add()
	var entity, word int64
	ok := true
	if path != "" {
		entity, ok = c.find(selectEntity, string(agreement), path)
	}
	if field != "" && ok {
		word, ok = c.find(selectWord, field)
	}
	if !ok {
		return
	}
	both := fmt.Sprintf(changesOf, "change_entity", "c.entity = ?3 AND c.field = ?4")
	switch {
	case path == "":
		c.open(p, fmt.Sprintf(changesOf, "change_field", "c.field = ?3"), changeBits, word)
	case field != "":
		c.open(p, both, changeBits, entity, word)
	default: // an entry for each field that the entity ever had, which are few
		for {
			if word, ok = c.find(nextField, entity, word); !ok {
				return
			}
			c.q.visited++
			c.open(p, both, changeBits, entity, word)
		}
	}
}

const selectWord = "SELECT id FROM word WHERE text = ?"

func (c *conditions) find(query string, args ...any) (id int64, ok bool) {
	if c.err == nil {
		id, ok, c.err = selectInt(c.q.conn, query, args...)
	}
	return id, ok && c.err == nil
}

// open adds to p the walk of a query whose first column is the id, and which
// takes the first and the last id and then args.
func (c *conditions) open(p *postings, sql string, bits int, args ...int64) {
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
	e := &entry{q: c.q, sql: sql, stmt: stmt, bits: bits, first: c.first >> shift, bounds: append([]int64{0, c.last >> shift}, args...)}
	p.entries, c.entries = append(p.entries, e), append(c.entries, e)
}

// walk calls f for each row that belongs to an event which meets every
// condition, until f says no.
func (c *conditions) walk(f func(*sqlite.Stmt) (more bool, err error)) error {
	if c.rows == nil { // all events do
		p, form := c.add()
		c.open(p, fmt.Sprintf(form.sql, "", ""), form.bits)
	}
	if c.err != nil {
		return c.err
	}
	return c.all.walk(c.first>>changeBits, c.rows, f)
}

// close ends all walks.
func (c *conditions) close() (err error) {
	for _, e := range c.entries {
		err = errors.Join(err, e.stmt.Reset())
	}
	return err
}
