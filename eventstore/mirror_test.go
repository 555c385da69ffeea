package eventstore_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// domains are two servers, each with a domain of its own, that are joined by a
// leaf node through a proxy.
type domains struct {
	hub, leaf *server.Server
	link      *proxy
}

func joined(t *testing.T) domains {
	t.Helper()
	var d domains
	d.hub = external(t, func(o *server.Options) {
		o.ServerName, o.JetStreamDomain = "hub", "hub"
		o.LeafNode.Host, o.LeafNode.Port, o.LeafNode.NoAdvertise = "127.0.0.1", -1, true // or the leaf goes past the proxy
	})
	d.link = newProxy(t, fmt.Sprintf("127.0.0.1:%d", leafPort(d.hub)))
	remote, err := url.Parse(strings.Replace(d.link.url(), "nats://", "nats-leaf://", 1))
	require.NoError(t, err)
	d.leaf = external(t, func(o *server.Options) {
		o.ServerName, o.JetStreamDomain = "leaf", "leaf"
		o.LeafNode.ReconnectInterval = 50 * time.Millisecond
		o.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{remote}}}
	})
	eventually(t, "the leaf node to be joined", func() bool { return d.leaf.NumLeafNodes() == 1 })
	return d
}

func leafPort(srv *server.Server) int {
	z, err := srv.Varz(nil)
	if err != nil {
		return 0
	}
	return z.LeafNode.Port
}

func (d domains) mirror(t *testing.T) eventstore.MirrorConfig {
	return eventstore.MirrorConfig{Ledger: "test", URL: d.leaf.ClientURL(), API: "$JS.hub.API", Origin: "https://ledger.example"}
}

// A copy in another domain has the same records under the same sequences, and
// the evidence; while the link is cut it answers what it has, and afterwards it
// gets the rest.
func TestMirror_hasWhatTheOriginHas(t *testing.T) {
	// Given a ledger with records and evidence
	d := joined(t)
	ctx := t.Context()
	origin := openWith(t, eventstore.Config{URL: d.hub.ClientURL(), Ledger: "test", Timezone: "Asia/Shanghai", Key: "k"})
	mustAppend(t, origin, message("p1", 0, "one"))
	mustAppend(t, origin, message("p2", 0, "two"), message("p3", 0, "three"))
	e, err := origin.PutEvidence(ctx, strings.NewReader("a scan"), "")
	require.NoError(t, err)

	// When it is copied, and copied again
	made, err := eventstore.MakeMirror(ctx, d.mirror(t))
	require.NoError(t, err)
	assert.True(t, made)
	made, err = eventstore.MakeMirror(ctx, d.mirror(t))
	require.NoError(t, err)
	assert.False(t, made, "it is there")
	copied := openWith(t, eventstore.Config{URL: d.leaf.ClientURL(), Ledger: "test", Follow: true})

	// Then it has the same.
	same := func() {
		t.Helper()
		want, err := origin.Last(ctx)
		require.NoError(t, err)
		eventually(t, "the copy to have it all", func() bool { last, err := copied.Last(ctx); return err == nil && last == want })
		assert.Equal(t, log(t, origin), log(t, copied))
	}
	same()
	assert.Equal(t, "Asia/Shanghai", copied.Timezone())
	assert.Equal(t, "k", copied.Key())
	eventually(t, "the evidence", func() bool { ok, err := copied.HasEvidence(ctx, e.Hash); return err == nil && ok })
	file, err := copied.Evidence(ctx, e.Hash)
	require.NoError(t, err)
	raw, err := io.ReadAll(file)
	require.NoError(t, err)
	assert.Equal(t, "a scan", string(raw))
	info, err := copied.Info(ctx)
	require.NoError(t, err)
	require.NotNil(t, info.Copy)
	assert.Equal(t, "https://ledger.example", info.Copy.Origin)

	// And while the link is cut it answers, and then it gets the rest.
	d.link.mute.Store(true)
	d.link.cut()
	eventually(t, "the link to be down", func() bool { return d.leaf.NumLeafNodes() == 0 })
	mustAppend(t, origin, message("p4", 0, "four"), message("p5", 0, "five"))
	assert.Len(t, log(t, copied), 3)
	d.link.mute.Store(false)
	d.link.cut()
	same()
}

// Another account on the same server has a copy, too: it imports the JetStream
// API and what it delivers, and can only read.
func TestMirror_ofAnotherAccount(t *testing.T) {
	config := filepath.Join(t.TempDir(), "nats.conf")
	require.NoError(t, os.WriteFile(config, []byte(`
		listen: 127.0.0.1:-1
		jetstream { store_dir: "`+t.TempDir()+`", sync_interval: always, max_file_store: 1GB }
		accounts {
			wuxi {
				jetstream: enabled
				users: [{user: wuxi, password: p}]
				exports: [
					{service: "$JS.API.STREAM.INFO.*"}, {service: "$JS.API.CONSUMER.CREATE.>"}, {service: "$JS.FC.>"},
					{stream: "wuxi.deliver.>"}
				]
			}
			province {
				jetstream: enabled
				users: [{user: province, password: p}]
				imports: [
					{service: {account: wuxi, subject: "$JS.API.STREAM.INFO.*"}, to: "wuxi.api.STREAM.INFO.*"}
					{service: {account: wuxi, subject: "$JS.API.CONSUMER.CREATE.>"}, to: "wuxi.api.CONSUMER.CREATE.>"}
					{service: {account: wuxi, subject: "$JS.FC.>"}}
					{stream: {account: wuxi, subject: "wuxi.deliver.>"}}
				]
			}
		}`), 0o600))
	opts, err := server.ProcessConfigFile(config)
	require.NoError(t, err)
	opts.NoSigs, opts.NoLog = true, true
	srv, err := server.NewServer(opts)
	require.NoError(t, err)
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	require.True(t, srv.ReadyForConnections(patience))
	as := func(account string) string { return "nats://" + account + ":p@" + srv.Addr().String() }

	ctx := t.Context()
	origin := openWith(t, eventstore.Config{URL: as("wuxi"), Ledger: "test"})
	for i := range 300 {
		mustAppend(t, origin, message(fmt.Sprintf("p%d", i), 0, "x"))
	}
	_, err = eventstore.MakeMirror(ctx, eventstore.MirrorConfig{Ledger: "test", URL: as("province"), API: "wuxi.api", Deliver: "wuxi.deliver"})
	require.NoError(t, err)
	copied := openWith(t, eventstore.Config{URL: as("province"), Ledger: "test", Follow: true})
	mustAppend(t, origin, message("later", 0, "y"), message("last", 0, "z"))
	eventually(t, "the copy to have it all", func() bool { last, err := copied.Last(ctx); return err == nil && last == 302 })
	assert.Equal(t, log(t, origin), log(t, copied))
	var is *eventstore.CopyError
	require.ErrorAs(t, copied.Writable(), &is)
	assert.Equal(t, "wuxi.api", is.Origin)
}

func TestMirror_takesNothing(t *testing.T) {
	d := joined(t)
	ctx := t.Context()
	origin := openWith(t, eventstore.Config{URL: d.hub.ClientURL(), Ledger: "test"})
	_, err := eventstore.MakeMirror(ctx, d.mirror(t))
	require.NoError(t, err)
	require.NoError(t, origin.Writable())

	// It opens only as what it is.
	var copied *eventstore.CopyError
	_, err = eventstore.Open(ctx, eventstore.Config{URL: d.leaf.ClientURL(), Ledger: "test"})
	require.ErrorAs(t, err, &copied)
	var none *eventstore.NoCopyError
	_, err = eventstore.Open(ctx, eventstore.Config{URL: d.hub.ClientURL(), Ledger: "test", Follow: true})
	require.ErrorAs(t, err, &none)
	assert.True(t, none.Itself)
	_, err = eventstore.Open(ctx, eventstore.Config{URL: d.leaf.ClientURL(), Ledger: "other", Follow: true})
	require.ErrorAs(t, err, &none)
	assert.False(t, none.Itself)

	// And whatever would write says where the origin is.
	s := openWith(t, eventstore.Config{URL: d.leaf.ClientURL(), Ledger: "test", Follow: true})
	_, err = s.Append(ctx, []eventstore.Message{message("p1", 0, "one")})
	require.ErrorAs(t, err, &copied)
	assert.Equal(t, "https://ledger.example", copied.Origin)
	_, err = s.PutEvidence(ctx, bytes.NewReader([]byte("x")), "")
	require.ErrorAs(t, err, &copied)
}

// What is no whole copy is not opened as one, nor copied.
func TestMirror_refusesALossyOne(t *testing.T) {
	for name, change := range map[string]func(*jetstream.StreamConfig){
		"mirror":     func(c *jetstream.StreamConfig) { c.Mirror.FilterSubject = "milepost.test.a1.>" },
		"max_age":    func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"deny_purge": func(c *jetstream.StreamConfig) { c.DenyPurge = false },
	} {
		t.Run(name, func(t *testing.T) {
			d := joined(t)
			ctx := t.Context()
			openWith(t, eventstore.Config{URL: d.hub.ClientURL(), Ledger: "test"})
			_, err := eventstore.MakeMirror(ctx, d.mirror(t))
			require.NoError(t, err)
			_, js := connect(t, d.leaf.ClientURL())
			st, err := js.Stream(ctx, "milepost-test")
			require.NoError(t, err)
			cfg := st.CachedInfo().Config
			require.NoError(t, js.DeleteStream(ctx, "milepost-test"))
			change(&cfg)
			_, err = js.CreateStream(ctx, cfg)
			require.NoError(t, err)

			var lossy *eventstore.LossyStreamError
			_, err = eventstore.Open(ctx, eventstore.Config{URL: d.leaf.ClientURL(), Ledger: "test", Follow: true})
			require.ErrorAs(t, err, &lossy)
			assert.Equal(t, name, lossy.Setting)
			_, err = eventstore.MakeMirror(ctx, d.mirror(t))
			require.ErrorAs(t, err, &lossy)
		})
	}
}
