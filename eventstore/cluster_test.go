package eventstore_test

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// cluster runs three servers that keep every stream on each of them, and returns
// the addresses for clients.
func cluster(tb testing.TB) string {
	tb.Helper()
	_, urls := run(tb, members(tb))
	return urls
}

// run starts members, and returns them and the addresses for clients.
func run(tb testing.TB, members []func() *server.Server) (servers []*server.Server, addresses string) {
	tb.Helper()
	var urls []string
	for _, start := range members {
		srv := start()
		servers, urls = append(servers, srv), append(urls, srv.ClientURL())
	}
	eventuallyWithin(tb, election, "a leader of all three", func() bool {
		for _, srv := range servers {
			if srv.JetStreamIsLeader() && len(srv.JetStreamClusterPeers()) == len(servers) {
				return true
			}
		}
		return false
	})
	return servers, strings.Join(urls, ",")
}

// members start the servers of a cluster of three, also again.
func members(tb testing.TB) (start []func() *server.Server) {
	tb.Helper()
	const size = 3
	var routes []*url.URL
	var free []net.Listener // all at once, or two ports would be the same
	for range size {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(tb, err)
		free = append(free, l)
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: l.Addr().String()})
	}
	for i, l := range free {
		require.NoError(tb, l.Close())
		port, dir := l.Addr().(*net.TCPAddr).Port, tb.TempDir()
		start = append(start, func() *server.Server {
			tb.Helper()
			return external(tb, func(o *server.Options) {
				o.ServerName, o.StoreDir = fmt.Sprint("n", i), dir
				o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}
				o.Routes = slices.Concat(routes[:i], routes[i+1:])
			})
		})
	}
	return start
}

// What was read of a server is right only if a leader that is heard says so: another
// server may have shown an old state.
func TestEnds_whatTheLogOfAMajoritySays(t *testing.T) {
	// given a log on three servers
	s := openWith(t, eventstore.Config{URL: cluster(t), Ledger: "test"})
	ctx := t.Context()
	subjects := []string{subject("p1"), subject("p2"), subject("p3")}
	ends, _, err := s.Ends(ctx, subjects, 0)
	require.NoError(t, err)
	assert.Empty(t, ends, "of an empty log")
	mustAppend(t, s, message("p1", 0, "a"))
	mustAppend(t, s, message("p2", 0, "b"))
	mustAppend(t, s, message("p1", 1, "c"))
	// then it says where the subjects end, and as of when
	ends, moment, err := s.Ends(ctx, subjects, 3)
	require.NoError(t, err)
	assert.Equal(t, map[string]uint64{subject("p1"): 3, subject("p2"): 2}, ends)
	assert.EqualValues(t, 3, moment)
	ends, _, err = s.Ends(ctx, nil, 3)
	require.NoError(t, err)
	assert.Empty(t, ends)
	reached, err := s.Reached(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 3, reached)
	// and so is evidence
	hash := strings.Repeat("0", 64)
	there, err := s.HasEvidence(ctx, hash)
	require.NoError(t, err)
	assert.False(t, there, "in an empty store")
	e, err := s.PutEvidence(ctx, strings.NewReader("A report."), "")
	require.NoError(t, err)
	for of, want := range map[string]bool{hash: false, e.Hash: true} {
		there, err := s.HasEvidence(ctx, of)
		require.NoError(t, err)
		assert.Equal(t, want, there)
	}
}

// lead has one of the servers lead a stream.
func lead(t *testing.T, urls, stream, server string) {
	t.Helper()
	nc, js := connect(t, urls)
	eventuallyWithin(t, election, server+" to lead", func() bool {
		st, err := js.Stream(t.Context(), stream)
		if err != nil {
			return false
		}
		leader := st.CachedInfo().Cluster.Leader
		if leader != "" && leader != server {
			_, _ = nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, []byte(`{"placement":{"preferred":"`+server+`"}}`), time.Second)
		}
		return leader == server
	})
}

// damagedCopy writes to a log on three servers, and has a bit flip of what is in a stream
// of the first one while none runs. Then the nth leads that stream.
func damagedCopy(t *testing.T, stream, in string, nth int, write func(*eventstore.Store)) (servers []*server.Server, urls string) {
	t.Helper()
	members := members(t)
	servers, urls = run(t, members)
	s, err := eventstore.Open(t.Context(), eventstore.Config{URL: urls, Ledger: "test"})
	require.NoError(t, err)
	write(s)
	require.NoError(t, s.Close())
	dir := servers[0].JetStreamConfig().StoreDir
	for _, srv := range servers {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
	flip(t, dir, stream, in)
	servers, urls = run(t, members)
	lead(t, urls, stream, servers[nth].Name())
	return servers, urls
}

// A server answers by itself of what it has a copy, also where that is damaged: then
// another one is asked.
func TestEnds_whereTheCopyThatIsNearIsDamaged(t *testing.T) {
	t.Parallel()
	// given a log on three servers, and a damaged copy on one that does not lead
	servers, _ := damagedCopy(t, logStream, "what is said", 1, func(s *eventstore.Store) {
		mustAppend(t, s, message("p1", 0, "what is said of it"))
	})
	// when that one is asked
	s := openWith(t, eventstore.Config{URL: servers[0].ClientURL(), Ledger: "test"})
	ends, _, err := s.Ends(t.Context(), []string{subject("p1")}, 1)
	// then it says where the log ends all the same
	require.NoError(t, err)
	assert.Equal(t, map[string]uint64{subject("p1"): 1}, ends)
}
