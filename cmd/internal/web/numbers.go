package web

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Figure shows a number, and a dash where there is none.
func (v *visit) Figure(d domain.Decimal) template.HTML {
	if d == "" {
		return none
	}
	return escaped(v.Number(d))
}

// Share shows a share, and a dash where there is none.
func (v *visit) Share(p *projections.Percent) template.HTML { return v.percent(percentOf(p)) }

// Attained shows a progress, of which 1 is all, in percent.
func (v *visit) Attained(progress domain.Decimal) template.HTML { return v.percent(attained(progress)) }

func (v *visit) percent(d domain.Decimal) template.HTML {
	if d == "" {
		return none
	}
	return escaped(v.Language.Share(d))
}

// percentOf is a share as a number from 0 to 100; "" for none.
func percentOf(p *projections.Percent) domain.Decimal {
	if p == nil {
		return ""
	}
	b, _ := p.MarshalJSON() // it cannot fail
	return domain.Decimal(b)
}

// attained is a progress, of which 1 is all, in percent; "" for none.
func attained(progress domain.Decimal) domain.Decimal {
	if progress == "" {
		return ""
	}
	percent, _ := progress.Per("0.01", 1) // which is not 0
	return percent
}

// Amount shows an amount for a headline, with every digit of it as its title; and a dash
// where there is none.
func (v *visit) Amount(amount domain.Decimal, currency domain.Currency) template.HTML {
	if amount == "" {
		return none
	}
	return `<data value="` + escaped(string(amount)) + `" title="` + escaped(v.Money(amount, currency)) + `">` +
		escaped(v.Language.Amount(amount, currency)) + `</data>`
}
