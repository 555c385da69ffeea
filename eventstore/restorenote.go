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
)

// restoreNote, in what Restore has not put in its place yet, says of which ledger on
// an external server it is a part.
const restoreNote = "restore.json"

type noteOfRestore struct {
	Ledger string `json:"ledger"`
	ID     string `json:"id"`
}

// finishedOnServer says whether the ledger that an interrupted Restore into the
// directory was to make is on the external server, whole.
func finishedOnServer(ctx context.Context, cfg Config) (bool, error) {
	b, err := os.ReadFile(filepath.Join(cfg.Dir, restoringDir, restoreNote))
	if errors.Is(err, fs.ErrNotExist) || cfg.URL == "" {
		return false, nil
	}
	var n noteOfRestore
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return false, fmt.Errorf("eventstore: what a restore left: %w", err)
	}
	var log *jetstream.StreamConfig
	err = onServer(ctx, Config{Ledger: n.Ledger, URL: cfg.URL, Creds: cfg.Creds, Logger: cfg.Logger}, func(ctx context.Context, s *Store) (err error) {
		log, err = s.configOf(ctx, s.stream)
		return err
	})
	return err == nil && log != nil && markOf(*log) == mark{id: n.ID}, err
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
