package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// fundsPage is the way of the money under an agreement, by fund, party and project.
var fundsPage = page{"GET /agreements/{agreement}/funds", "funds", fundsAnswer{}, of((*site).funds)}

type fundsAnswer struct {
	*visit
	Funds    []projections.Fund
	ByFund   []currencyMoney
	ByParty  []currencyMoney
	ByPlaces []currencyMoney // projects
}

func (s *site) funds(ctx context.Context, v *visit) (answer fundsAnswer, err error) {
	v.Title = v.Say("Funds")
	answer.visit = v
	if _, err = v.agreementCrumbs(ctx, "funds"); err != nil {
		return answer, err
	}
	answer.Funds, err = everyOf(ctx, v.Agreement, v.At, v.models.Funds)
	if err != nil {
		return answer, err
	}
	var rows []money
	for _, f := range answer.Funds {
		if f.Currency != "" {
			rows = append(rows, money{
				projections.Funding{Key: f.Fund, Currency: f.Currency, Pledged: f.Pledged, Committed: f.Committed, Disbursed: f.Disbursed, Spent: f.Spent},
				v.EntityIn("fund/" + string(f.Fund)),
			})
		}
	}
	answer.ByFund = v.byCurrency("funds", v.Say("The way of the money, by fund"), rows, true)
	parties, err := v.funding(ctx, projections.ByParty)
	if err != nil {
		return answer, err
	}
	answer.ByParty = v.byCurrency("parties", v.Say("The way of the money, by party"), parties, true)
	projects, err := v.funding(ctx, projections.ByProject)
	answer.ByPlaces = v.byCurrency("projects", v.Say("The way of the money, by project"), projects, false)
	return answer, err
}

// funding is the way of the money by party or by project.
func (v *visit) funding(ctx context.Context, by string) (rows []money, err error) {
	items, err := everyIn(ctx, v.Agreement, by, v.At, v.models.Funding)
	for _, f := range items {
		thing := v.Entity("", "party/"+string(f.Key))
		if by == projections.ByProject {
			thing = v.Entity(string(v.Agreement), "project/"+string(f.Key))
		}
		rows = append(rows, money{f, thing})
	}
	return rows, err
}

// FundEntity is the path of a part of a fund, for the marks beside what changed.
func (v *visit) FundEntity(fund domain.Key, part string, key domain.Key) string {
	return "fund/" + string(fund) + "/" + part + "/" + string(key)
}
