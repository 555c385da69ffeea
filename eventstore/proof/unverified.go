package proof

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// Unverified reads what a checkpoint says, whoever signed it, if anybody did: to
// say of which tree it is when [Open] refuses it.
func Unverified(msg []byte) (Checkpoint, error) {
	_, err := note.Open(msg, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("proof: not a signed note: %w", err)
	}
	return parseCheckpoint(unverified.Note.Text)
}
