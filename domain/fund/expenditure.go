package fund

import "github.com/milepost-ledger/milepost/domain"

// RecordExpenditure is the command record-expenditure.
type RecordExpenditure struct {
	ID
	Expenditure  domain.Key   `json:"expenditure,omitzero" doc:"Key of the expenditure, chosen once; a UUID when absent."`
	Disbursement domain.Key   `json:"disbursement" required:"true" doc:"The disbursement that it is spent of."`
	Title        domain.Text  `json:"title,omitzero" doc:"On what, by language."`
	Value        domain.Money `json:"value" required:"true" doc:"What was spent."`
}

func (RecordExpenditure) Name() string { return "record-expenditure" }

// WithKey fills in an absent key of the expenditure.
func (c RecordExpenditure) WithKey(key domain.Key) domain.Command {
	c.Expenditure = c.Expenditure.Or(key)
	return c
}

// Decide records what was spent on the effective date, no more than is left of
// the disbursement. A project may spend after its fund is closed.
func (c RecordExpenditure) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Established, Closed); err != nil {
		return nil, err
	}
	if err := mayRecord(in, "expenditure", c.Expenditure, s.Expenditures.Has(c.Expenditure)); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	disbursement, ok := s.Disbursements.Get(c.Disbursement)
	if !ok {
		return nil, domain.NotFound("disbursement", "disbursement", c.Disbursement)
	}
	if err := s.takes(c.Value); err != nil {
		return nil, err
	}
	left := disbursement.Amount.Sub(s.Spent(c.Disbursement))
	if was, ok := s.Expenditures.Get(c.Expenditure); ok && was.Disbursement == c.Disbursement {
		left = left.Add(was.Amount)
	}
	if err := notMoreThan(left, c.Value, "disbursement", c.Disbursement); err != nil {
		return nil, err
	}
	return []domain.Event{ExpenditureRecorded{c.ID, c.Expenditure, c.Disbursement, c.Title, c.Value, on}}, nil
}

// Spent returns the sum of what is spent of a disbursement.
func (s *State) Spent(disbursement domain.Key) domain.Decimal {
	sum := domain.Decimal("0")
	for _, e := range s.Expenditures.All() {
		if e.Disbursement == disbursement {
			sum = sum.Add(e.Amount)
		}
	}
	return sum
}

// ExpenditureRecorded: Value of a disbursement was spent on On.
type ExpenditureRecorded struct {
	ID
	Expenditure  domain.Key   `json:"expenditure" doc:"Key of the expenditure."`
	Disbursement domain.Key   `json:"disbursement" doc:"The disbursement that was spent."`
	Title        domain.Text  `json:"title,omitzero" doc:"Title by language."`
	Value        domain.Money `json:"value" doc:"The amount."`
	On           domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (ExpenditureRecorded) Type() string { return "milepost.fund.expenditure-recorded.v1" }

func (e ExpenditureRecorded) Apply(s *State) {
	s.ID, s.Currency = e.ID, e.Value.Currency
	s.Expenditures = s.Expenditures.With(e.Expenditure, Expenditure{
		Disbursement: e.Disbursement, Title: e.Title, Amount: e.Value.Amount, On: e.On,
	})
}
