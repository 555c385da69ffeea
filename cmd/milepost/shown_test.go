package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who asks after a verb has ended sees what it did, also where the read models are a
// few milliseconds behind.
func TestWhatAVerbDidIsShownWhenItEnds(t *testing.T) {
	s := startSkewed(t, nodeConfig{})
	for n := range 20 {
		var done struct {
			Seq     uint64 `json:"seq"`
			LastSeq uint64 `json:"last_seq"`
		}
		party := fmt.Sprint("p-", n)
		if n%2 == 0 {
			require.NoError(t, json.Unmarshal([]byte(s.run(t, "", "do", "register-party", "--party", party, "--title", "P", "--kind", "other", "-o", "json")), &done))
		} else {
			require.NoError(t, json.Unmarshal([]byte(s.run(t, `{"command":"register-party","party":"`+party+`","title":"P","kind":"other"}`, "import", "-", "-o", "json")), &done))
		}
		var status statusOf
		require.NoError(t, json.Unmarshal([]byte(s.run(t, "", "status", "-o", "json")), &status))
		require.Equal(t, max(done.Seq, done.LastSeq), status.ProjectedSeq)
		require.Contains(t, s.run(t, "", "show", "party", party), party)
	}
}
