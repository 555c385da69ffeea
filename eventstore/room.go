package eventstore

import (
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// roomTime is how long room that was seen is taken to be there. What is appended in
// that time is far less than what [durable.Room] keeps free.
const roomTime = 5 * time.Millisecond

// room refuses to write more where the disk has no room for it, and where the embedded
// server cannot write for whatever reason.
func (s *Store) room() error {
	if err := s.srv.canWrite(); err != nil {
		return err
	}
	now := time.Now()
	if seen := s.roomSeen.Load(); seen != nil && now.Sub(*seen) < roomTime {
		return nil
	}
	if err := s.diskRoom(); err != nil {
		return err
	}
	s.staging.look()
	seen := now // a copy, so that only what is kept is allocated
	s.roomSeen.Store(&seen)
	return nil
}

// diskRoom is nil where there is room on the disk that the embedded server has its
// files on, and on the one of the data directory: what is made of the log is there, and
// has to be able to follow. An external server refuses by itself.
func (s *Store) diskRoom() error {
	if s.cfg.Dir == "" {
		return nil
	}
	if err := durable.Room(s.cfg.Dir); err != nil || s.srv.Load() == nil {
		return err
	}
	return durable.Room(filepath.Join(s.cfg.Dir, storeDir))
}
