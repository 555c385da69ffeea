package bulk

import "fmt"

// Table is a table that is being filled.
type Table struct {
	tree *tree
	last int64
	any  bool
}

// Table fills the table whose root is that page, as sqlite_schema has it.
func (f *File) Table(root uint32) *Table { return &Table{tree: newTree(f, root, false)} }

// Add adds a row, whose rowid is greater than those before. A column that is the
// rowid is NULL among the values.
func (t *Table) Add(rowid int64, values []Value) error {
	if t.any && rowid <= t.last {
		return fmt.Errorf("bulk: row %d comes after row %d", rowid, t.last)
	}
	t.last, t.any = rowid, true
	record := appendRecord(t.tree.record[:0], values)
	head := appendVarint(t.tree.cell[:0], uint64(len(record)))
	return t.tree.addRecord(record, appendVarint(head, uint64(rowid)), rowid)
}

// Close ends the table.
func (t *Table) Close() error { return t.tree.close() }
