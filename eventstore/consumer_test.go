package eventstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Given a reader that had come some way, and whose files were damaged on disk, when the
// log is opened, then that is no reason not to serve: the reader goes on, or where its
// place is lost gets all again.
func TestAReaderWhoseFilesAreDamagedMissesNothing(t *testing.T) {
	cut := func(path string) error { return os.Truncate(path, 3) }
	for name, c := range map[string]struct {
		file   string
		damage func(path string) error
		lost   bool
	}{
		"its place is cut":        {"o.dat", cut, true},
		"its place is nonsense":   {"o.dat", func(path string) error { return os.WriteFile(path, []byte("\xff\x02\x00\x00"), 0o600) }, true},
		"its description is cut":  {"meta.inf", cut, false},
		"its description is gone": {"meta.inf", os.Remove, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			reader := eventstore.Consumer{Name: "erp", From: 2}
			s, err := eventstore.Open(t.Context(), cfg)
			require.NoError(t, err)
			mustAppend(t, s, message("p", 0, "one"), message("q", 0, "two"), message("r", 0, "three"))
			require.NoError(t, s.EnsureConsumer(t.Context(), reader))
			assert.Equal(t, "two", nextOf(t, s))
			require.NoError(t, s.Close())

			found, err := filepath.Glob(filepath.Join(cfg.Dir, "jetstream", "*", "*", "streams", s.Stream(), "obs", "erp", c.file))
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.NoError(t, c.damage(found[0]))

			s = openWith(t, cfg)
			require.NoError(t, s.EnsureConsumer(t.Context(), reader))
			if c.lost {
				assert.Equal(t, "two", nextOf(t, s))
			}
			assert.Equal(t, "three", nextOf(t, s))
			aside, err := filepath.Glob(filepath.Join(cfg.Dir, "consumer-erp-damaged-*", "o.dat"))
			require.NoError(t, err)
			assert.Equal(t, c.lost, len(aside) == 1, "what is damaged is kept")
		})
	}
}

// What decides about the order of what is delivered is put right, too.
func TestAReaderThatWasConfiguredOtherwise(t *testing.T) {
	s := open(t)
	reader := eventstore.Consumer{Name: "erp"}
	require.NoError(t, s.EnsureConsumer(t.Context(), reader))
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	c, err := js.Consumer(t.Context(), s.Stream(), "erp")
	require.NoError(t, err)
	made := c.CachedInfo().Config
	changed := made
	changed.MaxAckPending, changed.MaxDeliver, changed.AckWait = 9, 2, time.Second
	_, err = js.UpdateConsumer(t.Context(), s.Stream(), changed)
	require.NoError(t, err)
	require.NoError(t, s.EnsureConsumer(t.Context(), reader))
	c, err = js.Consumer(t.Context(), s.Stream(), "erp")
	require.NoError(t, err)
	assert.Equal(t, made, c.CachedInfo().Config)
}

// nextOf takes and acknowledges the next record of consumer erp.
func nextOf(t *testing.T, s *eventstore.Store) string {
	t.Helper()
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	c, err := js.Consumer(t.Context(), s.Stream(), "erp")
	require.NoError(t, err)
	return next(t, c)
}
