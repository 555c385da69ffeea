package agreement

import "github.com/milepost-ledger/milepost/domain"

// ClaimFulfilment is the command claim-fulfilment.
type ClaimFulfilment struct {
	ObligationID
	Party       domain.Key  `json:"party" required:"true" doc:"The party that owes it."`
	FulfilledOn domain.Date `json:"fulfilled_on" required:"true" doc:"The date on which it was fulfilled."`
}

func (ClaimFulfilment) Name() string { return "claim-fulfilment" }

// ActingParty is the party in whose name it is asked.
func (c ClaimFulfilment) ActingParty() domain.Key { return c.Party }

// Decide takes the claim of the party that owes, with evidence, for the one
// that benefits to confirm. What was breached can still be fulfilled, late.
func (c ClaimFulfilment) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	o, err := c.of(s, Open, Breached)
	if err != nil {
		return nil, err
	}
	if err := c.owed(s); err != nil {
		return nil, err
	}
	if err := isSide(in, c.Party, o.Debtor, "owes"); err != nil {
		return nil, err
	}
	if err := in.NotFuture("fulfilled_on", c.FulfilledOn); err != nil {
		return nil, err
	}
	if err := in.RequireEvidence(); err != nil {
		return nil, err
	}
	return []domain.Event{FulfilmentClaimed(c)}, nil
}

// owed refuses while nothing is owed because the agreement has not taken
// effect; once it has, that never ceases.
func (id ObligationID) owed(s *State) error {
	if s.EffectiveOn == 0 {
		return ID{id.Agreement}.in(s, StatusActive)
	}
	return nil
}

// isSide refuses unless the party is the side of the obligation that may ask
// this, and asks it in its own name.
func isSide(in domain.Input, party, side domain.Key, does string) error {
	if party != side {
		return domain.Refuse(domain.CodeWrongParty, "party", "this is for the party that %s, %q; ask in its name", does, side)
	}
	return in.ActsFor(party)
}

// FulfilmentClaimed: the party that owes says that it fulfilled on FulfilledOn.
type FulfilmentClaimed struct {
	ObligationID
	Party       domain.Key  `json:"party" doc:"The party that owes it."`
	FulfilledOn domain.Date `json:"fulfilled_on" doc:"The date on which it was fulfilled."`
}

func (FulfilmentClaimed) Type() string { return "milepost.agreement.fulfilment-claimed.v1" }

func (e FulfilmentClaimed) Apply(s *State) {
	e.edit(s, func(o *Obligation) { o.State, o.ClaimedOn = Claimed, e.FulfilledOn })
}

// ConfirmFulfilment is the command confirm-fulfilment.
type ConfirmFulfilment struct {
	ObligationID
	Party domain.Key `json:"party" required:"true" doc:"The party that benefits."`
}

func (ConfirmFulfilment) Name() string { return "confirm-fulfilment" }

// ActingParty is the party in whose name it is asked.
func (c ConfirmFulfilment) ActingParty() domain.Key { return c.Party }

// Decide lets the party that benefits confirm the claim.
func (c ConfirmFulfilment) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	o, err := c.of(s, Claimed)
	if err != nil {
		return nil, err
	}
	if err := isSide(in, c.Party, o.Beneficiary, "benefits"); err != nil {
		return nil, err
	}
	return []domain.Event{FulfilmentConfirmed{c.ObligationID, c.Party, o.ClaimedOn}}, nil
}

// FulfilmentConfirmed: both sides say that it was fulfilled on FulfilledOn.
type FulfilmentConfirmed struct {
	ObligationID
	Party       domain.Key  `json:"party" doc:"The party that benefits."`
	FulfilledOn domain.Date `json:"fulfilled_on" doc:"The date on which it was fulfilled."`
}

func (FulfilmentConfirmed) Type() string { return "milepost.agreement.fulfilment-confirmed.v1" }

func (e FulfilmentConfirmed) Apply(s *State) {
	e.edit(s, func(o *Obligation) { o.State, o.FulfilledOn = Fulfilled, e.FulfilledOn })
}

// DisputeFulfilment is the command dispute-fulfilment.
type DisputeFulfilment struct {
	ObligationID
	Party domain.Key `json:"party" required:"true" doc:"The party that benefits."`
}

func (DisputeFulfilment) Name() string { return "dispute-fulfilment" }

// ActingParty is the party in whose name it is asked.
func (c DisputeFulfilment) ActingParty() domain.Key { return c.Party }

// Decide lets the party that benefits dispute the claim, for a reason. What was
// breached before is open as well: its breach can be declared anew.
func (c DisputeFulfilment) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	o, err := c.of(s, Claimed)
	if err != nil {
		return nil, err
	}
	if err := isSide(in, c.Party, o.Beneficiary, "benefits"); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a dispute"); err != nil {
		return nil, err
	}
	return []domain.Event{FulfilmentDisputed(c)}, nil
}

// FulfilmentDisputed: the claim is void and the obligation open.
type FulfilmentDisputed struct {
	ObligationID
	Party domain.Key `json:"party" doc:"The party that benefits."`
}

func (FulfilmentDisputed) Type() string { return "milepost.agreement.fulfilment-disputed.v1" }

func (e FulfilmentDisputed) Apply(s *State) {
	e.edit(s, func(o *Obligation) { o.State, o.ClaimedOn = Open, 0 })
}

// WaiveObligation is the command waive-obligation.
type WaiveObligation struct {
	ObligationID
	Party domain.Key `json:"party" required:"true" doc:"The party that benefits."`
}

func (WaiveObligation) Name() string { return "waive-obligation" }

// ActingParty is the party in whose name it is asked.
func (c WaiveObligation) ActingParty() domain.Key { return c.Party }

// Decide lets the party that benefits waive what is not fulfilled, for a reason.
func (c WaiveObligation) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	o, err := c.of(s, Open, Breached, Claimed)
	if err != nil {
		return nil, err
	}
	if err := isSide(in, c.Party, o.Beneficiary, "benefits"); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a waiver"); err != nil {
		return nil, err
	}
	return []domain.Event{ObligationWaived(c)}, nil
}

// ObligationWaived: it is owed no more.
type ObligationWaived struct {
	ObligationID
	Party domain.Key `json:"party" doc:"The party that benefits."`
}

func (ObligationWaived) Type() string { return "milepost.agreement.obligation-waived.v1" }

func (e ObligationWaived) Apply(s *State) {
	e.edit(s, func(o *Obligation) { o.State, o.ClaimedOn = Waived, 0 })
}

// DeclareBreach is the command declare-breach.
type DeclareBreach struct {
	ObligationID
	Party domain.Key `json:"party" required:"true" doc:"The party that benefits."`
}

func (DeclareBreach) Name() string { return "declare-breach" }

// ActingParty is the party in whose name it is asked.
func (c DeclareBreach) ActingParty() domain.Key { return c.Party }

// Decide lets the party that benefits declare a breach, for a reason, once the
// due date is past.
func (c DeclareBreach) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	o, err := c.of(s, Open)
	if err != nil {
		return nil, err
	}
	if err := c.owed(s); err != nil {
		return nil, err
	}
	if err := isSide(in, c.Party, o.Beneficiary, "benefits"); err != nil {
		return nil, err
	}
	if in.Today <= o.Due {
		return nil, domain.Refuse(CodeNotYet, "obligation", "obligation %q is due on %s; declare its breach after that day", c.Obligation, o.Due)
	}
	if err := in.RequireReason("a breach"); err != nil {
		return nil, err
	}
	return []domain.Event{BreachDeclared(c)}, nil
}

// BreachDeclared: it was not fulfilled in time.
type BreachDeclared struct {
	ObligationID
	Party domain.Key `json:"party" doc:"The party that benefits."`
}

func (BreachDeclared) Type() string { return "milepost.agreement.breach-declared.v1" }

func (e BreachDeclared) Apply(s *State) {
	e.edit(s, func(o *Obligation) { o.State = Breached })
}
