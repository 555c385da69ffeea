package faults_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What may come of damage. That something is lost and nobody told, or that a sequence
// is given out twice, is nowhere in it.
const (
	whole   = "whole"   // the server starts, and all is there that was acknowledged
	refused = "refused" // it does not start, and says why
	named   = "named"   // it starts, all events are there, and a file of evidence that is not whole is answered as damaged, or as not stored, and never as another
	differs = "differs" // it starts, all events are there, and a replay says where the read models are not what the log gives, and that rebuild makes them again, which it does
)

const streams = "jetstream/jetstream/$G/streams/"

// kinds are all classes of files in a data directory, with what may come of it when
// one of them has a bit flipped, its end cut off, or is gone. A refusal matches says.
var kinds = []struct {
	name            string
	files           string // pattern; the newest of those that match is damaged
	flip, cut, gone []string
	says            string
}{
	{"message block", streams + "milepost-main/msgs/*.blk", []string{refused}, []string{refused}, []string{refused}, `the log disagrees with the checkpoint|the log ends at|read models`},
	{"index of the blocks", streams + "milepost-main/msgs/index.db", []string{whole}, []string{whole}, []string{whole}, ""},
	{"description of the stream", streams + "milepost-main/meta.inf", []string{whole, refused}, []string{whole, refused}, []string{whole, refused}, `milepost-main|the log disagrees`},
	{"checksum of the description", streams + "milepost-main/meta.sum", []string{whole, refused}, []string{whole, refused}, []string{whole, refused}, `milepost-main|the log disagrees`},
	{"block of evidence", streams + "OBJ_milepost-main/msgs/*.blk", []string{named, whole}, []string{named}, []string{named}, ""},
	{"description of the evidence", streams + "OBJ_milepost-main/meta.inf", []string{whole, named, refused}, []string{whole, named, refused}, []string{whole, named, refused}, `OBJ_milepost-main`},
	{"state of a consumer", streams + "milepost-main/obs/*/o.dat", []string{whole, refused}, []string{whole, refused}, []string{whole}, `subscriber erp|consumer "erp"`},
	{"description of a consumer", streams + "milepost-main/obs/*/meta.inf", []string{whole, refused}, []string{whole, refused}, []string{whole}, `subscriber erp|consumer "erp"`},
	{"read models", "read-v*.db", []string{whole, refused, differs}, []string{whole, refused}, []string{whole}, `remove the file to have it made again`},
	{"their write-ahead log", "read-v*.db-wal", []string{whole}, []string{whole}, []string{whole, refused}, `remove the file to have it made again`},
	{"view", "views/*/read-v*.db", []string{whole}, []string{whole}, []string{whole}, ""},
	{"signing key", "ledger.key", []string{refused}, []string{refused}, []string{refused}, `ledger\.key`},
	{"key of webhooks", "webhook.key", []string{whole}, []string{whole}, []string{whole}, ""}, // what cannot be delivered is named while it runs
	{"administrator's token", "admin.token", []string{whole, refused}, []string{refused}, []string{whole}, `holds no administrator's token`},
	{"checkpoint", "checkpoints/ledger/*.checkpoint", []string{refused}, []string{refused}, []string{whole}, `is not a checkpoint of this ledger`},
	{"checkpoint of an agreement", "checkpoints/agreement-*/*.checkpoint", []string{refused}, []string{refused}, []string{whole}, `is not a checkpoint of this ledger`},
}

// TestCorruption damages every class of file, after a clean stop and after a crash,
// with the index of the blocks and without: it is found, named and refused, or what
// was damaged is made again; a backup repairs it; and nothing that was acknowledged
// is lost without a word, or its sequence given to something else.
func TestCorruption(t *testing.T) {
	every := thorough(t, 0, 1) == 1
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	// given a ledger with all classes of files, stopped, and killed
	l := newVictim(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			type damage struct {
				name    string
				do      func(t *testing.T, file string, random *rand.Rand)
				allowed []string
			}
			damages := []damage{{"flip", flipBit, k.flip}, {"cut", cutEnd, k.cut}, {"gone", removeFile, k.gone}}
			if !every {
				damages = []damage{damages[random.IntN(len(damages))]}
			}
			for _, d := range damages {
				stops := l.having(t, k.files)
				if !every {
					stops = stops[random.IntN(len(stops)):][:1]
				}
				for _, stop := range stops {
					indexes := []bool{true}
					if strings.HasSuffix(k.files, ".blk") {
						indexes = append(indexes, false)
					}
					for _, index := range indexes {
						t.Run(fmt.Sprintf("%s, %s, index %t", d.name, stop, index), func(t *testing.T) {
							dir := filepath.Join(t.TempDir(), "data")
							copyData(t, l.dirs[stop], dir)
							files, err := filepath.Glob(filepath.Join(dir, k.files))
							require.NoError(t, err)
							file := slices.Max(files)
							d.do(t, file, random)
							if !index {
								indexes, err := filepath.Glob(filepath.Join(filepath.Dir(file), "index.db"))
								require.NoError(t, err)
								for _, file := range indexes {
									require.NoError(t, os.Remove(file))
								}
							}
							outcome, said := l.outcome(t, dir, l.promises[stop])
							t.Logf("%s: %s", outcome, said)
							assert.Contains(t, d.allowed, outcome, said)
							if outcome == refused {
								assert.Regexp(t, k.says, said)
							}
							if outcome != whole && strings.HasPrefix(k.files, streams) {
								l.requireRepaired(t, dir, k.files)
							}
						})
					}
				}
			}
		})
	}
	t.Run("restored from the backup", l.requireRestored)
}

// victim is a ledger to be damaged in copies.
type victim struct {
	dirs         map[string]string    // by how it ended
	promises     map[string]*promises // what each of them has to keep
	backup, keys string
	backedUp     *promises
	viewer       string // token of one who sees a view
}

func newVictim(t *testing.T) *victim {
	here := t.TempDir()
	l := &victim{dirs: map[string]string{}, promises: map[string]*promises{}, backup: filepath.Join(here, "main.backup"), keys: filepath.Join(here, "main.keys")}
	p := newPromises()
	s := serve(t, filepath.Join(here, "data"), "--nats-listen", "127.0.0.1:0")
	work := startLoad(t, p, 11, 4, s)
	require.Eventually(t, func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.all) > 300 && len(p.files) > 5 }, 2*time.Minute, 5*time.Millisecond)
	must := func(args ...string) string {
		t.Helper()
		out, errs, code := s.run(t, nil, args...)
		require.Zero(t, code, out+errs)
		return strings.TrimSpace(out)
	}
	must("subscriber", "add", "erp", "--all", "--out", filepath.Join(here, "erp.creds"))
	must("webhook", "add", "erp", "https://erp.example.org/hook", "--agreement", "w0-a1")
	must("do", "grant-access", "--principal", "viewer", "--name", "Viewer", "--role", "viewer", "--agreement", "w0-a1")
	l.viewer = must("token", "create", "viewer")
	require.Equal(t, http.StatusOK, l.view(t, s))
	a, err := s.ask(t.Context(), "GET", "/v1/agreements/w0-a1/checkpoint", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	work.stop(t)
	must("backup", "--out", l.backup, "--keys", l.keys)
	l.backedUp = p.now()

	p = &promises{all: map[string]receipt{}, files: l.backedUp.files}
	l.more(t, s, p, "clean")
	s.stop(t)
	l.keep(t, here, s.dir, "stopped", p)
	s = serve(t, s.dir, "--nats-listen", "127.0.0.1:0")
	l.more(t, s, p, "crash")
	s.kill()
	l.keep(t, here, s.dir, "killed", p)
	return l
}

// more executes some commands, which only some of the last checkpoint is signed for.
func (l *victim) more(t *testing.T, s *server, p *promises, name string) {
	t.Helper()
	for i := range 30 {
		id := fmt.Sprintf("%s-%d", name, i)
		_, err := s.do(t.Context(), p, id, "register-party", fmt.Sprintf(`{"party":"%s","title":"More","kind":"other"}`, id))
		require.NoError(t, err)
	}
}

func (l *victim) keep(t *testing.T, here, dir, name string, p *promises) {
	t.Helper()
	l.dirs[name] = filepath.Join(here, name)
	copyData(t, dir, l.dirs[name])
	l.promises[name] = l.backedUp.now()
	for id, r := range p.all {
		l.promises[name].all[id] = r
	}
}

// having are the ways to end after which there are such files.
func (l *victim) having(t *testing.T, files string) (stops []string) {
	t.Helper()
	for _, stop := range []string{"stopped", "killed"} {
		found, err := filepath.Glob(filepath.Join(l.dirs[stop], files))
		require.NoError(t, err)
		if len(found) > 0 {
			stops = append(stops, stop)
		}
	}
	require.NotEmpty(t, stops, "there is no such file")
	return stops
}

// view asks as somebody who is answered out of a view.
func (l *victim) view(t *testing.T, s *server) int {
	t.Helper()
	a, err := s.ask(t.Context(), "GET", "/v1/agreements/w0-a1", nil, "Authorization", "Bearer "+l.viewer)
	require.NoError(t, err)
	return a.status
}

// outcome starts a server on what is damaged, and holds it to what was promised.
func (l *victim) outcome(t *testing.T, dir string, p *promises) (outcome, said string) {
	t.Helper()
	s, err := launch(dir, nil, "serve", "--data", dir, "--listen", "127.0.0.1:0")
	if err != nil {
		return refused, err.Error()
	}
	defer s.kill()
	log := s.events(t)
	p.requireKept(t, log)
	outcome = whole
	if _, errs, code := s.run(t, nil, "replay"); code != 0 { // SQLite has no checksum over what a table says
		require.Contains(t, errs, "the read models are not what the log says: make them again with milepost rebuild")
		out, rebuilt, code := s.run(t, nil, "rebuild")
		// Snapshots are no read models: it says of these that they are identical.
		require.True(t, code != 0 || strings.Contains(errs, "snapshot") || strings.Contains(errs, "cannot be read"), "%s%s", errs, out)
		errs = rebuilt
		t.Logf("rebuild: %s%s", out, errs)
		outcome = differs
	}
	s.requireReplay(t)
	assert.Equal(t, http.StatusOK, l.view(t, s))
	after := newPromises()
	_, err = s.do(t.Context(), after, "after", "register-party", `{"party":"after","title":"After","kind":"other"}`)
	require.NoError(t, err)
	require.EqualValues(t, len(log)+1, after.all["after"].Seq, "a sequence is given out again, or left out")
	for hash := range p.files {
		a, err := s.ask(t.Context(), "GET", "/v1/evidence/"+hash, nil)
		if err == nil && a.status == http.StatusOK {
			require.Equal(t, hash, hashOf(a.body))
			continue
		}
		outcome = named
		if err == nil { // else it broke off in the middle
			require.Contains(t, []string{"evidence-damaged", "not-found"}, codeOf(a), "%s: %s", hash, a.body)
			require.Contains(t, string(a.body), "damaged", hash)
		}
	}
	s.stop(t)
	return outcome, s.output.String()
}

// requireRepaired has the log made whole again, out of a copy, or restores what
// cannot be.
func (l *victim) requireRepaired(t *testing.T, dir, files string) {
	t.Helper()
	if !strings.Contains(files, "milepost-main/msgs/") || strings.Contains(files, "OBJ_") {
		return // the backup is for those
	}
	out, errs, code := runProgram(t, here(), nil, nil, "repair", "--data", dir, "--from", l.dirs["killed"], "--dry-run")
	t.Logf("repair: %s%s", out, errs)
	if code != 0 {
		assert.Contains(t, errs, "(code repair-", "what cannot be repaired is named")
		return
	}
	_, errs, code = runProgram(t, here(), nil, nil, "repair", "--data", dir, "--from", l.dirs["killed"])
	require.Zero(t, code, errs)
	s := serve(t, dir)
	l.backedUp.requireKept(t, s.events(t))
	s.stop(t)
}

// requireRestored makes the ledger again out of its backup.
func (l *victim) requireRestored(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "restored")
	out, errs, code := runProgram(t, here(), nil, nil, "restore", "--from", l.backup, "--data", dir, "--keys", l.keys)
	require.Zero(t, code, out+errs)
	s := serve(t, dir)
	s.requireKept(t, l.backedUp)
	s.requireGoesOn(t, l.backedUp)
	s.stop(t)
}

func flipBit(t *testing.T, file string, random *rand.Rand) {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	if len(b) > 0 {
		b[len(b)/4+random.IntN(len(b)/2+1)] ^= 1 << random.IntN(8)
	}
	require.NoError(t, os.WriteFile(file, b, 0o600))
}

func cutEnd(t *testing.T, file string, random *rand.Rand) {
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, info.Size()*int64(5+random.IntN(90))/100))
}

func removeFile(t *testing.T, file string, _ *rand.Rand) { require.NoError(t, os.Remove(file)) }

// copyData copies a data directory that nobody holds. What was staged in memory when
// it was killed stays with the original, and is lost to the copy as in a power cut.
func copyData(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, filepath.Join(to, name)))
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	}))
}
