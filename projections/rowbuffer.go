package projections

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
)

// rowBuffer holds the rows that a batch of events makes, by table, until they
// are written. So the events are folded and compared on one goroutine while
// another one writes the rows of the batch before, and SQLite gets the rows of
// each table in one go.
type rowBuffer struct {
	tables  [places]bufferedTable
	size    int
	digests digestInput // of the events of the batch
	leaves  []tlog.Hash // of these, for a fold
}

// bufferedTable holds the rows of one table, one after the other.
type bufferedTable struct {
	insert string
	many   string // insert of rowsAtOnce rows; "" until it is needed
	rows   []bufferedRow
	cells  []cell
}

// bufferedRow is a row's lead and how many cells it has.
type bufferedRow struct {
	lead  [2]int64
	leads int
	cells int
}

// The places in a buffer after those of the tables in the digest: of the
// dictionary, of snapshots, and of what only a view has.
const (
	wordRows = tables + iota
	snapshotRows
	withheldRows
	withheldWordRows
	evidenceRows
	places // how many
)

func (b *rowBuffer) add(order int, insert string, cells []cell, lead ...int64) {
	t := &b.tables[order]
	t.insert = insert
	row := bufferedRow{leads: len(lead), cells: len(cells)}
	copy(row.lead[:], lead)
	t.rows = append(t.rows, row)
	t.cells = append(t.cells, cells...)
	b.size++
}

// reset empties the buffer.
func (b *rowBuffer) reset() {
	for i := range b.tables {
		t := &b.tables[i]
		clear(t.cells)
		t.rows, t.cells = t.rows[:0], t.cells[:0]
	}
	b.size = 0
	b.digests.reset()
	b.leaves = b.leaves[:0]
}

// seal takes the chain on by the events of the batch, and puts the marks into
// their rows.
func (b *rowBuffer) seal(c *chain) error {
	cells := b.tables[orderEvent].cells
	return c.take(&b.digests, func(i int) error {
		cells[(i+1)*len(eventTable.cols)-1].i = c.mark.short()
		return nil
	})
}

// flush seals the batch, has the rows of each table written, and empties the
// buffer.
func (b *rowBuffer) flush(c *chain, write func(place int, t *bufferedTable) error) error {
	if err := b.seal(c); err != nil {
		return err
	}
	for i := range b.tables {
		t := &b.tables[i]
		if len(t.rows) == 0 {
			continue
		}
		if err := write(i, t); err != nil {
			return fmt.Errorf("%s: %w", t.insert, err)
		}
	}
	b.reset()
	return nil
}

// inserting writes the rows of a table by SQLite.
func inserting(conn *sqlite.Conn) func(int, *bufferedTable) error {
	return func(_ int, t *bufferedTable) error {
		if t.many == "" {
			_, values, _ := strings.Cut(t.insert, " VALUES ")
			t.many = t.insert + strings.Repeat(", "+values, rowsAtOnce-1)
		}
		rows, cells, err := insertRows(conn, t.many, rowsAtOnce, t.rows, t.cells)
		if err == nil {
			_, _, err = insertRows(conn, t.insert, 1, rows, cells)
		}
		return err
	}
}

// rowsAtOnce is how many rows one statement inserts where there are so many: what
// SQLite does for each statement costs as much as a row.
const rowsAtOnce = 16

// insertRows inserts rows with a statement for n of them, as long as there are so
// many, and returns the rest.
func insertRows(conn *sqlite.Conn, query string, n int, rows []bufferedRow, cells []cell) ([]bufferedRow, []cell, error) {
	if len(rows) < n {
		return rows, cells, nil
	}
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, nil, err
	}
	for len(rows) >= n {
		at := 1
		for i := range n {
			row := &rows[i]
			bindRow(stmt, at, row.lead[:row.leads], cells[:row.cells])
			at += row.leads + row.cells
			cells = cells[row.cells:]
		}
		rows = rows[n:]
		if _, err := stmt.Step(); err != nil {
			return nil, nil, err
		}
		if err := stmt.Reset(); err != nil {
			return nil, nil, err
		}
	}
	return rows, cells, nil
}

// bindRow binds a row to the parameters of stmt from the first on.
func bindRow(stmt *sqlite.Stmt, first int, lead []int64, cells []cell) {
	for i, n := range lead {
		stmt.BindInt64(first+i, n)
	}
	for i := range cells {
		switch c, at := &cells[i], first+len(lead)+i; {
		case c.null:
			stmt.BindNull(at)
		case c.kind == columnText:
			stmt.BindText(at, c.s)
		case c.kind == columnBlob:
			stmt.BindBytes(at, []byte(c.s))
		default:
			stmt.BindInt64(at, c.i)
		}
	}
}
