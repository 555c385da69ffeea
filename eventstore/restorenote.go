package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// restoreNote, in what Restore has not put in its place yet, says of which ledger on
// an external server it is a part. Without that server nobody can tell whether the
// ledger is whole, so what lies beside a note is thrown away only when the log's stream
// says of this very Restore that it has not ended.
const restoreNote = "restore.json"

type noteOfRestore struct {
	Ledger string `json:"ledger"`
	ID     string `json:"id"`
	Server string `json:"server,omitempty"` // its address, without a user
}

// writeNote is called when the stream is there, so a note without one is no Restore
// that was killed before it had made it.
func (r *Restoring) writeNote() error {
	if r.cfg.mark == "" {
		return nil
	}
	note, err := json.Marshal(noteOfRestore{Ledger: r.cfg.Ledger, ID: r.cfg.mark, Server: WithoutUser(r.cfg.URL)})
	if err == nil {
		err = durable.WriteFile(filepath.Join(r.cfg.Dir, restoreNote), note, 0o600)
	}
	if err != nil {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	return nil
}

// checkEnded returns nil when the ledger that an interrupted Restore into the directory
// was to make is on the external server, whole. The error is an *UnfinishedRestoreError
// when there certainly is none, and a *RestoredElsewhereError when this server, or none,
// cannot tell.
func checkEnded(ctx context.Context, cfg Config) error {
	b, err := os.ReadFile(filepath.Join(cfg.Dir, restoringDir, restoreNote))
	if errors.Is(err, fs.ErrNotExist) {
		return &UnfinishedRestoreError{Dir: cfg.Dir}
	}
	var n noteOfRestore
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return fmt.Errorf("eventstore: what a restore left: %w", err)
	}
	elsewhere := &RestoredElsewhereError{Dir: filepath.Join(cfg.Dir, restoringDir), Ledger: n.Ledger, Server: n.Server}
	if cfg.URL == "" {
		return elsewhere
	}
	elsewhere.Asked = WithoutUser(cfg.URL)
	var log *jetstream.StreamConfig
	err = onServer(ctx, Config{Ledger: n.Ledger, URL: cfg.URL, Creds: cfg.Creds, Logger: cfg.Logger}, func(ctx context.Context, s *Store) (err error) {
		log, err = s.configOf(ctx, s.stream)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", elsewhere, err)
	case log != nil && markOf(*log) == mark{id: n.ID}:
		return nil
	case log != nil && markOf(*log) == mark{id: n.ID, unfinished: true}:
		return &UnfinishedRestoreError{Dir: cfg.Dir}
	}
	return elsewhere
}

// onServer connects to an external server for a moment.
func onServer(ctx context.Context, cfg Config, f func(context.Context, *Store) error) error {
	s, err := newStore(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	defer func() { _ = s.release() }() // only connections
	if err := s.connect(ctx); err != nil {
		return err
	}
	return f(ctx, s)
}
