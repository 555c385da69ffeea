package ocds

import (
	"cmp"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/fund"
)

// movement is a transaction as it is recorded.
type movement struct {
	key          domain.Key
	id           string
	date         domain.Date
	value        domain.Money
	payer, payee organisation
	milestone    domain.Key
}

// pays records the transactions of a contract that are new, in one fund for
// each currency. A transaction is a payment that was made: its payer commits
// the amount, disburses it to the contract's project, for the milestone that it
// names, and it is spent on the payee.
//
// Those from before the contract is in effect wait until it is. No funds are
// disbursed under an agreement that has ended, so later ones are left out.
func (c *converter) pays(p *progress, k *contract, where string) error {
	for i := range k.Implementation.Transactions {
		m, err := c.movement(p, &k.Implementation.Transactions[i], fmt.Sprintf("%s.implementation.transactions[%d]", where, i))
		if err != nil {
			return err
		}
		if !p.paid[m.key] {
			p.paid[m.key] = true
			p.unpaid = append(p.unpaid, m)
		}
	}
	if !p.inEffect || p.ended {
		return nil
	}
	for _, m := range p.unpaid {
		c.pay(p, m)
	}
	p.unpaid = nil
	return nil
}

// movement reads a transaction.
func (c *converter) movement(p *progress, t *transaction, where string) (m movement, err error) {
	if t.ID == "" {
		return m, domain.Refuse(domain.CodeMissingField, where+".id", "a transaction needs its id")
	}
	if t.Value == nil {
		return m, domain.Refuse(domain.CodeMissingField, where+".value", "a transaction needs its value")
	}
	m = movement{key: keyOf("", string(t.ID)), id: string(t.ID), payer: t.Payer, payee: t.Payee}
	if m.value, err = t.Value.money(where + ".value"); err != nil {
		return m, err
	}
	if err := domain.RequireAmount(where+".value", m.value); err != nil {
		return m, err
	}
	if m.payer.ID == "" && m.payer.Name == "" {
		return m, domain.Refuse(domain.CodeMissingField, where+".payer", "a transaction needs the organisation that paid")
	}
	if m.date, err = c.date(t.Date, where+".date"); err != nil {
		return m, err
	}
	m.date = cmp.Or(m.date, c.rel.effective)
	if key := keyOf("implementation-", string(t.Milestone.ID)); t.Milestone.ID != "" {
		if _, known := p.milestones[key]; known {
			m.milestone = key
		}
	}
	return m, nil
}

func (c *converter) pay(p *progress, m movement) {
	payer := c.known(m.payer)
	id, established := p.funds[m.value.Currency]
	if !established {
		id = c.fund(p, m, payer)
	}
	on := func(meta domain.Meta) domain.Meta {
		meta.Effective = m.date
		return meta
	}
	c.add(fund.Commit{ID: id, Commitment: m.key, Party: payer, Value: m.value}, on(from(inPayer, cmp.Or(m.payer.ID, m.payer.Name))))
	c.add(fund.Disburse{
		ID: id, Disbursement: m.key, Commitment: m.key, Project: p.ids.Project, Milestone: m.milestone, Value: m.value,
	}, on(from(inTransactions, m.id)))
	if m.payee.ID == "" && m.payee.Name == "" {
		return
	}
	payee := cmp.Or(m.payee.ID, m.payee.Name)
	c.known(m.payee)
	c.add(fund.RecordExpenditure{
		ID: id, Expenditure: m.key, Disbursement: m.key, Title: c.text(cmp.Or(m.payee.Name, payee)), Value: m.value,
	}, on(from(inPayee, payee)))
}

// fund establishes the fund of a contract's transactions in one currency. Its
// size is the value of the contract.
func (c *converter) fund(p *progress, m movement, manager domain.Key) fund.ID {
	currency := m.value.Currency
	id := fund.ID{Agreement: p.ids.Agreement, Fund: domain.Key("transactions-" + strings.ToLower(string(currency)))}
	p.funds[currency] = id
	meta := domain.Meta{Effective: m.date}
	c.add(fund.Propose{Agreement: id.Agreement, Fund: id.Fund, Title: domain.Text{"en": "Transactions in " + string(currency)}}, meta)
	establish := fund.Establish{ID: id, Currency: currency, Manager: manager}
	if v := p.value; v != nil && v.Currency == string(currency) {
		if size, err := v.money(""); err == nil && size.Amount.Sign() > 0 {
			establish.TargetSize = size.Amount
		}
	}
	c.add(establish, meta)
	return id
}

// known returns the key of an organisation, which is registered where it is not.
func (c *converter) known(o organisation) domain.Key {
	o.ID = cmp.Or(o.ID, o.Name)
	if _, seen := c.parties[o.ID]; !seen {
		c.party(o)
	}
	return keyOf("", o.ID)
}

// value is an amount as it is published: a number of any precision.
type value struct {
	Amount   scalar `json:"amount"`
	Currency string `json:"currency"`
}

// money rounds the value to the smallest unit of its currency: many amounts
// are published as floats.
func (v *value) money(where string) (m domain.Money, err error) {
	m.Currency = domain.Currency(v.Currency)
	if !m.Currency.Valid() {
		return m, domain.Refuse(domain.CodeInvalidValue, where+".currency", "%q is no currency of ISO 4217", v.Currency)
	}
	m.Amount, err = rounded(string(v.Amount), m.Currency.Places())
	if err != nil {
		return m, domain.Refuse(domain.CodeInvalidValue, where+".amount", "%v", err)
	}
	return m, nil
}

// rounded reads a number as JSON writes it, to so many digits behind the point,
// halves away from zero.
func rounded(s string, places int) (domain.Decimal, error) {
	f, err := strconv.ParseFloat(s, 64)
	_, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	n, _ := strconv.Atoi(exponent)
	number, ok := new(big.Rat), false
	if err == nil && f < 1e20 && f > -1e20 && n > -100 {
		number, ok = number.SetString(s)
	}
	if !ok {
		return "", &domain.FormatError{Want: "a number of at most 20 digits before the point", Got: s}
	}
	return domain.ParseDecimal(number.FloatString(places))
}
