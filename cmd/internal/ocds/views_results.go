package ocds

import (
	"cmp"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// showIndicator shows the targets of an indicator as an agreed metric, its
// actuals as a metric of the implementation.
func (r *draft) showIndicator(e *entity) error {
	var i indicator.State
	if err := e.into(&i); err != nil {
		return err
	}
	_, key, _, _ := e.of()
	id := string(key)
	if o, ok := parseOrigin(e.reason, inAgreedMetrics, inMetrics); ok {
		id = o.id
	}
	var targets, actuals []any
	for _, p := range r.groups[e.path+"/period"] {
		var period indicator.Period
		if err := p.into(&period); err != nil {
			return err
		}
		targets = append(targets, r.observation(&i, &period, p, "target", period.Target, period.TargetText)...)
		actuals = append(actuals, r.observation(&i, &period, p, "actual", period.Actual, period.ActualText)...)
	}
	for _, m := range []struct {
		observations []any
		place        string
		tags         tags
	}{{targets, inAgreedMetrics, ofContractPart}, {actuals, inMetrics, ofImplementation}} {
		if len(m.observations) > 0 {
			now := object{"observations": m.observations}
			r.put(now, "title", i.Title)
			r.say(m.place, id, now, m.tags)
		}
	}
	return nil
}

// observation shows the value of a period, under the id that it was published
// with or the name of the period; nothing where there is no value.
func (x *exporter) observation(i *indicator.State, p *indicator.Period, e *entity, field string, value domain.Decimal, words domain.Text) []any {
	if value == "" && len(words) == 0 {
		return nil
	}
	_, _, _, name := e.of()
	o := object{"id": string(name), "period": x.period(p.Start, p.End)}
	if origin, ok := parseOrigin(cmp.Or(e.reasons[field], e.reasons[field+"_text"]), inAgreedMetrics+inObservations, inMetrics+inObservations); ok {
		o["id"] = origin.id
	}
	switch currency := domain.Currency(i.Unit); {
	case len(words) > 0:
		o["measure"] = words.In(x.Language)
	case i.Measure == indicator.Percentage:
		o["measure"], o["unit"] = string(value), object{"name": "percent", "scheme": "UNCEFACT", "id": "P1"}
	case currency.Valid():
		o["value"] = amount(domain.Money{Amount: value, Currency: currency})
	default:
		o["measure"], o["unit"] = string(value), object{"name": i.Unit}
	}
	return []any{o}
}
