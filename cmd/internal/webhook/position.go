package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// position is how far a webhook has come, as its file has it.
type position struct {
	After    uint64   `json:"after"`    // everything up to this sequence was accepted, or is not for this webhook
	Restarts uint64   `json:"restarts"` // of the times that it was told to send again, how many are done with
	Failing  *failing `json:"failing,omitempty"`
	Last     *attempt `json:"last,omitempty"`
}

// failing is a run of failures without a success.
type failing struct {
	Version  uint64        `json:"version"` // of the webhook that was sent by
	Since    time.Time     `json:"since"`
	Failures int           `json:"failures"`
	For      time.Duration `json:"for"`  // how long it was tried; not while no server ran
	Next     time.Time     `json:"next"` // attempt
}

// attempt is one request to the receiver.
type attempt struct {
	Seq    uint64    `json:"seq"` // of the event
	At     time.Time `json:"at"`
	Status int       `json:"status"`          // of the answer; 0 where none came
	Error  string    `json:"error,omitempty"` // why it was a failure; "" after a success
}

// files are where the positions of a data directory are kept.
type files string

func filesOf(dir string) files { return files(filepath.Join(dir, "webhooks")) }

func (f files) of(webhook domain.Key) string {
	return filepath.Join(string(f), string(webhook)+".json")
}

// read returns the position of a webhook, or nil where it has none.
func (f files) read(webhook domain.Key) (*position, error) {
	text, err := os.ReadFile(f.of(webhook))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var p position
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return nil, fmt.Errorf("position of webhook %s: %w; restore %s, or remove it to have everything sent again", webhook, err, f.of(webhook))
	}
	return &p, nil
}

// write is done when the position is on disk.
func (f files) write(webhook domain.Key, p position) error {
	text, err := json.Marshal(p)
	if err == nil {
		err = durable.WriteFile(f.of(webhook), append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("position of webhook %s: %w", webhook, err)
	}
	return nil
}

// remove forgets a webhook.
func (f files) remove(webhook domain.Key) error {
	if err := os.Remove(f.of(webhook)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("position of webhook %s: %w", webhook, err)
	}
	return nil
}
