package domaintest

import (
	"flag"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Reached requires that some history came as far as what was counted, or the
// property says nothing of it. A short run has too few histories to ask that.
func Reached(t *testing.T, count int, what string) {
	t.Helper()
	if !testing.Short() {
		assert.Positive(t, count, "no history came as far: %s", what)
	}
}

// counting is held while the number of runs of a property is being set and read.
var counting sync.Mutex

// Check tries a property on so many random histories, a fifth of them with
// -short, or on as many as -rapid.checks asks for. Properties may run side by
// side: rapid has read the number when it first runs one.
func Check(t *testing.T, times int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	counting.Lock()
	was := checks.Value.String()
	begun := sync.OnceFunc(func() {
		assert.NoError(t, checks.Value.Set(was))
		counting.Unlock()
	})
	defer begun()
	if was == checks.DefValue {
		require.NoError(t, checks.Value.Set(strconv.Itoa(times)))
	}
	rapid.Check(t, func(t *rapid.T) {
		begun()
		property(t)
	})
}

// Exhausting leaves a test out of a short run, that of the race detector: it
// tries many cases, or much, of what other tests try one of.
func Exhausting(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("tries many cases of what others try one of: nothing new for the race detector, and minutes")
	}
}
