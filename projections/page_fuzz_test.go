package projections

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whatever is sent as a cursor is refused, or names a place that a page can begin
// at; and what a page handed out is read as what it was.
func FuzzCursor(f *testing.F) {
	f.Add(opened{question: 7, seq: 12, day: 17000}.cursor(100))
	f.Add(opened{}.cursor(0))
	f.Add(opened{question: 1 << 63, seq: 1 << 62}.cursor(1 << 62))
	f.Add("AAAAAAAAAAcAAP___________wE")
	f.Add("not a cursor")
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := parseCursor(s)
		if !ok {
			return
		}
		assert.GreaterOrEqual(t, o.after, int64(0))
		again, ok := parseCursor(o.cursor(o.after))
		assert.True(t, ok)
		assert.Equal(t, o, again)
		o.limit = 10
		part, _ := pageOf(make([]int, 25), o)
		assert.LessOrEqual(t, len(part), 10)
	})
}
