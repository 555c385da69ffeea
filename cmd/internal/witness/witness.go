package witness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Ledger is what a witness asks of the ledger that it watches.
type Ledger interface {
	// Keys returns the ledger's keys, the first one first, and how each handed
	// over to the next.
	Keys(ctx context.Context) (keys []string, rotations []signing.Rotation, err error)
	// Grown returns a checkpoint of the tree of an agreement, "" for the
	// ledger's, and the proof that it begins with the tree of from leaves.
	// Whoever has fewer leaves returns the checkpoint and no proof.
	Grown(ctx context.Context, agreement string, from uint64) (note []byte, hashes tlog.TreeProof, err error)
	// HandIn gives the ledger a countersigned checkpoint.
	HandIn(ctx context.Context, note []byte) error
}

// Witness countersigns for one party.
type Witness struct {
	memory   memory
	cosigner *proof.Cosigner
	ledger   Ledger
	trusted  string // key of the ledger, "" for the first one met
}

// New returns a witness that remembers in dir. trusted is the verifier key that
// the party was given for the ledger; "" takes the one that it remembers, or the
// first one it meets.
func New(dir string, cosigner *proof.Cosigner, ledger Ledger, trusted string) *Witness {
	return &Witness{memory: memory{dir}, cosigner: cosigner, ledger: ledger, trusted: trusted}
}

// Cosigned is what a countersignature came to.
type Cosigned struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`   // leaves of the tree that was countersigned
	Before uint64 `json:"before"` // leaves of the tree that it was found to begin with; 0 at first
	Root   string `json:"root"`
}

// ConflictError says that the ledger has shown two checkpoints that cannot both
// be true. Err is a *proof.ForkError or a *proof.RollbackError.
type ConflictError struct {
	Err   error
	Files []string // both checkpoints, as the ledger signed them; one where it is the first that was seen
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v; nothing was countersigned, and what the ledger signed is kept as evidence in %s", e.Err, strings.Join(e.Files, " and "))
}

func (e *ConflictError) Unwrap() error { return e.Err }

// KeyError says that the ledger's keys do not follow from the one that the party
// trusts, or that it signs with one that it gave up.
type KeyError struct {
	Trusted, Shown string
	What           string // in words
}

func (e *KeyError) Error() string { return e.What }

func foreignKey(trusted, shown string) error {
	return &KeyError{trusted, shown, fmt.Sprintf("the ledger shows the key %s, which does not follow from the one that was trusted, %s: ask the operator how that came about, and do not go on before", shown, trusted)}
}

// Cosign looks at a tree, that of an agreement or with "" the ledger's, and
// countersigns and hands in its newest checkpoint.
func (w *Witness) Cosign(ctx context.Context, agreement string) (c Cosigned, err error) {
	unlock, err := w.memory.lock(ctx)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	keys, err := w.keys(ctx)
	if err != nil {
		return c, err
	}
	verifiers, err := proof.Verifiers(keys...)
	if err != nil {
		return c, err
	}
	ledger, _, err := proof.ParseOrigin(verifiers[0].Name())
	if err != nil {
		return c, err
	}
	origin := proof.Origin(ledger, agreement)
	var before proof.Signed
	if msg, err := read(w.memory.checkpointFile(origin)); err != nil {
		return c, fmt.Errorf("read the last checkpoint: %w", err)
	} else if msg != nil {
		if before, err = proof.Open(msg, verifiers); err != nil {
			return c, fmt.Errorf("%s: %w", w.memory.checkpointFile(origin), err)
		}
	}
	msg, hashes, err := w.ledger.Grown(ctx, agreement, before.Size)
	if err != nil {
		return c, err
	}
	now, err := proof.Open(msg, verifiers)
	if err != nil {
		return c, err
	}
	if before.Note == nil { // the empty tree, with which every tree begins
		before.Checkpoint = proof.Checkpoint{Origin: origin, Root: proof.EmptyRoot}
	}
	if err := proof.CheckConsistency(before.Checkpoint, now.Checkpoint, hashes); err != nil {
		return c, w.conflict(before, now, err)
	}
	// Who took a key that was given up can sign with it for ever.
	if before.Note != nil && place(verifiers, now) < place(verifiers, before) {
		return c, &KeyError{before.Key, now.Key, fmt.Sprintf("the ledger signs with %s, which it gave up for %s: somebody else may have the old key; ask the operator, and do not go on before", now.Key, before.Key)}
	}
	countersigned, err := w.cosigner.Cosign(proof.Signed{Checkpoint: now.Checkpoint, Note: now.Bare()})
	if err != nil {
		return c, err
	}
	if err := w.memory.write(w.memory.checkpointFile(origin), countersigned); err != nil {
		return c, fmt.Errorf("remember the checkpoint: %w", err)
	}
	c = Cosigned{Origin: origin, Size: now.Size, Before: before.Size, Root: now.Root.String()}
	return c, w.ledger.HandIn(ctx, countersigned)
}

// place is that of the key that signed a checkpoint, among those of the ledger.
func place(keys []note.Verifier, s proof.Signed) int {
	return slices.IndexFunc(keys, func(k note.Verifier) bool { return s.Key == proof.KeyName(k.Name(), k.KeyHash()) })
}

// conflict keeps what proves it.
func (w *Witness) conflict(before, now proof.Signed, cause error) error {
	files, err := w.memory.keepConflict(before.Origin, before.Size, now.Size, before.Note, now.Note)
	return errors.Join(&ConflictError{Err: cause, Files: files}, err)
}

// keys are those of the ledger from the trusted one on. The first time, that is
// remembered.
func (w *Witness) keys(ctx context.Context) ([]string, error) {
	shown, rotations, err := w.ledger.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if len(shown) == 0 {
		return nil, errors.New("the ledger shows no key")
	}
	present := shown[len(shown)-1]
	remembered, err := read(w.memory.keyFile())
	if err != nil {
		return nil, err
	}
	trusted := w.trusted
	if remembered != nil {
		known, err := proof.ReadKey(remembered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.memory.keyFile(), err)
		}
		if trusted != "" && trusted != known {
			return nil, &KeyError{known, trusted, fmt.Sprintf("the key that is given, %s, is not the one that is remembered in %s, %s: give that one, or another directory with --state for another ledger", trusted, w.memory.keyFile(), known)}
		}
		trusted = known
	}
	if trusted == "" {
		trusted = shown[0]
	}
	for len(rotations) > 0 && string(rotations[0].Old) != trusted {
		rotations = rotations[1:] // of keys before the trusted one
	}
	keys, err := signing.Follow(trusted, rotations)
	if err != nil {
		return nil, err
	}
	if keys[len(keys)-1] != present {
		return nil, foreignKey(trusted, present)
	}
	if remembered == nil {
		if err := w.memory.write(w.memory.keyFile(), []byte(trusted+"\n")); err != nil {
			return nil, fmt.Errorf("remember the ledger's key: %w", err)
		}
	}
	return keys, nil
}
