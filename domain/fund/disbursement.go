package fund

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Disburse is the command disburse-funds.
type Disburse struct {
	ID
	Disbursement domain.Key   `json:"disbursement,omitzero" doc:"Key of the disbursement, chosen once; a UUID when absent."`
	Commitment   domain.Key   `json:"commitment" required:"true" doc:"The commitment that it is paid out of."`
	Project      domain.Key   `json:"project" required:"true" doc:"The project that receives it."`
	Milestone    domain.Key   `json:"milestone,omitzero" doc:"The milestone of the project that it is for; none for the project as a whole."`
	Value        domain.Money `json:"value" required:"true" doc:"What is paid out."`
}

func (Disburse) Name() string { return "disburse-funds" }

// WithKey fills in an absent key of the disbursement.
func (c Disburse) WithKey(key domain.Key) domain.Command {
	c.Disbursement = c.Disbursement.Or(key)
	return c
}

// Decide pays out of a commitment no more than is left of it, on the effective
// date, while the agreement is in effect and the recipient has not ended. Both
// can cease: the events on them make sure that they have not.
func (c Disburse) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Established); err != nil {
		return nil, err
	}
	if err := mayRecord(in, "disbursement", c.Disbursement, s.Disbursements.Has(c.Disbursement)); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	if err := c.fits(s); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	if err := a.RequireActive("no funds are disbursed"); err != nil {
		return nil, err
	}
	if err := c.received(in.World); err != nil {
		return nil, err
	}
	return []domain.Event{
		FundsDisbursed{c.ID, c.Disbursement, c.Commitment, c.Project, c.Milestone, c.Value, on},
		domain.On(a.Ref(), agreement.FundsDisbursed{
			ID: a.ID, Fund: c.Fund, Disbursement: c.Disbursement, Project: c.Project, Value: c.Value, On: on,
		}),
		domain.On(project.Ref(c.Agreement, c.Project), project.FundsReceived{
			ID: project.ID{Agreement: c.Agreement, Project: c.Project}, Fund: c.Fund, Disbursement: c.Disbursement, Milestone: c.Milestone,
			Value: c.Value, On: on,
		}),
	}, nil
}

// fits refuses more than is left of the commitment, and, as a correction, less
// than is spent of the disbursement.
func (c Disburse) fits(s *State) error {
	commitment, ok := s.Commitments.Get(c.Commitment)
	if !ok {
		return domain.NotFound("commitment", "commitment", c.Commitment)
	}
	if err := s.takes(c.Value); err != nil {
		return err
	}
	left := commitment.Amount.Sub(s.Disbursed(c.Commitment))
	if was, ok := s.Disbursements.Get(c.Disbursement); ok && was.Commitment == c.Commitment {
		left = left.Add(was.Amount)
	}
	if err := notMoreThan(left, c.Value, "commitment", c.Commitment); err != nil {
		return err
	}
	if spent := s.Spent(c.Disbursement); c.Value.Amount.Cmp(spent) < 0 {
		return domain.Refuse(domain.CodeAmountExceeded, "value.amount", "%s is less than the %s spent of disbursement %q; give at least that",
			c.Value, domain.Money{Amount: spent, Currency: s.Currency}, c.Disbursement)
	}
	return nil
}

// received refuses unless the project can take it.
func (c Disburse) received(w domain.World) error {
	p, err := project.Load(w, "project", c.Agreement, c.Project)
	switch {
	case err != nil:
		return err
	case p.State == project.StatusClosed || p.State == project.StatusCancelled:
		return domain.Refuse(domain.CodeWrongState, "project", "project %q is %s and takes no funds; name one that has not ended", c.Project, p.State)
	case c.Milestone == "":
		return nil
	}
	switch m, ok := p.Milestones.Get(c.Milestone); {
	case !ok:
		return domain.NotFound("milestone", "milestone", c.Milestone)
	case m.State == project.Dropped:
		return domain.Refuse(domain.CodeWrongState, "milestone", "milestone %q is cancelled and takes no funds; name another, or the project alone", c.Milestone)
	}
	return nil
}

// FundsDisbursed: Value was paid out of a commitment to a project on On.
type FundsDisbursed struct {
	ID
	Disbursement domain.Key   `json:"disbursement" doc:"Key of the disbursement."`
	Commitment   domain.Key   `json:"commitment" doc:"The commitment that it is made of."`
	Project      domain.Key   `json:"project" doc:"The project that the funds go to."`
	Milestone    domain.Key   `json:"milestone,omitzero" doc:"The milestone that the funds are for."`
	Value        domain.Money `json:"value" doc:"The amount."`
	On           domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (FundsDisbursed) Type() string { return "milepost.fund.funds-disbursed.v1" }

func (e FundsDisbursed) Apply(s *State) {
	s.ID, s.Currency = e.ID, e.Value.Currency
	s.Disbursements = s.Disbursements.With(e.Disbursement, Disbursement{
		Commitment: e.Commitment, Project: e.Project, Milestone: e.Milestone, Amount: e.Value.Amount, On: e.On,
	})
}
