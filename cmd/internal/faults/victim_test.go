package faults_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
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
	if _, errs, code := s.run(t, nil, "replay", "--evidence=false"); code != 0 { // SQLite has no checksum over what a table says
		require.Contains(t, errs, "the read models are not what the log says: make them again with milepost rebuild")
		out, rebuilt, code := s.run(t, nil, "rebuild")
		// Snapshots are no read models: it says of these that they are identical.
		require.True(t, code != 0 || strings.Contains(errs, "snapshot") || strings.Contains(errs, "cannot be read"), "%s%s", errs, out)
		errs = rebuilt
		t.Logf("rebuild: %s%s", out, errs)
		outcome = differs
	}
	assert.Equal(t, http.StatusOK, l.view(t, s))
	after := newPromises()
	_, err = s.do(t.Context(), after, "after", "register-party", `{"party":"after","title":"After","kind":"other"}`)
	require.NoError(t, err)
	require.EqualValues(t, len(log)+1, after.all["after"].Seq, "a sequence is given out again, or left out")
	damaged := []string{}
	for hash := range p.files {
		a, err := s.ask(t.Context(), "GET", "/v1/evidence/"+hash, nil)
		if err == nil && a.status == http.StatusOK {
			require.Equal(t, hash, hashOf(a.body))
			continue
		}
		outcome, damaged = named, append(damaged, hash)
		if err == nil { // else it broke off in the middle
			require.Contains(t, []string{"evidence-damaged", "not-found"}, codeOf(a), "%s: %s", hash, a.body)
			require.Contains(t, string(a.body), "damaged", hash)
		}
	}
	if len(damaged) > 0 {
		l.requireAttachedAgain(t, s, damaged)
	}
	s.requireReplay(t)
	s.stop(t)
	return outcome, s.output.String()
}

// requireAttachedAgain has damaged evidence named by a replay, and made whole out of the
// backup.
func (l *victim) requireAttachedAgain(t *testing.T, s *server, damaged []string) {
	t.Helper()
	out, _, code := s.run(t, nil, "replay")
	require.Equal(t, 1, code, out)
	require.Regexp(t, "the file ("+strings.Join(damaged, "|")+") that it names (is damaged|as evidence is not stored)", out)
	b, err := os.Open(l.backup)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	files := []string{"attach"}
	for in := tar.NewReader(b); ; {
		entry, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		hash, ok := strings.CutPrefix(entry.Name, "evidence/")
		if !ok || !slices.Contains(damaged, hash) {
			continue
		}
		file, err := io.ReadAll(in)
		require.NoError(t, err)
		files = append(files, filepath.Join(t.TempDir(), hash))
		require.NoError(t, os.WriteFile(files[len(files)-1], file, 0o600))
	}
	require.Len(t, files, len(damaged)+1)
	_, errs, code := s.run(t, nil, files...)
	require.Zero(t, code, errs)
	for _, hash := range damaged {
		a, err := s.ask(t.Context(), "GET", "/v1/evidence/"+hash, nil)
		require.NoError(t, err)
		require.Equal(t, hash, hashOf(a.body))
	}
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
