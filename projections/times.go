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

const timesBetween = 32

// around finds the last of these events that is not after t, none where even the
// first is, and the next one, or the last of the log.
func (s *times) around(r *resolver, t time.Time) (low, high moment, err error) {
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
				return low, high, err
			}
			s.at = append(s.at, at)
		}
		read = s.at
	}
	i := sort.Search(n, func(i int) bool { return read[i].After(t) })
	if i > 0 {
		low = moment{timesBetween * uint64(i), read[i-1]}
	}
	if high = (moment{r.last.seq, r.last.time()}); i < n {
		high = moment{timesBetween * uint64(i+1), read[i]}
	}
	return low, high, nil
}

// moment is a sequence and its ledger time.
type moment struct {
	seq uint64
	at  time.Time
}

// guess is a sequence a little before that of t, if events come evenly; low where it
// cannot tell.
func guess(low, high moment, t time.Time) uint64 {
	const little = 3
	span := high.at.Sub(low.at)
	if low.seq == 0 || span <= 0 || t.After(high.at) {
		return low.seq
	}
	on := uint64(float64(high.seq-low.seq) * float64(t.Sub(low.at)) / float64(span))
	return low.seq + max(on, little) - little
}
