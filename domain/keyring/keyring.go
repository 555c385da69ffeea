// Package keyring holds the keys with which the ledger itself signs its
// checkpoints. There is one keyring a ledger, and no event that begins it: the
// first key comes from outside the log. The ledger announces it, and the parties
// take it down where nobody can change it for them. From there on the log leads
// to every later key, since each named its successor in a statement that it
// signed and that stands in the event: a forger of the log would need the first
// key as well. A key that was given up never comes back.
package keyring

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "keyring"

// Ref names the keyring of the ledger.
func Ref() domain.Ref { return domain.Ref{Kind: Kind, Key: "ledger"} }

// State is what is known of the ledger's keys: nothing before the first
// rotation.
type State struct {
	First     domain.VerifierKey   `json:"first"`
	Current   domain.VerifierKey   `json:"current"`
	Former    []domain.VerifierKey `json:"former" diff:"-"`    // all before Current, First foremost
	Statement domain.SignedNote    `json:"statement" diff:"-"` // proves Current
}

// Aggregate lists the commands and events of the keyring.
var Aggregate = domain.NewAggregate[State](Kind, "The keys with which the ledger signs its checkpoints.",
	[]domain.CommandType{
		domain.CommandOf[State, RotateKey]("Replace the key with which the ledger signs, by a statement that the old key signed."),
	},
	[]domain.EventType{
		domain.EventOf[State, KeyRotated]("The ledger replaced the key with which it signs, by a statement that the old one signed."),
	})

// CodeStaleKey refuses to replace a key that is not the present one.
const CodeStaleKey = "stale-key"

// RotateKey is the command rotate-key.
type RotateKey struct {
	Old       domain.VerifierKey `json:"old" required:"true" doc:"Verifier key that is replaced: the present one; at the first rotation that which the ledger has signed with until now."`
	Key       domain.VerifierKey `json:"key" required:"true" doc:"Verifier key that replaces it, under the same name."`
	Statement domain.SignedNote  `json:"statement" required:"true" doc:"Note signed by the old key, of three lines: milepost/key-rotation/v1, the old key, the new one."`
}

func (RotateKey) Name() string    { return "rotate-key" }
func (RotateKey) Ref() domain.Ref { return Ref() }

// Decide replaces the key when the key itself says so. The first rotation
// replaces the key that the log was made with; where that is not known, it is
// taken at its word, and whoever knows the first key sees whether it is the one.
func (c RotateKey) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if s == nil && in.SigningKey != "" && c.Old != in.SigningKey {
		return nil, domain.Refuse(CodeStaleKey, "old", "the present key is %s; have that sign the statement", in.SigningKey)
	}
	if s != nil {
		if c.Old != s.Current {
			return nil, domain.Refuse(CodeStaleKey, "old", "the present key is %s; have that sign the statement", s.Current)
		}
		if err := c.Key.NotAmong(s.Former); err != nil {
			return nil, err
		}
	}
	if err := domain.VerifyRotation(c.Old, c.Key, string(c.Statement)); err != nil {
		return nil, err
	}
	return []domain.Event{KeyRotated(c)}, nil
}

// KeyRotated: the ledger signs with Key, no longer with Old, by the Statement
// that Old signed; see [domain.VerifyRotation].
type KeyRotated struct {
	Old       domain.VerifierKey `json:"old" doc:"The verifier key that it replaces."`
	Key       domain.VerifierKey `json:"key" doc:"Verifier key of the ledger's signatures from now on."`
	Statement domain.SignedNote  `json:"statement" doc:"The statement of the rotation: a note of three lines signed with the old key."`
}

func (KeyRotated) Type() string    { return "milepost.keyring.key-rotated.v1" }
func (KeyRotated) Ref() domain.Ref { return Ref() }

func (e KeyRotated) Apply(s *State) {
	if s.First == "" {
		s.First = e.Old
	}
	s.Current, s.Statement = e.Key, e.Statement
	s.Former = append(slices.Clip(s.Former), e.Old)
}
