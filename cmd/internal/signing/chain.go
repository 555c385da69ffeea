package signing

import (
	"context"
	"fmt"
	"iter"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Log is what is read of a ledger's log.
type Log interface {
	Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error]
	Ledger() string
	Key() string // the first key, "" where the log was made without
}

// Rotation is an event by which one key handed over to the next.
type Rotation struct {
	Seq       uint64             `json:"seq" doc:"Sequence of the event."`
	Old       domain.VerifierKey `json:"old" doc:"The key that handed over."`
	Key       domain.VerifierKey `json:"key" doc:"The key that it handed over to."`
	Statement domain.SignedNote  `json:"statement" doc:"What the old key signed: a note that names both."`
}

// ChainError says that a rotation in the log does not follow from the keys
// before it: the log was tampered with, or its beginning is another ledger's.
type ChainError struct {
	Seq uint64
	Err error
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("signing: the rotation of the key at sequence %d is not sound: %v", e.Seq, e.Err)
}

func (e *ChainError) Unwrap() error { return e.Err }

// Follow checks that each rotation follows from the key before it, first of all
// from first, and returns all keys, the present one last. first may be "" where
// nobody knows better: then the first rotation is taken at its word.
func Follow(first string, rotations []Rotation) (keys []string, err error) {
	if first != "" {
		keys = append(keys, first)
	}
	for _, r := range rotations {
		if len(keys) == 0 {
			keys = append(keys, string(r.Old))
		}
		if present := keys[len(keys)-1]; string(r.Old) != present {
			return nil, &ChainError{Seq: r.Seq, Err: fmt.Errorf("it replaces %s, and the key was %s", r.Old, present)}
		}
		if err := domain.VerifyRotation(r.Old, r.Key, string(r.Statement)); err != nil {
			return nil, &ChainError{Seq: r.Seq, Err: err}
		}
		keys = append(keys, string(r.Key))
	}
	return keys, nil
}

// Chain reads the rotations of a ledger from its log, and follows them from the
// key that the log was made with.
func Chain(ctx context.Context, log Log) (keys []string, rotations []Rotation, err error) {
	for rec, err := range log.Aggregate(ctx, Subject(log.Ledger()), 1) {
		if err != nil {
			return nil, nil, fmt.Errorf("signing: %w", err)
		}
		if rotations, err = AppendRotation(rotations, rec); err != nil {
			return nil, nil, err
		}
	}
	keys, err = Follow(log.Key(), rotations)
	return keys, rotations, err
}

// Subject is that of the events by which the keys of a ledger hand over.
func Subject(ledgerName string) string {
	ref := keyring.Ref()
	return eventstore.Subject(ledgerName, eventstore.LedgerWide, ref.Kind, string(ref.Key))
}

// AppendRotation reads a record with that subject.
func AppendRotation(rotations []Rotation, rec eventstore.Record) ([]Rotation, error) {
	_, event, err := catalogue.Decode(rec.Data)
	if err != nil {
		return nil, &ChainError{Seq: rec.Seq, Err: err}
	}
	if e, ok := event.(keyring.KeyRotated); ok {
		rotations = append(rotations, Rotation{Seq: rec.Seq, Old: e.Old, Key: e.Key, Statement: e.Statement})
	}
	return rotations, nil
}
