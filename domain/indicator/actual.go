package indicator

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// ReportActual is the command report-actual.
type ReportActual struct {
	PeriodID
	Party     domain.Key     `json:"party" required:"true" doc:"The reporting party of the indicator."`
	Value     domain.Decimal `json:"value,omitzero" doc:"The value reached."`
	Statement domain.Text    `json:"statement,omitzero" doc:"What was reached, by language, where the indicator is qualitative."`
}

func (ReportActual) Name() string { return "report-actual" }

// ActingParty is the party in whose name it is asked.
func (c ReportActual) ActingParty() domain.Key { return c.Party }

// Decide takes the reporter's actual of a period that has begun. It replaces an
// earlier one, which is no longer verified; in a locked period only as a
// correction with a reason.
func (c ReportActual) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	p, err := c.of(s)
	if err != nil {
		return nil, err
	}
	if err := acts(in, c.Party, s.Reporter, "reports"); err != nil {
		return nil, err
	}
	if p.Start > in.Today {
		return nil, domain.Refuse(agreement.CodeNotYet, "period", "period %q begins on %s; report it then", c.Period, p.Start)
	}
	if err := p.mayChange(c.Period, in); err != nil {
		return nil, err
	}
	if err := s.says(c.Value, c.Statement); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	return []domain.Event{ActualReported{c.PeriodID, c.Party, c.Value, c.Statement, on}}, nil
}

// acts refuses any party but the one that does this for the indicator.
func acts(in domain.Input, party, wanted domain.Key, does string) error {
	if party != wanted {
		return domain.Refuse(domain.CodeWrongParty, "party", "it is %q that %s the actuals of this indicator; ask in its name", wanted, does)
	}
	return in.ActsFor(party)
}

// ActualReported: Party says that this was reached; it waits for verification.
type ActualReported struct {
	PeriodID
	Party     domain.Key     `json:"party" doc:"The party that reports."`
	Value     domain.Decimal `json:"value,omitzero" doc:"The actual, of an indicator with numbers."`
	Statement domain.Text    `json:"statement,omitzero" doc:"The actual in words, by language."`
	On        domain.Date    `json:"on" doc:"The date on which it holds."`
}

func (ActualReported) Type() string { return "milepost.indicator.actual-reported.v1" }

func (e ActualReported) Apply(s *State) {
	s.edit(e.PeriodID, func(p Period) Period {
		p.Actual, p.ActualText, p.State, p.ReportedOn, p.VerifiedOn = e.Value, e.Statement, Reported, e.On, 0
		return p
	})
}

// VerifyActual is the command verify-actual.
type VerifyActual struct {
	PeriodID
	Party domain.Key `json:"party" required:"true" doc:"The verifying party of the indicator."`
}

func (VerifyActual) Name() string { return "verify-actual" }

// ActingParty is the party in whose name it is asked.
func (c VerifyActual) ActingParty() domain.Key { return c.Party }

// Decide verifies the actual that waits for it, on the day on which it was
// reported or later: by effective date, a report after the verification would
// leave it waiting for ever.
func (c VerifyActual) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	p, err := c.in(s, Reported)
	if err != nil {
		return nil, err
	}
	if err := acts(in, c.Party, s.Verifier, "verifies"); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	if on < p.ReportedOn {
		return nil, domain.Refuse(domain.CodeInvalidValue, "effective", "the actual of period %q was reported on %s; it cannot have been verified before, on %s", c.Period, p.ReportedOn, on)
	}
	return []domain.Event{ActualVerified{c.PeriodID, c.Party, p.Actual, p.ActualText, on}}, nil
}

// ActualVerified: Party has verified this actual, which is a result since On.
type ActualVerified struct {
	PeriodID
	Party     domain.Key     `json:"party" doc:"The party that verified it."`
	Value     domain.Decimal `json:"value,omitzero" doc:"The actual that was verified, of an indicator with numbers."`
	Statement domain.Text    `json:"statement,omitzero" doc:"The actual that was verified in words, by language."`
	On        domain.Date    `json:"on" doc:"The date on which it holds."`
}

func (ActualVerified) Type() string { return "milepost.indicator.actual-verified.v1" }

func (e ActualVerified) Apply(s *State) {
	s.edit(e.PeriodID, func(p Period) Period {
		p.State, p.VerifiedOn = Verified, e.On
		return p
	})
	if s.FirstVerifiedOn == 0 || e.On < s.FirstVerifiedOn {
		s.FirstVerifiedOn = e.On
	}
}

// ReturnActual is the command return-actual.
type ReturnActual struct {
	PeriodID
	Party domain.Key `json:"party" required:"true" doc:"The verifying party of the indicator."`
}

func (ReturnActual) Name() string { return "return-actual" }

// ActingParty is the party in whose name it is asked.
func (c ReturnActual) ActingParty() domain.Key { return c.Party }

// Decide returns the actual that waits for its verification, for a reason.
func (c ReturnActual) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if _, err := c.in(s, Reported); err != nil {
		return nil, err
	}
	if err := acts(in, c.Party, s.Verifier, "verifies"); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a return"); err != nil {
		return nil, err
	}
	return []domain.Event{ActualReturned(c)}, nil
}

// ActualReturned: Party wants the actual revised.
type ActualReturned struct {
	PeriodID
	Party domain.Key `json:"party" doc:"The party that returned it."`
}

func (ActualReturned) Type() string { return "milepost.indicator.actual-returned.v1" }

func (e ActualReturned) Apply(s *State) {
	s.edit(e.PeriodID, func(p Period) Period {
		p.State = Returned
		return p
	})
}

// LockPeriod is the command lock-period.
type LockPeriod struct{ PeriodID }

func (LockPeriod) Name() string { return "lock-period" }

// Decide locks a period whose actual is verified.
func (c LockPeriod) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	p, err := c.in(s, Verified)
	if err != nil {
		return nil, err
	}
	if p.Locked {
		return nil, domain.Refuse(domain.CodeNothingChanged, "period", "period %q is locked already", c.Period)
	}
	return []domain.Event{PeriodLocked(c)}, nil
}

// PeriodLocked: only a correction with a reason changes the period now.
type PeriodLocked struct{ PeriodID }

func (PeriodLocked) Type() string { return "milepost.indicator.period-locked.v1" }

func (e PeriodLocked) Apply(s *State) {
	s.edit(e.PeriodID, func(p Period) Period {
		p.Locked = true
		return p
	})
}
