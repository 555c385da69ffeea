package catalogue_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// Whatever a state says is still said when it was written down and read again: what is
// decided on it then is what would have been decided on the events.
func TestAStateThatWasWrittenDownIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := domaintest.History(t, 60, func(domaintest.World, domaintest.Step) {})
		for ref, state := range world {
			kind, ok := catalogue.Aggregate(ref.Kind)
			require.True(t, ok, ref)

			written, err := kind.Encode(state)
			require.NoError(t, err, ref)
			again, err := kind.Decode(written)
			require.NoError(t, err, ref)

			require.Equal(t, state, again, "%s: %s", ref, written)
			kind.Diff(state, again, func(c domain.Change) { assert.Fail(t, "differs", "%s: %+v", ref, c) })
		}
	})
}

// Nothing in a state is left out of what is written.
func TestEveryFieldOfAStateIsWritten(t *testing.T) {
	for _, a := range catalogue.Aggregates {
		assert.NotRegexp(t, `([{]|; )[a-z_]`, a.Shape(), "%s: a field that is not exported", a.Kind)
		assert.NotContains(t, a.Shape(), `"-"`, a.Kind)
	}
}
