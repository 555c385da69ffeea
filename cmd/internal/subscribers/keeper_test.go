package subscribers_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

const patience = 20 * time.Second

// rig is a ledger on a store that listens, and a keeper that runs.
type rig struct {
	*testing.T
	store  *eventstore.Store
	ledger *ledger.Ledger
	keeper *subscribers.Keeper
	stop   func()
}

func start(t *testing.T, dir string) *rig {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: "main", Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	r := &rig{T: t, store: store, ledger: ledger.New(store, ledger.Options{Name: "main", Location: time.UTC})}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	directory, err := access.Open(t.Context(), store, "main", access.Options{})
	require.NoError(t, err)
	r.keeper = subscribers.New("main", directory, store, slog.New(slog.DiscardHandler))
	r.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		assert.NoError(t, directory.Close())
		assert.NoError(t, store.Close())
	})
	t.Cleanup(r.stop)
	require.NoError(t, r.keeper.Start(t.Context(), true))
	running.Go(func() { r.keeper.Run(ctx) })
	return r
}

// do carries out commands, one a line: a name and its body.
func (r *rig) do(lines string) {
	r.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		name, body, _ := strings.Cut(strings.TrimSpace(line), " ")
		req, err := ledger.Decode(name, []byte(body))
		require.NoError(r, err)
		req.Meta.Actor = "tester"
		_, err = r.ledger.Execute(r.Context(), req)
		require.NoError(r, err)
	}
}

const agreements = `
	register-party {"party":"city","title":"City","kind":"local-government"}
	register-party {"party":"group","title":"Group","kind":"state-owned-enterprise"}
	draft-agreement {"agreement":"pact","kind":"framework","title":"Pact","parties":["city","group"],"document":"9cb03c74ea2d6d6792c029e48a854935726bc26ec00cf242556c24ac4c37db11"}
	add-area {"agreement":"pact","area":"iot","title":"IoT"}
	propose-project {"agreement":"pact","project":"base","title":"Base","kind":"industry-base","areas":["iot"]}
	draft-agreement {"agreement":"other","kind":"framework","title":"Other","parties":["city","group"],"document":"9cb03c74ea2d6d6792c029e48a854935726bc26ec00cf242556c24ac4c37db11"}
`

func (r *rig) add(name, more string) eventstore.UserKey {
	r.Helper()
	key, err := eventstore.NewUserKey()
	require.NoError(r, err)
	r.do(`add-subscriber {"subscriber":"` + name + `","public_key":"` + key.Public + `"` + more + `}`)
	return key
}

// becomes waits until all subscribers are as told: "name state" each, with ! after
// it where the key is let in.
func (r *rig) becomes(keys map[string]eventstore.UserKey, want ...string) {
	r.Helper()
	var got []string
	ok := assert.Eventually(r, func() bool {
		list, err := r.keeper.List(r.Context())
		if !assert.NoError(r, err) {
			return false
		}
		consumers, err := r.store.Consumers(r.Context())
		if !assert.NoError(r, err) {
			return false
		}
		got = nil
		for _, s := range list {
			line := string(s.Subscriber) + " " + s.State
			if name, ok := r.keeper.Reads(keys[string(s.Subscriber)].Public); ok && name == string(s.Subscriber) {
				line += "!"
			}
			for _, c := range consumers {
				switch {
				case c.Name != string(s.Subscriber):
				case c.Paused:
					line += " paused"
				default:
					line += " delivered"
				}
			}
			got = append(got, line)
		}
		slices.Sort(got)
		return assert.ObjectsAreEqual(want, got)
	}, patience, 5*time.Millisecond)
	if !ok {
		r.Fatalf("want %q, got %q", want, got)
	}
}

func TestConsumersFollowTheLog(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	r.do(agreements)
	require.NoError(t, r.keeper.Start(t.Context(), false), "when the log has grown by events that are none of the directory's")
	keys := map[string]eventstore.UserKey{}
	keys["all"] = r.add("all", "")
	keys["cleared"] = r.add("cleared", `,"agreement":"pact","cleared":true`)
	keys["erp"] = r.add("erp", `,"agreement":"pact"`)
	keys["other"] = r.add("other", `,"agreement":"other"`)
	r.becomes(keys, "all active! delivered", "cleared active! delivered", "erp active! delivered", "other active! delivered")

	// when something of one agreement is restricted, those are cut off who read of
	// it and are not cleared
	r.do(`restrict-access {"agreement":"pact","area":"iot"}`)
	r.becomes(keys, "all cut-off paused", "cleared active! delivered", "erp cut-off paused", "other active! delivered")
	assert.Len(t, r.keeper.Keys(), 2)

	// also when they come after it, and after a restart
	keys["late"] = r.add("late", `,"agreement":"pact"`)
	r.becomes(keys, "all cut-off paused", "cleared active! delivered", "erp cut-off paused", "late cut-off paused", "other active! delivered")
	r.stop()
	r = start(t, dir)
	r.becomes(keys, "all cut-off paused", "cleared active! delivered", "erp cut-off paused", "late cut-off paused", "other active! delivered")

	// and go on when nothing is restricted any more, not before
	r.do(`restrict-access {"agreement":"pact","project":"base"}
		lift-restriction {"agreement":"pact","area":"iot"}`)
	r.becomes(keys, "all cut-off paused", "cleared active! delivered", "erp cut-off paused", "late cut-off paused", "other active! delivered")
	r.do(`lift-restriction {"agreement":"pact","project":"base"}`)
	r.becomes(keys, "all active! delivered", "cleared active! delivered", "erp active! delivered", "late active! delivered", "other active! delivered")

	// and of those revoked nothing is left
	r.do(`revoke-subscriber {"subscriber":"erp"}`)
	r.becomes(keys, "all active! delivered", "cleared active! delivered", "erp revoked", "late active! delivered", "other active! delivered")
	_, err := r.keeper.Credentials(t.Context(), "erp", 0)
	var refused *domain.Rejected
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, subscribers.CodeRevoked, refused.Code)
	_, err = r.keeper.Credentials(t.Context(), "nobody", 0)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, domain.CodeNotFound, refused.Code)

	// and what was revoked while nothing ran is gone at the start
	r.stop()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: "main"})
	require.NoError(t, err)
	quiet := &rig{T: t, store: store, ledger: ledger.New(store, ledger.Options{Name: "main", Location: time.UTC})}
	quiet.do(`revoke-subscriber {"subscriber":"late"}`)
	require.NoError(t, store.Close())
	r = start(t, dir)
	r.becomes(keys, "all active! delivered", "cleared active! delivered", "erp revoked", "late revoked", "other active! delivered")
}

// What each reads: the events of its agreement, or those of all agreements and
// parties; never who may do what, and what is restricted.
func TestWhatSubscribersRead(t *testing.T) {
	r := start(t, t.TempDir())
	r.do(agreements)
	keys := map[string]eventstore.UserKey{}
	keys["all"] = r.add("all", `,"cleared":true`)
	keys["erp"] = r.add("erp", `,"agreement":"pact"`)
	keys["late"] = r.add("late", `,"from":5`)
	r.do(`restrict-access {"agreement":"pact","area":"iot"}
		lift-restriction {"agreement":"pact","area":"iot"}`)
	r.becomes(keys, "all active! delivered", "erp active! delivered", "late active! delivered")
	js, err := jetstream.New(r.store.Raw())
	require.NoError(t, err)
	for name, want := range map[string][]string{
		"all":  {"-.party.city", "-.party.group", "pact.agreement.pact", "pact.agreement.pact", "pact.project.base", "other.agreement.other"},
		"erp":  {"pact.agreement.pact", "pact.agreement.pact", "pact.project.base"},
		"late": {"pact.project.base", "other.agreement.other"},
	} {
		consumer, err := js.Consumer(t.Context(), r.store.Stream(), name)
		require.NoError(t, err)
		var got []string
		for consumer.CachedInfo().NumPending > uint64(len(got)) {
			msg, err := consumer.Next(jetstream.FetchMaxWait(patience))
			require.NoError(t, err)
			require.NoError(t, msg.DoubleAck(t.Context()))
			got = append(got, strings.TrimPrefix(msg.Subject(), "milepost.main."))
		}
		assert.Equal(t, want, got, name)
		info, err := consumer.Info(t.Context())
		require.NoError(t, err)
		assert.Zero(t, info.NumPending)
	}
}

// While the log is not followed, nobody is let in.
func TestNobodyIsLetInUnheard(t *testing.T) {
	r := start(t, t.TempDir())
	r.do(agreements)
	key := r.add("erp", `,"agreement":"pact"`)
	r.becomes(map[string]eventstore.UserKey{"erp": key}, "erp active! delivered")
	directory, err := access.Open(t.Context(), r.store, "main", access.Options{})
	require.NoError(t, err)
	keeper := subscribers.New("main", directory, r.store, slog.New(slog.DiscardHandler))
	reads := func() bool { _, ok := keeper.Reads(key.Public); return ok }
	assert.True(t, reads())
	require.NoError(t, directory.Close())
	assert.False(t, reads())
}
