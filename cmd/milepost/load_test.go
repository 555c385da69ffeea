package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The quiet agreements have enough changes to ask for, spread over the whole
// log, in which they are few; and no command is refused for changing nothing.
func TestWorkloadIsAsPlanned(t *testing.T) {
	for _, events := range []int{1000, 20_000, 200_000} {
		w := newWorkload(events)
		var chunks []string
		for done := 0; done < events; {
			text := w.chunk(done, events/10, events)
			done += strings.Count(text, "\n")
			chunks = append(chunks, text)
		}
		total := strings.Count(strings.Join(chunks, ""), "\n")
		assert.InEpsilon(t, events, total, 0.12, "commands for %d events", events)
		assert.Equal(t, w.agreements, w.begun)
		for _, quiet := range w.quiet {
			name := `"agreement":"` + string(quiet) + `"`
			n := 0
			for i, text := range chunks {
				here := strings.Count(text, name)
				assert.Positive(t, here, "%s in part %d of %d events", quiet, i, events)
				n += here
			}
			assert.GreaterOrEqual(t, n, changesWanted, "%s in %d events", quiet, events)
			assert.Less(t, n, total/4)
		}
	}
}
