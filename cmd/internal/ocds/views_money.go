package ocds

import (
	"encoding/json"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/project"
)

// value is what the agreement's funds are to come to, where that is in one
// currency.
func (x *exporter) value() (object, error) {
	var sum domain.Money
	for _, e := range x.groups[fund.Kind] {
		var f fund.State
		if err := e.into(&f); err != nil {
			return nil, err
		}
		switch {
		case f.TargetSize == "":
		case sum.Currency != "" && sum.Currency != f.Currency:
			return nil, nil
		default:
			sum = domain.Money{Amount: sum.Amount.Add(f.TargetSize), Currency: f.Currency}
		}
	}
	return amount(sum), nil
}

// amount writes money as OCDS does, with nothing where there is none.
func amount(m domain.Money) object {
	if m.Currency == "" {
		return object{}
	}
	return object{"amount": json.Number(m.Amount), "currency": string(m.Currency)}
}

// showTransaction shows a disbursement: paid by the party whose commitment it
// is out of to whom it was published to be spent on, else to the project's lead.
func (r *draft) showTransaction(e *entity) error {
	var d fund.Disbursement
	var f fund.State
	if err := e.into(&d); err != nil {
		return err
	}
	_, of, _, key := e.of()
	path := fund.Ref(r.Agreement, of).Path()
	if err := r.state(path, &f); err != nil {
		return err
	}
	payer, err := r.payer(path, d)
	if err != nil {
		return err
	}
	payee, err := r.payee(path, key, d)
	if err != nil {
		return err
	}
	now := object{"date": r.begin(d.On), "value": amount(domain.Money{Amount: d.Amount, Currency: f.Currency}), "payer": payer, "payee": payee}
	if m := r.entities[project.Ref(r.Agreement, d.Project).Path()+"/milestone/"+string(d.Milestone)]; m != nil {
		var milestone project.Milestone
		if err := m.into(&milestone); err != nil {
			return err
		}
		now["relatedImplementationMilestone"] = object{"id": milestoneSpot(m).id, "title": milestone.Title.In(r.Language)}
	}
	id := string(of) + "/" + string(key)
	if o, ok := parseOrigin(e.reason, inTransactions); ok {
		id = o.id
	}
	r.say(inTransactions, id, present(now), ofImplementation)
	return nil
}

func (x *exporter) payer(fundPath string, d fund.Disbursement) (object, error) {
	var c fund.Commitment
	if err := x.state(fundPath+"/commitment/"+string(d.Commitment), &c); err != nil {
		return nil, err
	}
	p, err := x.party(c.Party)
	if p == nil || err != nil {
		return nil, err
	}
	p.pays = true
	return p.reference(x.Language), nil
}

func (x *exporter) payee(fundPath string, disbursement domain.Key, d fund.Disbursement) (object, error) {
	if e := x.entities[fundPath+"/expenditure/"+string(disbursement)]; e != nil {
		if o, ok := parseOrigin(e.reason, inPayee); ok {
			var spent fund.Expenditure
			if err := e.into(&spent); err != nil {
				return nil, err
			}
			p, err := x.party(keyOf("", o.id))
			if err != nil {
				return nil, err
			}
			if p != nil {
				p.paid = true
			}
			return object{"id": o.id, "name": spent.Title.In(x.Language)}, nil
		}
	}
	var to project.State
	if err := x.state(project.Ref(x.Agreement, d.Project).Path(), &to); err != nil {
		return nil, err
	}
	p, err := x.party(to.Lead)
	if p == nil || err != nil {
		return nil, err
	}
	p.paid = true
	return p.reference(x.Language), nil
}
