// Package calendar makes an iCalendar (RFC 5545, RFC 7986) of what is due under
// an agreement: milestones on their agreed dates, obligations, meetings, action
// items, and the ends of reporting periods that have a target.
//
// What a program that subscribes to it may rely on:
//
//   - An entry keeps its UID for ever: the entity's path and the ledger. A date
//     that moves moves the entry; what is cancelled, waived or dropped stays,
//     with STATUS:CANCELLED.
//   - SEQUENCE is the version of the aggregate that the entry belongs to, so it
//     grows with each change of the entry. It may grow with a change beside it.
//   - Entries are whole days (VALUE=DATE), so they are on the same day in every
//     time zone, and take no time of anybody's day.
//   - The bytes depend on the point that is asked for and the language, and on
//     no clock: DTSTAMP is the ledger time of the point.
package calendar

import (
	"context"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/words"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// Calendar is what is due under an agreement as of a point.
type Calendar struct {
	Agreement domain.Key
	Title     domain.Text
	At        time.Time // ledger time of the point
	Entries   []Entry   // those of one kind together, in the order in which they came
}

// Entry is one day of the calendar.
type Entry struct {
	Path      string // of the entity within the agreement
	Kind      string // what it is, as words.Language.Label says it
	Title     domain.Text
	Within    domain.Text // what it is of: the title of its project or meeting; nil for the agreement
	On        domain.Date
	Version   uint64 // of its aggregate
	Cancelled bool
	Facts     []fact
}

// fact is a line of an entry's description. What says nothing is left out.
type fact struct {
	name  string // of a field
	value string
}

// Of gathers what is due under an agreement, or refuses with not-found.
func Of(ctx context.Context, models *projections.Models, key domain.Key, at projections.Point) (*Calendar, error) {
	a, err := models.Agreement(ctx, key, at)
	if err != nil {
		return nil, err
	}
	g := gatherer{ctx, models, at, &Calendar{Agreement: key, Title: a.Title, At: at.At}}
	for _, gather := range []func(projections.Agreement) error{g.milestones, g.obligations, g.meetings, g.periods} {
		if err := gather(a); err != nil {
			return nil, err
		}
	}
	return g.calendar, nil
}

type gatherer struct {
	ctx      context.Context
	models   *projections.Models
	at       projections.Point
	calendar *Calendar
}

// add takes an entry, unless it has no date.
func (g gatherer) add(e Entry) {
	if e.On != 0 {
		g.calendar.Entries = append(g.calendar.Entries, e)
	}
}

func (g gatherer) milestones(a projections.Agreement) error {
	return each(func(page projections.Page) ([]projections.Project, string, error) {
		return g.models.Projects(g.ctx, a.Agreement, g.at, page)
	}, func(p projections.Project) error {
		return each(func(page projections.Page) ([]projections.Milestone, string, error) {
			return g.models.Milestones(g.ctx, a.Agreement, p.Project, g.at, page)
		}, func(m projections.Milestone) error {
			forecast := m.Forecast
			if forecast == m.Due || m.MetOn != 0 {
				forecast = 0
			}
			g.add(Entry{
				Path: project.Ref(a.Agreement, p.Project).Path() + "/milestone/" + string(m.Milestone), Kind: "milestone",
				Title: m.Title, Within: p.Title, On: m.Due, Version: p.Version,
				Cancelled: m.State == project.Dropped || p.State == project.StatusCancelled,
				Facts:     []fact{{"state", m.State}, {"forecast", forecast.String()}, {"met_on", m.MetOn.String()}, {"baseline", m.Baseline.String()}},
			})
			return nil
		})
	})
}

func (g gatherer) obligations(a projections.Agreement) error {
	return each(func(page projections.Page) ([]projections.Obligation, string, error) {
		return g.models.Obligations(g.ctx, a.Agreement, g.at, page)
	}, func(o projections.Obligation) error {
		value := ""
		if o.Value != nil {
			value = string(o.Value.Amount) + " " + string(o.Value.Currency)
		}
		g.add(Entry{
			Path: agreement.Ref(a.Agreement).Path() + "/obligation/" + string(o.Obligation), Kind: "obligation",
			Title: o.Title, On: o.Due, Version: a.Version, Cancelled: o.State == agreement.Waived,
			Facts: []fact{{"state", o.State}, {"debtor", string(o.Debtor)}, {"beneficiary", string(o.Beneficiary)}, {"value", value}, {"fulfilled_on", o.FulfilledOn.String()}},
		})
		return nil
	})
}

// meetings gathers the meetings, and the action items that they assigned.
func (g gatherer) meetings(a projections.Agreement) error {
	held := map[domain.Key]projections.Meeting{}
	err := each(func(page projections.Page) ([]projections.Meeting, string, error) {
		return g.models.Meetings(g.ctx, a.Agreement, g.at, page)
	}, func(m projections.Meeting) error {
		held[m.Meeting] = m
		g.add(Entry{
			Path: meeting.Ref(a.Agreement, m.Meeting).Path(), Kind: "meeting", Title: m.Title, On: m.On, Version: m.Version,
			Cancelled: m.State == meeting.Cancelled,
			Facts:     []fact{{"state", m.State}, {"mechanism", string(m.Mechanism)}, {"members", keys(m.Members)}},
		})
		return nil
	})
	if err != nil {
		return err
	}
	return each(func(page projections.Page) ([]projections.Action, string, error) {
		return g.models.Actions(g.ctx, a.Agreement, "", g.at, page)
	}, func(i projections.Action) error {
		of := held[i.Meeting]
		g.add(Entry{
			Path: meeting.Ref(a.Agreement, i.Meeting).Path() + "/action/" + string(i.Action), Kind: "action",
			Title: i.Title, Within: of.Title, On: i.Due, Version: of.Version, Cancelled: i.State == meeting.Dropped,
			Facts: []fact{{"state", i.State}, {"owner", string(i.Owner)}, {"done_on", i.DoneOn.String()}},
		})
		return nil
	})
}

// periods gathers the ends of reporting periods that have a target.
func (g gatherer) periods(a projections.Agreement) error {
	return each(func(page projections.Page) ([]projections.Indicator, string, error) {
		return g.models.Indicators(g.ctx, a.Agreement, g.at, page)
	}, func(i projections.Indicator) error {
		return each(func(page projections.Page) ([]projections.IndicatorPeriod, string, error) {
			return g.models.Periods(g.ctx, a.Agreement, i.Indicator, g.at, page)
		}, func(p projections.IndicatorPeriod) error {
			if p.Target == "" && len(p.TargetText) == 0 {
				return nil
			}
			g.add(Entry{
				Path: "indicator/" + string(i.Indicator) + "/period/" + string(p.Period), Kind: words.Later("Report due"),
				Title: i.Title, On: p.End, Version: i.Version,
				Facts: []fact{{"period", string(p.Period)}, {"state", p.State}, {"target", quantity(p.Target, i.Unit)}, {"actual", quantity(p.Actual, i.Unit)}, {"reporter", string(i.Reporter)}},
			})
			return nil
		})
	})
}

func quantity(n domain.Decimal, unit string) string {
	if n == "" || unit == "" {
		return string(n)
	}
	return string(n) + " " + unit
}

func keys(list []domain.Key) (s string) {
	for i, k := range list {
		if i > 0 {
			s += ", "
		}
		s += string(k)
	}
	return s
}

// each calls f for every item of a list, page by page.
func each[T any](list func(projections.Page) ([]T, string, error), f func(T) error) error {
	page := projections.Page{Limit: projections.MaxLimit}
	for {
		items, next, err := list(page)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := f(item); err != nil {
				return err
			}
		}
		if page.Cursor = next; next == "" {
			return nil
		}
	}
}
