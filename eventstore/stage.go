package eventstore

import (
	"errors"
	"fmt"
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
// ([cutTorn]). What is left when the store is closed, of a commit that failed, goes to
// disk. Where there is no such memory, or no room in it, the server
// stages where it does by itself, and so it does on a disk that fills: it is to meet the
// end of that while nothing of a batch is in the log yet.
const (
	// stagingDir is the directory, of a stream, that the server stages batches in.
	stagingDir = "batches"

	// stagedFile, in the data directory, is a link to what is staged in memory. It is
	// there as long as something may be, on disk before the first batch is.
	stagedFile = "staged"

	// stagingRoom has to be free in memory: for two full batches, with room to spare.
	stagingRoom = 32 << 20
)

// stagingDisk has to be free on disk: more than the largest append takes there.
var stagingDisk int64 = 2 << 30

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
	if free, e := durable.Free(sharedMemory); err == nil && st.name != "" && e == nil && free >= stagingRoom && !st.diskFills() {
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

// diskFills says that the disk may be too full for what is committed next: then the
// server is to meet its end while it stages, when nothing is in the log yet.
func (st *staging) diskFills() bool {
	free, err := durable.Free(filepath.Join(st.dir, storeDir))
	return err != nil || free < stagingDisk
}

// look has the server stage on disk when that fills.
func (st *staging) look() {
	if st != nil && st.memory.Load() && st.diskFills() {
		st.leave("the disk fills")
	}
}

// failed is told that the server could not stage a batch.
func (st *staging) failed() {
	if st != nil {
		st.leave("one could not be staged in memory")
	}
}

// leave lets the server stage on disk, as it does by itself. What is being committed
// at this moment stays in memory.
func (st *staging) leave(why string) {
	if !st.memory.Swap(false) {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	err := removeLink(st.link())
	st.log.Warn("batches are staged on disk from now on, which is slower", "reason", why, "error", err)
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
	err := st.toDisk()
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
