package eventstore_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// largeLog has some blocks: batches, single records, and batches across blocks.
func largeLog(t *testing.T) (cfg eventstore.Config, last uint64) {
	t.Helper()
	cfg = config(t)
	s := openWith(t, cfg)
	for i := range 12 {
		mustAppend(t, s, enlarged(messages(2000*i, 700), bytes.Repeat([]byte("x"), 3000))...)
		mustAppend(t, s, messages(2000*i+1000, 1)...)
	}
	require.NoError(t, s.Close())
	return cfg, 12 * 701
}

func blocksOf(t *testing.T, cfg eventstore.Config) []string {
	t.Helper()
	link, _, _ := eventstore.StagingLink(cfg)
	blocks, err := filepath.Glob(filepath.Join(filepath.Dir(link), "msgs", "*.blk"))
	require.NoError(t, err)
	return blocks
}

// What is in the files is what the server sends.
func TestRecordsFromFilesAreThoseOfTheServer(t *testing.T) {
	ctx := context.Background()
	cfg, last := largeLog(t)
	require.Greater(t, len(blocksOf(t, cfg)), 2)
	s := openWith(t, cfg)
	for name, r := range map[string]struct{ from, to, next uint64 }{
		"all":                       {1, last, last + 1},
		"a part":                    {2500, 7010, 7011},
		"it ends within a batch":    {1402, 4000, 3506}, // which the server is to say more of
		"it begins within a batch":  {3000, 7010, 7011},
		"few are not worth a file":  {1402, 1500, 1402},
		"the end of the log, alone": {last - 1100, last, last + 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, next := s.ReadFiles(ctx, r.from, r.to)
			assert.Equal(t, r.next, next)
			want, err := s.ReadServer(ctx, r.from, r.to)
			require.NoError(t, err)
			require.Len(t, got, int(r.next-r.from))
			for i := range got {
				require.Equal(t, want[i], got[i])
			}
			n := 0
			for rec, err := range s.Read(ctx, r.from, r.to, "") {
				require.NoError(t, err)
				require.Equal(t, want[n].Seq, rec.Seq)
				n++
			}
			require.Len(t, want, n)
		})
	}
}

// Whatever is wrong with a file is told as it is when the server is asked.
func TestWhatIsOddInAFileIsLeftToTheServer(t *testing.T) {
	ctx := context.Background()
	for name, damage := range map[string]func(t *testing.T, blocks []string){
		"a bit": func(t *testing.T, blocks []string) {
			b, err := os.ReadFile(blocks[1])
			require.NoError(t, err)
			b[len(b)/2] ^= 1
			require.NoError(t, os.WriteFile(blocks[1], b, 0o600))
		},
		"its end": func(t *testing.T, blocks []string) {
			info, err := os.Stat(blocks[1])
			require.NoError(t, err)
			require.NoError(t, os.Truncate(blocks[1], info.Size()-1234))
		},
		"all of it": func(t *testing.T, blocks []string) { require.NoError(t, os.Remove(blocks[1])) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg, last := largeLog(t)
			damage(t, blocksOf(t, cfg))
			s := openWith(t, cfg)

			got, next := s.ReadFiles(ctx, 1, last)
			require.Less(t, next, last)
			want, wantErr := s.ReadServer(ctx, 1, last)
			require.Equal(t, want[:len(got)], got)
			var read []eventstore.Record
			var err error
			for chunk, e := range s.ReadStored(ctx, 1, last) {
				read, err = append(read, chunk...), e
			}
			require.Equal(t, want, read)
			require.Error(t, wantErr)
			require.Equal(t, wantErr, err)
		})
	}
}

// A chunk is bounded by its bytes, too.
func TestChunksFromFilesAreBounded(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	large := bytes.Repeat([]byte("x"), 900_000)
	for i := range 2 {
		mustAppend(t, s, enlarged(messages(100*i, 60), large)...)
	}
	mustAppend(t, s, messages(1000, 1000)...)
	most, n := 0, 0
	for chunk, err := range s.ReadChunks(context.Background(), 1, 0, "") {
		require.NoError(t, err)
		size := 0
		for _, r := range chunk {
			size += len(r.Data)
		}
		most, n = max(most, size), n+len(chunk)
	}
	assert.Equal(t, 1120, n)
	assert.Less(t, most, 18<<20)
}
