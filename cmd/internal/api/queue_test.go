package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever finds a queue full is told to come again when it will have drained at the
// rate at which it does.
func TestRetryAfterFollowsTheDrainRate(t *testing.T) {
	for name, c := range map[string]struct {
		each time.Duration // between two that leave
		want string
	}{
		"fast":     {time.Millisecond, "1"},
		"slow":     {100 * time.Millisecond, "10"},
		"too slow": {10 * time.Second, "60"},
	} {
		t.Run(name, func(t *testing.T) {
			// given a queue of 100 that somebody leaves and somebody enters each time
			q := newQueue(100)
			now := q.start
			q.clock = func() time.Time { return now }
			var inside []func()
			for range 100 {
				left, err := q.enter("")
				require.NoError(t, err)
				inside = append(inside, left)
			}
			for range 500 {
				now = now.Add(c.each)
				inside[0]()
				left, err := q.enter("")
				require.NoError(t, err)
				inside = append(inside[1:], left)
			}
			// when one more comes
			_, err := q.enter("Later.")
			// then it is refused until as many as are in are out
			p := &Problem{}
			require.ErrorAs(t, err, &p)
			assert.Equal(t, CodeOverloaded, p.Code)
			assert.Equal(t, http.StatusServiceUnavailable, p.Status)
			assert.Equal(t, c.want, p.GetHeaders().Get("Retry-After"))
			assert.Equal(t, 100, q.length())
		})
	}
}

// When nobody leaves any more, those who are refused are sent away for longer and longer.
func TestRetryAfterOfAQueueThatStands(t *testing.T) {
	q := newQueue(1)
	now := q.start
	q.clock = func() time.Time { return now }
	assert.Equal(t, minRetry, q.wait())
	left, err := q.enter("")
	require.NoError(t, err)
	assert.Equal(t, minRetry, q.wait())
	now = now.Add(5 * time.Second)
	assert.Equal(t, 10*time.Second, q.wait())
	require.Error(t, q.refuse(""))
	// and it is empty again, though who left says so twice
	left()
	left()
	assert.Zero(t, q.length())
	require.NoError(t, q.refuse(""))
}
