package bulk

import (
	"encoding/binary"
	"math"
)

// The kinds of pages.
const (
	indexInterior = 0x02
	tableInterior = 0x05
	indexLeaf     = 0x0a
	tableLeaf     = 0x0d
)

// tree writes a B-tree whose cells come in order: pages are filled from the left
// to the right, and of each level only the last is in memory.
type tree struct {
	file   *File
	root   uint32
	index  bool
	levels []*page // the leaf first
	record []byte  // room
	cell   []byte  // room
}

func newTree(f *File, root uint32, index bool) *tree {
	t := &tree{file: f, root: root, index: index}
	t.levels = []*page{newPage(f.pageSize, t.kind(0))}
	return t
}

func (t *tree) kind(level int) byte {
	switch {
	case t.index && level == 0:
		return indexLeaf
	case t.index:
		return indexInterior
	case level == 0:
		return tableLeaf
	}
	return tableInterior
}

// addRecord adds a cell of that head with a record. Both are in the tree's room.
func (t *tree) addRecord(record, head []byte, rowid int64) error {
	cell, err := t.payload(head, record)
	t.record, t.cell = record, cell
	if err != nil {
		return err
	}
	return t.addLeaf(cell, rowid)
}

// addLeaf adds a cell to the last leaf. Of a table, rowid is that of the row.
func (t *tree) addLeaf(cell []byte, rowid int64) error {
	leaf := t.levels[0]
	if leaf.fits(cell) {
		leaf.add(cell)
		leaf.last = rowid
		return nil
	}
	// An index keeps no entry twice: the last one of the leaf moves up to where a
	// table has the greatest rowid of the page.
	var divider []byte
	if t.index {
		divider = leaf.pop()
	} else {
		divider = appendVarint(nil, uint64(leaf.last))
	}
	number, err := t.file.newPage(leaf.bytes())
	if err != nil {
		return err
	}
	leaf.reset()
	leaf.add(cell)
	leaf.last = rowid
	return t.addInterior(1, number, divider)
}

// addInterior adds a page to the level above it, with what divides it from the
// next one.
func (t *tree) addInterior(level int, child uint32, divider []byte) error {
	if level == len(t.levels) {
		t.levels = append(t.levels, newPage(t.file.pageSize, t.kind(level)))
	}
	p := t.levels[level]
	cell := append(binary.BigEndian.AppendUint32(nil, child), divider...)
	if p.fits(cell) {
		p.add(cell)
		return nil
	}
	last := p.pop()
	p.right = binary.BigEndian.Uint32(last)
	number, err := t.file.newPage(p.bytes())
	if err != nil {
		return err
	}
	p.reset()
	p.add(cell)
	return t.addInterior(level+1, number, last[4:])
}

// close writes the last page of each level, that of the highest where the root
// is.
func (t *tree) close() error {
	for level := 0; ; level++ {
		p := t.levels[level]
		if level == len(t.levels)-1 {
			return t.file.setPage(t.root, p.bytes())
		}
		number, err := t.file.newPage(p.bytes())
		if err != nil {
			return err
		}
		t.levels[level+1].right = number
	}
}

// payload appends what a cell holds of a record after its head: all of it, or the
// beginning and the first of the pages with the rest.
func (t *tree) payload(cell, record []byte) ([]byte, error) {
	usable, size := t.file.pageSize, len(record)
	least := (usable-12)*32/255 - 23
	most := usable - 35
	if t.index {
		most = (usable-12)*64/255 - 23
	}
	if size <= most {
		return append(cell, record...), nil
	}
	local := least + (size-least)%(usable-4)
	if local > most {
		local = least
	}
	first, err := t.overflow(record[local:])
	return binary.BigEndian.AppendUint32(append(cell, record[:local]...), first), err
}

// overflow writes the pages that hold the rest of a record, the last one first, so
// that each knows the next.
func (t *tree) overflow(rest []byte) (next uint32, err error) {
	room := t.file.pageSize - 4
	page := make([]byte, t.file.pageSize)
	for at := (len(rest) - 1) / room * room; at >= 0; at -= room {
		clear(page)
		binary.BigEndian.PutUint32(page, next)
		copy(page[4:], rest[at:])
		rest = rest[:at]
		if next, err = t.file.newPage(page); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// page is a page while cells are added to it: their places grow from its front,
// the cells from its end.
type page struct {
	buf     []byte
	kind    byte
	head    int    // size of what stands before the places
	cells   int    // how many
	content int    // where the last cell begins
	last    int64  // rowid of a table's last row
	right   uint32 // the last child of an interior page
}

func newPage(size int, kind byte) *page {
	p := &page{buf: make([]byte, size), kind: kind, head: 8}
	if kind == indexInterior || kind == tableInterior {
		p.head = 12
	}
	p.reset()
	return p
}

func (p *page) reset() {
	clear(p.buf)
	p.cells, p.content, p.right = 0, len(p.buf), 0
}

func (p *page) fits(cell []byte) bool { return p.head+2*(p.cells+1)+len(cell) <= p.content }

func (p *page) add(cell []byte) {
	p.content -= len(cell) // which is four bytes at least, as SQLite wants it
	copy(p.buf[p.content:], cell)
	binary.BigEndian.PutUint16(p.buf[p.head+2*p.cells:], uint16(p.content))
	p.cells++
}

// pop takes the last cell away. There is always another one before it: SQLite's
// limit on what a cell holds itself lets four of them on a page.
func (p *page) pop() []byte {
	end := len(p.buf)
	if p.cells > 1 {
		end = int(binary.BigEndian.Uint16(p.buf[p.head+2*(p.cells-2):]))
	}
	cell := append([]byte(nil), p.buf[p.content:end]...)
	clear(p.buf[p.content:end])
	p.cells--
	binary.BigEndian.PutUint16(p.buf[p.head+2*p.cells:], 0)
	p.content = end
	return cell
}

// bytes is the page as it is stored.
func (p *page) bytes() []byte {
	p.buf[0] = p.kind
	binary.BigEndian.PutUint16(p.buf[3:], uint16(p.cells))
	binary.BigEndian.PutUint16(p.buf[5:], uint16(p.content))
	if p.head == 12 {
		binary.BigEndian.PutUint32(p.buf[8:], p.right)
	}
	return p.buf
}

// appendVarint appends a number as SQLite has it: seven bits a byte, the highest
// first, and all eight of a ninth.
func appendVarint(b []byte, n uint64) []byte {
	if n <= 0x7f {
		return append(b, byte(n))
	}
	if n > math.MaxUint64>>8 {
		for shift := 57; shift >= 8; shift -= 7 {
			b = append(b, byte(n>>shift)|0x80)
		}
		return append(b, byte(n))
	}
	var room [8]byte
	i := len(room) - 1
	room[i] = byte(n & 0x7f)
	for n >>= 7; n > 0; n >>= 7 {
		i--
		room[i] = byte(n&0x7f) | 0x80
	}
	return append(b, room[i:]...)
}
