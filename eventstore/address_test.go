package eventstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A password that does not stand in its address as it must is not shown to anybody.
func TestConnect_addressThatIsNoneShowsNoPassword(t *testing.T) {
	for _, address := range []string{
		"nats://milepost:s%zzecret@127.0.0.1:4222",
		"nats://milepost:s%zzecret@127.0.0.1:4222,nats://127.0.0.1:4222",
		"milepost:s%zzecret@127.0.0.1:4222",
		"nats://milepost:zze#cret@127.0.0.1:4222",
		"nats://milepost:zze/cret@127.0.0.1:4222",
		"nats://milepost:zze?cret@127.0.0.1:4222",
		"nats://milepost:12#zzecret@127.0.0.1:4222",
		"nats://milepost:12/zzecret@127.0.0.1:4222",
		"nats://milepost:zze cret@127.0.0.1:4222",
	} {
		_, err := eventstore.Open(t.Context(), eventstore.Config{URL: address, Ledger: "test"})
		require.ErrorContains(t, err, "% as %25", address)
		require.NotRegexp(t, "zz|cret", err.Error())
		require.NotRegexp(t, "zz|cret|12#|12/", eventstore.WithoutUser(address))
	}
	require.Equal(t, "nats://a:4222,tls://b", eventstore.WithoutUser("nats://milepost:s%25zze%23c@a:4222, tls://milepost:x@b"))
}
