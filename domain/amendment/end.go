package amendment

import "github.com/milepost-ledger/milepost/domain"

// Reject is the command reject-amendment.
type Reject struct {
	ID
	Party domain.Key `json:"party" required:"true" doc:"The party that will not sign it."`
}

func (Reject) Name() string { return "reject-amendment" }

// ActingParty is the party in whose name it is asked.
func (c Reject) ActingParty() domain.Key { return c.Party }

// Decide lets a party reject what another proposed, for a reason.
func (c Reject) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Proposed); err != nil {
		return nil, err
	}
	if err := mustBeParty(s.Parties, c.Party, c.Agreement); err != nil {
		return nil, err
	}
	if c.Party == s.ProposedBy {
		return nil, domain.Refuse(domain.CodeWrongParty, "party", "%q proposed it; it takes it back with withdraw-amendment", c.Party)
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a rejection"); err != nil {
		return nil, err
	}
	return []domain.Event{AmendmentRejected{c.ID, c.Party, in.EffectiveOn()}}, nil
}

// AmendmentRejected: Party will not sign, so it never takes effect.
type AmendmentRejected struct {
	ID
	Party domain.Key  `json:"party" doc:"The party that rejected it."`
	On    domain.Date `json:"on" doc:"The date on which it holds."`
}

func (AmendmentRejected) Type() string     { return "milepost.amendment.rejected.v1" }
func (e AmendmentRejected) Apply(s *State) { s.ID, s.State, s.EndedOn = e.ID, Rejected, e.On }

// Withdraw is the command withdraw-amendment.
type Withdraw struct {
	ID
	Party domain.Key `json:"party" required:"true" doc:"The party that proposed it."`
}

func (Withdraw) Name() string { return "withdraw-amendment" }

// ActingParty is the party in whose name it is asked.
func (c Withdraw) ActingParty() domain.Key { return c.Party }

// Decide lets the party that proposed it take it back, for a reason.
func (c Withdraw) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Proposed); err != nil {
		return nil, err
	}
	if c.Party != s.ProposedBy {
		return nil, domain.Refuse(domain.CodeWrongParty, "party", "%q proposed it and can withdraw it; another party rejects it with reject-amendment", s.ProposedBy)
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a withdrawal"); err != nil {
		return nil, err
	}
	return []domain.Event{AmendmentWithdrawn{c.ID, c.Party, in.EffectiveOn()}}, nil
}

// AmendmentWithdrawn: the party that proposed it took it back.
type AmendmentWithdrawn struct {
	ID
	Party domain.Key  `json:"party" doc:"The party that proposed it."`
	On    domain.Date `json:"on" doc:"The date on which it holds."`
}

func (AmendmentWithdrawn) Type() string     { return "milepost.amendment.withdrawn.v1" }
func (e AmendmentWithdrawn) Apply(s *State) { s.ID, s.State, s.EndedOn = e.ID, Withdrawn, e.On }
