package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// inMemory is where a store stages its batches, after it was looked whether there is
// memory for it.
func inMemory(t *testing.T, cfg eventstore.Config) (link, marker, name string) {
	t.Helper()
	link, marker, name = eventstore.StagingLink(cfg)
	if name == "" {
		t.Skip("this system has no memory to stage batches in")
	}
	eventstore.StagingDisk(t, 0) // however much is free here
	return link, marker, name
}

// staged is an open log with a batch, and where it stages them.
func staged(t *testing.T) (cfg eventstore.Config, s *eventstore.Store, link, target string) {
	t.Helper()
	cfg = config(t)
	link, _, _ = inMemory(t, cfg)
	s = openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	target, err := os.Readlink(link)
	require.NoError(t, err)
	return cfg, s, link, target
}

func messages(first, n int) (msgs []eventstore.Message) {
	for i := first; i < first+n; i++ {
		msgs = append(msgs, message("p"+strconv.Itoa(i), 0, "data "+strconv.Itoa(i)))
	}
	return msgs
}

func TestBatchesAreStagedInMemory(t *testing.T) {
	cfg := config(t)
	link, marker, name := inMemory(t, cfg)

	// Given an open log, then its batches are staged in memory, where nobody else may read,
	s := openWith(t, cfg)
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(target, name), target)
	info, err := os.Stat(target)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	mustAppend(t, s, messages(0, 20)...)
	assert.Len(t, log(t, s), 20)

	// and when it is closed, nothing is left.
	require.NoError(t, s.Close())
	requireNothingStaged(t, cfg)
	assert.NoFileExists(t, marker)
	assert.NoFileExists(t, link)
}

func requireNothingStaged(t *testing.T, cfg eventstore.Config) {
	t.Helper()
	_, _, name := eventstore.StagingLink(cfg)
	left, err := filepath.Glob(name + "*")
	require.NoError(t, err)
	require.Empty(t, left)
}

// lose makes of a log that was closed one that was not, and whose memory is gone.
func lose(t *testing.T, cfg eventstore.Config) {
	t.Helper()
	link, marker, name := inMemory(t, cfg)
	require.NoError(t, os.Symlink(name+"gone", marker))
	require.NoError(t, os.Symlink(name+"gone", link))
}

// keep is lose of one whose memory is there, with something in it.
func keep(t *testing.T, cfg eventstore.Config, staged string) (target string) {
	t.Helper()
	link, marker, name := inMemory(t, cfg)
	target = name + "there"
	require.NoError(t, os.MkdirAll(filepath.Join(target, staged), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(target, staged, "file"), []byte("staged"), 0o600))
	require.NoError(t, os.Symlink(target, marker))
	require.NoError(t, os.Symlink(target, link))
	t.Cleanup(func() { _ = os.RemoveAll(target) })
	return target
}

// torn is a log that ends in the middle of its second batch, and is closed.
func torn(t *testing.T) eventstore.Config {
	t.Helper()
	cfg := config(t)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	mustAppend(t, s, messages(20, 20)...)
	require.NoError(t, s.Close())
	left, err := eventstore.TearOff(cfg, 1)
	require.NoError(t, err)
	require.Equal(t, 39, left)
	return cfg
}

// Given a log that was not closed, and ends in the middle of a batch whose rest was in
// memory and is lost, when it is opened, then it ends before that batch, and goes on.
func TestWhatAPowerCutToreIsTakenOut(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 1<<20-8<<10)
	for name, c := range map[string]struct {
		batch      []eventstore.Message
		torn, left int
	}{
		"its end is missing":        {messages(3, 20), 1, 3},
		"all but its first":         {messages(3, 20), 19, 3},
		"it is not torn":            {messages(3, 20), 20, 3},
		"nor was a single one":      {messages(3, 1), 0, 4},
		"it is in several blocks":   {enlarged(messages(3, 30), large), 2, 3},
		"they are all gone but one": {enlarged(messages(3, 30), large), 29, 3},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			s := openWith(t, cfg)
			mustAppend(t, s, messages(0, 2)...) // a batch that is whole
			mustAppend(t, s, messages(2, 1)...)
			mustAppend(t, s, c.batch...)
			require.NoError(t, s.Close())
			if c.torn > 0 {
				_, err := eventstore.TearOff(cfg, c.torn)
				require.NoError(t, err)
			}
			lose(t, cfg)
			var said bytes.Buffer
			cfg.Logger = slog.New(slog.NewTextHandler(&said, nil))

			s = openWith(t, cfg)
			assert.Len(t, log(t, s), c.left)
			isTorn := c.torn > 0 && c.torn < len(c.batch)
			assert.Equal(t, isTorn, strings.Contains(said.String(), "taken out of the log"), said.String())
			if isTorn {
				assert.Contains(t, said.String(), "from=4")
			}
			assert.Equal(t, uint64(c.left+1), mustAppend(t, s, messages(100, 15)...))
			assert.Len(t, log(t, s), c.left+15)
		})
	}
}

// The first batch of a log may be the one that was torn.
func TestALogWhoseFirstBatchIsTornIsEmpty(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	require.NoError(t, s.Close())
	_, err := eventstore.TearOff(cfg, 5)
	require.NoError(t, err)
	lose(t, cfg)

	s = openWith(t, cfg)
	assert.Empty(t, log(t, s))
	assert.Equal(t, uint64(1), mustAppend(t, s, messages(0, 20)...))
}

// Nothing is taken out of a log that misses its end for another reason: it may have
// been acknowledged.
func TestWhatIsMissingOtherwiseIsNotTakenOut(t *testing.T) {
	for name, staged := range map[string]func(t *testing.T, cfg eventstore.Config){
		"it was closed":                func(*testing.T, eventstore.Config) {},
		"what was staged is in memory": func(t *testing.T, cfg eventstore.Config) { keep(t, cfg, "batch") },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := torn(t)
			staged(t, cfg)

			s := openWith(t, cfg)
			var err error
			for _, err = range s.Read(context.Background(), 1, 0, "") {
				continue
			}
			var torn *eventstore.TornBatchError
			require.ErrorAs(t, err, &torn)
			assert.Equal(t, uint64(39), lastOf(t, s))
			require.NoError(t, s.Close())
			requireNothingStaged(t, cfg)
		})
	}
}

// Given a bit that was flipped in a record, and a power cut, then what was acknowledged
// after it stays in the files, whoever is to repair them.
func TestNothingIsTakenOutOfADamagedLog(t *testing.T) {
	cfg := config(t)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	for i := range 50 {
		mustAppend(t, s, messages(100+i, 1)...)
	}
	require.NoError(t, s.Close())
	block := blocksOf(t, cfg)[0]
	b, err := os.ReadFile(block)
	require.NoError(t, err)
	b[bytes.Index(b, []byte("data 10"))] ^= 1
	require.NoError(t, os.WriteFile(block, b, 0o600))
	lose(t, cfg)

	require.NoError(t, eventstore.Settle(cfg))

	after, err := os.ReadFile(block)
	require.NoError(t, err)
	assert.Equal(t, b, after)
}

// The pages of a file need not come to disk in order: what is behind a gap, and of the
// same batch, is taken out with it.
func TestWhatAPowerCutToreIsTakenOutWithAGap(t *testing.T) {
	cfg := torn(t)
	block := blocksOf(t, cfg)[0]
	b, err := os.ReadFile(block)
	require.NoError(t, err)
	copy(b[bytes.Index(b, []byte("data 30")):], make([]byte, 100))
	require.NoError(t, os.WriteFile(block, b, 0o600))
	lose(t, cfg)

	assert.Len(t, log(t, openWith(t, cfg)), 20)
}

// A directory of that name which another could have made is not the one that was lost.
func TestWhatIsNotOwnIsNotWhatWasStaged(t *testing.T) {
	cfg := torn(t)
	require.NoError(t, os.Chmod(keep(t, cfg, "batch"), 0o755))

	s := openWith(t, cfg)

	assert.Len(t, log(t, s), 20)
}

// Given a server that began to stage on disk, and was killed while it committed what it
// had staged in memory, when it is started, then it finds both.
func TestWhatIsStagedInBothPlacesIsFound(t *testing.T) {
	cfg := torn(t)
	link, _, _ := inMemory(t, cfg)
	keep(t, cfg, "in-memory")
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.MkdirAll(filepath.Join(link, "on-disk"), 0o750))
	require.NoError(t, os.MkdirAll(filepath.Join(link, ".in-memory.part", "of a copy that was interrupted"), 0o750))

	require.NoError(t, eventstore.Settle(cfg))

	assert.FileExists(t, filepath.Join(link, "in-memory", "file"))
	assert.NoDirExists(t, filepath.Join(link, ".in-memory.part"))
	assert.DirExists(t, filepath.Join(link, "on-disk"))
}

// Given a commit that is not finished when the server is stopped, then what it needs
// for that is on disk.
func TestWhatIsLeftStagedGoesToDisk(t *testing.T) {
	cfg, s, link, _ := staged(t)
	_, marker, _ := eventstore.StagingLink(cfg)
	require.NoError(t, os.MkdirAll(filepath.Join(link, "batch", "msgs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(link, "batch", "msgs", "1.blk"), []byte("staged"), 0o600))

	require.NoError(t, s.Close())

	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.True(t, info.IsDir())
	b, err := os.ReadFile(filepath.Join(link, "batch", "msgs", "1.blk"))
	require.NoError(t, err)
	assert.Equal(t, "staged", string(b))
	assert.NoFileExists(t, marker)
	requireNothingStaged(t, cfg)
	assert.Len(t, log(t, openWith(t, cfg)), 20)
}

// A copy of a directory in use has the links of the original, which goes on as it was.
func TestACopyLeavesWhatTheOriginalStages(t *testing.T) {
	cfg, s, _, target := staged(t)
	other := cfg
	other.Dir = t.TempDir()
	otherLink, otherMarker, _ := inMemory(t, other)
	require.NoError(t, os.MkdirAll(filepath.Dir(otherLink), 0o750))
	require.NoError(t, errors.Join(os.Symlink(target, otherLink), os.Symlink(target, otherMarker)))

	copied := openWith(t, other)
	mustAppend(t, copied, messages(0, 20)...)
	require.NoError(t, copied.Close())

	assert.DirExists(t, target)
	mustAppend(t, s, messages(20, 20)...)
	assert.Len(t, log(t, s), 40)
}

// OpenCopy is of what a server would make of the directory, and leaves that as it is.
func TestACopyOfATornLogIsWhole(t *testing.T) {
	cfg := torn(t)
	lose(t, cfg)

	copied, err := eventstore.OpenCopy(context.Background(), cfg, t.TempDir())
	require.NoError(t, err)
	assert.Len(t, log(t, copied), 20)
	require.NoError(t, copied.Close())

	assert.Len(t, log(t, openWith(t, cfg)), 20)
}

// Given memory that is taken away, when batches come, then they are staged on disk.
func TestWithoutMemoryBatchesAreStagedOnDisk(t *testing.T) {
	cfg, s, link, target := staged(t)
	require.NoError(t, os.RemoveAll(target))

	mustAppend(t, s, messages(20, 20)...)
	mustAppend(t, s, messages(40, 20)...)
	assert.Len(t, log(t, s), 60)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.True(t, info.IsDir(), "the server's own")
	require.NoError(t, s.Close())
	assert.Len(t, log(t, openWith(t, cfg)), 60)
}

// Given a disk that fills, when batches come, then the server meets its end while it
// stages them there, and not while it commits.
func TestOnADiskThatFillsBatchesAreStagedThere(t *testing.T) {
	cfg, s, link, _ := staged(t)

	eventstore.StagingDisk(t, math.MaxInt64)
	next := 20
	eventually(t, "the disk to be looked at", func() bool {
		mustAppend(t, s, messages(next, 20)...)
		next += 20
		info, err := os.Lstat(link)
		return err == nil && info.IsDir()
	})

	require.NoError(t, s.Close())
	requireNothingStaged(t, cfg)
	s = openWith(t, cfg)
	assert.Len(t, log(t, s), next)
	_, err := os.Lstat(link)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// A ledger whose log was put aside is an empty one, whatever was staged.
func TestWhatIsStagedOfALogThatIsGone(t *testing.T) {
	cfg := config(t)
	inMemory(t, cfg)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	require.NoError(t, s.Close())
	target := keep(t, cfg, "batch")
	require.NoError(t, os.Rename(filepath.Join(cfg.Dir, "jetstream"), filepath.Join(cfg.Dir, "aside")))

	assert.Empty(t, log(t, openWith(t, cfg)))
	assert.NoDirExists(t, target)
}

func enlarged(msgs []eventstore.Message, data []byte) []eventstore.Message {
	for i := range msgs {
		msgs[i].Data = data
	}
	return msgs
}
