package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// told is a ledger in a directory that nobody holds, to be copied and tampered
// with: a story, a party that countersigned it, what came after, and all of it
// signed.
type told struct {
	dir     string // of the ledger
	early   string // a copy of dir from before its last events, when the party had not seen them
	key     string // file of the party's key; what it remembers is beside it
	program string
	log     []eventstore.Record
	status  statusOf
}

func tell(t *testing.T) *told {
	t.Helper()
	here := t.TempDir()
	l := &told{dir: filepath.Join(here, "ledger"), early: filepath.Join(here, "early"), key: filepath.Join(here, "city.key"), program: asProgram(t)}
	setup, err := os.ReadFile("testdata/setup.jsonl")
	require.NoError(t, err)
	k, err := signing.NewKey(l.key, "city.example")
	require.NoError(t, err)

	s := startServer(t, l.dir)
	s.must(t, string(setup), "import", "-")
	s.must(t, "", "do", "register-witness", "--party", "city", "--key", k.Public)
	s.must(t, "", "cosign", "--key", l.key)
	s.stop(t, syscall.SIGTERM)
	copyLedger(t, l.dir, l.early)

	s = startServer(t, l.dir)
	s.must(t, "", "do", "change-party", "--party", "city", "--title", "Town")
	s.must(t, "", "do", "change-party", "--party", "group", "--title", "Holding")
	s.must(t, "", "cosign", "--key", l.key)
	s.must(t, "", "do", "change-party", "--party", "group", "--title", "Group")
	l.status = s.settled(t)
	s.stop(t, syscall.SIGTERM)
	l.log = logOf(t, l.dir)
	return l
}

// must runs a verb that succeeds.
func (c *child) must(t *testing.T, in string, args ...string) (stdout string) {
	t.Helper()
	out, code := c.run(t, strings.NewReader(in), args...)
	require.Equal(t, exitDone, code)
	return out
}

// copyLedger copies a data directory that nobody holds, as a backup does.
func copyLedger(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, os.Chmod(signing.KeyFile(to), 0o600))
	require.NoError(t, os.Chmod(signin.AdminTokenFile(to), 0o600))
}

func (l *told) copy(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "copy")
	copyLedger(t, l.dir, dir)
	return dir
}

func logOf(t *testing.T, dir string) (list []eventstore.Record) {
	t.Helper()
	s, err := eventstore.OpenCopy(t.Context(), eventstore.Config{Dir: dir, Ledger: "main"}, t.TempDir())
	require.NoError(t, err)
	for rec, err := range s.Read(t.Context(), 1, 0, "") {
		require.NoError(t, err)
		list = append(list, eventstore.Record{Seq: rec.Seq, Subject: rec.Subject, Data: rec.Data})
	}
	require.NoError(t, s.Close())
	return list
}

// rewrite makes the log in a directory another one, with checksums that are right,
// and leaves no trace of it.
func rewrite(t *testing.T, dir string, change func([]eventstore.Record) []eventstore.Record) {
	t.Helper()
	former, err := eventstore.Rewrite(t.Context(), eventstore.Config{Dir: dir, Ledger: "main", ContentType: contentType},
		func(present *eventstore.Store) (iter.Seq2[eventstore.Record, error], error) {
			var list []eventstore.Record
			for rec, err := range present.Read(t.Context(), 1, 0, "") {
				if err != nil {
					return nil, err
				}
				list = append(list, rec)
			}
			list = change(list)
			return func(yield func(eventstore.Record, error) bool) {
				for i, rec := range list {
					rec.Seq = uint64(i) + 1
					if !yield(rec, nil) {
						return
					}
				}
			}, nil
		})
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(former))
}

// bundleOf exports the bundle of an agreement, or of the whole ledger.
func (l *told) bundleOf(t *testing.T, agreement ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "ledger.bundle")
	s := startServer(t, l.copy(t))
	s.must(t, "", append([]string{"export", "--format", "bundle", "--out", file}, agreement...)...)
	s.stop(t, syscall.SIGTERM)
	return file
}

// The tampering table, of the log: each row has checksums that are right.
var tamperings = []struct {
	name   string
	change func([]eventstore.Record) []eventstore.Record
	seq    uint64 // that is named
}{
	{"changed", func(l []eventstore.Record) []eventstore.Record {
		l[15].Data = []byte(strings.Replace(string(l[15].Data), "2030-05-10", "2030-04-10", 1))
		return l
	}, 16},
	{"dropped", func(l []eventstore.Record) []eventstore.Record { return slices.Delete(l, 8, 9) }, 9},
	{"inserted", func(l []eventstore.Record) []eventstore.Record {
		more := l[13]
		more.Data = []byte(strings.Replace(string(more.Data), "2030-09-30", "2031-09-30", 1))
		return slices.Insert(l, 14, more)
	}, 15},
	{"swapped", func(l []eventstore.Record) []eventstore.Record {
		l[0], l[1] = l[1], l[0]
		return l
	}, 1},
	{"cut off", func(l []eventstore.Record) []eventstore.Record { return l[:len(l)-2] }, 19},
	{"moved", func(l []eventstore.Record) []eventstore.Record {
		l[9].Subject = strings.Replace(l[9].Subject, ".pact.", ".other.", 1)
		return l
	}, 10},
}

// A log that is too long to wait for is refused when it is found out.
func TestATamperedLogThatIsServedStopsTheServer(t *testing.T) {
	l := tell(t)
	damaged := l.copy(t)
	rewrite(t, damaged, tamperings[0].change)
	// when its start does not wait for the check
	a := &app{out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
	err := a.serve(t.Context(), nodeConfig{dir: damaged, name: "main", log: a.logger(), patience: time.Nanosecond},
		&listening{address: "127.0.0.1:0"}, func(context.Context, *server) error { return nil })
	// then it ends as a start does that waits
	var disagree *notary.DisagreeError
	require.ErrorAs(t, err, &disagree)
	assert.Equal(t, tamperings[0].seq, disagree.Seq)
}

// Given a ledger, when somebody tampers with its log and puts the checksums right,
// then it does not start and names the sequence; and repair makes the log what it
// was, out of a bundle and out of a copy.
func TestTamperedLogDoesNotStartAndIsRepaired(t *testing.T) {
	domaintest.Exhausting(t)
	l := tell(t)
	require.Len(t, l.log, 20)
	sources := map[string]string{"a bundle": l.bundleOf(t), "a copy": l.copy(t)}
	for _, row := range tamperings {
		t.Run(row.name, func(t *testing.T) {
			damaged := l.copy(t)
			rewrite(t, damaged, row.change)
			tampered := logOf(t, damaged)
			require.NotEqual(t, l.log, tampered)
			pushed := max(0, len(tampered)-len(l.log)) // behind the checkpoint
			c := &child{program: l.program}
			refused := func(dir string) {
				_, stderr, code := c.runWith(t, nil, "serve", "--data", dir, "--listen", "127.0.0.1:0")
				assert.Equal(t, exitFailed, code)
				assert.Regexp(t, `the log disagrees with the checkpoint of milepost/main\S* at \d+ from sequence `+strconv.FormatUint(row.seq, 10)+` on`, stderr)
			}
			refused(damaged)
			refused(damaged) // and does not get used to it

			var whole string
			for name, source := range sources {
				dir := filepath.Join(t.TempDir(), "copy")
				copyLedger(t, damaged, dir)
				before := filesOf(t, dir)

				out, code := c.run(t, nil, "repair", "--data", dir, "--from", source, "--dry-run")
				assert.Equal(t, exitDone, code, name)
				assert.Contains(t, out, "nothing was written")
				assert.Equal(t, pushed > 0, strings.Contains(out, fmt.Sprintf("%d events after sequence 20 would be left out", pushed)), out)
				assert.Equal(t, before, filesOf(t, dir), "%s: a dry run", name)

				out, code = c.run(t, nil, "repair", "--data", dir, "--from", source, "-o", "json")
				require.Equal(t, exitDone, code, name)
				var r repaired
				require.NoError(t, json.Unmarshal([]byte(out), &r))
				assert.Equal(t, row.seq, r.Damaged[0].Seq)
				assert.True(t, r.Written)
				assert.EqualValues(t, pushed, r.Dropped)
				assert.Empty(t, r.Lost)
				assert.DirExists(t, r.Former)
				assert.Equal(t, l.log, logOf(t, dir), name)

				models, err := filepath.Glob(filepath.Join(dir, "read-*"))
				require.NoError(t, err)
				assert.Empty(t, models, "they were made from another log")

				out, code = c.run(t, nil, "repair", "--data", dir, "--from", source)
				assert.Equal(t, exitDone, code)
				assert.Contains(t, out, "nothing is damaged")
				whole = dir
			}
			s := startServer(t, whole)
			assert.Equal(t, l.status, s.settled(t))
			s.must(t, "", "cosign", "--key", l.key)
			s.stop(t, syscall.SIGTERM)
		})
	}
}

// Given a source that has only an agreement, then that much is restored and no
// more; and what is no source is refused.
func TestRepair_refusals(t *testing.T) {
	l := tell(t)
	part := l.bundleOf(t, "--agreement", "pact")
	c := &child{program: l.program}
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, code := c.runWith(t, nil, append([]string{"repair"}, args...)...)
		require.Equal(t, want, code)
		return out + errs
	}
	change := func(at ...int) func([]eventstore.Record) []eventstore.Record {
		return func(log []eventstore.Record) []eventstore.Record {
			for _, i := range at {
				log[i].Data = []byte(strings.Replace(string(log[i].Data), `"actor":"`, `"actor":"not-`, 1))
			}
			return log
		}
	}

	// an event of the agreement is in its bundle, and one of a party that has a proof there
	dir := l.copy(t)
	rewrite(t, dir, change(1, 9))
	assert.Contains(t, run(exitDone, "--data", dir, "--from", part), "2 of 20 events were restored: 2 from the source")
	assert.Equal(t, l.log, logOf(t, dir))

	// without the read models only the source and the log know the hashes
	dir = l.copy(t)
	rewrite(t, dir, change(9))
	models, err := filepath.Glob(filepath.Join(dir, "read-*"))
	require.NoError(t, err)
	for _, f := range models {
		require.NoError(t, os.Remove(f))
	}
	assert.Contains(t, run(exitDone, "--data", dir, "--from", part), "1 of 20")
	assert.Equal(t, l.log, logOf(t, dir))

	// a source that is damaged itself proves nothing of that
	dir, other := l.copy(t), l.copy(t)
	rewrite(t, dir, change(4, 7))
	rewrite(t, other, change(7))
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", other), "neither the log nor the source has what was signed at sequence 8")
	assert.NotEqual(t, l.log, logOf(t, dir), "nothing is changed")

	// and other mistakes
	assert.Contains(t, run(exitUsage, "--data", dir), "--from")
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", filepath.Join(dir, "none")), "no such file")
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", t.TempDir()), "there is no ledger main in this directory")
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", "testdata/setup.jsonl"), "this is no bundle: it does not begin with the entry bundle.json (code not-a-bundle); a backup is no source by itself: restore it elsewhere")
	assert.Contains(t, run(exitFailed, "--data", t.TempDir(), "--from", other), "there is no ledger in")
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", other, "--checkpoints", t.TempDir()), "say where they are with --checkpoints")
	cut := filepath.Join(t.TempDir(), "cut")
	whole, err := os.ReadFile(part)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o600))
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", cut), "cut short")
	key, err := os.ReadFile(l.key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(signing.KeyFile(dir), key, 0o600))
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", other), "is not a checkpoint of this ledger")

	dir = l.copy(t)
	s := startServer(t, dir)
	assert.Contains(t, run(exitFailed, "--data", dir, "--from", other), "is in use by process")
	s.stop(t, syscall.SIGTERM)
}

// Given a log whose last events cannot be read, and no checkpoint that is signed
// for them, when it is repaired, then they are named and nothing is changed, unless
// their loss is accepted.
func TestRepair_lossIsAccepted(t *testing.T) {
	l := tell(t)
	dir := l.copy(t)
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "jetstream", "$G", "streams", "milepost-main", "msgs", "*.blk"))
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	b, err := os.ReadFile(blocks[0])
	require.NoError(t, err)
	for _, rec := range l.log[18:] {
		at := bytes.Index(b, rec.Data)
		require.Positive(t, at)
		copy(b[at:], "gone")
	}
	require.NoError(t, os.WriteFile(blocks[0], b, 0o600))

	c := &child{program: l.program}
	args := []string{"repair", "--data", dir, "--from", l.dir, "--checkpoints", filepath.Join(l.early, "checkpoints")}
	before := filesOf(t, dir)
	for _, more := range []string{"--dry-run=false", "--dry-run"} {
		_, stderr, code := c.runWith(t, nil, append(args, more)...)
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, stderr, "sequence 19-20 is lost (code repair-events-lost)")
	}
	out, code := c.run(t, nil, append(args, "--accept-loss", "--dry-run")...)
	assert.Equal(t, exitDone, code)
	assert.Contains(t, out, "2 events would be lost, for no checkpoint is signed for them: sequence 19-20; the log ends at 18")
	assert.Contains(t, out, "nothing was written")
	assert.Equal(t, before, filesOf(t, dir))

	out, code = c.run(t, nil, append(args, "--accept-loss", "-o", "json")...)
	assert.Equal(t, exitDone, code)
	var r repaired
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	assert.Equal(t, []uint64{19, 20}, r.Lost)
	assert.True(t, r.Written)
	assert.Equal(t, l.log[:18], logOf(t, dir))
	out, code = c.run(t, nil, args...)
	assert.Equal(t, exitDone, code)
	assert.Contains(t, out, "nothing is damaged")
}

// Given a party that countersigned, when the ledger is put back to how it was
// before, its checkpoints too, or goes on from there with another history, then it
// starts, and the party's witness refuses it.
func TestWitnessRefusesAnotherHistory(t *testing.T) {
	l := tell(t)
	for name, c := range map[string]struct {
		titles []string
		want   string
	}{
		"an old checkpoint put back": {nil, "ROLLBACK"},
		"a forked history":           {[]string{"A", "B", "C", "D", "E"}, "FORK"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			copyLedger(t, l.early, dir)
			key := filepath.Join(t.TempDir(), "city.key")
			require.NoError(t, os.CopyFS(filepath.Dir(key), os.DirFS(filepath.Dir(l.key))))
			require.NoError(t, os.Chmod(key, 0o600))

			s := startServer(t, dir)
			for _, title := range c.titles {
				s.must(t, "", "do", "change-party", "--party", "group", "--title", title)
			}
			_, stderr, code := s.runWith(t, nil, "cosign", "--key", key)
			assert.Equal(t, exitFailed, code)
			assert.Contains(t, stderr, c.want)
			s.stop(t, syscall.SIGTERM)

			kept, err := filepath.Glob(filepath.Join(key+".witness", "conflict-milepost_main-*"))
			require.NoError(t, err)
			require.Len(t, kept, 2, "both notes are kept as evidence")
			for _, file := range kept {
				note, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.Regexp(t, regexp.MustCompile(`(?m)^— milepost/main \S+$`), string(note))
			}
		})
	}
}

// filesOf are the files of a directory with their contents, but for the lock and
// what SQLite keeps beside its files.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	}))
	return files
}
