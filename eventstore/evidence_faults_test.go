package eventstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Given what is stored was changed, cut or redirected, when it is read, then
// the reading ends in an error, never in a whole body; and who has the file makes
// it whole by putting it again.
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
			requireMadeWhole(t, s, b)
		})
	}
}

// Given files on disk in which bytes flipped while no server ran, when a store
// opens them and reads, then it does not hand out a whole body, until somebody
// puts the file again.
func TestEvidence_flippedBitsOnDiskShow(t *testing.T) {
	for name, in := range map[string]string{"the file": "meeting\nthe minutes", "its description": `"nuid"`} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			s, err := eventstore.Open(context.Background(), cfg)
			require.NoError(t, err)
			b := bytes.Repeat([]byte("the minutes of the meeting\n"), 10_000)
			e := attach(t, s, b)
			require.NoError(t, s.Close())

			flip(t, filepath.Join(cfg.Dir, "jetstream"), "OBJ_", in)

			s = openWith(t, cfg)
			got, err := fetch(s, e.Hash)
			require.Error(t, err)
			assert.Less(t, len(got), len(b))
			requireMadeWhole(t, s, b)
		})
	}
}

// Given a cluster in which one server's copy of a description is damaged, when that one
// leads, then the file is said to be damaged, and putting it again mends it.
func TestEvidence_damagedWhereItIsLed(t *testing.T) {
	t.Parallel()
	// given a file on three servers, of whose description the one that leads has a damaged copy
	b := bytes.Repeat([]byte("the minutes of the meeting\n"), 10_000)
	_, urls := damagedCopy(t, evidenceStream, `"nuid"`, 0, func(s *eventstore.Store) { attach(t, s, b) })
	s := openWith(t, eventstore.Config{URL: urls, Ledger: "test"})
	// then it says so
	_, err := s.HasEvidence(t.Context(), sha(b))
	var damaged *eventstore.EvidenceDamagedError
	require.ErrorAs(t, err, &damaged)
	assert.Equal(t, sha(b), damaged.Hash)
	assert.ErrorContains(t, err, "the last record cannot be read")
	// and the file can be made whole
	requireMadeWhole(t, s, b)
	there, err := s.HasEvidence(t.Context(), sha(b))
	require.NoError(t, err)
	assert.True(t, there)
}

// flip changes a bit of what is in one block of a stream.
func flip(t *testing.T, dir, stream, in string) {
	t.Helper()
	flipped := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".blk") || !strings.Contains(path, stream) {
			return err
		}
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		if i := bytes.Index(raw, []byte(in)); i >= 0 {
			raw[i] ^= 0x20
			flipped++
		}
		return os.WriteFile(path, raw, 0o600)
	}))
	require.Equal(t, 1, flipped)
}

// requireMadeWhole puts a file that is damaged, once more, and reads it.
func requireMadeWhole(t *testing.T, s *eventstore.Store, b []byte) {
	t.Helper()
	require.Error(t, s.CheckEvidence(t.Context(), sha(b)))
	assert.Equal(t, eventstore.Evidence{Hash: sha(b), Size: int64(len(b)), New: true}, attach(t, s, b))
	require.NoError(t, s.CheckEvidence(t.Context(), sha(b)))
	got, err := fetch(s, sha(b))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(b, got))
	before := stored(t, s)
	assert.False(t, attach(t, s, b).New)
	assert.Equal(t, before, stored(t, s), "what is whole is not written again")
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
