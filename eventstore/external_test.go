package eventstore_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func TestExternal_worksAndSaysWhatItCannotKnow(t *testing.T) {
	srv := external(t)
	var warnings bytes.Buffer
	s := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test", Logger: slog.New(slog.NewTextHandler(&warnings, nil))})
	mustAppend(t, s, message("p1", 0, "one"))
	info, err := s.Info(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "external", info.Mode)
	assert.Equal(t, "unknown", info.SyncAlways)
	assert.Contains(t, warnings.String(), "CANNOT TELL WHETHER THE SERVER SYNCS")

	// Two stores of one ledger see each other's records, and conflict.
	other := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	assert.Equal(t, []string{"1 p1 one"}, log(t, other))
	_, err = other.Append(context.Background(), []eventstore.Message{message("p1", 0, "x")})
	var conflict *eventstore.ConflictError
	assert.ErrorAs(t, err, &conflict)
}

// A system account may ask; then a server that does not sync is refused.
func TestExternal_serverKnownNotToSyncIsRefused(t *testing.T) {
	for name, syncs := range map[string]bool{"syncs": true, "does not sync": false} {
		t.Run(name, func(t *testing.T) {
			srv := external(t, func(o *server.Options) {
				acc := server.NewAccount("ledger")
				sys := server.NewAccount("SYS")
				o.Accounts = []*server.Account{acc, sys}
				o.SystemAccount = "SYS"
				o.SyncAlways = syncs
				o.Users = []*server.User{{Username: "l", Password: "l", Account: acc}}
			})
			acc, err := srv.LookupAccount("ledger")
			require.NoError(t, err)
			sys, err := srv.LookupAccount("SYS")
			require.NoError(t, err)
			require.NoError(t, acc.EnableJetStream(nil, nil))
			const ping = "$SYS.REQ.SERVER.PING.JSZ"
			require.NoError(t, sys.AddServiceExportWithResponse(ping, server.Streamed, nil))
			require.NoError(t, acc.AddServiceImport(sys, ping, ping))

			url := "nats://l:l@" + srv.Addr().String()
			s, err := eventstore.Open(context.Background(), eventstore.Config{URL: url, Ledger: "test"})
			if syncs {
				require.NoError(t, err)
				info, err := s.Info(context.Background())
				require.NoError(t, err)
				assert.Equal(t, "true", info.SyncAlways)
				require.NoError(t, s.Close())
				return
			}
			var lossy *eventstore.LossyStreamError
			require.ErrorAs(t, err, &lossy)
			assert.Equal(t, "sync_always", lossy.Setting)
			dir := filepath.Join(t.TempDir(), "new")
			err = eventstore.Restore(t.Context(), eventstore.Config{Dir: dir, URL: url}, func(r *eventstore.Restoring) error {
				return r.Begin(t.Context(), "test", nil)
			})
			require.ErrorAs(t, err, &lossy, "nor is anything restored there")
			require.NoDirExists(t, dir)
		})
	}
}

// Given a server whose answer is swallowed on the way, when the context ends,
// then the append says that it does not know; and the record is in the log.
func TestAppend_lostAnswerIsAnUnknownOutcome(t *testing.T) {
	for name, n := range map[string]int{"plain": 1, "batch": 3} {
		t.Run(name, func(t *testing.T) {
			srv := external(t)
			p := newProxy(t, srv.ClientURL())
			s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
			witness := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
			var msgs []eventstore.Message
			for i := range n {
				msgs = append(msgs, message("p"+string(rune('0'+i)), 0, "x"))
			}
			p.mute.Store(true)
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				defer cancel() // as soon as the record is there, the caller gives up
				for _, err := range witness.Subscribe(context.Background(), 1, subject("p"+string(rune('0'+n-1)))) {
					assert.NoError(t, err)
					return
				}
			}()
			_, err := s.Append(ctx, msgs)
			var unknown *eventstore.OutcomeUnknownError
			require.ErrorAs(t, err, &unknown)
			require.ErrorIs(t, err, context.Canceled)
			p.mute.Store(false)
			p.cut()
			eventually(t, "the store to be back", func() bool {
				short, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
				defer cancel()
				last, err := s.Last(short)
				return err == nil && int(last) == n
			})
			_, err = s.Append(context.Background(), msgs)
			var conflict *eventstore.ConflictError
			require.ErrorAs(t, err, &conflict, "the same again is refused")
			assert.Len(t, log(t, s), n)
		})
	}
}

func TestAppend_brokenConnectionIsAnUnknownOutcome(t *testing.T) {
	srv := external(t)
	p := newProxy(t, srv.ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	witness := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	p.mute.Store(true)
	go func() {
		for _, err := range witness.Subscribe(context.Background(), 1, "") {
			assert.NoError(t, err)
			break
		}
		p.mute.Store(false)
		p.cut()
	}()
	_, err := s.Append(context.Background(), []eventstore.Message{message("p1", 0, "x")})
	var unknown *eventstore.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, nats.ErrDisconnected, "it is known at once, not after a timeout")
	eventually(t, "the store to append again", func() bool {
		_, err := s.Append(context.Background(), []eventstore.Message{message("p1", 1, "y")})
		return err == nil
	})
	assert.Equal(t, []string{"1 p1 x", "2 p1 y"}, log(t, witness))
}

// Given a bound of waiting appends and a server that does not answer, when
// more come, then they are refused at once.
func TestAppend_boundOfWaitingAppends(t *testing.T) {
	srv := external(t)
	p := newProxy(t, srv.ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test", MaxPending: 5})
	mustAppend(t, s, message("p1", 0, "x"))
	p.mute.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// All on one subject: one is sent, five wait behind it.
	results := make(chan error, 6)
	for range 6 {
		go func() {
			err := error(eventstore.ErrOverloaded)
			for err == eventstore.ErrOverloaded { // a probe below was in its place
				_, err = s.Append(ctx, []eventstore.Message{message("p1", 1, "y")})
			}
			results <- err
		}()
	}
	var overloaded error
	eventually(t, "the bound to be met", func() bool {
		short, done := context.WithTimeout(ctx, 50*time.Millisecond)
		defer done()
		_, overloaded = s.Append(short, []eventstore.Message{message("p2", 0, "z")})
		return overloaded == eventstore.ErrOverloaded
	})
	cancel()
	unknown, canceled := 0, 0
	for range 6 {
		switch err := <-results; err.(type) {
		case *eventstore.OutcomeUnknownError:
			unknown++
		default:
			assert.ErrorIs(t, err, context.Canceled)
			canceled++
		}
	}
	assert.Equal(t, 1, unknown)
	assert.Equal(t, 5, canceled)
	p.mute.Store(false)
	p.cut()
	eventually(t, "appends to be taken again", func() bool {
		_, err := s.Append(context.Background(), []eventstore.Message{message("p3", 0, "z")})
		return err == nil
	})
}

func TestAsk_againWhenItsServerIsLeftForAnother(t *testing.T) {
	srv := external(t)
	p := newProxy(t, srv.ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	mustAppend(t, s, message("p1", 0, "x"))
	// given a question whose answer does not come through
	p.mute.Store(true)
	type answer struct {
		info eventstore.Info
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		info, err := s.Info(context.Background())
		answered <- answer{info, err}
	}()
	eventually(t, "the server to have answered", func() bool { return p.muted.Load() > 0 })
	// when nothing gets through this server, and it is left
	p.mute.Store(false)
	s.MoveOn()
	// then the question is put again by the new connection
	got := <-answered
	require.NoError(t, got.err)
	assert.EqualValues(t, 1, got.info.LastSeq)
}

// A server that is cut off from the log answers its clients' pings still, so nothing
// but silence of the leader tells a store to look elsewhere; also one that only reads.
func TestAServerThatDoesNotReachTheLeaderIsLeft(t *testing.T) {
	t.Parallel()
	srv := external(t)
	outside := external(t, func(o *server.Options) { o.JetStream, o.StoreDir = false, "" })
	p := newProxy(t, srv.ClientURL())
	// given a store, and somebody who reads with it, on a server through which no leader is heard
	s, err := eventstore.OpenImpatient(t.Context(), eventstore.Config{URL: p.url(), Ledger: "test"}, 2*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	writer := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	read := make(chan string, 3)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		defer close(read)
		for r, err := range s.Subscribe(ctx, 1, "") {
			if err != nil {
				return
			}
			read <- line(r)
		}
	}()
	mustAppend(t, s, message("p1", 0, "x"))
	require.Equal(t, "1 p1 x", <-read)
	p.aim(outside.ClientURL())
	p.cut()
	eventually(t, "the store to be there", func() bool { return outside.NumClients() == 2 })
	mustAppend(t, writer, message("p1", 1, "y"))
	// when there is another one
	p.aim(srv.ClientURL())
	// then it is found
	require.Equal(t, "2 p1 y", <-read)
	eventually(t, "appends to be taken", func() bool {
		_, err := s.Append(t.Context(), []eventstore.Message{message("p1", 2, "z")})
		return err == nil
	})
	require.Equal(t, "3 p1 z", <-read)
	require.Zero(t, outside.NumClients())
}

// What is said of a stream of three counts only when it is said by the one that leads,
// and that has heard from another of late.
func TestOnlyALeaderThatIsHeardConfirms(t *testing.T) {
	late := time.Minute
	n := func(name string, active time.Duration) *jetstream.PeerInfo {
		return &jetstream.PeerInfo{Name: name, Active: active}
	}
	for name, c := range map[string]struct {
		leader   string
		replicas []*jetstream.PeerInfo
		want     bool
	}{
		"it leads":                   {"a", []*jetstream.PeerInfo{n("b", 0), n("c", 0)}, true},
		"one is away":                {"a", []*jetstream.PeerInfo{n("b", 0), n("c", late)}, true},
		"it is alone":                {"a", []*jetstream.PeerInfo{n("b", late), n("c", late)}, false},
		"the others are offline":     {"a", []*jetstream.PeerInfo{{Name: "b", Offline: true}, {Name: "c", Offline: true}}, false},
		"it knows of no leader":      {"", []*jetstream.PeerInfo{n("a", 0), n("b", 0), n("c", 0)}, false},
		"it has come to know of one": {"b", []*jetstream.PeerInfo{n("b", 0), n("c", 0)}, false},
		"it is new":                  {"", nil, false},
	} {
		info := &jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 3}, Cluster: &jetstream.ClusterInfo{Leader: c.leader, Replicas: c.replicas}}
		assert.Equal(t, c.want, eventstore.Leads(info), name)
	}
	assert.True(t, eventstore.Leads(&jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 1}}), "there is no other")
}

// A server that knows of nobody who keeps a stream says so at once, in words of its own.
func TestEvidenceThatNobodyTakesIsNotStored(t *testing.T) {
	srv := external(t)
	outside := external(t, func(o *server.Options) { o.JetStream, o.StoreDir = false, "" })
	p := newProxy(t, srv.ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	p.aim(outside.ClientURL())
	p.cut()
	eventually(t, "the store to be there", func() bool { return outside.NumClients() == 2 })
	err := s.PublishEvidence(t.Context(), "$O."+s.EvidenceBucket()+".C.x", []byte("x"))
	require.ErrorIs(t, err, jetstream.ErrNoStreamResponse)
	require.ErrorIs(t, err, eventstore.ErrUnavailable)
}

func TestSubscribe_survivesALostConnection(t *testing.T) {
	srv := external(t)
	p := newProxy(t, srv.ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	writer := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	mustAppend(t, writer, message("p1", 0, "x"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	next := uint64(1)
	for r, err := range s.Subscribe(ctx, 1, "") {
		require.NoError(t, err)
		require.Equal(t, next, r.Seq)
		if next == 60 {
			break
		}
		if next%20 == 0 {
			p.cut()
		}
		mustAppend(t, writer, message("p1", next, "x"))
		next++
	}
	assert.EqualValues(t, 60, next)
}

// hung is the way to a server that takes nothing more once it hangs, until it is cut.
func hung(t *testing.T, target string) (url string, hang, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, hang := context.WithCancel(context.Background())
	var mu sync.Mutex
	ends := []io.Closer{l}
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range ends {
			_ = c.Close()
		}
	}
	t.Cleanup(cut)
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", strings.TrimPrefix(target, "nats://"))
			if err != nil {
				return
			}
			mu.Lock()
			ends = append(ends, from, to)
			mu.Unlock()
			relay := func(to, from net.Conn) {
				b := make([]byte, 32<<10)
				for n, err := 0, error(nil); err == nil && ctx.Err() == nil; {
					if n, err = from.Read(b); ctx.Err() == nil {
						_, _ = to.Write(b[:n])
					}
				}
			}
			go relay(to, from)
			go relay(from, to)
		}
	}()
	return "nats://" + l.Addr().String(), hang, cut
}

// Given a connection over which nothing goes, and which is full, then an append ends
// with its context.
func TestAnAppendOverAConnectionThatHangsEndsWithItsContext(t *testing.T) {
	url, hang, cut := hung(t, external(t).ClientURL())
	s := openWith(t, eventstore.Config{URL: url, Ledger: "test"})
	mustAppend(t, s, messages(0, 3)...)
	hang()
	start := time.Now()
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := s.Append(ctx, enlarged(messages(1000*(i+1), 900), bytes.Repeat([]byte("x"), 20<<10)))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	assert.Less(t, time.Since(start), 3*time.Second)
	cut()
}
