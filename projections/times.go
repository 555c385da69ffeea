package projections

import (
	"sort"
	"sync"
	"time"
)

// times are the ledger times of every so many events of a file: an instant is then
// found among few rows, however long the log is. They are read when an instant is
// asked for, and hold for ever, as rows do.
type times struct {
	mu sync.RWMutex
	at []time.Time // of events timesBetween, 2*timesBetween, ...
}

const timesBetween = 64

// before finds the last of these events that is not after t; 0 for none.
func (s *times) before(r *resolver, t time.Time) (uint64, error) {
	n := int(r.last.seq / timesBetween)
	s.mu.RLock()
	read := s.at
	s.mu.RUnlock()
	if len(read) < n {
		s.mu.Lock()
		defer s.mu.Unlock()
		for len(s.at) < n {
			at, err := r.at(uint64(len(s.at)+1) * timesBetween)
			if err != nil {
				return 0, err
			}
			s.at = append(s.at, at)
		}
		read = s.at
	}
	return timesBetween * uint64(sort.Search(n, func(i int) bool { return read[i].After(t) })), nil
}
