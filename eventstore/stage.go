package eventstore

import (
	"crypto/sha256"
	"encoding/hex"
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
// ([cutTorn]). Where there is no such memory, or no room in it, the server stages
// where it does by itself.

// sharedMemory is a file system in memory that outlives a process: Linux has it.
const sharedMemory = "/dev/shm"

// stagingDir is the name of the directory that the server stages batches in.
const stagingDir = "batches"

// stagingRoom has to be free there: for two full batches, with room to spare.
const stagingRoom = 32 << 20

// staging is where an embedded server stages the batches of one stream. An external
// server's is the zero value: nobody here has a say in it.
type staging struct {
	log    *slog.Logger
	link   string // where the server finds it
	name   string // begins that of what is in memory
	stream string

	memory atomic.Bool // batches are staged in memory
	mu     sync.Mutex
	target string // the directory in memory, "" for none
}

// begin says where the staging of this data directory is. What is in memory is named
// by the directory: a copy of it, link and all, must not take what is the original's.
func (st *staging) begin(dir, stream string, log *slog.Logger) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("eventstore: data directory: %w", err)
	}
	sum := sha256.Sum256([]byte(abs))
	st.log, st.stream = log, stream
	st.name = filepath.Join(sharedMemory, "milepost-"+hex.EncodeToString(sum[:8])+"-")
	st.link = filepath.Join(streamDir(dir, stream), stagingDir)
	return nil
}

// settle deals with what was staged in memory when the log was last open, and not
// closed. It stays for the server that is still to be started; where it is lost, the
// batch that the log may end in the middle of is cut off.
func (st *staging) settle() error {
	target, err := os.Readlink(st.link)
	if err != nil {
		return nil // there is none, or it is on disk
	}
	if _, err := os.Stat(target); err == nil && strings.HasPrefix(target, st.name) {
		st.target = target
		return nil
	}
	torn, err := cutTorn(filepath.Dir(st.link), st.stream)
	if err != nil {
		return err
	}
	if torn != nil {
		st.log.Warn("the last commit was interrupted and never acknowledged: it is taken out of the log", "batch", torn.batch, "from", torn.seq)
	}
	if err := errors.Join(os.Remove(st.link), durable.SyncDir(filepath.Dir(st.link))); err != nil {
		return fmt.Errorf("eventstore: clear what was staged: %w", err)
	}
	return nil
}

// inMemory has the server, which runs and has finished what it was interrupted in,
// stage in memory from now on.
func (st *staging) inMemory() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.clear(); err != nil {
		return err
	}
	if free, err := durable.Free(sharedMemory); err != nil || free < stagingRoom {
		return nil
	}
	dir, base := filepath.Split(st.name)
	target, err := os.MkdirTemp(dir, base)
	if err != nil {
		return nil // it is not for us to write there
	}
	err = os.Symlink(target, st.link)
	if err == nil { // on disk before a batch is, see settle
		err = durable.SyncDir(filepath.Dir(st.link))
	}
	if err != nil {
		st.log.Warn("batches are staged on disk", "error", err)
		return errors.Join(os.RemoveAll(target), removeLink(st.link))
	}
	st.target = target
	st.memory.Store(true)
	return nil
}

// failed is told that the server could not stage a batch. Where that was in memory, it
// goes on as it does by itself.
func (st *staging) failed() {
	if !st.memory.Swap(false) {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	err := errors.Join(removeLink(st.link), st.clear())
	st.log.Warn("a batch could not be staged in memory: from now on they are staged on disk, which is slower", "error", err)
}

// end is for a server that is shut down. What it has not finished stays for the next.
func (st *staging) end() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.target == "" {
		return nil
	}
	left, err := os.ReadDir(st.target)
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), ".") { // those are being removed
			return nil
		}
	}
	if err := errors.Join(err, removeLink(st.link), st.clear()); err != nil {
		return fmt.Errorf("eventstore: clear what was staged: %w", err)
	}
	return nil
}

// clear removes what was staged in memory.
func (st *staging) clear() error {
	st.memory.Store(false)
	if st.target == "" {
		return nil
	}
	if err := os.RemoveAll(st.target); err != nil {
		return fmt.Errorf("eventstore: clear what was staged: %w", err)
	}
	st.target = ""
	return nil
}

// removeLink removes a link, where there is one and not the server's own directory.
func removeLink(link string) error {
	if _, err := os.Readlink(link); err != nil {
		return nil
	}
	return os.Remove(link)
}
