package eventstore_test

import (
	"bytes"
	"context"
	"log/slog"
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
func inMemory(t *testing.T, cfg eventstore.Config) (link, name string) {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip("no file system in memory to stage batches in:", err)
	}
	link, name, err := eventstore.StagingLink(cfg)
	require.NoError(t, err)
	return link, name
}

func messages(first, n int) (msgs []eventstore.Message) {
	for i := first; i < first+n; i++ {
		msgs = append(msgs, message("p"+strconv.Itoa(i), 0, "data "+strconv.Itoa(i)))
	}
	return msgs
}

func TestBatchesAreStagedInMemory(t *testing.T) {
	cfg := config(t)
	link, name := inMemory(t, cfg)

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
	left, err := filepath.Glob(name + "*")
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.NoFileExists(t, link)
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
			link, stagingName := inMemory(t, cfg)
			s := openWith(t, cfg)
			mustAppend(t, s, messages(0, 2)...) // a batch that is whole
			mustAppend(t, s, messages(2, 1)...)
			mustAppend(t, s, c.batch...)
			require.NoError(t, s.Close())
			if c.torn > 0 {
				_, err := eventstore.TearOff(cfg, c.torn)
				require.NoError(t, err)
			}
			require.NoError(t, os.Symlink(stagingName+"gone", link))
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
	link, name := inMemory(t, cfg)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	require.NoError(t, s.Close())
	_, err := eventstore.TearOff(cfg, 5)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(name+"gone", link))

	s = openWith(t, cfg)
	assert.Empty(t, log(t, s))
	assert.Equal(t, uint64(1), mustAppend(t, s, messages(0, 20)...))
}

// Nothing is taken out of a log that misses its end for another reason: it may have
// been acknowledged.
func TestWhatIsMissingOtherwiseIsNotTakenOut(t *testing.T) {
	for name, staged := range map[string]func(t *testing.T, link, name string){
		"it was closed":                func(*testing.T, string, string) {},
		"what was staged is in memory": func(t *testing.T, link, name string) { stagedAt(t, link, name+"there") },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			link, stagingName := inMemory(t, cfg)
			s := openWith(t, cfg)
			mustAppend(t, s, messages(0, 20)...)
			require.NoError(t, s.Close())
			_, err := eventstore.TearOff(cfg, 1)
			require.NoError(t, err)
			staged(t, link, stagingName)

			s = openWith(t, cfg)
			n := 0
			for _, err = range s.Read(context.Background(), 1, 0, "") {
				n++
			}
			var torn *eventstore.TornBatchError
			require.ErrorAs(t, err, &torn)
			assert.Equal(t, uint64(19), lastOf(t, s))
			require.NoError(t, s.Close())
			left, err := filepath.Glob(stagingName + "*")
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// A copy of a directory in use has the link of the original, which goes on as it was.
func TestACopyLeavesWhatTheOriginalStages(t *testing.T) {
	cfg := config(t)
	link, _ := inMemory(t, cfg)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	target, err := os.Readlink(link)
	require.NoError(t, err)
	other := cfg
	other.Dir = t.TempDir()
	otherLink, _ := inMemory(t, other)
	require.NoError(t, os.MkdirAll(filepath.Dir(otherLink), 0o750))
	require.NoError(t, os.Symlink(target, otherLink))

	copied := openWith(t, other)
	mustAppend(t, copied, messages(0, 20)...)
	require.NoError(t, copied.Close())

	assert.DirExists(t, target)
	mustAppend(t, s, messages(20, 20)...)
	assert.Len(t, log(t, s), 40)
}

// Given memory that is taken away, when batches come, then they are staged on disk.
func TestWithoutMemoryBatchesAreStagedOnDisk(t *testing.T) {
	cfg := config(t)
	link, _ := inMemory(t, cfg)
	s := openWith(t, cfg)
	mustAppend(t, s, messages(0, 20)...)
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(target))

	mustAppend(t, s, messages(20, 20)...)
	mustAppend(t, s, messages(40, 20)...)
	assert.Len(t, log(t, s), 60)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.True(t, info.IsDir(), "the server's own")
}

func stagedAt(t *testing.T, link, target string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(target, 0o700))
	require.NoError(t, os.Symlink(target, link))
}

func enlarged(msgs []eventstore.Message, data []byte) []eventstore.Message {
	for i := range msgs {
		msgs[i].Data = data
	}
	return msgs
}
