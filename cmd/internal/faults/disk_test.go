package faults_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// mount mounts a file system for the time of the test.
func mount(t *testing.T, args ...string) {
	t.Helper()
	command(t, "mount", args...)
	at := args[len(args)-1]
	t.Cleanup(func() { unmount(t, at) })
}

// unmount lets go of a file system, if it is still mounted.
func unmount(t *testing.T, at string) {
	t.Helper()
	if exec.Command("mountpoint", "-q", at).Run() == nil {
		command(t, "umount", at)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}

// image makes a disk of so many bytes in a file.
func image(t *testing.T, file string, size int64, mkfs string, args ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, size))
	command(t, mkfs, append(args, file)...)
}

// cuttable is a disk whose power can be cut as often as one likes: it lies in a file
// on a file system that copies files at one instant, by sharing their blocks.
type cuttable struct {
	dir  string // where the disk is mounted
	room string // of the file that the disk is in
}

func newCuttable(t *testing.T) *cuttable {
	t.Helper()
	needsRoot(t)
	needs(t, "mkfs.xfs", "mkfs.ext4", "mount", "mountpoint")
	here := t.TempDir()
	d := &cuttable{dir: filepath.Join(here, "disk"), room: filepath.Join(here, "room")}
	require.NoError(t, os.Mkdir(d.dir, 0o700))
	require.NoError(t, os.Mkdir(d.room, 0o700))
	image(t, filepath.Join(here, "room.img"), 3<<30, "mkfs.xfs", "-q", "-m", "reflink=1")
	mount(t, "-o", "loop", filepath.Join(here, "room.img"), d.room)
	image(t, filepath.Join(d.room, "disk.img"), 1<<30, "mkfs.ext4", "-q")
	mount(t, "-o", "loop", filepath.Join(d.room, "disk.img"), d.dir)
	return d
}

// cut keeps the disk as it is at this instant: what was handed to it is there, and
// what the system still kept in memory is not.
func (d *cuttable) cut(t *testing.T, name string) (file string) {
	t.Helper()
	file = filepath.Join(d.room, name)
	command(t, "cp", "--reflink=always", filepath.Join(d.room, "disk.img"), file)
	return file
}

// after mounts a disk as a machine finds it whose power comes back.
func after(t *testing.T, file string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "after")
	require.NoError(t, os.Mkdir(dir, 0o700))
	mount(t, "-o", "loop", file, dir)
	return dir
}

// now is what was promised by now.
func (p *promises) now() *promises {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &promises{all: maps.Clone(p.all), files: maps.Clone(p.files)}
}

// requireKept holds a server to what was promised, by itself or by one before it.
func (s *server) requireKept(t *testing.T, p *promises) {
	t.Helper()
	p.requireKept(t, s.events(t))
	s.requireFiles(t, p)
	s.requireReplay(t)
}

// requireGoesOn has a server execute some more, behind all that it had.
func (s *server) requireGoesOn(t *testing.T, p *promises) {
	t.Helper()
	for i := range 20 {
		id := fmt.Sprintf("later-%d", i)
		_, err := s.do(t.Context(), p, id, "register-party", fmt.Sprintf(`{"party":"%s","title":"Later","kind":"other"}`, id))
		require.NoError(t, err)
	}
	p.requireKept(t, s.events(t))
}
