package eventstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func TestOpen_anotherHolderOfTheDirectoryIsNamed(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	_, err := eventstore.Open(context.Background(), cfg)
	var locked *eventstore.LockedError
	require.ErrorAs(t, err, &locked)
	assert.Equal(t, cfg.Dir, locked.Dir)

	require.NoError(t, s.Close())
	openWith(t, cfg)
}

func TestOpen_afterCloseEverythingIsThere(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	mustAppend(t, s, message("p1", 0, "one"))
	mustAppend(t, s, message("p1", 1, "two"), message("p2", 0, "three"))
	want := log(t, s)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing again does nothing")

	s = openWith(t, cfg)
	assert.Equal(t, want, log(t, s))
	assert.EqualValues(t, 4, mustAppend(t, s, message("p1", 2, "four")))
}

func TestOpen_theTimeZoneIsFixedWithTheLedger(t *testing.T) {
	cfg := config(t)
	cfg.Timezone = "Asia/Shanghai"
	require.NoError(t, openWith(t, cfg).Close())

	cfg.Timezone = ""
	s := openWith(t, cfg)
	assert.Equal(t, "Asia/Shanghai", s.Timezone())
	require.NoError(t, s.Close())

	cfg.Timezone = "Europe/Paris"
	_, err := eventstore.Open(context.Background(), cfg)
	var zone *eventstore.TimezoneError
	require.ErrorAs(t, err, &zone)
	assert.Equal(t, "Asia/Shanghai", zone.Has)

	assert.Equal(t, "UTC", open(t).Timezone())
}

func TestOpen_oneLedgerADirectory(t *testing.T) {
	cfg := config(t)
	require.NoError(t, openWith(t, cfg).Close())
	cfg.Ledger = "mistyped"
	_, err := eventstore.Open(context.Background(), cfg)
	var other *eventstore.OtherLedgerError
	require.ErrorAs(t, err, &other)
	assert.Equal(t, "test", other.Has)
	cfg.Ledger = "test"
	openWith(t, cfg)
}

func TestOpen_badConfigIsRefused(t *testing.T) {
	for _, cfg := range []eventstore.Config{
		{Ledger: "test"},
		{Dir: t.TempDir()},
		{Dir: t.TempDir(), Ledger: "Test"},
		{Dir: t.TempDir(), Ledger: "a.b"},
		{Dir: t.TempDir(), Ledger: "-a"},
		{Dir: t.TempDir(), Ledger: "*"},
	} {
		_, err := eventstore.Open(context.Background(), cfg)
		assert.Error(t, err)
	}
}

func TestInfo_describesTheLog(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	first, err := s.First(ctx)
	require.NoError(t, err)
	assert.Zero(t, first)
	mustAppend(t, s, message("p1", 0, "one"), message("p1", 0, "two"), message("p2", 0, "three"))
	info, err := s.Info(ctx)
	require.NoError(t, err)
	assert.Positive(t, info.Bytes)
	assert.Less(t, info.Skew.Abs(), time.Second, "it is the same clock")
	info.Bytes, info.Skew = 0, 0
	assert.Equal(t, eventstore.Info{
		Ledger: "test", Stream: "milepost-test", FirstSeq: 1, LastSeq: 3, Messages: 3, Subjects: 2,
		Mode: "embedded", ServerVersion: server.VERSION, Replicas: 1, Current: 1, SyncAlways: "true", Connected: true,
	}, info)
	first, err = s.First(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 1, first)
}

// Given a stream that could lose records, when the store opens, then it names
// the setting and leaves the stream as it was.
func TestOpen_lossyStreamIsRefusedAndNamed(t *testing.T) {
	srv := external(t)
	_, js := connect(t, srv.ClientURL())
	good := jetstream.StreamConfig{
		Name: "milepost-test", Subjects: []string{"milepost.test.>"}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, MaxMsgSize: 1 << 20, DenyDelete: true, DenyPurge: true,
		AllowDirect: true, AllowAtomicPublish: true, Metadata: map[string]string{"milepost-schema": "1"},
	}
	n := 0
	for setting, change := range map[string]func(*jetstream.StreamConfig){
		"max_msgs":             func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 },
		"max_bytes":            func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 },
		"max_age":              func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max_msgs_per_subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"discard":              func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"storage":              func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention":            func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"deny_delete":          func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny_purge":           func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"allow_msg_ttl":        func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"allow_atomic":         func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"persist_mode": func(c *jetstream.StreamConfig) {
			c.PersistMode, c.AllowAtomicPublish = jetstream.AsyncPersistMode, false
		},
		"subjects": func(c *jetstream.StreamConfig) { c.Subjects = []string{"milepost.narrow.a.>"} },
	} {
		t.Run(setting, func(t *testing.T) {
			// A name of its own: the server deletes a stream's files later.
			n++
			ledger := fmt.Sprint("test", n)
			cfg := good
			cfg.Name, cfg.Subjects = "milepost-"+ledger, []string{"milepost." + ledger + ".>"}
			change(&cfg)
			_, err := js.CreateStream(context.Background(), cfg)
			require.NoError(t, err)

			_, err = eventstore.Open(context.Background(), eventstore.Config{URL: srv.ClientURL(), Ledger: ledger})
			var lossy *eventstore.LossyStreamError
			require.ErrorAs(t, err, &lossy)
			assert.Equal(t, setting, lossy.Setting)
			st, err := js.Stream(context.Background(), cfg.Name)
			require.NoError(t, err)
			assert.Equal(t, lossy.Stream, st.CachedInfo().Config.Name, "the stream is left alone")
		})
	}
	t.Run("the one that is good is taken", func(t *testing.T) {
		_, err := js.CreateStream(context.Background(), good)
		require.NoError(t, err)
		openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	})
}

func TestClose_endsWhatWasBegun(t *testing.T) {
	s := open(t)
	const writers = 40
	var wg sync.WaitGroup
	acked := make([]uint64, writers)
	started := make(chan struct{}, writers)
	for w := range writers {
		wg.Go(func() {
			key, last := string(rune('a'+w%26))+string(rune('a'+w/26)), uint64(0)
			for {
				seq, err := s.Append(context.Background(), []eventstore.Message{message(key, last, "x")})
				if err != nil {
					assert.ErrorIs(t, err, eventstore.ErrClosed)
					return
				}
				if last == 0 {
					started <- struct{}{}
				}
				last = seq
				acked[w] = seq
			}
		})
	}
	for range writers {
		<-started
	}
	require.NoError(t, s.Close())
	wg.Wait()
	_, err := s.Last(context.Background())
	assert.ErrorIs(t, err, eventstore.ErrClosed)
	_, err = s.Get(context.Background(), 1)
	assert.ErrorIs(t, err, eventstore.ErrClosed)
	_, err = s.Info(context.Background())
	assert.ErrorIs(t, err, eventstore.ErrClosed)
}

func TestScratch_isAStreamOfItsOwnAndGoes(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	sc, cleanup, err := s.Scratch(ctx, "bench")
	require.NoError(t, err)
	_, err = sc.JetStream.Publish(ctx, sc.Prefix+"x", []byte("x"))
	require.NoError(t, err)
	assert.Empty(t, log(t, s))
	require.NoError(t, cleanup())
	_, err = sc.JetStream.Stream(ctx, sc.Stream)
	assert.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}
