package fund

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Propose is the command propose-fund.
type Propose struct {
	Agreement domain.Key   `json:"agreement" required:"true" doc:"Key of the agreement."`
	Fund      domain.Key   `json:"fund,omitzero" doc:"Key of the fund, chosen once; a UUID when absent."`
	Title     domain.Text  `json:"title" required:"true" doc:"Title by language."`
	Target    domain.Money `json:"target,omitzero" doc:"The size that it is to reach; its currency is then the fund's."`
}

func (Propose) Name() string      { return "propose-fund" }
func (c Propose) Ref() domain.Ref { return Ref(c.Agreement, c.Fund) }

// WithKey fills in an absent key of the fund.
func (c Propose) WithKey(key domain.Key) domain.Command {
	c.Fund = c.Fund.Or(key)
	return c
}

// Decide proposes a fund under an agreement in any state: only its
// disbursements wait for the agreement.
func (c Propose) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("fund", c.Fund); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "fund", "fund %q exists under agreement %q; choose another key", c.Fund, c.Agreement)
	}
	if _, err := agreement.Load(in.World, "agreement", c.Agreement); err != nil {
		return nil, err
	}
	if c.Target != (domain.Money{}) {
		if err := domain.RequireAmount("target", c.Target); err != nil {
			return nil, err
		}
	}
	return []domain.Event{Proposed{ID: ID{c.Agreement, c.Fund}, Title: c.Title, Target: c.Target}}, nil
}

// Proposed: the parties explore a fund.
type Proposed struct {
	ID
	Title  domain.Text  `json:"title" doc:"Title by language."`
	Target domain.Money `json:"target,omitzero" doc:"The size that it is to reach."`
}

func (Proposed) Type() string { return "milepost.fund.proposed.v1" }

func (e Proposed) Apply(s *State) {
	s.ID, s.Title = e.ID, e.Title
	if s.State == "" { // by effective date, its establishment may come before
		s.State = Exploring
	}
	if e.Target.Currency != "" {
		s.Currency = e.Target.Currency
		if s.EstablishedOn == 0 || s.TargetSize == "" {
			s.TargetSize = e.Target.Amount
		}
	}
}

// Establish is the command establish-fund.
type Establish struct {
	ID
	Currency   domain.Currency `json:"currency" required:"true" doc:"ISO 4217 code of everything in it."`
	TargetSize domain.Decimal  `json:"target_size,omitzero" doc:"The size that it is to reach; as proposed when absent."`
	Manager    domain.Key      `json:"manager" required:"true" doc:"The party that manages it."`
}

func (Establish) Name() string { return "establish-fund" }

// Decide establishes an explored fund on the effective date, in the currency of
// the amounts that are in it already.
func (c Establish) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Exploring); err != nil {
		return nil, err
	}
	if s.Currency != "" && s.Currency != c.Currency {
		return nil, domain.Refuse(domain.CodeOtherCurrency, "currency", "fund %q has amounts in %s; establish it in that", c.Fund, s.Currency)
	}
	if c.TargetSize != "" {
		if err := domain.RequireAmountIn("target_size", c.TargetSize, c.Currency); err != nil {
			return nil, err
		}
	}
	if _, err := party.Load(in.World, "manager", c.Manager); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	return []domain.Event{FundEstablished{c.ID, c.Currency, c.TargetSize, c.Manager, on}}, nil
}

// FundEstablished: since On funds can be committed.
type FundEstablished struct {
	ID
	Currency   domain.Currency `json:"currency" doc:"The currency that the fund is kept in."`
	TargetSize domain.Decimal  `json:"target_size,omitzero" doc:"The size that it is to reach; it stays when absent."` // none where it stays
	Manager    domain.Key      `json:"manager" doc:"The party that manages it."`
	On         domain.Date     `json:"on" doc:"The date on which it holds."`
}

func (FundEstablished) Type() string { return "milepost.fund.established.v1" }

func (e FundEstablished) Apply(s *State) {
	s.ID, s.State, s.Currency, s.Manager, s.EstablishedOn = e.ID, Established, e.Currency, e.Manager, e.On
	if e.TargetSize != "" {
		s.TargetSize = e.TargetSize
	}
}

// Close is the command close-fund.
type Close struct{ ID }

func (Close) Name() string { return "close-fund" }

// Decide closes a fund, whether it came to be established or not. What was
// disbursed may still be spent.
func (c Close) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Exploring, Established); err != nil {
		return nil, err
	}
	return []domain.Event{FundClosed{c.ID, in.EffectiveOn()}}, nil
}

// FundClosed: nothing more is put in or paid out since On.
type FundClosed struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (FundClosed) Type() string     { return "milepost.fund.closed.v1" }
func (e FundClosed) Apply(s *State) { s.ID, s.State, s.ClosedOn = e.ID, Closed, e.On }
