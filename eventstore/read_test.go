package eventstore_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func collect(t *testing.T, s *eventstore.Store, from, to uint64, filter string) []string {
	t.Helper()
	var out []string
	for r, err := range s.Read(context.Background(), from, to, filter) {
		require.NoError(t, err)
		out = append(out, fmt.Sprint(r.Seq))
	}
	return out
}

func TestRead_rangesAndFilters(t *testing.T) {
	s := open(t)
	assert.Empty(t, collect(t, s, 1, 0, ""))
	for i := range 3 {
		mustAppend(t, s, message(fmt.Sprint("p", i), 0, "x"), message(fmt.Sprint("q", i), 0, "x"))
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5", "6"}, collect(t, s, 0, 0, ""))
	assert.Equal(t, []string{"2", "3", "4"}, collect(t, s, 2, 4, ""), "a range may cut batches")
	assert.Equal(t, []string{"5", "6"}, collect(t, s, 5, 99, ""))
	assert.Equal(t, []string{"6"}, collect(t, s, 6, 6, ""))
	assert.Empty(t, collect(t, s, 7, 0, ""))
	assert.Empty(t, collect(t, s, 4, 3, ""))
	assert.Equal(t, []string{"3"}, collect(t, s, 1, 0, subject("p1")))
	assert.Equal(t, []string{"3"}, collect(t, s, 1, 5, subject("p1")))
	assert.Empty(t, collect(t, s, 4, 5, subject("p1")))
	assert.Empty(t, collect(t, s, 1, 2, subject("p1")))
	assert.Equal(t, []string{"1", "2"}, collect(t, s, 1, 2, "milepost.test.a1.>"))
	assert.Len(t, collect(t, s, 1, 0, "milepost.test.*.project.*"), 6)
	assert.Empty(t, collect(t, s, 1, 0, "milepost.test.a2.>"))
	for _, bad := range []string{"milepost.other.>", ">", "milepost.test", "milepost.test.a..b", "milepost.test.>.a"} {
		for _, err := range s.Read(context.Background(), 1, 0, bad) {
			var se *eventstore.SubjectError
			assert.ErrorAs(t, err, &se, bad)
		}
	}
}

func TestAggregate_oneSubjectInOrderAcrossPages(t *testing.T) {
	s := open(t)
	last, want := uint64(0), 0
	for range 3 {
		msgs := make([]eventstore.Message, 400)
		for i := range msgs {
			msgs[i] = message("long", last, fmt.Sprint(want+i))
			if i%2 == 1 {
				msgs[i] = message(fmt.Sprint("other", want+i), 0, "x")
			}
		}
		last = mustAppend(t, s, msgs...) + 398
		want += 400
	}
	n := 0
	for r, err := range s.Aggregate(context.Background(), subject("long"), 1) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(n), string(r.Data))
		require.EqualValues(t, n+1, r.Seq)
		require.False(t, r.Stored.IsZero())
		n += 2
	}
	assert.Equal(t, want, n)

	n = 0
	for r, err := range s.Aggregate(context.Background(), subject("long"), 1000) {
		require.NoError(t, err)
		require.GreaterOrEqual(t, r.Seq, uint64(1000))
		n++
	}
	assert.Equal(t, 100, n)
	for range s.Aggregate(context.Background(), subject("none"), 1) {
		t.Fatal("an aggregate that is not there has records")
	}
	for _, err := range s.Aggregate(context.Background(), "milepost.test.a1.project.*", 1) {
		var se *eventstore.SubjectError
		require.ErrorAs(t, err, &se)
	}
}

func TestRead_leavesNoGoroutines(t *testing.T) {
	s := open(t)
	fill(t, s, 9_000) // more than a reader buffers, so that leaving early finds it full
	for range 3 {
		for _, err := range s.Read(context.Background(), 1, 0, "milepost.test.a.>") { // which the server sends
			require.NoError(t, err)
			eventually(t, "the consumer to be held up by this reader", func() bool {
				_, stacks := readers()
				return strings.Contains(stacks, "eventstore.(*feed).put") && strings.Contains(stacks, "sync.(*Cond).Wait")
			})
			break // leaves early
		}
		collect(t, s, 1, 0, "milepost.test.a.>")
	}
	noReaders(t)
}

func lastOf(t *testing.T, s *eventstore.Store) uint64 {
	last, err := s.Last(context.Background())
	require.NoError(t, err)
	return last
}

// Given a log whose last records were damaged on the disk, then it is not taken
// for an empty one: what is before them can be read, and they are named.
func TestRead_damagedEndIsNamed(t *testing.T) {
	ctx := context.Background()
	cfg, _ := aLog(t)
	damage(t, cfg, "three", "four")

	s := openWith(t, cfg)
	_, err := s.Last(ctx)
	damaged := new(*eventstore.DamagedError)
	require.ErrorAs(t, err, damaged)
	assert.Equal(t, eventstore.DamagedError{Seq: 3, Last: 4}, **damaged)

	var got []string
	for r, err := range s.Read(ctx, 1, 0, "") {
		if err != nil {
			require.ErrorAs(t, err, damaged)
			got = append(got, "damaged")
			continue
		}
		got = append(got, line(r))
	}
	assert.Equal(t, []string{"1 p1 one", "2 p2 two", "damaged"}, got)
	for r, err := range s.Read(ctx, 2, 2, "") {
		require.NoError(t, err)
		assert.Equal(t, "2 p2 two", line(r))
	}
}

// Given subjects of which the last record was damaged on the disk, while others came
// after it, then who reads these alone is told too, after what can be read; and who
// reads what is not there is told nothing.
func TestRead_damagedEndOfAPartIsNamed(t *testing.T) {
	ctx := context.Background()
	cfg := config(t)
	s := openWith(t, cfg)
	first := mustAppend(t, s, message("mine", 0, "first"))
	mustAppend(t, s, messages(0, 40)...)
	second := mustAppend(t, s, message("mine", first, "second"))
	mustAppend(t, s, message("mine", second, "third"))
	mustAppend(t, s, messages(50, 40)...)
	require.NoError(t, s.Close())
	damage(t, cfg, "third")

	s = openWith(t, cfg)
	filter := subject("mine")
	want := eventstore.DamagedError{Seq: second + 1, Last: lastOf(t, s)}
	damaged := new(*eventstore.DamagedError)
	_, err := s.LastMatching(ctx, filter)
	require.ErrorAs(t, err, damaged)
	assert.Equal(t, want, **damaged)
	for name, records := range map[string]iter.Seq2[eventstore.Record, error]{
		"read": s.Read(ctx, 1, 0, filter), "subscribe": s.Subscribe(ctx, 1, filter),
	} {
		var got []string
		for r, err := range records {
			if err != nil {
				require.ErrorAs(t, err, damaged, name)
				assert.Equal(t, want, **damaged, name)
				break
			}
			got = append(got, string(r.Data))
		}
		assert.Equal(t, []string{"first", "second"}, got, name)
	}
	for _, part := range []string{subject("p1"), subject("nobody")} {
		_, err = s.LastMatching(ctx, part)
		assert.NoError(t, err)
	}
	assert.Empty(t, collect(t, s, 1, 0, subject("nobody")))
}

// damage overwrites the data of records where they lie on the disk, the last that say so.
func damage(t *testing.T, cfg eventstore.Config, data ...string) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(cfg.Dir, "jetstream", "jetstream", "$G", "streams", "milepost-test", "msgs", "*.blk"))
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	b, err := os.ReadFile(blocks[0])
	require.NoError(t, err)
	for _, d := range data {
		at := bytes.LastIndex(b, []byte(d))
		require.Positive(t, at, "%s is not in the log", d)
		copy(b[at:], "gone")
	}
	require.NoError(t, os.WriteFile(blocks[0], b, 0o600))
}
