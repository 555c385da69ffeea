package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// holder says which process has a data directory open. The lock itself is the
// event store's and goes with the process; this only tells people whom to ask.
type holder struct {
	PID         int       `json:"pid"`
	Ledger      string    `json:"ledger"`
	Address     string    `json:"address,omitempty"`     // of the HTTP server, once it listens, from this machine
	Certificate string    `json:"certificate,omitempty"` // file of its certificate, with TLS
	Since       time.Time `json:"since"`
}

func holderFile(dir string) string { return filepath.Join(dir, "holder.json") }

// write replaces the note. Whoever writes it has the lock.
func (h *holder) write(dir string) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	tmp := holderFile(dir) + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("note who holds %s: %w", dir, err)
	}
	return os.Rename(tmp, holderFile(dir))
}

// readHolder returns the note in dir, a zero one where there is none.
func readHolder(dir string) holder {
	var h holder
	b, err := os.ReadFile(holderFile(dir))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return holder{}
	}
	return h
}

// explainLock adds to an error about a locked directory who has it.
func explainLock(err error) error {
	var locked *eventstore.LockedError
	if !errors.As(err, &locked) {
		return err
	}
	h := readHolder(locked.Dir)
	if h.PID == 0 {
		return fmt.Errorf("%s is in use by another process; give another directory with --data", locked.Dir)
	}
	at := ""
	if h.Address != "" {
		at = " at " + h.Address
	}
	return fmt.Errorf("%s is in use by process %d, which serves ledger %s%s since %s; stop it, or give another directory with --data",
		locked.Dir, h.PID, h.Ledger, at, h.Since.Local().Format("2006-01-02 15:04:05Z07:00"))
}
