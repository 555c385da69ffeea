package web

import (
	"html/template"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// barsFrame is frame for a chart of amounts.
func (v *visit) barsFrame(id, title, description string) chart.Frame {
	frame := v.frame(id, title, description, v.Say("There is nothing to draw yet."))
	frame.Number = v.Short
	return frame
}

// money is the way of the money of a fund, a party or a project.
type money struct {
	projections.Funding
	Of entity // whose it is
}

// currencyMoney is the ways of the money in one currency, with their chart.
type currencyMoney struct {
	Currency domain.Currency
	Rows     []money
	Chart    template.HTML
}

// byCurrency puts ways of the money together by currency, since what is in two has
// no sum and no common axis. toFund says whether there are pledges and commitments.
func (v *visit) byCurrency(id, title string, rows []money, toFund bool) (all []currencyMoney) {
	for _, row := range rows {
		i := len(all)
		for j, c := range all {
			if c.Currency == row.Currency {
				i = j
			}
		}
		if i == len(all) {
			all = append(all, currencyMoney{Currency: row.Currency})
		}
		all[i].Rows = append(all[i].Rows, row)
	}
	for i, c := range all {
		bars := chart.Bars{Series: []chart.BarSeries{{Name: v.Say("Disbursed")}, {Name: v.Say("Spent")}}}
		if toFund {
			bars.Series = append([]chart.BarSeries{{Name: v.Say("Pledged")}, {Name: v.Say("Committed")}}, bars.Series...)
		}
		for _, row := range c.Rows {
			group := chart.BarGroup{Label: row.Of.PlainName(), Href: row.Of.Page, Values: []domain.Decimal{row.Disbursed, row.Spent}}
			if toFund {
				group.Values = append([]domain.Decimal{row.Pledged, row.Committed}, group.Values...)
			}
			bars.Groups = append(bars.Groups, group)
		}
		bars.Frame = v.barsFrame(id+"-"+string(c.Currency), title, v.Say("In %s.", string(c.Currency)))
		all[i].Chart = bars.HTML()
	}
	return all
}
