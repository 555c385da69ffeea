package eventstore_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A key is made for a log that is about to be, and for no other: one that is left of an
// Open in vain would be taken for that of a log that is there.
func TestOpen_makesAKeyOnlyForANewLog(t *testing.T) {
	made := 0
	open := func(url string, existing bool) error {
		s, err := eventstore.Open(t.Context(), eventstore.Config{URL: url, Ledger: "test", Existing: existing, NewKey: func() (string, error) {
			made++
			return "the key", nil
		}})
		if err == nil {
			assert.Equal(t, "the key", s.Key())
			err = s.Close()
		}
		return err
	}
	// given servers without streams, without the log, and none at all
	without, with := external(t, func(o *server.Options) { o.JetStream = false }), external(t)
	require.ErrorIs(t, open(without.ClientURL(), false), eventstore.ErrUnavailable)
	require.ErrorAs(t, open("nats://127.0.0.1:1", false), new(*eventstore.ConnectError))
	require.ErrorAs(t, open(with.ClientURL(), true), new(*eventstore.NoLedgerError))
	assert.Zero(t, made)
	assert.Empty(t, streamsOn(t, with.ClientURL()))
	// when the log is made, and opened again
	require.NoError(t, open(with.ClientURL(), false))
	require.NoError(t, open(with.ClientURL(), true))
	// then one was
	assert.Equal(t, 1, made)
}
