package domaintest

import (
	"bytes"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
)

// SigningKey is a key of the fixtures, with its private half.
type SigningKey struct {
	domain.VerifierKey
	signer note.Signer
}

// KeyNumber is the key of that name and number, the same at every call.
func KeyNumber(name string, n byte) SigningKey {
	private, public, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{n}, 32)), name)
	if err != nil {
		panic(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		panic(err)
	}
	return SigningKey{domain.VerifierKey(public), signer}
}

// Sign is the text as a note signed by k.
func (k SigningKey) Sign(text string) domain.SignedNote {
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	if err != nil {
		panic(err)
	}
	return domain.SignedNote(signed)
}

// HandOver is the statement by which k names its successor.
func (k SigningKey) HandOver(next SigningKey) domain.SignedNote {
	return k.Sign(domain.RotationText(k.VerifierKey, next.VerifierKey))
}

// Keys draws commands about the keys of the ledger and of its parties.
var Keys = within(ofKeys)

// ofKeys are commands about a few keys in their order, so that they often fit
// and run out late; now and then one of them comes again, or a statement is of
// another key.
func ofKeys(t *rapid.T) asks {
	number := func(label string) byte { return byte(rapid.IntRange(1, 5).Draw(t, label)) }
	rotation := func(name string) (old, next SigningKey, statement domain.SignedNote) {
		n := number("old")
		old, next = KeyNumber(name, n), KeyNumber(name, n+1)
		signer := old
		switch rapid.IntRange(0, 7).Draw(t, "askew") {
		case 6:
			next = KeyNumber(name, number("new"))
		case 7:
			signer = KeyNumber(name, number("signer"))
		}
		return old, next, signer.Sign(domain.RotationText(old.VerifierKey, next.VerifierKey))
	}
	rotate := func() domain.Command {
		_, next, statement := rotation("witness")
		return party.RotateWitness{Party: signers.Draw(t, "party"), Key: next.VerifierKey, Statement: statement}
	}
	rotateLedger := func() domain.Command {
		old, next, statement := rotation("ledger")
		return keyring.RotateKey{Old: old.VerifierKey, Key: next.VerifierKey, Statement: statement}
	}
	return asks{
		rotate, rotate, rotate, rotateLedger, rotateLedger,
		func() domain.Command {
			return party.RegisterWitness{Party: signers.Draw(t, "party"), Key: KeyNumber("witness", number("key")).VerifierKey}
		},
		func() domain.Command { return party.RetireWitness{Party: signers.Draw(t, "party")} },
	}
}
