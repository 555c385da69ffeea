package eventstore_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// Tests that may run beside others wait for servers that hang, come and go, and hardly
// need a processor: more of them run at a time than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
