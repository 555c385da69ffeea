package projections

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// table is one table whose rows are structs T. The struct is the declaration:
// from its fields come the columns, the insert, the reading and the digest.
//
// A field's column is named by its json tag. The tag sql says more:
//
//	sql:"-"           not a column: filled in by the query
//	sql:"text"        its own text, not through the dictionary: for texts that never repeat
//	sql:"undigested"  outside the digest; of an event, in its mark
//	sql:"as=name"     a column name that is not the json name
//
// Texts, and nested values as JSON, are stored as ids of the dictionary word;
// dates as day numbers; a word, date or nested value that says nothing as NULL.
type table[T any] struct {
	order  int // place in the digest
	name   string
	lead   []string // columns before those of T: whole numbers that the caller gives
	cols   []column
	insert string
	fields string // "v.a, v.b", for selects from a table named v

	versionSQL string // the version of an entity as of a sequence
	listSQL    string // and those of the entities of a kind that a parent has
	belowSQL   string // or that the entities of another kind have, which that parent has
}

type column struct {
	name       string
	kind       columnKind
	index      int     // of the field
	offset     uintptr // and where it lies
	size       uintptr
	undigested bool
}

type columnKind uint8

const (
	columnInt  columnKind = iota // whole numbers and truth values
	columnOpt                    // *int
	columnDate                   // domain.Date
	columnWord                   // texts, by dictionary
	columnText                   // texts, inline
	columnBlob                   // bytes, inline: hashes
	columnJSON                   // nested values as JSON, by dictionary
	columnRef                    // an entity
)

// entityRef is a row's mention of an entity: an id within the file, and the
// name that stands for it in the digest.
type entityRef struct {
	id   int64
	name string // "wuxi-2017:project/iot-base"
}

// newTable plans the table of T. It panics on a field that cannot be a column,
// which every use of the package would meet first.
func newTable[T any](order int, name string, lead ...string) *table[T] {
	t := &table[T]{order: order, name: name, lead: lead}
	row := reflect.TypeFor[T]()
	for i := range row.NumField() {
		sf := row.Field(i)
		options := strings.Split(sf.Tag.Get("sql"), ",")
		if options[0] == "-" {
			continue
		}
		c := column{index: i, offset: sf.Offset, size: sf.Type.Size(), kind: kindOf(sf.Type)}
		c.name, _, _ = strings.Cut(sf.Tag.Get("json"), ",")
		for _, o := range options {
			switch as, isName := strings.CutPrefix(o, "as="); {
			case isName:
				c.name = as
			case o == "text":
				c.kind = columnText
			case o == "undigested":
				c.undigested = true
			}
		}
		if c.name == "" || c.name == "-" {
			panic(fmt.Sprintf("projections: %s.%s has no column name", name, sf.Name))
		}
		t.cols = append(t.cols, c)
	}
	names := append([]string{}, lead...)
	fields := make([]string, len(t.cols))
	for i, c := range t.cols {
		names = append(names, c.name)
		fields[i] = "v." + c.name
	}
	t.fields = strings.Join(fields, ", ")
	t.insert = fmt.Sprintf("INSERT OR FAIL INTO %s (%s) VALUES (?%s)", name, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1))
	t.versionSQL = fmt.Sprintf("SELECT %s FROM %s v WHERE v.entity = ? AND v.from_seq <= ? ORDER BY v.from_seq DESC LIMIT 1", t.fields, name)
	// Each row costs one search, however many versions came later. CROSS JOIN
	// keeps SQLite to the order of the entities, and the limit that is none keeps
	// it from sorting rows that are on no page.
	const rows = `SELECT e.id, e.agreement, e.path, %s FROM %s e CROSS JOIN %s v ON v.rowid =
	(SELECT rowid FROM %s WHERE entity = e.id AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1)`
	t.listSQL = fmt.Sprintf(rows, t.fields, `(SELECT * FROM entity
	WHERE parent = ? AND kind = ? AND id > ? AND first_seq <= ? ORDER BY id LIMIT -1)`, name, name)
	t.belowSQL = fmt.Sprintf(rows, t.fields, `(SELECT e.* FROM entity p CROSS JOIN entity e ON e.parent = p.id
	WHERE p.parent = ? AND p.kind = ? AND e.kind = ? AND e.id > ? AND e.first_seq <= ? ORDER BY e.id LIMIT -1)`, name, name)
	return t
}

func kindOf(t reflect.Type) columnKind {
	switch {
	case t == reflect.TypeFor[domain.Date]():
		return columnDate
	case t == reflect.TypeFor[entityRef]():
		return columnRef
	case t == reflect.TypeFor[*int]():
		return columnOpt
	case t == reflect.TypeFor[tlog.Hash](), t == reflect.TypeFor[[]byte]():
		return columnBlob
	}
	switch t.Kind() {
	case reflect.String:
		return columnWord
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64:
		return columnInt
	case reflect.Map, reflect.Slice, reflect.Struct, reflect.Pointer:
		return columnJSON
	}
	panic(fmt.Sprintf("projections: %s cannot be a column", t))
}

// column is the place of a column of that name.
func (t *table[T]) column(name string) int {
	return slices.IndexFunc(t.cols, func(c column) bool { return c.name == name })
}

// cell is one value on its way into a row: null, or a number, or a text or bytes.
type cell struct {
	kind       columnKind
	null       bool
	undigested bool
	i          int64
	s          string
}

// cells appends the values of row in the order of the columns. It runs several times
// for every event, so it reads fields where they lie: kindOf says what stands there.
func (t *table[T]) cells(to []cell, row *T, m *memo) []cell {
	for i := range t.cols {
		c := &t.cols[i]
		x := cell{kind: c.kind, undigested: c.undigested}
		switch f := unsafe.Add(unsafe.Pointer(row), c.offset); c.kind {
		case columnInt:
			x.i = c.number(f)
		case columnOpt:
			if n := *(**int)(f); n != nil {
				x.i = int64(*n)
			} else {
				x.null = true
			}
		case columnDate:
			x.i = int64(*(*domain.Date)(f))
			x.null = x.i == 0
		case columnText:
			x.s = *(*string)(f)
		case columnBlob:
			x.s = c.bytes(f)
		case columnWord:
			x.s = *(*string)(f)
			x.null = x.s == ""
		case columnJSON:
			x.s = m.json(reflect.ValueOf(row).Elem().Field(c.index))
			x.null = x.s == ""
		case columnRef:
			ref := (*entityRef)(f)
			x.i, x.s = ref.id, ref.name
		}
		to = append(to, x)
	}
	return to
}

// number is the whole number or truth value at f.
func (c *column) number(f unsafe.Pointer) int64 {
	switch c.size {
	case 1: // a truth value
		if *(*bool)(f) {
			return 1
		}
		return 0
	case 4:
		return int64(*(*int32)(f))
	}
	return *(*int64)(f)
}

// bytes are those of the hash or the slice at f.
func (c *column) bytes(f unsafe.Pointer) string {
	if c.size == tlog.HashSize {
		return string((*tlog.Hash)(f)[:])
	}
	return string(*(*[]byte)(f))
}

// scan fills row from the columns of stmt from at on, which are t.fields. It
// returns the index after them.
func (t *table[T]) scan(stmt *sqlite.Stmt, at int, row *T, w wordReader) (int, error) {
	v := reflect.ValueOf(row).Elem()
	for i := range t.cols {
		c := &t.cols[i]
		if err := c.scan(stmt, at, v.Field(c.index), w); err != nil {
			return at, fmt.Errorf("%s.%s: %w", t.name, c.name, err)
		}
		at++
	}
	return at, nil
}

func (c *column) scan(stmt *sqlite.Stmt, at int, f reflect.Value, w wordReader) error {
	if stmt.ColumnType(at) == sqlite.TypeNull {
		f.SetZero()
		if f.Kind() == reflect.Slice && c.kind == columnJSON && f.Type().Elem().Kind() != reflect.Uint8 {
			f.Set(reflect.MakeSlice(f.Type(), 0, 0)) // a list that is empty, [] and not null
		}
		return nil
	}
	switch c.kind {
	case columnInt, columnDate:
		switch n := stmt.ColumnInt64(at); f.Kind() {
		case reflect.Bool:
			f.SetBool(n != 0)
		case reflect.Uint64:
			f.SetUint(uint64(n))
		default:
			f.SetInt(n)
		}
	case columnOpt:
		n := stmt.ColumnInt(at)
		f.Set(reflect.ValueOf(&n))
	case columnText:
		f.SetString(stmt.ColumnText(at))
	case columnWord:
		s, err := w.text(stmt.ColumnInt64(at))
		if err != nil {
			return err
		}
		f.SetString(s)
	case columnJSON:
		s, err := w.text(stmt.ColumnInt64(at))
		if err != nil {
			return err
		}
		return readJSON(s, f.Addr().Interface())
	case columnRef:
		f.Addr().Interface().(*entityRef).id = stmt.ColumnInt64(at)
	}
	return nil
}
