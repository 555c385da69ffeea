package projections_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// away is a log that cannot be reached for the first few questions.
type away struct {
	*memory
	left atomic.Int32
}

func (a *away) Last(ctx context.Context) (uint64, error) {
	if a.left.Add(-1) >= 0 {
		return 0, fmt.Errorf("%w: it is started again", eventstore.ErrUnavailable)
	}
	return a.memory.Last(ctx)
}

// While the log cannot be reached the read models have not stopped: what they have is
// answered, and they go on by themselves.
func TestReadModelsWaitForALogThatCannotBeReached(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	l.report(1)

	absent := &away{memory: log}
	absent.left.Store(2)
	stop := follow(t, m, absent)
	reach(t, m, l.seq) // which would say that they have stopped
	require.Negative(t, absent.left.Load())
	require.NoError(t, m.Position().Err)
	require.NoError(t, stop())
}
