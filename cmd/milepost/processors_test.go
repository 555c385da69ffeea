package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever serves an embedded log has a processor to spare, however many do; an
// external log is synced elsewhere, and an operator's number holds.
func TestOneProcessorIsSpared(t *testing.T) {
	processors := func() int { return runtime.GOMAXPROCS(0) }
	there := processors()
	embedded, external := &node{}, &node{cfg: nodeConfig{natsURL: "nats://elsewhere"}}

	external.spareProcessor()()
	if os.Getenv("GOMAXPROCS") == "" { // else this is what the second half asks for
		first, second := embedded.spareProcessor(), embedded.spareProcessor()
		assert.Equal(t, there+1, processors())
		first()
		assert.Equal(t, there+1, processors())
		second()
		assert.Equal(t, there, processors())
	}

	t.Setenv("GOMAXPROCS", "7") // as it was when the program started
	giveBack := embedded.spareProcessor()
	assert.Equal(t, there, processors())
	giveBack()
	assert.Equal(t, there, processors())
}
