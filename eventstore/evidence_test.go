package eventstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
)

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// noise is n bytes that do not repeat, the same for the same seed.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func someBytes(tb testing.TB, seed byte, n int64) []byte {
	tb.Helper()
	b, err := io.ReadAll(noise(seed, n))
	require.NoError(tb, err)
	return b
}

func attach(tb testing.TB, s *eventstore.Store, b []byte) eventstore.Evidence {
	tb.Helper()
	e, err := s.PutEvidence(context.Background(), bytes.NewReader(b), "")
	require.NoError(tb, err)
	return e
}

func fetch(s *eventstore.Store, hash string) ([]byte, error) {
	r, err := s.Evidence(context.Background(), hash)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// stored counts the messages of the evidence, files and their parts.
func stored(tb testing.TB, s *eventstore.Store) uint64 {
	tb.Helper()
	js, err := jetstream.New(s.Raw())
	require.NoError(tb, err)
	st, err := js.Stream(context.Background(), "OBJ_"+s.EvidenceBucket())
	require.NoError(tb, err)
	return st.CachedInfo().State.Msgs
}

func noneSpooled(tb testing.TB, dir string) {
	tb.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*.part"))
	require.NoError(tb, err)
	assert.Empty(tb, left, "files of uploads")
}

// Given files below, at and above the size of a chunk, when they are put, then
// they are read back as they were, and putting them again writes nothing.
func TestEvidence_isReadBackAsItWasPut(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	for i, n := range []int64{1, 1000, 128<<10 - 1, 128 << 10, 128<<10 + 1, 1 << 20} {
		b := someBytes(t, byte(i), n)
		e := attach(t, s, b)
		assert.Equal(t, eventstore.Evidence{Hash: sha(b), Size: n, New: true}, e)

		before := stored(t, s)
		assert.Equal(t, eventstore.Evidence{Hash: sha(b), Size: n}, attach(t, s, b))
		assert.Equal(t, before, stored(t, s), "putting it again writes nothing")

		r, err := s.Evidence(context.Background(), e.Hash)
		require.NoError(t, err)
		assert.Equal(t, n, r.Size)
		require.NoError(t, iotest.TestReader(r, b))
		there, err := s.HasEvidence(context.Background(), e.Hash)
		require.NoError(t, err)
		assert.True(t, there)
	}
	assert.Empty(t, log(t, s), "the log has no bytes of evidence")
	noneSpooled(t, cfg.Dir)
}

// What any other client of JetStream's object stores reads is the same file.
func TestEvidence_isAnObjectOfJetStreams(t *testing.T) {
	s := open(t)
	b := someBytes(t, 1, 300_000)
	e := attach(t, s, b)
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	objects, err := js.ObjectStore(context.Background(), s.EvidenceBucket())
	require.NoError(t, err)
	got, err := objects.GetBytes(context.Background(), e.Hash)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(b, got))
	assert.Error(t, objects.Delete(context.Background(), e.Hash), "evidence is never removed")
	_, err = fetch(s, e.Hash)
	assert.NoError(t, err)
}

func TestEvidence_whatIsNotStoredIsNotFound(t *testing.T) {
	s := open(t)
	for _, hash := range []string{strings.Repeat("0", 64), "", "x", strings.Repeat("A", 64), "a.>", strings.Repeat("*", 64)} {
		_, err := s.Evidence(context.Background(), hash)
		assert.ErrorIs(t, err, eventstore.ErrEvidenceNotFound, hash)
		there, err := s.HasEvidence(context.Background(), hash)
		assert.NoError(t, err, hash)
		assert.False(t, there, hash)
	}
}

// Given bytes other than announced, none, too many, or an upload that breaks
// off, when they are put, then the error says so and nothing is stored.
func TestEvidence_refusedUploadsLeaveNothing(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	broken := errors.New("the line broke")
	b := someBytes(t, 1, 200_000)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		r    io.Reader
		want string
		is   error
	}{
		"another hash": {r: bytes.NewReader(b), want: sha(b[1:]), is: nil},
		"empty":        {r: bytes.NewReader(nil), is: eventstore.ErrEvidenceEmpty},
		"broken off":   {r: io.MultiReader(bytes.NewReader(b), iotest.ErrReader(broken)), is: broken},
		"given up":     {ctx: canceled, r: bytes.NewReader(b), is: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ctx == nil {
				c.ctx = context.Background()
			}
			_, err := s.PutEvidence(c.ctx, c.r, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			} else {
				var mismatch *eventstore.EvidenceMismatchError
				require.ErrorAs(t, err, &mismatch)
				assert.Equal(t, eventstore.EvidenceMismatchError{Want: c.want, Got: sha(b)}, *mismatch)
			}
			assert.Zero(t, stored(t, s))
			noneSpooled(t, cfg.Dir)
		})
	}
	_, err := fetch(s, sha(b))
	assert.ErrorIs(t, err, eventstore.ErrEvidenceNotFound)
	_, err = s.PutEvidence(context.Background(), bytes.NewReader(b), sha(b))
	assert.NoError(t, err, "announced as they are")
}

// room is how much the heap may grow for an upload or a download of any size:
// a few of the server's blocks of 8 MiB, and less than half of what is uploaded.
const room = 48 << 20

// growth is the most that the heap was seen to grow while do ran, in bytes,
// without what is garbage where it is over room.
func growth(do func()) int64 {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	before, most := heap(), int64(0)
	done := make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				now := heap() - before
				if now > room {
					runtime.GC()
					now = heap() - before
				}
				most = max(most, now)
			}
		}
	})
	do()
	close(done)
	sampler.Wait()
	return most
}

// Given a file at the limit and one over it, when they are put and read, then
// the first is accepted, the other refused, and neither is kept in memory.
func TestEvidence_limitAndMemory(t *testing.T) {
	domaintest.Exhausting(t)
	cfg := config(t)
	s := openWith(t, cfg)
	assert.Less(t, growth(func() {
		_, err := s.PutEvidence(context.Background(), noise(1, eventstore.MaxEvidence+1), "")
		require.ErrorIs(t, err, eventstore.ErrEvidenceTooLarge)
	}), int64(room))
	assert.Zero(t, stored(t, s))
	noneSpooled(t, cfg.Dir)

	var e eventstore.Evidence
	assert.Less(t, growth(func() {
		var err error
		e, err = s.PutEvidence(context.Background(), noise(1, eventstore.MaxEvidence), "")
		require.NoError(t, err)
	}), int64(room))
	assert.Less(t, growth(func() {
		r, err := s.Evidence(context.Background(), e.Hash)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, r)
		require.NoError(t, err)
		assert.EqualValues(t, eventstore.MaxEvidence, n)
	}), int64(room))
}

// Given evidence and what a crash left of an upload, when the store is opened
// again, then the evidence is there and the leftover is not.
func TestEvidence_outlivesRestart(t *testing.T) {
	cfg := config(t)
	s, err := eventstore.Open(context.Background(), cfg)
	require.NoError(t, err)
	b := someBytes(t, 1, 500_000)
	e := attach(t, s, b)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, "evidence-1.part"), b[:1000], 0o600))

	s = openWith(t, cfg)
	noneSpooled(t, cfg.Dir)
	got, err := fetch(s, e.Hash)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(b, got))
	assert.False(t, attach(t, s, b).New)
}

// Given two stores of one ledger on an external server, when both put the same
// file at once, then both succeed, one of them stored it, and both read it.
func TestEvidence_externalServer(t *testing.T) {
	srv := external(t)
	cfg := eventstore.Config{URL: srv.ClientURL(), Ledger: "test"}
	stores := []*eventstore.Store{openWith(t, cfg), openWith(t, cfg)}
	b := someBytes(t, 1, 2_000_000)
	put := make([]eventstore.Evidence, len(stores))
	var both sync.WaitGroup
	for i, s := range stores {
		both.Go(func() {
			var err error
			put[i], err = s.PutEvidence(context.Background(), bytes.NewReader(b), sha(b))
			assert.NoError(t, err)
		})
	}
	both.Wait()
	assert.True(t, put[0].New != put[1].New, "exactly one stored it: %v", put)
	for _, s := range stores {
		got, err := fetch(s, sha(b))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(b, got))
	}
}

// The server lists 100,000 in one answer.
func TestEvidence_isListedHoweverMuchThereIs(t *testing.T) {
	srv := external(t, func(o *server.Options) { o.SyncAlways = false })
	s := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	want := make([]string, 100_003)
	nc, js := connect(t, srv.ClientURL())
	for i := range want {
		want[i] = sha(strconv.AppendInt(nil, int64(i), 10))
		require.NoError(t, nc.Publish("$O."+s.EvidenceBucket()+".M."+base64.URLEncoding.EncodeToString([]byte(want[i])), []byte("{}")))
	}
	eventually(t, "all to be stored", func() bool {
		st, err := js.Stream(t.Context(), "OBJ_"+s.EvidenceBucket())
		require.NoError(t, err)
		return st.CachedInfo().State.Msgs == uint64(len(want))
	})
	slices.Sort(want)
	got, err := s.EvidenceHashes(t.Context())
	require.NoError(t, err)
	assert.True(t, slices.Equal(want, got))
}
