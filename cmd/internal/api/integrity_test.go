package api

import (
	"context"
	"crypto/rand"
	"iter"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// rotting is a log of which one record reads differently once it has rotted.
type rotting struct {
	*eventstore.Store
	seq atomic.Uint64
}

func (l *rotting) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		for chunk, err := range l.Store.ReadChunks(ctx, from, to, filter) {
			for i := range chunk {
				if chunk[i].Seq == l.seq.Load() {
					chunk[i].Data = append(slices.Clone(chunk[i].Data), ' ')
				}
			}
			if !yield(chunk, err) {
				return
			}
		}
	}
}

// What has changed on the disk below a running ledger is found, and told wherever
// people and machines look.
func TestScrubFindsWhatHasRotted(t *testing.T) {
	// given a ledger whose log is read again and again
	var log rotting
	var watch *notary.Notary
	r := start(t, func(cfg *Config) {
		log.Store = cfg.Store
		secret, _, err := proof.NewKey(rand.Reader, "milepost/test")
		require.NoError(t, err)
		watch, err = notary.Open(t.Context(), &log, notary.Options{
			Dir: t.TempDir(), Ledger: "test", Secret: secret, Every: time.Millisecond, ScrubRate: 1_000_000, ScrubRest: time.Millisecond,
		})
		require.NoError(t, err)
		cfg.Notary = watch
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watch.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	r.scheduled()
	var s Status
	require.Eventually(t, func() bool {
		r.get("/v1/status").is(http.StatusOK).into(&s)
		return s.Integrity.Scrub.Passes > 0 && s.Integrity.Scrub.Until == r.last() && s.Ready
	}, 20*time.Second, time.Millisecond)
	require.NotNil(t, s.Integrity.Scrub.Last)
	require.Contains(t, string(r.get("/metrics").body), "\nmilepost_log_intact 1\n")
	// when a record rots
	log.seq.Store(5)
	// then it is found, and the server says that it is not ready
	require.Eventually(t, func() bool { return watch.Err() != nil }, 20*time.Second, time.Millisecond)
	p := r.get("/readyz").problem(http.StatusServiceUnavailable, CodeNotReady)
	require.Len(t, p.Reasons, 1)
	require.Contains(t, p.Reasons[0], "notary: the log disagrees with the checkpoint")
	r.get("/v1/status").is(http.StatusOK).into(&s)
	require.Equal(t, notary.ScrubFailed, s.Integrity.Scrub.State)
	require.NotEmpty(t, s.Integrity.Finding)
	require.False(t, s.Ready)
	require.Contains(t, string(r.get("/metrics").body), "\nmilepost_log_intact 0\n")
}
