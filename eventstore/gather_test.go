package eventstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// landed is a commit of so many appends that took a second.
func landed(appends int) *flight {
	return &flight{reqs: make([]*request, appends), sent: time.Now().Add(-time.Second)}
}

func (g *gather) pause() time.Duration { return time.Until(g.end).Round(100 * time.Millisecond) }

func (g *gather) over() { g.end = time.Now().Add(-time.Millisecond) }

func TestMostOfACrowdIsWaitedFor(t *testing.T) {
	var g gather
	called := make(chan struct{})
	then := func() { close(called) }

	// given nobody who may come back, then nothing is waited for
	assert.False(t, g.waits(1, then))

	// when a commit of 64 lands, then all but 8 are waited for, up to twice what it took
	g.expect(landed(64), 0)
	assert.Equal(t, 2*time.Second, g.pause())
	assert.True(t, g.waits(55, then))
	assert.False(t, g.waits(56, then))
	assert.False(t, g.waits(1, then), "it is over")

	// when others have come while it was under way, then they do not wait as long
	g.expect(landed(16), 48)
	assert.Equal(t, 500*time.Millisecond, g.pause())
	assert.True(t, g.waits(55, then))

	// and who waits is called at the end of the pause
	g.expect(landed(16), 0)
	g.end = time.Now().Add(10 * time.Millisecond)
	assert.True(t, g.waits(1, then))
	<-called
	g.over()
	assert.False(t, g.waits(1, then))
}

// Given callers that do not come back, then they are waited for less and less often,
// and as before when they come again.
func TestACrowdThatDoesNotComeBackIsWaitedForLess(t *testing.T) {
	var g gather
	long := func() bool { return g.pause() == 2*time.Second }
	next := func() (shorts int) { // until a long pause, which is left open
		for g.expect(landed(64), 0); !long(); g.expect(landed(64), 0) {
			assert.Equal(t, time.Second/2, g.pause())
			g.over()
			assert.False(t, g.waits(1, nil))
			shorts++
		}
		return shorts
	}
	var shorts []int
	for range 8 {
		shorts = append(shorts, next())
		g.over()
		assert.False(t, g.waits(1, nil))
	}
	assert.Equal(t, []int{0, 2, 4, 8, 16, 32, 64, 64}, shorts)

	assert.Equal(t, 64, next())
	assert.False(t, g.waits(64, nil)) // they come
	assert.Zero(t, next())
	g.over()
	assert.False(t, g.waits(1, nil))
	assert.Equal(t, 2, next())
}
