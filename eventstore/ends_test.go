package eventstore_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A server answers for 1,024 subjects at most.
func TestEndsOfMoreSubjectsThanOneAnswerHas(t *testing.T) {
	s := open(t)
	want := map[string]uint64{}
	subjects := []string{subject("nobody")}
	for batch := range 3 {
		var msgs []eventstore.Message
		for i := range 700 {
			msgs = append(msgs, message(fmt.Sprintf("p-%d-%d", batch, i), 0, "x"))
		}
		first, err := s.Append(t.Context(), msgs)
		require.NoError(t, err)
		for i, m := range msgs {
			want[m.Subject] = first + uint64(i)
			subjects = append(subjects, m.Subject)
		}
	}
	ends, moment, err := s.Ends(t.Context(), subjects, 0)
	require.NoError(t, err)
	require.Equal(t, want, ends)
	require.EqualValues(t, 2100, moment)
}

// A server sends 64 MiB at a time.
func TestEndsOfRecordsThatOneAnswerCannotHold(t *testing.T) {
	s := open(t)
	want := map[string]uint64{}
	data := strings.Repeat("x", eventstore.MaxData)
	for i := range 80 {
		m := message(fmt.Sprint("p-", i), 0, data)
		seq, err := s.Append(t.Context(), []eventstore.Message{m})
		require.NoError(t, err)
		want[m.Subject] = seq
	}
	ends, moment, err := s.Ends(t.Context(), slices.Collect(maps.Keys(want)), 0)
	require.NoError(t, err)
	require.Equal(t, want, ends)
	require.EqualValues(t, 80, moment)
}

// Half of an append is at no moment there: not even where the halves are asked for one
// after the other.
func TestEndsOfManyAreOfOneMoment(t *testing.T) {
	s := open(t)
	last, err := s.Append(t.Context(), []eventstore.Message{message("x", 0, "x")})
	require.NoError(t, err)
	for try := range 50 {
		var subjects []string
		for i := range 1000 {
			subjects = append(subjects, subject(fmt.Sprintf("p-%d-%d", try, i)))
		}
		appended := make(chan uint64)
		go func() {
			first, err := s.Append(t.Context(), []eventstore.Message{message(fmt.Sprintf("p-%d-0", try), 0, "x"), message("x", last, "x")})
			assert.NoError(t, err)
			appended <- first
		}()
		ends, moment, err := s.Ends(t.Context(), append(subjects, subject("x")), last)
		require.NoError(t, err)
		first := <-appended
		last = first + 1
		if moment >= first {
			require.Equal(t, map[string]uint64{subjects[0]: first, subject("x"): last}, ends, "at moment %d", moment)
		}
	}
}
