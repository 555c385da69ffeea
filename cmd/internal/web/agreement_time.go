package web

import (
	"cmp"
	"html/template"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// moment is a line of the timeline and of the table behind it.
type moment struct {
	Kind     string // what is said of it
	Title    domain.Text
	When     template.HTML // the date, as exact as it is known
	Page     string        // "" for no link
	from, to domain.Date
	drawn    chart.Kind
	vague    bool
	plain    string // When without markup
}

// momentsOfAKind bounds the projects and results on a timeline, the first ones.
const momentsOfAKind = 12

// timeline tells the story of the agreement, back to the cooperation before it.
func (a *agreementAnswer) timeline() {
	a.prior()
	a.life()
	for _, m := range a.Amendments {
		if m.EffectiveOn != 0 {
			a.day(chart.OfAgreement, a.Say("Amendment in effect"), m.Title, m.EffectiveOn, a.AgreementPage(a.Agreement, "amendments", m.Amendment))
		}
	}
	started := slices.DeleteFunc(slices.Clone(a.Projects), func(p projections.Project) bool { return p.StartedOn == 0 })
	slices.SortStableFunc(started, func(p, q projections.Project) int { return cmp.Compare(p.StartedOn, q.StartedOn) })
	for _, p := range started[:min(len(started), momentsOfAKind)] {
		to := p.EndedOn
		if to == 0 {
			to = a.Today()
		}
		a.span(chart.OfProject, a.Say("Project"), p.Title, p.StartedOn, max(p.StartedOn, to), p.EndedOn == 0, a.AgreementPage(a.Agreement, "projects", p.Project))
	}
	verified := slices.DeleteFunc(slices.Clone(a.Results), func(r projections.Indicator) bool { return r.FirstVerifiedOn == 0 })
	slices.SortStableFunc(verified, func(p, q projections.Indicator) int { return cmp.Compare(p.FirstVerifiedOn, q.FirstVerifiedOn) })
	for _, r := range verified[:min(len(verified), momentsOfAKind)] {
		a.day(chart.OfResult, a.Say("First verified result"), r.Title, r.FirstVerifiedOn, a.AgreementPage(a.Agreement, "results", r.Indicator))
	}
	slices.SortStableFunc(a.Moments, func(m, n moment) int { return cmp.Compare(m.from, n.from) })
	a.Timeline = a.draw()
}

// prior adds the cooperation before the agreement, whose dates may be imprecise.
func (a *agreementAnswer) prior() {
	for _, p := range a.Of.Prior {
		from, to := domain.EDTF(p.Date).Bounds()
		from, to = cmp.Or(from, to), cmp.Or(to, from)
		m := moment{Kind: a.Say("Prior cooperation"), Title: p.Title, from: from, to: to, drawn: chart.OfPrior, vague: from != to, plain: a.imprecise(p.Date)}
		m.When = escaped(m.plain)
		a.Moments = append(a.Moments, m)
	}
}

// life adds the agreement's own beginning and end.
func (a *agreementAnswer) life() {
	if on := a.Of.EffectiveOn; on != 0 {
		a.day(chart.OfAgreement, a.Say("Took effect"), a.Of.Title, on, "")
	}
	if on := a.Of.EndedOn; on != 0 {
		a.day(chart.OfAgreement, a.Label(a.Of.State), a.Of.Title, on, "")
	} else if end := a.Of.Term.End; end != 0 {
		a.day(chart.OfAgreement, a.Say("End of the term"), a.Of.Title, end, "")
	}
}

func (a *agreementAnswer) day(kind chart.Kind, said string, title domain.Text, on domain.Date, page string) {
	a.Moments = append(a.Moments, moment{Kind: said, Title: title, When: a.Day(on), Page: page, from: on, to: on, drawn: kind, plain: a.Date(on)})
}

func (a *agreementAnswer) span(kind chart.Kind, said string, title domain.Text, from, to domain.Date, open bool, page string) {
	m := moment{Kind: said, Title: title, Page: page, from: from, to: to, drawn: kind}
	m.plain = a.Date(from) + " – " + a.Date(to)
	m.When = a.Day(from) + " – " + a.Day(to)
	if open {
		m.plain = a.Say("since %s", a.Date(from))
		m.When = escaped(m.plain)
	}
	a.Moments = append(a.Moments, m)
}

// imprecise writes a date as exactly as it is known: 199X is the 1990s.
func (v *visit) imprecise(edtf string) string {
	if d, err := domain.ParseDate(edtf); err == nil {
		return v.Date(d)
	}
	if d, err := domain.ParseDate(edtf + "-01"); err == nil {
		layout := "Jan 2006"
		if v.Language == words.Chinese {
			layout = "2006年1月"
		}
		return d.Time(time.UTC).Format(layout)
	}
	if len(edtf) == 4 && edtf[3] == 'X' && edtf[2] != 'X' {
		return v.Say("the %s0s", edtf[:3])
	}
	return edtf
}

func (a *agreementAnswer) draw() template.HTML {
	t := chart.Timeline{
		Frame: a.frame("timeline-chart", a.Say("Timeline of the agreement"), a.Say("Each entry is a row of the table below the chart."), a.Say("Nothing has happened yet.")),
		AsOf:  a.Today(),
		Words: chart.TimelineWords{
			Prior: a.Say("Prior cooperation"), Agreement: a.Say("Agreement"), Project: a.Say("Project"), Result: a.Say("Result"), Meeting: a.Say("Meeting"),
			AsOf: a.Say("As of"),
		},
	}
	for _, m := range a.Moments {
		item := chart.TimelineItem{Title: a.Plain(m.Title), When: m.plain, Kind: m.drawn, From: m.from, To: m.to, Faded: m.vague}
		if m.drawn == chart.OfAgreement {
			item.Title = m.Kind
		}
		if m.Page != "" {
			item.Href = m.Page
		}
		t.Items = append(t.Items, item)
	}
	return t.HTML()
}
