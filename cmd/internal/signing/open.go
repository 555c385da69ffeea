package signing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/eventstore/durable"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// next is where the new key lies while a rotation is under way.
func next(file string) string { return file + ".next" }

// Prepare returns the key in file, and makes one for a ledger where there is
// none: before its log is opened, because that records the public half of it.
// made tells that it was made now.
func Prepare(file, ledgerName string) (k Key, made bool, err error) {
	k, err = ReadKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, false, err
	}
	k, err = NewKey(file, proof.Origin(ledgerName, ""))
	return k, true, err
}

// WrongKeyError says that a key is not the one with which the ledger signs at
// present.
type WrongKeyError struct{ File, Has, Want string }

func (e *WrongKeyError) Error() string {
	return fmt.Sprintf("the ledger signs with %s, and %s holds %s: give the right key with --key", e.Want, e.File, e.Has)
}

// MissingKeyError says that the key of a ledger that has one is not there.
type MissingKeyError struct{ File, Want string }

func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("the ledger signs with %s, and its key is not in %s: put it back from where you keep a copy, or say where it is with --key", e.Want, e.File)
}

// Match checks that k, which Prepare returned, is the present key of the opened
// log, finishes a rotation that was interrupted, and returns the key to sign
// with and those before it.
func Match(ctx context.Context, log Log, k Key, made bool) (present Key, former []string, err error) {
	keys, _, err := Chain(ctx, log)
	if err != nil {
		return k, nil, err
	}
	if len(keys) == 0 { // the log was made without a key
		keys = []string{k.Public}
	}
	want := keys[len(keys)-1]
	former = keys[:len(keys)-1]
	if made && k.Public != want { // by mistake: there is one already
		return k, nil, errors.Join(&MissingKeyError{File: k.File, Want: want}, os.Remove(k.File))
	}
	if k.Public == want {
		return k, former, putAside(k.File)
	}
	successor, err := ReadKey(next(k.File))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && successor.Public != want:
		return k, nil, &WrongKeyError{File: k.File, Has: k.Public, Want: want}
	case err != nil:
		return k, nil, err
	}
	// The event is in the log, and the file was not put in place.
	if err := successor.replace(k.File); err != nil {
		return k, nil, err
	}
	successor.File = k.File
	return successor, former, nil
}

// putAside renames what was to replace the key in file and of which no event has
// come. It is not deleted: of an
// append whose answer was lost, one may come yet.
func putAside(file string) error {
	k, err := ReadKey(next(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	name := file + ".unused"
	if err == nil {
		name += "-" + domain.VerifierKey(k.Public).ID()
	}
	if err := os.Rename(next(file), name); err != nil {
		return fmt.Errorf("put a key aside that was not used: %w", err)
	}
	return nil
}

// replace puts the key in the place of another.
func (k Key) replace(file string) error {
	if err := os.Rename(k.File, file); err != nil {
		return fmt.Errorf("put the new key in its place: %w", err)
	}
	return durable.SyncDir(filepath.Dir(file))
}

// Statement is what a key signs to hand over to another one.
func Statement(old Key, key domain.VerifierKey) (domain.SignedNote, error) {
	signer, err := note.NewSigner(old.Secret)
	if err != nil {
		return "", errors.New("signing: the old key cannot sign") // the key must not be in an error
	}
	msg, err := note.Sign(&note.Note{Text: domain.RotationText(domain.VerifierKey(old.Public), key)}, signer)
	return domain.SignedNote(msg), err
}

// Rotate replaces the ledger's key by a new one, and returns that. The new key
// is on disk before its event is in the log, and takes the old one's place
// after it.
func Rotate(ctx context.Context, l *ledger.Ledger, old Key, meta domain.Meta) (Key, ledger.Receipt, error) {
	name := domain.VerifierKey(old.Public).Name()
	k, err := NewKey(next(old.File), name)
	if err != nil {
		return Key{}, ledger.Receipt{}, err
	}
	statement, err := Statement(old, domain.VerifierKey(k.Public))
	if err != nil {
		return Key{}, ledger.Receipt{}, err
	}
	receipt, err := l.Execute(ctx, ledger.Request{Meta: meta, Command: keyring.RotateKey{
		Old: domain.VerifierKey(old.Public), Key: domain.VerifierKey(k.Public), Statement: statement,
	}})
	if err != nil { // if it is in the log after all, the next start sees it
		return Key{}, receipt, err
	}
	err = k.replace(old.File)
	k.File = old.File
	return k, receipt, err
}
