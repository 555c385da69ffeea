package fund

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Commit is the command commit-funds.
type Commit struct {
	ID
	Commitment domain.Key   `json:"commitment,omitzero" doc:"Key of the commitment, chosen once; a UUID when absent."`
	Party      domain.Key   `json:"party" required:"true" doc:"The party that commits itself."`
	Pledge     domain.Key   `json:"pledge,omitzero" doc:"The pledge of that party that it makes good."`
	Value      domain.Money `json:"value" required:"true" doc:"What it is bound to put in."`
}

func (Commit) Name() string { return "commit-funds" }

// ActingParty is the party in whose name it is asked.
func (c Commit) ActingParty() domain.Key { return c.Party }

// WithKey fills in an absent key of the commitment.
func (c Commit) WithKey(key domain.Key) domain.Command {
	c.Commitment = c.Commitment.Or(key)
	return c
}

// Decide commits a registered party to an established fund. A correction
// leaves the reductions as they are, and room for what is disbursed.
func (c Commit) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Established); err != nil {
		return nil, err
	}
	if err := mayRecord(in, "commitment", c.Commitment, s.Commitments.Has(c.Commitment)); err != nil {
		return nil, err
	}
	if _, err := party.Load(in.World, "party", c.Party); err != nil {
		return nil, err
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if c.Pledge != "" {
		switch pledge, ok := s.Pledges.Get(c.Pledge); {
		case !ok:
			return nil, domain.NotFound("pledge", "pledge", c.Pledge)
		case pledge.Party != c.Party:
			return nil, domain.Refuse(domain.CodeWrongParty, "pledge", "pledge %q is of %q; name one of %q, or none", c.Pledge, pledge.Party, c.Party)
		}
	}
	if err := s.takes(c.Value); err != nil {
		return nil, err
	}
	was, _ := s.Commitments.Get(c.Commitment)
	if least := s.Disbursed(c.Commitment).Add(was.Reduced); c.Value.Amount.Cmp(least) < 0 {
		return nil, domain.Refuse(domain.CodeAmountExceeded, "value.amount", "%s is less than the %s that commitment %q was reduced by and has disbursed; give at least that",
			c.Value, domain.Money{Amount: least, Currency: s.Currency}, c.Commitment)
	}
	return []domain.Event{FundsCommitted{c.ID, c.Commitment, c.Party, c.Pledge, c.Value, in.EffectiveOn()}}, nil
}

// Disbursed returns the sum of what is disbursed of a commitment.
func (s *State) Disbursed(commitment domain.Key) domain.Decimal {
	sum := domain.Decimal("0")
	for _, d := range s.Disbursements.All() {
		if d.Commitment == commitment {
			sum = sum.Add(d.Amount)
		}
	}
	return sum
}

// FundsCommitted: Party is bound since On to put Value in.
type FundsCommitted struct {
	ID
	Commitment domain.Key   `json:"commitment" doc:"Key of the commitment."`
	Party      domain.Key   `json:"party" doc:"The party that puts the funds in."`
	Pledge     domain.Key   `json:"pledge,omitzero" doc:"The pledge that it is made of."`
	Value      domain.Money `json:"value" doc:"The amount."`
	On         domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (FundsCommitted) Type() string { return "milepost.fund.funds-committed.v1" }

func (e FundsCommitted) Apply(s *State) {
	s.ID, s.Currency = e.ID, e.Value.Currency
	was, _ := s.Commitments.Get(e.Commitment)
	s.Commitments = s.Commitments.With(e.Commitment, Commitment{
		Party: e.Party, Pledge: e.Pledge, Amount: e.Value.Amount.Sub(was.Reduced), Reduced: was.Reduced, On: e.On,
	})
}

// ReduceCommitment is the command reduce-commitment.
type ReduceCommitment struct {
	ID
	Commitment domain.Key   `json:"commitment" required:"true" doc:"Key of the commitment."`
	Value      domain.Money `json:"value" required:"true" doc:"By how much."`
}

func (ReduceCommitment) Name() string { return "reduce-commitment" }

// Decide reduces a commitment by a part of what is not disbursed of it, for a
// reason.
func (c ReduceCommitment) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Established); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a reduction"); err != nil {
		return nil, err
	}
	commitment, ok := s.Commitments.Get(c.Commitment)
	if !ok {
		return nil, domain.NotFound("commitment", "commitment", c.Commitment)
	}
	if err := s.takes(c.Value); err != nil {
		return nil, err
	}
	if err := notMoreThan(commitment.Amount.Sub(s.Disbursed(c.Commitment)), c.Value, "commitment", c.Commitment); err != nil {
		return nil, err
	}
	return []domain.Event{CommitmentReduced{c.ID, c.Commitment, c.Value, in.EffectiveOn()}}, nil
}

// CommitmentReduced: the commitment is less by Value since On.
type CommitmentReduced struct {
	ID
	Commitment domain.Key   `json:"commitment" doc:"Key of the commitment."`
	Value      domain.Money `json:"value" doc:"The amount by which it is reduced."`
	On         domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (CommitmentReduced) Type() string { return "milepost.fund.commitment-reduced.v1" }

func (e CommitmentReduced) Apply(s *State) {
	s.ID, s.Currency = e.ID, e.Value.Currency
	c, _ := s.Commitments.Get(e.Commitment)
	c.Amount, c.Reduced = c.Amount.Sub(e.Value.Amount), c.Reduced.Add(e.Value.Amount)
	s.Commitments = s.Commitments.With(e.Commitment, c)
}
