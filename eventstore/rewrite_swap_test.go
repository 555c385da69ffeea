package eventstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Given a new log that is whole, when the power goes after any of the steps that
// put it in its place, then the next Open finds one log, whole, and nothing else
// is left; and the former one is there once the new one is.
func TestSwap_interruptedAfterEachStep(t *testing.T) {
	for done, want := range []string{"old", "old", "new", "new"} {
		t.Run(fmt.Sprintf("after %d steps", done), func(t *testing.T) {
			cfg := Config{Dir: t.TempDir(), Ledger: "test"}
			work := Config{Dir: filepath.Join(cfg.Dir, workDir), Ledger: "test"}
			fillWith(t, cfg, "old", "old")
			fillWith(t, work, "new", "new", "new")

			steps := swap(cfg.Dir, filepath.Join(cfg.Dir, formerDir+"-then"))
			require.Len(t, steps, 3)
			for _, step := range steps[:done] {
				require.NoError(t, step())
			}

			assert.Equal(t, want, whole(t, cfg))
			assert.NoDirExists(t, work.Dir)
			assert.NoDirExists(t, filepath.Join(cfg.Dir, nextDir))
			former := filepath.Join(cfg.Dir, formerDir+"-then")
			if want == "old" {
				assert.NoDirExists(t, former)
				return
			}
			require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, storeDir)))
			require.NoError(t, os.Rename(former, filepath.Join(cfg.Dir, storeDir)))
			assert.Equal(t, "old", whole(t, cfg))
		})
	}
}

// What a Rewrite that was killed while it worked has left is removed.
func TestSettleRewrite_unfinishedWork(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Ledger: "test"}
	fillWith(t, cfg, "old", "old")
	fillWith(t, Config{Dir: filepath.Join(cfg.Dir, workDir), Ledger: "test"}, "new")
	assert.Equal(t, "old", whole(t, cfg))
	assert.NoDirExists(t, filepath.Join(cfg.Dir, workDir))
}

// fillWith makes a log of so many records as are given.
func fillWith(t *testing.T, cfg Config, data ...string) {
	t.Helper()
	s, err := Open(context.Background(), cfg)
	require.NoError(t, err)
	for i, d := range data {
		_, err := s.Append(context.Background(), []Message{{Subject: Subject("test", "-", "party", fmt.Sprint(i)), Data: []byte(d)}})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
}

// whole opens the log and says which it is: two records "old" or three "new".
func whole(t *testing.T, cfg Config) string {
	t.Helper()
	s, err := Open(context.Background(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var got []string
	for r, err := range s.Read(context.Background(), 1, 0, "") {
		require.NoError(t, err)
		got = append(got, string(r.Data))
	}
	want := map[int][]string{2: {"old", "old"}, 3: {"new", "new", "new"}}[len(got)]
	require.Equal(t, want, got)
	return got[0]
}

// What was written is read again: a record that is not what was meant is named.
func TestCompare_whatWasWritten(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	rec := func(seq uint64, data string) Record {
		return Record{Seq: seq, Subject: Subject("test", "-", "party", "p"), Data: []byte(data)}
	}
	sums, err := s.fill(ctx, func(yield func(Record, error) bool) { _ = yield(rec(1, "one"), nil) && yield(rec(2, "two"), nil) })
	require.NoError(t, err)
	require.NoError(t, s.compare(ctx, sums))

	other := append(sums[:1:1], sumOf(rec(2, "zwei")))
	require.ErrorContains(t, s.compare(ctx, other), "sequence 2 was not written as it is")
	require.ErrorContains(t, s.compare(ctx, sums[:1]), "sequence 2 was not written as it is")
	require.ErrorContains(t, s.compare(ctx, append(sums, sums[0])), "only 2 of 3 records")
}
