package eventstore

import (
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// room refuses to write more where the disk has no room for it, and where the embedded
// server cannot write for whatever reason.
func (s *Store) room() error {
	if err := s.srv.canWrite(); err != nil {
		return err
	}
	return s.diskRoom()
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
