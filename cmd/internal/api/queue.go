package api

import (
	"math"
	"sync"
	"time"
)

// queue lets only so many in at once, and refuses whoever comes beyond that at once:
// to wait as well would only make all of them late. Whoever is refused is told when
// those who are in will be through: a queue that drains steadily has been in it for
// half of that time, on the average, so nothing but the times of arrival is kept,
// and one that has come to a halt says longer and longer.
type queue struct {
	most  int
	clock func() time.Time

	mu    sync.Mutex
	in    int
	start time.Time     // arrivals are counted from here
	sum   time.Duration // of the arrivals of those who are in
}

const (
	minRetry = time.Second
	maxRetry = time.Minute
)

func newQueue(most int) *queue {
	return &queue{most: most, clock: time.Now, start: time.Now()}
}

// enter lets somebody in, until left is called; or refuses with the problem that
// the queue is full, of which detail says what to do.
func (q *queue) enter(detail string) (left func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.full(detail); err != nil {
		return nil, err
	}
	arrived := q.clock().Sub(q.start)
	q.in++
	q.sum += arrived
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.in--
		q.sum -= arrived
	}), nil
}

// refuse refuses who has no chance to be let in, before anything is done for them.
func (q *queue) refuse(detail string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full(detail)
}

func (q *queue) full(detail string) error {
	if q.in < q.most {
		return nil
	}
	p := newProblem(CodeOverloaded, "", detail)
	p.retryAfter = q.drained()
	return p
}

// length is how many are in.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.in
}

// wait is how long whoever is refused now is told to wait.
func (q *queue) wait() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.drained()
}

func (q *queue) drained() time.Duration {
	if q.in == 0 {
		return minRetry
	}
	age := q.clock().Sub(q.start) - q.sum/time.Duration(q.in)
	return min(max(2*age, minRetry), maxRetry)
}

// seconds are those that a header can say, never fewer than d.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
