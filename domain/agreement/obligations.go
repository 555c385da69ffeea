package agreement

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Obligation is what one party owes another under the agreement. It outlives
// the agreement: what is owed when that ends is still owed.
type Obligation struct {
	Title       domain.Text  `json:"title"`
	Debtor      domain.Key   `json:"debtor"`
	Beneficiary domain.Key   `json:"beneficiary"`
	Due         domain.Date  `json:"due"`
	Value       domain.Money `json:"value"` // zero where it is not about money
	State       string       `json:"state"`
	ClaimedOn   domain.Date  `json:"claimed_on"`   // the date of fulfilment that is claimed
	FulfilledOn domain.Date  `json:"fulfilled_on"` // that was confirmed
}

// States of an obligation; fulfilled and waived are final.
const (
	Open      = "open"
	Claimed   = "fulfilment-claimed"
	Fulfilled = "fulfilled"
	Waived    = "waived"
	Breached  = "breached"
)

// ObligationID names an obligation in commands and events.
type ObligationID struct {
	Agreement  domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Obligation domain.Key `json:"obligation" required:"true" doc:"Key of the obligation."`
}

// Ref names the agreement as an aggregate.
func (id ObligationID) Ref() domain.Ref { return Ref(id.Agreement) }

// of returns the obligation, and refuses unless there is one and its state is
// one of wanted.
func (id ObligationID) of(s *State, wanted ...string) (Obligation, error) {
	if err := (ID{id.Agreement}).in(s); err != nil {
		return Obligation{}, err
	}
	o, ok := s.Obligations.Get(id.Obligation)
	switch {
	case !ok:
		return o, domain.NotFound("obligation", "obligation", id.Obligation)
	case !slices.Contains(wanted, o.State):
		return o, domain.WrongState("obligation", id.Obligation, o.State, obligationHint(o.State), wanted...)
	}
	return o, nil
}

func obligationHint(state string) string {
	switch state {
	case Open, Breached:
		return "who owes claims its fulfilment with claim-fulfilment"
	case Claimed:
		return "who benefits settles the claim with confirm-fulfilment or dispute-fulfilment"
	}
	return "that is final; add another one with add-obligation"
}

// edit lets f change the obligation. An event may come before the one that
// added it; there is one from then on.
func (id ObligationID) edit(s *State, f func(*Obligation)) {
	s.ID = ID{id.Agreement}
	o, ok := s.Obligations.Get(id.Obligation)
	if !ok {
		o.State = Open
	}
	f(&o)
	s.Obligations = s.Obligations.With(id.Obligation, o)
}

// AddObligation is the command add-obligation.
type AddObligation struct {
	ID
	Obligation  domain.Key   `json:"obligation,omitzero" doc:"Key of the obligation, chosen once; a UUID when absent."`
	Title       domain.Text  `json:"title" required:"true" doc:"What is owed, by language."`
	Debtor      domain.Key   `json:"debtor" required:"true" doc:"The party that owes it."`
	Beneficiary domain.Key   `json:"beneficiary" required:"true" doc:"The party that it is owed to, which confirms that it is fulfilled."`
	Due         domain.Date  `json:"due" required:"true" doc:"The last day on which it is in time."`
	Value       domain.Money `json:"value,omitzero" doc:"The amount, where it is about money."`
}

func (AddObligation) Name() string { return "add-obligation" }

// WithKey fills in an absent key of the obligation.
func (c AddObligation) WithKey(key domain.Key) domain.Command {
	c.Obligation = c.Obligation.Or(key)
	return c
}

// Decide adds what one party of an agreement that has not ended owes another.
// An obligation on which nothing has happened is replaced by a correction.
func (c AddObligation) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("obligation", c.Obligation); err != nil {
		return nil, err
	}
	if err := c.mayReplace(s, in); err != nil {
		return nil, err
	}
	if err := s.RequireParty("debtor", c.Debtor); err != nil {
		return nil, err
	}
	if err := s.RequireParty("beneficiary", c.Beneficiary); err != nil {
		return nil, err
	}
	if c.Debtor == c.Beneficiary {
		return nil, domain.Refuse(domain.CodeInvalidValue, "beneficiary", "%q cannot owe itself; name the party that benefits", c.Beneficiary)
	}
	if c.Value != (domain.Money{}) {
		if err := domain.RequireAmount("value", c.Value); err != nil {
			return nil, err
		}
	}
	return []domain.Event{ObligationAdded(c)}, nil
}

func (c AddObligation) mayReplace(s *State, in domain.Input) error {
	o, ok := s.Obligations.Get(c.Obligation)
	switch {
	case !ok:
		return nil
	case in.Corrects == "":
		return domain.Refuse(domain.CodeAlreadyExists, "obligation", "agreement %q has an obligation %q; to put it right, name the event in corrects", c.Agreement, c.Obligation)
	case o.State != Open:
		return domain.WrongState("obligation", c.Obligation, o.State, "waive it with waive-obligation and add another", Open)
	case o.Due != c.Due:
		return in.RequireReasonCode("moving a date")
	}
	return nil
}

// ObligationAdded: Debtor owes Beneficiary this.
type ObligationAdded struct {
	ID
	Obligation  domain.Key   `json:"obligation" doc:"Key of the obligation."`
	Title       domain.Text  `json:"title" doc:"Title by language."`
	Debtor      domain.Key   `json:"debtor" doc:"The party that owes it."`
	Beneficiary domain.Key   `json:"beneficiary" doc:"The party that benefits."`
	Due         domain.Date  `json:"due" doc:"The date by which it is owed."`
	Value       domain.Money `json:"value,omitzero" doc:"What it is worth."`
}

func (ObligationAdded) Type() string { return "milepost.agreement.obligation-added.v1" }

func (e ObligationAdded) Apply(s *State) {
	ObligationID{e.Agreement, e.Obligation}.edit(s, func(o *Obligation) {
		o.Title, o.Debtor, o.Beneficiary, o.Due, o.Value = e.Title, e.Debtor, e.Beneficiary, e.Due, e.Value
	})
}
