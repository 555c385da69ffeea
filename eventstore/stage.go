package eventstore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// The server stages each atomic batch in a store of its own before it commits it: in
// files below the stream's directory, which are made, synced and removed for every
// batch, and cost more than the commit itself. Here the directory for them is a link
// into the memory of the machine.
//
// Nothing that was acknowledged depends on where a batch is staged: it is in the log,
// synced, before its answer goes out. From what is staged the server finishes, when it
// starts, a commit that it was interrupted in. After a kill that still lies in memory,
// and it does. After a power cut it is gone, and the batch is cut off the log instead
// ([cutTorn]). What is left when the store is closed, of a commit that met the end of
// the disk, goes to disk. Where there is no such memory, or no room in it, the server
// stages where it does by itself.
const (
	// stagingDir is the directory, of a stream, that the server stages batches in.
	stagingDir = "batches"

	// stagedFile, in the data directory, is a link to what is staged in memory. It is
	// there as long as something may be, on disk before the first batch is.
	stagedFile = "staged"

	// stagingRoom has to be free in memory: for two full batches, with room to spare.
	stagingRoom = 32 << 20
)

// staging is where an embedded server stages the batches of one stream. An external
// server's is nil: nobody here has a say in it.
type staging struct {
	log    *slog.Logger
	dir    string // the data directory
	stream string
	name   string // begins that of what is in memory, "" where that cannot be

	memory atomic.Bool // batches are staged in memory
	mu     sync.Mutex
	target string // the directory in memory, "" for none
}

func newStaging(dir, stream string, log *slog.Logger) *staging {
	return &staging{log: log, dir: dir, stream: stream, name: inMemoryName(dir)}
}

// link is where the server finds its directory.
func (st *staging) link() string { return filepath.Join(streamDir(st.dir, st.stream), stagingDir) }

func (st *staging) marker() string { return filepath.Join(st.dir, stagedFile) }

// settle is for a server that is to be started. What was staged in memory when the log
// was last open, and not closed, is put where that server finds it; where it is lost,
// the batch that the log may end in the middle of is cut off.
func (st *staging) settle() error {
	if st == nil {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	target, err := os.Readlink(st.marker())
	if err != nil {
		return nil // nothing was in memory
	}
	if st.owns(target) {
		st.target = target
		if err := handOver(target, st.link()); err != nil {
			return fmt.Errorf("eventstore: find what was staged: %w", err)
		}
		return nil
	}
	if err := removeLink(st.link()); err != nil { // it leads nowhere
		return fmt.Errorf("eventstore: find what was staged: %w", err)
	}
	return st.cut()
}

// owns says that a directory in memory is there, and is of this data directory. In its
// absence anybody could have made one of that name.
func (st *staging) owns(target string) bool {
	if st.name == "" || !strings.HasPrefix(target, st.name) || !ownDir(target) {
		return false
	}
	_, err := os.ReadDir(target)
	return err == nil
}

// handOver makes what is staged in memory be found in the directory of the server: by a
// link, or where it has begun to stage on disk, by a copy.
func handOver(target, link string) error {
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		return copyStaged(target, link)
	}
	return errors.Join(removeLink(link), os.Symlink(target, link))
}

// cut takes a batch off the end of the log that nobody can finish.
func (st *staging) cut() error {
	torn, err := cutTorn(streamDir(st.dir, st.stream), st.stream)
	if err == nil && torn != nil {
		st.log.Warn("the last commit was interrupted and never acknowledged: it is taken out of the log", "batch", torn.batch, "from", torn.seq)
	}
	return err
}

// inMemory has the server, which runs and has finished what it was interrupted in,
// stage in memory from now on, if that can be.
func (st *staging) inMemory() {
	st.mu.Lock()
	defer st.mu.Unlock()
	err := st.clear()
	free, noMemory := durable.Free(sharedMemory)
	if err == nil && st.name != "" && noMemory == nil && free >= stagingRoom {
		err = st.begin()
	}
	if err != nil {
		st.log.Warn("batches are staged on disk", "error", err)
	}
}

func (st *staging) begin() error {
	left, _ := filepath.Glob(st.name + "*") // the pattern is one
	for _, dir := range left {              // of processes that were killed at the wrong moment
		_ = os.RemoveAll(dir)
	}
	dir, base := filepath.Split(st.name)
	target, err := os.MkdirTemp(dir, base)
	if err != nil {
		return err
	}
	st.target = target
	err = os.Symlink(target, st.marker())
	if err == nil {
		err = durable.SyncDir(st.dir)
	}
	if err == nil {
		err = os.Symlink(target, st.link())
	}
	if err != nil {
		return errors.Join(err, st.clear())
	}
	st.memory.Store(true)
	return nil
}

// failed is told that the server could not stage a batch. Where that was in memory, it
// goes on as it does by itself. What is being committed at this moment stays.
func (st *staging) failed() {
	if st == nil || !st.memory.Swap(false) {
		return
	}
	err := removeLink(st.link())
	st.log.Warn("a batch could not be staged in memory: from now on they are staged on disk, which is slower", "error", err)
}

// end is for a server that was shut down. What it has not finished goes to disk, where
// the next one finds it.
func (st *staging) end() error {
	if st == nil {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.target == "" {
		return nil
	}
	part := st.link() + durable.Part
	err := os.RemoveAll(part)
	if err == nil {
		err = copyStaged(st.target, part)
	}
	if _, none := os.Stat(part); err == nil && none == nil {
		err = errors.Join(copyStaged(st.link(), part), syncAll(part), os.RemoveAll(st.link()), os.Rename(part, st.link()), durable.SyncDir(filepath.Dir(part)))
	}
	if err == nil {
		err = st.clear()
	}
	if err != nil {
		return fmt.Errorf("eventstore: put on disk what is staged: %w", err)
	}
	return nil
}

// clear removes what was staged in memory, and every trace of it.
func (st *staging) clear() error {
	st.memory.Store(false)
	if err := errors.Join(removeLink(st.link()), removeLink(st.marker())); err != nil {
		return err
	}
	target := st.target
	if st.target = ""; target == "" {
		return nil
	}
	return os.RemoveAll(target)
}

// settleCopy does for a copy of the log what settle does: what is in memory stays.
func (st *staging) settleCopy(to *staging) error {
	target, err := os.Readlink(st.marker())
	if err != nil {
		return nil
	}
	if st.owns(target) {
		return copyStaged(target, to.link())
	}
	return to.cut()
}

// forgetStaged removes what is in memory for a directory that is to be removed.
func forgetStaged(dir string) error {
	st := newStaging(dir, "", nil)
	if target, err := os.Readlink(st.marker()); err == nil && st.owns(target) {
		return os.RemoveAll(target)
	}
	return nil
}

// copyStaged copies what is staged in one directory and not in the other. There may be
// nothing, and of a server that runs it comes and goes.
func copyStaged(from, to string) error {
	staged, err := os.ReadDir(from)
	for _, e := range staged {
		if err != nil || strings.HasPrefix(e.Name(), ".") { // those are being removed
			continue
		}
		if _, there := os.Stat(filepath.Join(to, e.Name())); there != nil {
			err = os.CopyFS(filepath.Join(to, e.Name()), os.DirFS(filepath.Join(from, e.Name())))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stagedName is the name of a batch's directory, as the server makes it (getHash in
// events.go of nats-server 2.15).
func stagedName(batch string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(batch))
	name := sum[:8]
	for i, b := range name {
		name[i] = digits[int(b)%len(digits)]
	}
	return string(name)
}

// removeLink removes a link, where there is one, and nothing else.
func removeLink(link string) error {
	if _, err := os.Readlink(link); err != nil {
		return nil
	}
	return os.Remove(link)
}
