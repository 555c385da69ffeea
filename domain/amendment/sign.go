package amendment

import (
	"errors"
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Sign is the command sign-amendment.
type Sign struct {
	ID
	Party     domain.Key  `json:"party" required:"true" doc:"The party that signs."`
	Signatory string      `json:"signatory" required:"true" max:"200" doc:"The person who signs for it."`
	Date      domain.Date `json:"date" required:"true" doc:"Date of the signature."`
	Document  domain.Hash `json:"document" required:"true" doc:"SHA-256 of the text that is signed."`
}

func (Sign) Name() string { return "sign-amendment" }

// ActingParty is the party in whose name it is asked.
func (c Sign) ActingParty() domain.Key { return c.Party }

// Decide takes each party's signature of the proposed document once. The last
// one puts the amendment into effect, with all that it changes, in the same
// decision; where a change has become impossible since it was proposed, that
// signature is refused and nothing has changed.
func (c Sign) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Proposed); err != nil {
		if s != nil && s.State == InEffect && c.Document == s.Document && s.Signatures.Has(c.Party) {
			return nil, c.twice(s)
		}
		return nil, err
	}
	if _, err := inForce(in.World, c.Agreement); err != nil {
		return nil, err
	}
	if err := mustBeParty(s.Parties, c.Party, c.Agreement); err != nil {
		return nil, err
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if c.Document != s.Document {
		return nil, domain.Refuse(agreement.CodeHashMismatch, "document", "the text to be signed is %s; sign that, or withdraw the amendment and propose another", s.Document)
	}
	if s.Signatures.Has(c.Party) {
		return nil, c.twice(s)
	}
	if err := in.NotFuture("date", c.Date); err != nil {
		return nil, err
	}
	events := []domain.Event{Signed(c)}
	last := c.Date
	for _, p := range s.Parties {
		signature, signed := s.Signatures.Get(p)
		if !signed && p != c.Party {
			return events, nil
		}
		last = max(last, signature.Date)
	}
	effects, err := s.carryOut(last, in)
	if err != nil {
		return nil, impossible(err)
	}
	return append(append(events, TookEffect{c.ID, last}), effects...), nil
}

func (c Sign) twice(s *State) error {
	was, _ := s.Signatures.Get(c.Party)
	return was.Twice(c.Party)
}

// impossible says what to do about a change that cannot be made any more.
func impossible(err error) error {
	var r *domain.Rejected
	if !errors.As(err, &r) {
		return err
	}
	return &domain.Rejected{Code: r.Code, Field: r.Field, Message: fmt.Sprintf(
		"this change was possible when it was proposed and is not any more: %s; settle that first, or withdraw the amendment and propose another", r.Message)}
}

// Signed: a party signed the new text.
type Signed struct {
	ID
	Party     domain.Key  `json:"party" doc:"The party that signed."`
	Signatory string      `json:"signatory" doc:"Who signed for the party."`
	Date      domain.Date `json:"date" doc:"The date of the signature."`
	Document  domain.Hash `json:"document" doc:"SHA-256 of the text that is signed."`
}

func (Signed) Type() string { return "milepost.amendment.signed.v1" }

func (e Signed) Apply(s *State) {
	s.ID = e.ID
	s.Signatures = s.Signatures.With(e.Party, agreement.Signature{Signatory: e.Signatory, Date: e.Date, Document: e.Document})
}

// TookEffect: every party has signed, the last of them on On.
type TookEffect struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (TookEffect) Type() string { return "milepost.amendment.took-effect.v1" }

func (e TookEffect) Apply(s *State) { s.ID, s.State, s.EffectiveOn = e.ID, InEffect, e.On }
