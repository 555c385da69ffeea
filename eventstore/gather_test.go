package eventstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const took = 10 * time.Millisecond // the commits of these tests

func (g *gather) over() { g.end = time.Now().Add(-time.Millisecond) }

func (g *gather) left() time.Duration { return time.Until(g.end) }

func TestMostOfACrowdIsWaitedFor(t *testing.T) {
	var g gather
	called := make(chan struct{})
	then := func() { close(called) }

	// given nobody who may come back, then nothing is waited for
	assert.False(t, g.waits(1, then))

	// when a commit of 64 lands, then all but 8 are waited for, up to twice what it took
	assert.Equal(t, 2*took, g.pause(took))
	g.expect(64, 0, time.Hour)
	assert.True(t, g.waits(55, then))
	assert.False(t, g.waits(56, then))
	assert.False(t, g.waits(1, then), "it is over")

	// when others have come while it was under way, then they do not wait as long
	g.expect(16, 48, time.Hour)
	assert.LessOrEqual(t, g.left(), gatherMost/4)

	// when it took long, then nobody waits as long again
	g.expect(64, 0, time.Hour)
	assert.LessOrEqual(t, g.left(), gatherMost)

	// and who waits is called at the end of the pause
	assert.True(t, g.waits(1, then))
	<-called
	g.over()
	assert.False(t, g.waits(1, then))
}

// Given callers that do not come back, then they are waited for less and less often,
// and as before when they come again.
func TestACrowdThatDoesNotComeBackIsWaitedForLess(t *testing.T) {
	var g gather
	inVain := func() {
		g.expect(64, 0, took)
		g.over()
		assert.False(t, g.waits(1, nil))
	}
	shorts := func() (n int) { // in a row
		for ; g.pause(took) == took/2; n++ {
			inVain()
		}
		assert.Equal(t, 2*took, g.pause(took))
		return n
	}
	var all []int
	for range 8 {
		all = append(all, shorts())
		inVain()
	}
	assert.Equal(t, []int{0, 2, 4, 8, 16, 32, 64, 64}, all)

	assert.Equal(t, 64, shorts())
	g.expect(64, 0, took)
	assert.False(t, g.waits(64, nil)) // they come
	assert.Zero(t, shorts())
	inVain()
	assert.Equal(t, 2, shorts())
}

// Given a commit of which nobody knows whether it is there, and that was waited for
// very long, then whoever comes next does not wait for its callers.
func TestNobodyWaitsForACommitThatFailed(t *testing.T) {
	c := &committer{tips: map[string]uint64{}, busy: map[string][]*request{}}
	f := &flight{reqs: make([]*request, 2), messages: 2, batch: true, err: ErrUnavailable, attempts: maxAttempts, sent: time.Now().Add(-ackTimeout)}
	for i := range f.reqs {
		f.reqs[i] = &request{done: make(chan result, 1)}
	}

	c.settle(f)

	assert.Zero(t, c.gather.company)
	assert.Error(t, (<-f.reqs[0].done).err)
}
