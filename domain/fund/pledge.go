package fund

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// RecordPledge is the command record-pledge.
type RecordPledge struct {
	ID
	Pledge domain.Key   `json:"pledge,omitzero" doc:"Key of the pledge, chosen once; a UUID when absent."`
	Party  domain.Key   `json:"party" required:"true" doc:"The party that pledges."`
	Value  domain.Money `json:"value" required:"true" doc:"What it means to put in."`
}

func (RecordPledge) Name() string { return "record-pledge" }

// ActingParty is the party in whose name it is asked.
func (c RecordPledge) ActingParty() domain.Key { return c.Party }

// WithKey fills in an absent key of the pledge.
func (c RecordPledge) WithKey(key domain.Key) domain.Command {
	c.Pledge = c.Pledge.Or(key)
	return c
}

// Decide records a pledge of any registered party, from when the fund is
// explored on. A pledge that a commitment makes good stays with its party.
func (c RecordPledge) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Exploring, Established); err != nil {
		return nil, err
	}
	if err := mayRecord(in, "pledge", c.Pledge, s.Pledges.Has(c.Pledge)); err != nil {
		return nil, err
	}
	if _, err := party.Load(in.World, "party", c.Party); err != nil {
		return nil, err
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	for key, commitment := range s.Commitments.All() {
		if commitment.Pledge == c.Pledge && commitment.Party != c.Party {
			return nil, domain.Refuse(domain.CodeWrongParty, "party", "commitment %q of %q makes this pledge good; name that party, or correct the commitment first", key, commitment.Party)
		}
	}
	if err := s.takes(c.Value); err != nil {
		return nil, err
	}
	return []domain.Event{PledgeRecorded{c.ID, c.Pledge, c.Party, c.Value, in.EffectiveOn()}}, nil
}

// PledgeRecorded: Party meant on On to put Value in.
type PledgeRecorded struct {
	ID
	Pledge domain.Key   `json:"pledge" doc:"Key of the pledge."`
	Party  domain.Key   `json:"party" doc:"The party that puts the funds in."`
	Value  domain.Money `json:"value" doc:"The amount."`
	On     domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (PledgeRecorded) Type() string { return "milepost.fund.pledge-recorded.v1" }

func (e PledgeRecorded) Apply(s *State) {
	s.ID, s.Currency = e.ID, e.Value.Currency
	s.Pledges = s.Pledges.With(e.Pledge, Pledge{Party: e.Party, Amount: e.Value.Amount, On: e.On})
}
