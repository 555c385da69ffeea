package web

import (
	"context"
	"errors"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// news is what one event made of one thing.
type news struct {
	projections.Change // the first of its fields
	What               entity
	New                bool // it came to be
	Fields             []projections.Change
	More               int // fields that are not shown
}

const (
	newsDays   = 7
	newsShown  = 10
	newsFields = 3
	newsEvents = 60 // looked through, so that a week in which much was imported costs no more than another
)

// recent finds the last things that changed within a week of the page's day, the
// newest first, and the day after which it looked.
func (v *visit) recent(ctx context.Context, of domain.Key) (latest []news, since domain.Date, err error) {
	since = v.Today() - newsDays
	from, err := v.models.Resolve(ctx, projections.AsOf(since.String()))
	if early := new(projections.AsOfError); errors.As(err, &early) && early.Code == projections.CodeAsOfBeforeFirst {
		from, err = projections.Point{}, nil
	}
	if err != nil {
		return nil, since, err
	}
	if v.At.Seq > newsEvents && from.Seq < v.At.Seq-newsEvents {
		from = projections.Point{Seq: v.At.Seq - newsEvents, Day: v.At.Day}
	}
	if from.Seq >= v.At.Seq {
		return nil, since, nil
	}
	found, err := v.models.Changes(ctx, projections.ChangeQuery{
		From: from, To: v.At, Agreement: of, Net: true, Page: projections.Page{Limit: projections.MaxLimit},
	})
	if err != nil {
		return nil, since, err
	}
	slices.SortStableFunc(found.Changes, func(a, b projections.Change) int { return int(int64(b.Seq) - int64(a.Seq)) })
	for _, c := range found.Changes {
		if n := len(latest) - 1; n >= 0 && latest[n].Seq == c.Seq && latest[n].Agreement == c.Agreement && latest[n].Entity == c.Entity {
			latest[n].add(c)
			continue
		}
		if len(latest) == newsShown {
			break
		}
		n := news{Change: c, What: v.Entity(c.Agreement, c.Entity)}
		n.add(c)
		latest = append(latest, n)
	}
	return latest, since, nil
}

// add counts a field; of what is new, its title says enough.
func (n *news) add(c projections.Change) {
	if c.Op == "add" && (c.Field == "title" || c.Field == "signatory") {
		n.New, n.Fields, n.More = true, nil, 0
	}
	switch {
	case n.New:
	case len(n.Fields) == newsFields:
		n.More++
	default:
		n.Fields = append(n.Fields, c)
	}
}
