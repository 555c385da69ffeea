package eventstore

import (
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

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
	if err := durable.Room(s.cfg.Dir); err != nil || s.srv.Load() == nil {
		return err
	}
	return durable.Room(filepath.Join(s.cfg.Dir, storeDir))
}
