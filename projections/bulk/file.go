package bulk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
)

// What the first page says, by place.
const (
	headerSize     = 100
	headerPageSize = 16
	headerReserved = 20
	headerChanges  = 24 // how often the file was written
	headerPages    = 28
	headerVacuum   = 52 // 0 without auto-vacuum
	headerEncoding = 56 // 1 is UTF-8
	headerValidFor = 92 // of which change headerPages tells
)

// File is a SQLite file that is being filled. Several goroutines may fill it, each
// tables and indexes of its own.
type File struct {
	f        *os.File
	header   [headerSize]byte
	pageSize int

	mu    sync.Mutex
	pages uint32 // given out so far
	ahead []byte // pages in a row that were not written yet, the last is number pages
}

// aheadPages is how many pages are written at once.
const aheadPages = 64

// lockByte is where SQLite locks files: the page that has it holds nothing.
const lockByte = 1 << 30

// Open begins to fill the file at path.
func Open(path string) (_ *File, err error) {
	f := &File{}
	if f.f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.f.Close()
		}
	}()
	if _, err := f.f.ReadAt(f.header[:], 0); err != nil {
		return nil, err
	}
	h := f.header[:]
	f.pageSize = int(binary.BigEndian.Uint16(h[headerPageSize:]))
	f.pages = binary.BigEndian.Uint32(h[headerPages:])
	switch {
	case string(h[:16]) != "SQLite format 3\x00":
		return nil, errors.New("bulk: not a SQLite file")
	case f.pageSize < 512, h[headerReserved] != 0, binary.BigEndian.Uint32(h[headerVacuum:]) != 0, binary.BigEndian.Uint32(h[headerEncoding:]) != 1:
		return nil, errors.New("bulk: a file of a form that is not supported")
	}
	return f, nil
}

// newPage gives out the next page, and takes what it holds.
func (f *File) newPage(content []byte) (number uint32, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if int64(f.pages)*int64(f.pageSize) == lockByte {
		if err := f.flush(); err != nil {
			return 0, err
		}
		f.pages++
	}
	f.pages++
	f.ahead = append(f.ahead, content...)
	if len(f.ahead) >= aheadPages*f.pageSize {
		err = f.flush()
	}
	return f.pages, err
}

// flush writes the pages ahead. The caller holds mu, or is the last.
func (f *File) flush() error {
	end := int64(f.pages) * int64(f.pageSize)
	_, err := f.f.WriteAt(f.ahead, end-int64(len(f.ahead)))
	f.ahead = f.ahead[:0]
	return err
}

// setPage puts content into a page that was there before.
func (f *File) setPage(number uint32, content []byte) error {
	if number == 1 {
		return fmt.Errorf("bulk: page 1 is the schema's")
	}
	_, err := f.f.WriteAt(content, int64(number-1)*int64(f.pageSize))
	return err
}

// Close ends the filling: SQLite sees that the file was written. The tables and
// indexes must have been closed before.
func (f *File) Close() error {
	err := f.flush()
	changes := binary.BigEndian.Uint32(f.header[headerChanges:]) + 1
	binary.BigEndian.PutUint32(f.header[headerChanges:], changes)
	binary.BigEndian.PutUint32(f.header[headerValidFor:], changes)
	binary.BigEndian.PutUint32(f.header[headerPages:], f.pages)
	if err == nil {
		_, err = f.f.WriteAt(f.header[:], 0)
	}
	return errors.Join(err, f.f.Close())
}

// Abort gives the file up.
func (f *File) Abort() error { return f.f.Close() }
