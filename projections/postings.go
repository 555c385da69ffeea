package projections

import (
	"fmt"

	"zombiezen.com/go/sqlite"
)

// postings are the rows of the register, or of the changes, that one condition
// of a question matches, in the order of the log: the entry of one index, or
// several entries merged, of which no row is in two.
//
// Every step and every search comes to one row of each entry, however many
// rows lie before it.
type postings struct {
	entries []*entry
	at      *entry // whose row is at hand; nil at the end
}

// entry is a walk over the rows of one index entry, which SQLite has in the
// order of their ids.
type entry struct {
	q      *query
	sql    string
	stmt   *sqlite.Stmt
	bits   int     // an id is the sequence of its event and so many bits more
	first  int64   // no row before it is asked for
	bounds []int64 // what the statement takes: where to begin, the last id, and which entry
	id     int64   // of the row at hand
	state  entryState
}

type entryState int

const (
	entryUnread entryState = iota
	entryAtRow
	entryEnded
)

// seek goes on to the first row of event seq or a later one.
func (p *postings) seek(seq int64) error {
	for _, e := range p.entries {
		if err := e.seek(seq); err != nil {
			return err
		}
	}
	p.choose()
	return nil
}

// step goes on to the next row.
func (p *postings) step() error {
	err := p.at.step()
	p.choose()
	return err
}

func (p *postings) choose() {
	p.at = nil
	for _, e := range p.entries {
		if e.state == entryAtRow && (p.at == nil || e.id < p.at.id) {
			p.at = e
		}
	}
}

// seq is the event of the row at hand.
func (p *postings) seq() int64 { return p.at.seq() }

func (e *entry) seq() int64 { return e.id >> e.bits }

func (e *entry) seek(seq int64) error {
	id := max(e.first, seq<<e.bits)
	switch {
	case e.state == entryEnded || e.state == entryAtRow && e.id >= id:
		return nil
	case e.state == entryAtRow && e.id+1 == id: // the next row is the first from there on
		return e.step()
	}
	if err := e.stmt.Reset(); err != nil {
		return err
	}
	e.bounds[0] = id
	for i, n := range e.bounds {
		e.stmt.BindInt64(i+1, n)
	}
	return e.step()
}

func (e *entry) step() error {
	more, err := e.stmt.Step()
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", e.sql, err)
	case !more:
		e.state = entryEnded
		return nil
	}
	e.q.visited++
	e.id, e.state = e.stmt.ColumnInt64(0), entryAtRow
	return nil
}
