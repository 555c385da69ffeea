// Package amendment holds the amendments of an agreement: what the parties
// change in what they signed.
//
//   - An amendment takes effect in the same decision as the last required
//     signature; every signature is of the document that was proposed.
//   - What it changes is written as commands, its clauses. They are carried out
//     when it takes effect, each under the rules of its own aggregate, in one
//     atomic append with the signature: all of them or none.
package amendment

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "amendment"

// States of an amendment; the last three are final.
const (
	Proposed  = "proposed"
	InEffect  = "in-effect"
	Rejected  = "rejected"
	Withdrawn = "withdrawn"
)

// State is what is known of one amendment.
type State struct {
	ID
	Title       domain.Text     `json:"title"`
	Rationale   domain.Text     `json:"rationale"`
	ReasonCode  string          `json:"reason_code"` // of domain.ReasonCodes: why dates move
	Note        string          `json:"note"`
	State       string          `json:"state"`
	ProposedBy  domain.Key      `json:"proposed_by"`
	ProposedOn  domain.Date     `json:"proposed_on"`
	Parties     []domain.Key    `json:"parties"`  // each has to sign
	Document    domain.Hash     `json:"document"` // the new text
	Term        domain.Period   `json:"term"`     // the agreement's from then on; zero where it stays
	Changes     []domain.Clause `json:"changes"`
	EffectiveOn domain.Date     `json:"effective_on"`
	EndedOn     domain.Date     `json:"ended_on"` // rejected or withdrawn

	Signatures domain.List[agreement.Signature] `part:"signature"` // by party
}

// ID names an amendment in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Amendment domain.Key `json:"amendment" required:"true" doc:"Key of the amendment."`
}

// Ref names the amendment as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement, id.Amendment) }

// Ref names the amendment key under an agreement.
func Ref(agreement, key domain.Key) domain.Ref {
	return domain.Ref{Agreement: agreement, Kind: Kind, Key: key}
}

// in refuses unless there is an amendment and its state is wanted.
func (id ID) in(s *State, wanted string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, id.Amendment)
	case s.State == wanted:
		return nil
	}
	return domain.WrongState(Kind, id.Amendment, s.State, "propose another with propose-amendment", wanted)
}

// Aggregate lists the commands and events of amendments.
var Aggregate = domain.NewAggregate[State](Kind, "An amendment of an agreement, with the changes that it makes when it takes effect.",
	[]domain.CommandType{
		domain.CommandOf[State, Propose]("Propose an amendment of an agreement: its new text, and what it changes when each party has signed."),
		domain.CommandOf[State, Sign]("Sign an amendment for a party; the last signature puts it into effect with all that it changes."),
		domain.CommandOf[State, Reject]("Reject an amendment that another party proposed."),
		domain.CommandOf[State, Withdraw]("Withdraw an amendment that the party proposed."),
	},
	[]domain.EventType{
		domain.EventOf[State, AmendmentProposed]("An amendment was proposed."),
		domain.EventOf[State, Signed]("A party signed the amendment."),
		domain.EventOf[State, TookEffect]("Every party has signed: the amendment is in effect."),
		domain.EventOf[State, AmendmentRejected]("A party rejected the amendment."),
		domain.EventOf[State, AmendmentWithdrawn]("The party that proposed the amendment withdrew it."),
	})
