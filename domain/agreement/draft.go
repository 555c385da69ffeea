package agreement

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Draft is the command draft-agreement.
type Draft struct {
	Agreement domain.Key    `json:"agreement,omitzero" doc:"Key of the agreement, chosen once; a UUID when absent."`
	Kind      string        `json:"kind" required:"true" enum:"framework,subsidiary,supplement" doc:"A framework, or a subsidiary or supplement under a parent."`
	Title     domain.Text   `json:"title" required:"true" doc:"Title by language."`
	Parties   []domain.Key  `json:"parties" required:"true" min:"2" doc:"The parties that have to sign."`
	Document  domain.Hash   `json:"document,omitzero" doc:"SHA-256 of the text to be signed; needed before consultation opens."`
	Parent    domain.Key    `json:"parent,omitzero" doc:"The agreement under which it stands."`
	Renews    domain.Key    `json:"renews,omitzero" doc:"The agreement that it is to renew."`
	Term      domain.Period `json:"term,omitzero" doc:"First and last day of the term."`
}

func (Draft) Name() string      { return "draft-agreement" }
func (c Draft) Ref() domain.Ref { return Ref(c.Agreement) }

// WithKey fills in an absent key of the agreement.
func (c Draft) WithKey(key domain.Key) domain.Command {
	c.Agreement = c.Agreement.Or(key)
	return c
}

// Decide drafts the agreement unless the key is taken or it names what does
// not exist.
func (c Draft) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("agreement", c.Agreement); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "agreement", "agreement %q exists; change a draft with revise-draft", c.Agreement)
	}
	if c.Parent == "" && c.Kind != KindFramework {
		return nil, domain.Refuse(domain.CodeMissingField, "parent", "a %s names the agreement under which it stands", c.Kind)
	}
	if err := checkTerms(in.World, c.Parties, c.Parent, c.Renews, c.Term); err != nil {
		return nil, err
	}
	return []domain.Event{Drafted{
		ID: ID{c.Agreement}, Kind: c.Kind, Title: c.Title, Parties: c.Parties, Document: c.Document,
		Parent: c.Parent, Renews: c.Renews, Term: c.Term,
	}}, nil
}

// checkTerms refuses terms that contradict themselves or name what does not
// exist. Parties and agreements never cease to exist once they do.
func checkTerms(w domain.World, parties []domain.Key, parent, renews domain.Key, term domain.Period) error {
	if term.End != 0 && term.End < term.Start {
		return domain.Refuse(domain.CodeInvalidValue, "term.end", "the term ends on %s, before it starts on %s", term.End, term.Start)
	}
	if err := domain.Distinct("parties", parties); err != nil {
		return err
	}
	for _, p := range parties {
		if _, err := party.Load(w, "parties", p); err != nil {
			return err
		}
	}
	if parent != "" {
		if _, err := Load(w, "parent", parent); err != nil {
			return err
		}
	}
	if renews != "" {
		if _, err := Load(w, "renews", renews); err != nil {
			return err
		}
	}
	return nil
}

// Drafted: an agreement exists from now on, signed by nobody.
type Drafted struct {
	ID
	Kind     string        `json:"kind" enum:"framework,subsidiary,supplement" doc:"What kind it is."`
	Title    domain.Text   `json:"title" doc:"Title by language."`
	Parties  []domain.Key  `json:"parties" doc:"The parties that have to sign."`
	Document domain.Hash   `json:"document,omitzero" doc:"SHA-256 of the text that is signed."`
	Parent   domain.Key    `json:"parent,omitzero" doc:"The agreement under which it stands."`
	Renews   domain.Key    `json:"renews,omitzero" doc:"The agreement that it renews."`
	Term     domain.Period `json:"term,omitzero" doc:"First and last day of the term."`
}

func (Drafted) Type() string { return "milepost.agreement.drafted.v1" }

func (e Drafted) Apply(s *State) {
	s.ID, s.Kind, s.Title, s.Parties, s.Document = e.ID, e.Kind, e.Title, e.Parties, e.Document
	s.Parent, s.Renews, s.Term = e.Parent, e.Renews, e.Term
	if s.State == "" { // by effective date, its signing may come before
		s.State = StatusDrafted
	}
}

// Revise is the command revise-draft; what is absent stays as it is. Kind and
// parent are chosen once, so that agreements form a tree by construction.
type Revise struct {
	ID
	Title    domain.Text   `json:"title,omitzero" doc:"New title by language."`
	Parties  []domain.Key  `json:"parties,omitzero" doc:"All the parties that have to sign from now on, at least two."`
	Document domain.Hash   `json:"document,omitzero" doc:"SHA-256 of the new text."`
	Renews   domain.Key    `json:"renews,omitzero" doc:"New agreement that it is to renew."`
	Term     domain.Period `json:"term,omitzero" doc:"New term."`
}

func (Revise) Name() string { return "revise-draft" }

// Decide revises what is not in effect yet. Who signed another document, or
// with other parties, has to sign again.
func (c Revise) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusDrafted, StatusUnderConsultation); err != nil {
		return nil, err
	}
	if n := len(c.Parties); n == 1 {
		return nil, domain.Refuse(domain.CodeInvalidValue, "parties", "1 entry, want at least 2: give all the parties that have to sign")
	}
	if c.Renews == c.Agreement {
		return nil, domain.Refuse(domain.CodeInvalidValue, "renews", "an agreement cannot renew itself; name the earlier one")
	}
	if err := checkTerms(in.World, c.Parties, "", c.Renews, c.Term); err != nil {
		return nil, err
	}
	if err := s.mayLose(c.Parties); err != nil {
		return nil, err
	}
	e := DraftRevised{ID: c.ID, Title: c.Title, Parties: c.Parties, Document: c.Document, Renews: c.Renews, Term: c.Term}
	next := *s
	e.Apply(&next)
	changed := false
	domain.Diff(s, &next, func(domain.Change) { changed = true })
	if !changed {
		return nil, domain.Refuse(domain.CodeNothingChanged, "", "agreement %q is so already", c.Agreement)
	}
	if next.Document != s.Document || !slices.Equal(next.Parties, s.Parties) {
		for p, signature := range s.Signatures.All() {
			if signature.Date != 0 {
				e.Voided = append(e.Voided, p)
			}
		}
	}
	return []domain.Event{e}, nil
}

// mayLose refuses other parties, where there are any, when one that they leave
// out is named in what the agreement sets up.
func (s *State) mayLose(parties []domain.Key) error {
	if len(parties) == 0 {
		return nil
	}
	for _, p := range s.Parties {
		if slices.Contains(parties, p) {
			continue
		}
		if path, named := s.namedBy(p); named {
			return domain.Refuse(domain.CodeWrongParty, "parties",
				"%s names %q; change or dissolve the mechanism, or waive the obligation, before the party leaves the draft", path, p)
		}
	}
	return nil
}

// DraftRevised: what is not zero replaced what was there, and the signatures
// of the parties in Voided are void.
type DraftRevised struct {
	ID
	Title    domain.Text   `json:"title,omitzero" doc:"New title by language."`
	Parties  []domain.Key  `json:"parties,omitzero" doc:"The parties that have to sign."`
	Document domain.Hash   `json:"document,omitzero" doc:"SHA-256 of the text that is signed."`
	Renews   domain.Key    `json:"renews,omitzero" doc:"The agreement that it renews."`
	Term     domain.Period `json:"term,omitzero" doc:"First and last day of the term."`
	Voided   []domain.Key  `json:"voided,omitzero" doc:"The parties whose signatures are void by it."`
}

func (DraftRevised) Type() string { return "milepost.agreement.draft-revised.v1" }

func (e DraftRevised) Apply(s *State) {
	s.ID = e.ID
	if len(e.Title) > 0 {
		s.Title = e.Title
	}
	if len(e.Parties) > 0 {
		s.Parties = e.Parties
	}
	if e.Document != "" {
		s.Document = e.Document
	}
	s.Renews = e.Renews.Or(s.Renews)
	if e.Term != (domain.Period{}) {
		s.Term = e.Term
	}
	for _, p := range e.Voided {
		s.Signatures = s.Signatures.With(p, Signature{})
	}
}

// OpenConsultation is the command open-consultation.
type OpenConsultation struct{ ID }

func (OpenConsultation) Name() string { return "open-consultation" }

// Decide opens the consultation once there is a text to consult on.
func (c OpenConsultation) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusDrafted); err != nil {
		return nil, err
	}
	if s.Document == "" {
		return nil, domain.Refuse(domain.CodeMissingField, "document", "agreement %q has no text yet; give its SHA-256 with revise-draft", c.Agreement)
	}
	return []domain.Event{ConsultationOpened(c)}, nil
}

// ConsultationOpened: the parties consult on the draft and may sign it.
type ConsultationOpened struct{ ID }

func (ConsultationOpened) Type() string { return "milepost.agreement.consultation-opened.v1" }

func (e ConsultationOpened) Apply(s *State) { s.ID, s.State = e.ID, StatusUnderConsultation }
