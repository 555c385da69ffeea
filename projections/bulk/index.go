package bulk

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Index is an index that is being filled. Its entries may be added in any order:
// they are sorted when it is closed. Those of one or two whole numbers, which most
// are, take a few bytes of memory each until then, the others many times that.
type Index struct {
	tree    *tree
	columns int
	unique  bool
	runs    [][]byte     // packed
	tail    []numbers    // the last run, not sorted yet
	room    []numbers    // to sort it in
	others  []otherEntry // whatever is more than two numbers, or NULL
}

type otherEntry struct {
	key   []Value
	rowid int64
}

// runLength is how many entries are sorted, and packed, at a time.
const runLength = 16384

// ErrNotUnique is what Close returns when two entries of a unique index have the
// same key.
var ErrNotUnique = errors.New("bulk: a unique index has an entry twice")

// Index fills the index of so many columns whose root is that page, as
// sqlite_schema has it.
func (f *File) Index(root uint32, columns int, unique bool) *Index {
	return &Index{tree: newTree(f, root, true), columns: columns, unique: unique}
}

// Add adds the entry of a row. The key is the caller's again when it returns.
func (x *Index) Add(key []Value, rowid int64) {
	e := numbers{rowidPlace: rowid}
	for i := range key {
		if i >= rowidPlace || key[i].Type != Int {
			x.others = append(x.others, otherEntry{slices.Clone(key), rowid})
			return
		}
		e[i] = key[i].Int
	}
	if x.tail = append(x.tail, e); len(x.tail) == runLength {
		x.pack()
	}
}

// Close sorts the entries and writes them.
func (x *Index) Close() error {
	slices.SortFunc(x.others, func(a, b otherEntry) int {
		return cmp.Or(compareKeys(a.key, b.key), cmp.Compare(a.rowid, b.rowid))
	})
	var room [2]Value
	var was []Value
	add := func(key []Value, rowid int64) error {
		if x.unique && was != nil && compareKeys(key, was) == 0 {
			return fmt.Errorf("%w: rowid %d", ErrNotUnique, rowid)
		}
		if x.unique {
			was = append(was[:0], key...)
		}
		return x.write(key, rowid)
	}
	err := x.merged(func(e *numbers) error {
		key := room[:x.columns]
		for i := range key {
			key[i] = Value{Type: Int, Int: e[i]}
		}
		for len(x.others) > 0 && compareKeys(x.others[0].key, key) < 0 {
			if err := add(x.others[0].key, x.others[0].rowid); err != nil {
				return err
			}
			x.others = x.others[1:]
		}
		return add(key, e[rowidPlace])
	})
	for _, e := range x.others {
		if err == nil {
			err = add(e.key, e.rowid)
		}
	}
	if err != nil {
		return err
	}
	return x.tree.close()
}

func (x *Index) write(key []Value, rowid int64) error {
	record := appendRecord(x.tree.record[:0], key, Value{Type: Int, Int: rowid})
	return x.tree.addRecord(record, appendVarint(x.tree.cell[:0], uint64(len(record))), 0)
}

// compareKeys is the order of SQLite: NULL, numbers, texts, bytes.
func compareKeys(a, b []Value) int {
	for i := range a {
		a, b := &a[i], &b[i]
		if c := cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Int, b.Int), cmp.Compare(a.Text, b.Text)); c != 0 {
			return c
		}
	}
	return 0
}

// pack sorts the last run and packs it: of each entry, by how much it differs from
// the one before.
func (x *Index) pack() {
	if cap(x.room) < len(x.tail) {
		x.room = make([]numbers, cap(x.tail))
	}
	x.tail, x.room = sortNumbers(x.tail, x.room[:len(x.tail)])
	packed := make([]byte, 0, 4*len(x.tail))
	var was numbers
	for _, e := range x.tail {
		for i := range x.columns {
			packed = binary.AppendVarint(packed, e[i]-was[i])
		}
		packed = binary.AppendVarint(packed, e[rowidPlace]-was[rowidPlace])
		was = e
	}
	x.runs = append(x.runs, slices.Clip(packed))
	x.tail = x.tail[:0]
}

// run is a packed run while it is read.
type run struct {
	at   numbers
	rest []byte
}

// next goes on to the next entry, if there is one.
func (r *run) next(columns int) bool {
	if len(r.rest) == 0 {
		return false
	}
	number := func(to *int64) {
		n, size := binary.Varint(r.rest)
		*to += n
		r.rest = r.rest[size:]
	}
	for i := range columns {
		number(&r.at[i])
	}
	number(&r.at[rowidPlace])
	return true
}

// merged calls f for the entries of all runs in their order. The run with the least
// is at the top of a heap.
func (x *Index) merged(f func(*numbers) error) error {
	if len(x.tail) > 0 {
		x.pack()
	}
	heap := make([]run, len(x.runs))
	for i, packed := range x.runs {
		heap[i].rest = packed
		heap[i].next(x.columns)
	}
	slices.SortFunc(heap, func(a, b run) int { return compareNumbers(a.at, b.at) }) // which makes it one
	for len(heap) > 0 {
		if err := f(&heap[0].at); err != nil {
			return err
		}
		if !heap[0].next(x.columns) {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap)
	}
	return nil
}

// sink puts the top of a heap in its place.
func sink(heap []run) {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if compareNumbers(heap[child].at, heap[least].at) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
