package faults_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDiskFull fills the disk under a server at work, slowly and at once, the one
// of all that it has, of its log, and of its read models: it refuses by a code what
// it has no room for, goes on answering, and goes on writing when there is room.
func TestDiskFull(t *testing.T) {
	rounds := thorough(t, 1, 5)
	needsRoot(t)
	needs(t, "mount", "mountpoint")
	for _, c := range []struct{ name, small string }{
		{"the whole data directory", "."},
		{"the log", "jetstream"},
		{"the read models", "read models"},
	} {
		t.Run(c.name, func(t *testing.T) { testDiskFull(t, c.small, rounds) })
	}
}

func testDiskFull(t *testing.T, small string, rounds int) {
	// given a server under load, with a part of what it has on a small disk
	const size = 96 << 20
	dir := filepath.Join(t.TempDir(), "data")
	disk := filepath.Join(dir, small)
	if small == "read models" {
		disk = dir
	}
	require.NoError(t, os.MkdirAll(disk, 0o700))
	mount(t, "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", disk)
	if small == "read models" { // the log has another one
		require.NoError(t, os.Mkdir(filepath.Join(dir, "jetstream"), 0o700))
		mount(t, "-t", "tmpfs", "-o", "size=1g", "tmpfs", filepath.Join(dir, "jetstream"))
	}
	s := serve(t, dir)
	p := newPromises()
	l := startLoad(t, p, 7, 8, s)
	more := func() {
		t.Helper()
		count := p.count()
		require.Eventually(t, func() bool { return p.count() > count+100 }, time.Minute, 10*time.Millisecond, "%v", l.tally())
	}
	more()

	for range rounds {
		for _, fill := range []func(*testing.T, string){fillSlowly, fillAtOnce} {
			s.requireReads(t)
			// when that is full
			filler := filepath.Join(disk, "filler")
			fill(t, filler)
			refused := l.tally()["no-room"]
			require.Eventually(t, func() bool { return l.tally()["no-room"] > refused+20 }, time.Minute, 10*time.Millisecond, "%v", l.tally())

			// then writing is refused, by a code, and reading is not
			s.requireNoRoom(t, "POST", "/v1/commands/register-party", `{"party":"full","title":"Full","kind":"other"}`, "application/json")
			s.requireNoRoom(t, "POST", "/v1/import", `{"command":"register-party","party":"full","title":"Full","kind":"other"}`, "application/x-ndjson")
			s.requireNoRoom(t, "POST", "/v1/evidence", strings.Repeat("A long report. ", 100_000), "application/octet-stream")
			if small != "jetstream" {
				s.requireNoRoom(t, "POST", "/v1/rebuild", "", "application/json")
			}
			s.requireReads(t)

			// and when there is room again it goes on by itself
			require.NoError(t, os.Remove(filler))
			more()
			t.Log(l.tally())
		}
	}
	l.stop(t)
	p.requireKept(t, s.events(t))
	s.requireFiles(t, p)
	s.requireReplay(t)
	out, errs, code := s.run(t, nil, "rebuild")
	require.Zero(t, code, out+errs)
	s.stop(t)
	s = serve(t, dir)
	s.requireKept(t, p)
	s.stop(t)
}

// New read models for which there is no room are not made, and those of a former
// version serve, until there is.
func TestReadModelsAreMadeWhenThereIsRoom(t *testing.T) {
	authors := thorough(t, 12, 200)
	needsRoot(t)
	needs(t, "mount", "mountpoint")
	// given read models of a former version on a disk that is nearly full
	const size = 256 << 20
	dir := filepath.Join(t.TempDir(), "data")
	log := filepath.Join(dir, "jetstream") // has another one
	require.NoError(t, os.Mkdir(dir, 0o700))
	mount(t, "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir)
	require.NoError(t, os.Mkdir(log, 0o700))
	mount(t, "-t", "tmpfs", "-o", "size=1g", "tmpfs", log)
	s := serve(t, dir)
	out, errs, code := s.run(t, nil, "import", written(t, authors, 500))
	require.Zero(t, code, out+errs)
	was := s.digest(t)
	s.stop(t)
	makeFormer(t, dir)
	files := modelsIn(t, dir)
	filler := filepath.Join(dir, "filler")
	fillAtOnce(t, filler)
	info, err := os.Stat(filler)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filler, info.Size()-size/32)) // less than what is kept free
	// when a server is started
	s = serve(t, dir)
	// then they serve, and it says why there are no others
	var status told
	eventually(t, "the making to fail", func() bool { s.get(t, "/v1/status", &status); return status.Build.State == "failed" })
	require.Contains(t, status.Build.Error, "no room is left on the disk")
	require.Contains(t, status.Build.Due, "they are of version")
	require.True(t, status.Ready)
	require.Equal(t, was, status.Digest)
	s.requireReads(t)
	s.requireNoRoom(t, "POST", "/v1/commands/register-party", `{"party":"full","title":"Full","kind":"other"}`, "application/json")
	require.Equal(t, files, modelsIn(t, dir))
	left, err := filepath.Glob(filepath.Join(dir, "read-v*.load"))
	require.NoError(t, err)
	require.Empty(t, left)
	// and when there is room they are made at once
	require.NoError(t, os.Remove(filler))
	began := time.Now()
	eventually(t, "new read models", func() bool { s.get(t, "/v1/status", &status); return status.Build.Due == "" })
	require.Less(t, time.Since(began), 45*time.Second, "before the pause after a failure is over")
	require.Equal(t, "done", status.Build.State)
	require.Empty(t, status.Build.Error)
	require.Equal(t, was, status.Digest)
	s.requireReads(t)
	s.requireReplay(t)
	eventually(t, "the former ones to be gone", func() bool { return len(modelsIn(t, dir)) == 1 })
	require.NotEqual(t, files, modelsIn(t, dir))
	s.stop(t)
	t.Logf("%d events: read models were made %v after there was room", status.LastSeq, time.Since(began).Round(time.Millisecond))
}

// requireReads asks questions, and gets answers.
func (s *server) requireReads(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/v1/parties", "/v1/agreements", "/v1/changes", "/v1/events", "/v1/status"} {
		a, err := s.ask(t.Context(), "GET", path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", path, a.body)
	}
}

// requireNoRoom asks for something to be written, and is told that there is no room.
func (s *server) requireNoRoom(t *testing.T, method, path, body, media string) {
	t.Helper()
	a, err := s.ask(t.Context(), method, path, strings.NewReader(body), "Content-Type", media, "Milepost-Actor", "tester")
	require.NoError(t, err)
	require.Equal(t, http.StatusInsufficientStorage, a.status, "%s: %s", path, a.body)
	require.Equal(t, "no-room", codeOf(a))
	require.NotEmpty(t, a.header.Get("Retry-After"))
}

// fillSlowly writes until the disk takes no more.
func fillSlowly(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	for {
		if _, err := f.Write(make([]byte, 1<<16)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			return
		}
	}
}

// fillAtOnce takes all that is left in one go, also from under what is being written.
func fillAtOnce(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	var end int64
	for piece := int64(1 << 30); piece >= 4096; {
		err := syscall.Fallocate(int(f.Fd()), 0, end, piece)
		switch {
		case err == nil:
			end += piece
		case errors.Is(err, syscall.ENOSPC):
			piece /= 2
		default:
			require.NoError(t, err)
		}
	}
}
