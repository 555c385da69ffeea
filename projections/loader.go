package projections

import (
	"errors"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/projections/bulk"
)

// loader writes the rows of a new file, and the entries of its indexes, several
// times as fast as SQLite would. The tables that only a view has are small, and
// left to SQLite.
type loader struct {
	file   *bulk.File
	tables [wordRows + 1]*loadedTable
	late   rowBuffer // of the others
}

// loadedTable is a table while its rows are written.
type loadedTable struct {
	*bulk.Table
	indexes []loadedIndex
	own     bool         // its rows are numbered as they come: what leads them is no rowid
	last    int64        // so far
	values  []bulk.Value // room
	key     []bulk.Value // room
}

// loadedIndex is one of its indexes.
type loadedIndex struct {
	*bulk.Index
	columns []int // places among the values, rowidColumn for the rowid
	says    int   // place of a cell, -1 where the index has every row
}

// rowidColumn is the place of a column that is the rowid.
const rowidColumn = 0

// newLoader fills the file at path, in which conn has made the tables and indexes.
func newLoader(conn *sqlite.Conn, path string) (*loader, error) {
	roots := map[string]uint32{}
	err := each(conn, "SELECT name, rootpage FROM sqlite_schema", nil, func(stmt *sqlite.Stmt) (bool, error) {
		roots[stmt.ColumnText(0)] = uint32(stmt.ColumnInt64(1))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	l := &loader{}
	if l.file, err = bulk.Open(path); err != nil {
		return nil, err
	}
	byName := map[string]*loadedTable{}
	for _, t := range slices.Concat(registers, versioned, []described{wordTable}) {
		name, lead, _ := t.describe()
		loaded := &loadedTable{Table: l.file.Table(roots[name]), own: len(lead) > 1}
		l.tables[t.place()], byName[name] = loaded, loaded
	}
	for _, x := range indexes() {
		name, lead, cols := x.table.describe()
		names := slices.Clone(lead)
		for _, c := range cols {
			names = append(names, c.name)
		}
		loaded := loadedIndex{Index: l.file.Index(roots[x.name], len(x.columns), x.unique), says: slices.Index(names, x.says)}
		if loaded.says >= 0 {
			loaded.says -= len(lead)
		}
		for _, c := range x.columns {
			loaded.columns = append(loaded.columns, slices.Index(names, c))
		}
		byName[name].indexes = append(byName[name].indexes, loaded)
	}
	return l, nil
}

// write writes the rows of a table.
func (l *loader) write(place int, t *bufferedTable) error {
	cells := t.cells
	for _, row := range t.rows {
		of, lead := cells[:row.cells], row.lead[:row.leads]
		cells = cells[row.cells:]
		if place >= len(l.tables) {
			l.late.add(place, t.insert, of, lead...)
		} else if err := l.tables[place].add(lead, of); err != nil {
			return err
		}
	}
	return nil
}

// add writes a row.
func (t *loadedTable) add(lead []int64, cells []cell) error {
	values := t.values[:0]
	if t.own {
		t.last++
		for _, n := range lead {
			values = append(values, bulk.Value{Type: bulk.Int, Int: n})
		}
	} else {
		t.last = lead[0]
		values = append(values, bulk.Value{})
	}
	for i := range cells {
		values = append(values, cells[i].value())
	}
	t.values = values
	if err := t.Table.Add(t.last, values); err != nil {
		return err
	}
	for i := range t.indexes {
		x := &t.indexes[i]
		if x.says >= 0 && !cells[x.says].says() {
			continue
		}
		t.key = t.key[:0]
		for _, c := range x.columns {
			if c == rowidColumn && !t.own {
				t.key = append(t.key, bulk.Value{Type: bulk.Int, Int: t.last})
				continue
			}
			t.key = append(t.key, values[c])
		}
		x.Index.Add(t.key, t.last)
	}
	return nil
}

// value is the cell as SQLite stores it.
func (c *cell) value() bulk.Value {
	switch {
	case c.null:
		return bulk.Value{}
	case c.kind == columnText:
		return bulk.Value{Type: bulk.Text, Text: c.s}
	case c.kind == columnBlob:
		return bulk.Value{Type: bulk.Blob, Text: c.s}
	}
	return bulk.Value{Type: bulk.Int, Int: c.i}
}

// close writes what is left, when the load went well, and gives the file back to
// SQLite.
func (l *loader) close(whole bool) error {
	if !whole {
		return l.file.Abort()
	}
	var parts errgroup.Group
	parts.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range l.tables {
		parts.Go(t.Close)
		for _, x := range t.indexes {
			parts.Go(x.Close)
		}
	}
	if err := parts.Wait(); err != nil {
		return errors.Join(err, l.file.Abort())
	}
	return l.file.Close()
}
