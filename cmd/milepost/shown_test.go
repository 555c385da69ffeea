package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who asks after a verb has ended sees what it did, also where the read models are a
// few milliseconds behind.
func TestWhatAVerbDidIsShownWhenItEnds(t *testing.T) {
	s := startSkewed(t, nodeConfig{})
	run := func(in string, args ...string) string {
		t.Helper()
		var out, errs strings.Builder
		env := map[string]string{"MILEPOST_SERVER": s.url, "MILEPOST_TOKEN": s.admin}
		require.Equal(t, exitDone, Main(args, strings.NewReader(in), &out, &errs, func(name string) string { return env[name] }), &errs)
		return out.String()
	}
	for n := range 20 {
		var done struct {
			Seq     uint64 `json:"seq"`
			LastSeq uint64 `json:"last_seq"`
		}
		party := fmt.Sprint("p-", n)
		if n%2 == 0 {
			require.NoError(t, json.Unmarshal([]byte(run("", "do", "register-party", "--party", party, "--title", "P", "--kind", "other", "-o", "json")), &done))
		} else {
			require.NoError(t, json.Unmarshal([]byte(run(`{"command":"register-party","party":"`+party+`","title":"P","kind":"other"}`, "import", "-", "-o", "json")), &done))
		}
		var status statusOf
		require.NoError(t, json.Unmarshal([]byte(run("", "status", "-o", "json")), &status))
		require.Equal(t, max(done.Seq, done.LastSeq), status.ProjectedSeq)
		require.Contains(t, run("", "show", "party", party), party)
	}
}
