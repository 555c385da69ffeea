package eventstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
// a few of the server's blocks of 8 MiB.
const room = 32 << 20

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
	if testing.Short() {
		t.Skip("writes 200 MiB")
	}
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

// Given what is stored was changed, cut or redirected, when it is read, then
// the reading ends in an error, never in a whole body.
func TestEvidence_damageShowsBeforeTheEnd(t *testing.T) {
	b := someBytes(t, 1, 300_000) // three chunks
	for name, tamper := range map[string]func(info *jetstream.ObjectInfo){
		"a byte differs":    func(info *jetstream.ObjectInfo) { info.NUID = "other" },
		"a chunk is gone":   func(info *jetstream.ObjectInfo) { info.NUID = "short" },
		"all chunks gone":   func(info *jetstream.ObjectInfo) { info.NUID = "none" },
		"said to be short":  func(info *jetstream.ObjectInfo) { info.Size = 128 << 10 },
		"said to be empty":  func(info *jetstream.ObjectInfo) { info.Size = 0 },
		"said to be longer": func(info *jetstream.ObjectInfo) { info.Size++ },
		"said to end early": func(info *jetstream.ObjectInfo) { info.Size = 200_000 },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			e := attach(t, s, b)
			js, err := jetstream.New(s.Raw())
			require.NoError(t, err)
			ctx := context.Background()
			write := func(subject string, data []byte) {
				_, err := js.Publish(ctx, subject, data)
				require.NoError(t, err)
			}
			prefix := "$O." + s.EvidenceBucket()
			chunks := [][]byte{bytes.Clone(b[:128<<10]), b[128<<10 : 256<<10], b[256<<10:]}
			for _, c := range chunks[:2] {
				write(prefix+".C.short", c)
			}
			chunks[0][7] ^= 1
			for _, c := range chunks {
				write(prefix+".C.other", c)
			}
			st, err := js.Stream(ctx, "OBJ_"+s.EvidenceBucket())
			require.NoError(t, err)
			meta, err := st.GetLastMsgForSubject(ctx, prefix+".M.*")
			require.NoError(t, err)
			said, data := tampered(t, meta.Data, tamper)
			write(meta.Subject, data)

			got, err := fetch(s, e.Hash)
			var damaged *eventstore.EvidenceDamagedError
			require.ErrorAs(t, err, &damaged)
			assert.Equal(t, e.Hash, damaged.Hash)
			if said.Size > 0 {
				assert.Less(t, uint64(len(got)), said.Size, "the end is not handed out")
			}
		})
	}
}

// Given files on disk in which bytes flipped while no server ran, when a store
// opens them and reads, then it does not hand out a whole body.
func TestEvidence_flippedBitsOnDiskShow(t *testing.T) {
	cfg := config(t)
	s, err := eventstore.Open(context.Background(), cfg)
	require.NoError(t, err)
	b := bytes.Repeat([]byte("the minutes of the meeting\n"), 10_000)
	e := attach(t, s, b)
	require.NoError(t, s.Close())

	flipped := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(cfg.Dir, "jetstream"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".blk") || !strings.Contains(path, "OBJ_") {
			return err
		}
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		if i := bytes.Index(raw, []byte("meeting\nthe minutes")); i >= 0 {
			raw[i] ^= 0x20
			flipped++
		}
		return os.WriteFile(path, raw, 0o600)
	}))
	require.Equal(t, 1, flipped)

	s = openWith(t, cfg)
	got, err := fetch(s, e.Hash)
	require.Error(t, err)
	assert.Less(t, len(got), len(b))
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

// Given a server that runs out of room half-way, or takes only small messages,
// when evidence is put, then the error says that it was not stored, and it is
// not there.
func TestEvidence_failsHalfWay(t *testing.T) {
	for name, change := range map[string]func(*server.Options){
		"no room":        func(o *server.Options) { o.JetStreamMaxStore = 1 << 20 },
		"small messages": func(o *server.Options) { o.MaxPayload = 64 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			srv := external(t, change)
			cfg := eventstore.Config{URL: srv.ClientURL(), Ledger: "test", Dir: t.TempDir()}
			s := openWith(t, cfg)
			b := someBytes(t, 1, 2<<20)
			_, err := s.PutEvidence(context.Background(), bytes.NewReader(b), "")
			require.ErrorContains(t, err, "store evidence "+sha(b))
			there, err := s.HasEvidence(context.Background(), sha(b))
			require.NoError(t, err)
			assert.False(t, there)
			_, err = fetch(s, sha(b))
			assert.ErrorIs(t, err, eventstore.ErrEvidenceNotFound)
			noneSpooled(t, cfg.Dir)
		})
	}
}

// A bucket that somebody made with settings that can lose evidence is refused.
func TestEvidence_lossyBucketIsRefused(t *testing.T) {
	srv := external(t)
	_, js := connect(t, srv.ClientURL())
	_, err := js.CreateObjectStore(context.Background(), jetstream.ObjectStoreConfig{Bucket: "milepost-test"})
	require.NoError(t, err)
	_, err = eventstore.Open(context.Background(), eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	var lossy *eventstore.LossyStreamError
	require.ErrorAs(t, err, &lossy)
	assert.Equal(t, "OBJ_milepost-test", lossy.Stream)
}

func tampered(tb testing.TB, meta []byte, change func(*jetstream.ObjectInfo)) (jetstream.ObjectInfo, []byte) {
	tb.Helper()
	var info jetstream.ObjectInfo
	require.NoError(tb, json.Unmarshal(meta, &info))
	change(&info)
	b, err := json.Marshal(info)
	require.NoError(tb, err)
	return info, b
}
