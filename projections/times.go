package projections

import (
	"encoding/binary"
	"sort"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// times are the ledger times of the events of a file, in a few bytes each: an
// instant is then found in memory, at the same cost however long the log is. They
// are read on when an instant is asked for that they do not reach, and hold for
// ever, as rows do. What a view has not got has the time of the event before.
type times struct {
	mu     sync.RWMutex
	read   uint64 // the sequence up to which they are
	first  uint64 // event; 0 before there is one
	last   moment // event
	blocks []timesBlock
	passed []byte // microseconds from each event to the next within a block, as varints
}

// timesBlock has the time of the first of so many events, and the place in passed
// of what follows.
type timesBlock struct {
	at   int64
	from int
}

const timesInBlock = 64

// moment is a sequence and its ledger time in microseconds.
type moment struct {
	seq uint64
	at  int64
}

func (e moment) point(day domain.Date) Point {
	return Point{Seq: e.seq, At: time.UnixMicro(e.at).UTC(), Day: day}
}

// point is what a date or an instant means before the last event that is known: that
// is the same for ever, so nothing has to be read.
func (s *times) point(asOf AsOf, loc *time.Location) (p Point, ok bool) {
	if asOf == "" {
		return p, false
	}
	t, day, err := asOf.instant(loc)
	if err != nil {
		return p, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.first == 0 || t.UnixMicro() >= s.last.at {
		return p, false
	}
	e, ok := s.until(t.UnixMicro())
	return e.point(day), ok
}

// upTo finds the last event that is not after t, and the sequence up to which that
// is so; not ok where even the first is after t, or there is none.
func (s *times) upTo(r *resolver, t time.Time) (found moment, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readOn(r); err != nil {
		return found, false, err
	}
	if s.first == 0 {
		return moment{seq: s.read}, false, nil
	}
	if found, ok = s.until(t.UnixMicro()); found.seq == s.last.seq {
		found.seq = s.read
	}
	return found, ok, nil
}

// until does it for microseconds, among what was read.
func (s *times) until(us int64) (found moment, ok bool) {
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].at > us }) - 1
	if i < 0 {
		return moment{seq: s.first - 1}, false
	}
	found = moment{s.first + uint64(i)*timesInBlock, s.blocks[i].at}
	rest := s.passed[s.blocks[i].from:]
	for range timesInBlock - 1 {
		passed, n := binary.Uvarint(rest)
		if n <= 0 || found.at+int64(passed) > us {
			break
		}
		found.seq, found.at, rest = found.seq+1, found.at+int64(passed), rest[n:]
	}
	return found, true
}

// readOn reads the events up to the last one that the resolver's transaction sees.
func (s *times) readOn(r *resolver) error {
	if s.read >= r.last.seq {
		return nil
	}
	err := each(r.conn, "SELECT seq, at FROM event WHERE seq > ? ORDER BY seq", []any{s.read}, func(stmt *sqlite.Stmt) (bool, error) {
		seq := uint64(stmt.ColumnInt64(0))
		if seq != s.read+1 && !r.gaps {
			return false, missing(s.read + 1)
		}
		s.add(seq, stmt.ColumnInt64(1))
		s.read = seq
		return true, nil
	})
	if err == nil && s.read < r.last.seq && !r.gaps {
		err = missing(s.read + 1)
	}
	if err == nil {
		s.read = r.last.seq
	}
	return err
}

// add adds the next event.
func (s *times) add(seq uint64, at int64) {
	if s.first == 0 {
		s.first, s.last = seq, moment{seq - 1, at}
	}
	for s.last.seq < seq-1 {
		s.next(s.last.at)
	}
	s.next(at)
}

// next adds the time of the next sequence.
func (s *times) next(at int64) {
	if n := s.last.seq + 1 - s.first; n%timesInBlock == 0 {
		s.blocks = append(s.blocks, timesBlock{at, len(s.passed)})
	} else {
		s.passed = binary.AppendUvarint(s.passed, uint64(at-s.last.at))
	}
	s.last = moment{s.last.seq + 1, at}
}
