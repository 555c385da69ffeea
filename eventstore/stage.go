package eventstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

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

// staging is where an embedded server stages its batches.
type staging struct {
	mu     sync.Mutex
	target string // in memory, "" for on disk
}

// stagingLink is where the server finds that directory.
func (s *Store) stagingLink() string { return filepath.Join(streamDir(s.cfg.Dir, s.stream), stagingDir) }

// stagingName begins the names of what is staged in memory for this data directory: a
// copy of it, link and all, must not take what belongs to the original.
func (s *Store) stagingName() (string, error) {
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("eventstore: data directory: %w", err)
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(sharedMemory, "milepost-"+hex.EncodeToString(sum[:8])+"-"), nil
}

// settleStaging deals with what was staged in memory when the log was last open, and
// not closed. It stays for the server that is still to be started; where it is lost,
// the batch that the log may end in the middle of is cut off.
func (s *Store) settleStaging() error {
	link := s.stagingLink()
	target, err := os.Readlink(link)
	if err != nil {
		return nil // there is none, or it is on disk
	}
	name, err := s.stagingName()
	if err != nil {
		return err
	}
	if _, err := os.Stat(target); err == nil && strings.HasPrefix(target, name) {
		s.staging.target = target
		return nil
	}
	torn, err := cutTorn(filepath.Dir(link), s.stream)
	if err != nil {
		return err
	}
	if torn != nil {
		s.log.Warn("the last commit was interrupted and never acknowledged: it is taken out of the log", "batch", torn.batch, "from", torn.seq)
	}
	if err := errors.Join(os.Remove(link), durable.SyncDir(filepath.Dir(link))); err != nil {
		return fmt.Errorf("eventstore: clear what was staged: %w", err)
	}
	return nil
}

// stageInMemory has the embedded server, which runs and has finished what it was
// interrupted in, stage batches in memory from now on.
func (s *Store) stageInMemory() error {
	st := &s.staging
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.clear(); err != nil {
		return err
	}
	if free, err := durable.Free(sharedMemory); err != nil || free < stagingRoom {
		return nil
	}
	name, err := s.stagingName()
	if err != nil {
		return err
	}
	dir, base := filepath.Split(name)
	target, err := os.MkdirTemp(dir, base)
	if err != nil {
		return nil // it is not for us to write there
	}
	link := s.stagingLink()
	err = os.Symlink(target, link)
	if err == nil { // on disk before a batch is, see settleStaging
		err = durable.SyncDir(filepath.Dir(link))
	}
	if err != nil {
		s.log.Warn("batches are staged on disk", "error", err)
		return errors.Join(os.RemoveAll(target), removeLink(link))
	}
	st.target = target
	return nil
}

// stageOnDisk lets the server stage as it does by itself: it could not in memory.
func (s *Store) stageOnDisk() {
	st := &s.staging
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.target == "" {
		return
	}
	err := errors.Join(removeLink(s.stagingLink()), st.clear())
	s.log.Warn("a batch could not be staged in memory: from now on they are staged on disk, which is slower", "error", err)
}

// endStaging is for a server that is shut down. What it has not finished stays for
// the next one.
func (s *Store) endStaging() error {
	st := &s.staging
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
	if err := errors.Join(err, removeLink(s.stagingLink()), st.clear()); err != nil {
		return fmt.Errorf("eventstore: clear what was staged: %w", err)
	}
	return nil
}

// clear removes what was staged in memory.
func (st *staging) clear() error {
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
