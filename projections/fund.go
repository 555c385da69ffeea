package projections

import (
	"cmp"
	"context"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
)

// Fund is a fund of an agreement as of a point, with what was moved in it
// summed up. All of it is in one currency.
type Fund struct {
	Fund          domain.Key      `json:"fund" sql:"-"`
	Agreement     domain.Key      `json:"agreement" sql:"-"`
	Title         domain.Text     `json:"title"`
	State         string          `json:"state"`    // exploring, established, closed
	Currency      domain.Currency `json:"currency"` // "" before the first amount
	TargetSize    domain.Decimal  `json:"target_size"`
	Manager       domain.Key      `json:"manager"` // party
	EstablishedOn domain.Date     `json:"established_on"`
	ClosedOn      domain.Date     `json:"closed_on"`
	Pledged       domain.Decimal  `json:"pledged"`
	Committed     domain.Decimal  `json:"committed"` // after reductions
	Disbursed     domain.Decimal  `json:"disbursed"`
	Spent         domain.Decimal  `json:"spent"`
	Version       uint64          `json:"version" sql:"-"`
}

// Pledge is what a party means to put into a fund, as of a point.
type Pledge struct {
	Pledge    domain.Key      `json:"pledge" sql:"-"`
	Fund      domain.Key      `json:"fund" sql:"-"`
	Agreement domain.Key      `json:"agreement" sql:"-"`
	Party     domain.Key      `json:"party"`
	Amount    domain.Decimal  `json:"amount"`
	Currency  domain.Currency `json:"currency"`
	On        domain.Date     `json:"on" sql:"as=dated"`
	Committed domain.Decimal  `json:"committed"` // by commitments that make it good
}

// Commitment is what a party is bound to put into a fund, as of a point.
type Commitment struct {
	Commitment domain.Key      `json:"commitment" sql:"-"`
	Fund       domain.Key      `json:"fund" sql:"-"`
	Agreement  domain.Key      `json:"agreement" sql:"-"`
	Party      domain.Key      `json:"party"`
	Pledge     domain.Key      `json:"pledge"`  // that it makes good, "" for none
	Amount     domain.Decimal  `json:"amount"`  // after reductions
	Reduced    domain.Decimal  `json:"reduced"` // their sum
	Currency   domain.Currency `json:"currency"`
	On         domain.Date     `json:"on" sql:"as=dated"`
	Disbursed  domain.Decimal  `json:"disbursed"`
}

// Disbursement is what was paid out of a commitment, as of a point.
type Disbursement struct {
	Disbursement domain.Key      `json:"disbursement" sql:"-"`
	Fund         domain.Key      `json:"fund" sql:"-"`
	Agreement    domain.Key      `json:"agreement" sql:"-"`
	Commitment   domain.Key      `json:"commitment"`
	Party        domain.Key      `json:"party"` // of the commitment
	Project      domain.Key      `json:"project"`
	Milestone    domain.Key      `json:"milestone"` // "" for the project as a whole
	Amount       domain.Decimal  `json:"amount"`
	Currency     domain.Currency `json:"currency"`
	On           domain.Date     `json:"on" sql:"as=dated"`
	Spent        domain.Decimal  `json:"spent"`
}

// Expenditure is what was spent of a disbursement, as of a point.
type Expenditure struct {
	Expenditure  domain.Key      `json:"expenditure" sql:"-"`
	Fund         domain.Key      `json:"fund" sql:"-"`
	Agreement    domain.Key      `json:"agreement" sql:"-"`
	Disbursement domain.Key      `json:"disbursement"`
	Party        domain.Key      `json:"party"`   // of the disbursement's commitment
	Project      domain.Key      `json:"project"` // of the disbursement
	Title        domain.Text     `json:"title"`   // on what
	Amount       domain.Decimal  `json:"amount"`
	Currency     domain.Currency `json:"currency"`
	On           domain.Date     `json:"on" sql:"as=dated"`
}

var (
	fundTable         = newTable[Fund](orderFund, "fund", versionLead...)
	pledgeTable       = newTable[Pledge](orderPledge, "pledge", versionLead...)
	commitmentTable   = newTable[Commitment](orderCommitment, "commitment", versionLead...)
	disbursementTable = newTable[Disbursement](orderDisbursement, "disbursement", versionLead...)
	expenditureTable  = newTable[Expenditure](orderExpenditure, "expenditure", versionLead...)
)

func fundOf(s *fund.State) *Fund {
	return &Fund{
		Title: s.Title, State: s.State, Currency: s.Currency, TargetSize: s.TargetSize, Manager: s.Manager,
		EstablishedOn: s.EstablishedOn, ClosedOn: s.ClosedOn,
		Pledged:   sumOfAll(s.Pledges, func(p fund.Pledge) (domain.Decimal, bool) { return p.Amount, true }),
		Committed: sumOfAll(s.Commitments, func(c fund.Commitment) (domain.Decimal, bool) { return c.Amount, true }),
		Disbursed: sumOfAll(s.Disbursements, func(d fund.Disbursement) (domain.Decimal, bool) { return d.Amount, true }),
		Spent:     sumOfAll(s.Expenditures, func(e fund.Expenditure) (domain.Decimal, bool) { return e.Amount, true }),
	}
}

func pledgeOf(s *fund.State, key domain.Key) *Pledge {
	p, _ := s.Pledges.Get(key)
	committed := sumOfAll(s.Commitments, func(c fund.Commitment) (domain.Decimal, bool) { return c.Amount, c.Pledge == key })
	return &Pledge{Party: p.Party, Amount: p.Amount, Currency: s.Currency, On: p.On, Committed: committed}
}

func commitmentOf(s *fund.State, key domain.Key) *Commitment {
	c, _ := s.Commitments.Get(key)
	disbursed := sumOfAll(s.Disbursements, func(d fund.Disbursement) (domain.Decimal, bool) { return d.Amount, d.Commitment == key })
	return &Commitment{
		Party: c.Party, Pledge: c.Pledge, Amount: c.Amount, Reduced: cmp.Or(c.Reduced, "0"), Currency: s.Currency, On: c.On, Disbursed: disbursed,
	}
}

func disbursementOf(s *fund.State, key domain.Key) *Disbursement {
	d, _ := s.Disbursements.Get(key)
	c, _ := s.Commitments.Get(d.Commitment)
	spent := sumOfAll(s.Expenditures, func(e fund.Expenditure) (domain.Decimal, bool) { return e.Amount, e.Disbursement == key })
	return &Disbursement{
		Commitment: d.Commitment, Party: c.Party, Project: d.Project, Milestone: d.Milestone,
		Amount: d.Amount, Currency: s.Currency, On: d.On, Spent: spent,
	}
}

func expenditureOf(s *fund.State, key domain.Key) *Expenditure {
	e, _ := s.Expenditures.Get(key)
	d, _ := s.Disbursements.Get(e.Disbursement)
	c, _ := s.Commitments.Get(d.Commitment)
	return &Expenditure{
		Disbursement: e.Disbursement, Party: c.Party, Project: d.Project, Title: e.Title,
		Amount: e.Amount, Currency: s.Currency, On: e.On,
	}
}

// fundAlso: the row of a movement sums up what draws on it, and tells of what
// it draws on; a correction may have it draw on another than before.
func fundAlso(was, is *fund.State, parts []string) []string {
	for _, part := range parts {
		kind, name, _ := strings.Cut(part, "/")
		key := domain.Key(name)
		switch kind {
		case commitmentTable.name:
			old, _ := was.Commitments.Get(key)
			now, _ := is.Commitments.Get(key)
			parts = appendNamed(parts, pledgeTable.name, old.Pledge, now.Pledge)
			if old.Party != now.Party {
				for d, x := range is.Disbursements.All() {
					if x.Commitment == key {
						parts = appendSpent(append(parts, disbursementTable.name+"/"+string(d)), is, d)
					}
				}
			}
		case disbursementTable.name:
			old, _ := was.Disbursements.Get(key)
			now, _ := is.Disbursements.Get(key)
			parts = appendNamed(parts, commitmentTable.name, old.Commitment, now.Commitment)
			if old.Commitment != now.Commitment || old.Project != now.Project {
				parts = appendSpent(parts, is, key)
			}
		case expenditureTable.name:
			old, _ := was.Expenditures.Get(key)
			now, _ := is.Expenditures.Get(key)
			parts = appendNamed(parts, disbursementTable.name, old.Disbursement, now.Disbursement)
		}
	}
	return parts
}

// appendNamed appends the parts with those keys; "" names none.
func appendNamed(parts []string, kind string, keys ...domain.Key) []string {
	for _, key := range keys {
		if key != "" {
			parts = append(parts, kind+"/"+string(key))
		}
	}
	return parts
}

// appendSpent appends what was spent of a disbursement.
func appendSpent(parts []string, s *fund.State, of domain.Key) []string {
	for key, e := range s.Expenditures.All() {
		if e.Disbursement == of {
			parts = append(parts, expenditureTable.name+"/"+string(key))
		}
	}
	return parts
}

// Funds lists the funds of an agreement in the order in which they were
// proposed, or refuses with not-found.
func (m *Models) Funds(ctx context.Context, of domain.Key, at Point, page Page) ([]Fund, string, error) {
	return listOf(ctx, m, fundTable, agreement.Ref(of), at, page, (*query).fund)
}

// Fund returns one fund, or refuses with not-found.
func (m *Models) Fund(ctx context.Context, of, key domain.Key, at Point) (Fund, error) {
	return itemOf(ctx, m, fundTable, fund.Ref(of, key), at, (*query).fund)
}

// Pledges lists the pledges to a fund in the order in which they were
// recorded, or refuses with not-found; Commitments, Disbursements and
// Expenditures do likewise.
func (m *Models) Pledges(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Pledge, string, error) {
	return listOf(ctx, m, pledgeTable, fund.Ref(of, key), at, page, (*query).pledge)
}

// Commitments lists the commitments to a fund; see Pledges.
func (m *Models) Commitments(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Commitment, string, error) {
	return listOf(ctx, m, commitmentTable, fund.Ref(of, key), at, page, (*query).commitment)
}

// Disbursements lists the disbursements of a fund; see Pledges.
func (m *Models) Disbursements(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Disbursement, string, error) {
	return listOf(ctx, m, disbursementTable, fund.Ref(of, key), at, page, (*query).disbursement)
}

// Expenditures lists what was spent of a fund's disbursements; see Pledges.
func (m *Models) Expenditures(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Expenditure, string, error) {
	return listOf(ctx, m, expenditureTable, fund.Ref(of, key), at, page, (*query).expenditure)
}

func (q *query) fund(i *Fund, e found) (err error) {
	i.Fund, i.Agreement = keyOf(e.path), e.agreement
	i.Version, err = q.version(e.id)
	return err
}

func (q *query) pledge(i *Pledge, e found) error {
	i.Pledge, i.Fund, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}

func (q *query) commitment(i *Commitment, e found) error {
	i.Commitment, i.Fund, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}

func (q *query) disbursement(i *Disbursement, e found) error {
	i.Disbursement, i.Fund, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}

func (q *query) expenditure(i *Expenditure, e found) error {
	i.Expenditure, i.Fund, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}
