package amendment

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Propose is the command propose-amendment. Its reason is a reason code.
type Propose struct {
	Agreement domain.Key      `json:"agreement" required:"true" doc:"Key of the agreement."`
	Amendment domain.Key      `json:"amendment,omitzero" doc:"Key of the amendment, chosen once; a UUID when absent."`
	Title     domain.Text     `json:"title,omitzero" doc:"Title by language."`
	Rationale domain.Text     `json:"rationale" required:"true" doc:"Why the parties amend what they signed, by language."`
	Party     domain.Key      `json:"party" required:"true" doc:"The party of the agreement that proposes it."`
	Document  domain.Hash     `json:"document" required:"true" doc:"SHA-256 of the new text, which each party has to sign."`
	Term      domain.Period   `json:"term,omitzero" doc:"The agreement's term from then on, all of it: without a last day its end is open; its first day stays where absent."`
	Changes   []domain.Clause `json:"changes,omitzero" max:"200" doc:"What it changes when it takes effect, each a command; they hold all together or not at all."`
}

func (Propose) Name() string      { return "propose-amendment" }
func (c Propose) Ref() domain.Ref { return Ref(c.Agreement, c.Amendment) }

// WithKey fills in an absent key of the amendment.
func (c Propose) WithKey(key domain.Key) domain.Command {
	c.Amendment = c.Amendment.Or(key)
	return c
}

// ActingParty is the party in whose name it is asked.
func (c Propose) ActingParty() domain.Key { return c.Party }

// Decide proposes an amendment of an agreement in force. The changes are tried
// as if all had signed today, so that what cannot be is never signed. That they can
// be now binds nobody: they are decided anew when it takes effect.
func (c Propose) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("amendment", c.Amendment); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "amendment", "amendment %q of agreement %q exists; choose another key", c.Amendment, c.Agreement)
	}
	a, err := inForce(in.World, c.Agreement)
	if err != nil {
		return nil, err
	}
	if err := a.RequireParty("party", c.Party); err != nil {
		return nil, err
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if err := in.RequireReasonCode("an amendment"); err != nil {
		return nil, err
	}
	if c.Document == a.Document {
		return nil, domain.Refuse(domain.CodeNothingChanged, "document", "that is the text in force; give the SHA-256 of the new one")
	}
	if c.Term.Start == 0 && c.Term.End != 0 {
		c.Term.Start = a.Term.Start
	}
	if c.Term.End != 0 && c.Term.End < c.Term.Start {
		return nil, domain.Refuse(domain.CodeInvalidValue, "term.end", "the term ends on %s, before it starts on %s", c.Term.End, c.Term.Start)
	}
	e := AmendmentProposed{
		ID: ID{c.Agreement, c.Amendment}, Title: c.Title, Rationale: c.Rationale, ReasonCode: in.Reason, Note: in.Note,
		Party: c.Party, Parties: a.Parties, Document: c.Document, Term: c.Term, Changes: c.Changes, On: in.EffectiveOn(),
	}
	var next State
	e.Apply(&next)
	if _, err := next.carryOut(in.Today, in); err != nil {
		return nil, err
	}
	return []domain.Event{e}, nil
}

// inForce returns the agreement, and refuses unless it has taken effect and
// has not ended. That can cease: what amends it also puts an event on it.
func inForce(w domain.World, key domain.Key) (*agreement.State, error) {
	a, err := agreement.Load(w, "agreement", key)
	if err != nil {
		return nil, err
	}
	force := []string{agreement.StatusActive, agreement.StatusSuspended}
	if !slices.Contains(force, a.State) {
		hint := ""
		if a.EffectiveOn == 0 {
			hint = "change a draft with revise-draft"
		}
		return nil, domain.WrongState(agreement.Kind, key, a.State, hint, force...)
	}
	return a, nil
}

func mustBeParty(parties []domain.Key, party, agreement domain.Key) error {
	if slices.Contains(parties, party) {
		return nil
	}
	return domain.Refuse(domain.CodeWrongParty, "party", "%q is no party of agreement %q; name one that signs it", party, agreement)
}

// AmendmentProposed: the parties may sign the new text, with what it changes.
type AmendmentProposed struct {
	ID
	Title      domain.Text     `json:"title,omitzero" doc:"Title by language."`
	Rationale  domain.Text     `json:"rationale" doc:"Why, by language."`
	ReasonCode string          `json:"reason_code" enum:"scope-change,funding-delay,approval-delay,supplier-delay,technical-difficulty,resource-shortage,dependency-slip,force-majeure,policy-change,accelerated,correction,other" doc:"Why, as a code."`
	Note       string          `json:"note,omitzero" doc:"More words on the reason."`
	Party      domain.Key      `json:"party" doc:"The party that proposes it."`
	Parties    []domain.Key    `json:"parties" doc:"The parties that have to sign."`
	Document   domain.Hash     `json:"document" doc:"SHA-256 of the agreement's text when it is in effect."`
	Term       domain.Period   `json:"term,omitzero" doc:"The term when it is in effect; it stays when absent."`
	Changes    []domain.Clause `json:"changes,omitzero" doc:"The commands that are carried out when it takes effect."`
	On         domain.Date     `json:"on" doc:"The date on which it holds."`
}

func (AmendmentProposed) Type() string { return "milepost.amendment.proposed.v1" }

func (e AmendmentProposed) Apply(s *State) {
	s.ID, s.Title, s.Rationale, s.ReasonCode, s.Note = e.ID, e.Title, e.Rationale, e.ReasonCode, e.Note
	s.ProposedBy, s.ProposedOn, s.Parties = e.Party, e.On, e.Parties
	s.Document, s.Term, s.Changes = e.Document, e.Term, e.Changes
	if s.State == "" { // by effective date, its signing may come before
		s.State = Proposed
	}
}
