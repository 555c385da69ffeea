package eventstore

import (
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// roomTime is how long room that was seen is taken to be there. What is appended in
// that time is far less than what [durable.Room] keeps free.
const roomTime = 5 * time.Millisecond

// room refuses to write more where the disk is full that the embedded server has its
// files on, or the one of the data directory: what is made of the log is there, and
// has to be able to follow; and where the server cannot write for whatever reason. An
// external server refuses by itself.
func (s *Store) room() error {
	if s.cfg.Dir == "" {
		return nil
	}
	if err := s.srv.canWrite(); err != nil {
		return err
	}
	now := time.Now()
	if seen := s.roomSeen.Load(); seen != nil && now.Sub(*seen) < roomTime {
		return nil
	}
	if err := durable.Room(s.cfg.Dir); err != nil {
		return err
	}
	if s.srv.Load() != nil {
		if err := durable.Room(filepath.Join(s.cfg.Dir, storeDir)); err != nil {
			return err
		}
	}
	seen := now // a copy, so that only what is kept is allocated
	s.roomSeen.Store(&seen)
	return nil
}
