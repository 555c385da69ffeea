package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
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

// notNews are the kinds of what is about the running of the ledger, which has pages of
// its own.
var notNews = []string{access.Kind, subscriber.Kind, webhook.Kind}

const (
	newsDays   = 7
	newsShown  = 10
	newsFields = 3
	newsEvents = 60 // looked through at first, so that a week in which much was imported costs no more than another
)

// recent finds the last things that changed within a week of the page's day, the
// newest first, and the day after which it looked. It looks at the last events first,
// and further back where those are not of what the viewer sees.
func (v *visit) recent(ctx context.Context) (latest []news, since domain.Date, err error) {
	since = v.Today() - newsDays
	from, err := v.models.Resolve(ctx, projections.AsOf(since.String()))
	if early := new(projections.AsOfError); errors.As(err, &early) && early.Code == projections.CodeAsOfBeforeFirst {
		from, err = projections.Point{}, nil
	}
	if err != nil {
		return nil, since, err
	}
	for span := uint64(newsEvents); ; span *= 8 {
		begin := from
		if from.Seq+span < v.At.Seq {
			begin = projections.Point{Seq: v.At.Seq - span, Day: v.At.Day}
		}
		latest, err = v.newsAfter(ctx, begin)
		if err != nil || len(latest) == newsShown || begin.Seq == from.Seq {
			return latest, since, err
		}
	}
}

// newsAfter finds the last things that changed after a point.
func (v *visit) newsAfter(ctx context.Context, from projections.Point) (latest []news, err error) {
	if from.Seq >= v.At.Seq {
		return nil, nil
	}
	found, err := v.models.Changes(ctx, projections.ChangeQuery{From: from, To: v.At, Net: true, Page: projections.Page{Limit: projections.MaxLimit}})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found.Changes, func(a, b projections.Change) int { return cmp.Compare(b.Seq, a.Seq) })
	for _, c := range found.Changes {
		if kind, _, _ := strings.Cut(c.Entity, "/"); slices.Contains(notNews, kind) {
			continue
		}
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
	return latest, nil
}

// add counts a field; of what is new, its title says enough.
func (n *news) add(c projections.Change) {
	if c.Op == "add" && (c.Field == "title" || c.Field == "signatory") {
		n.New, n.Fields, n.More = true, nil, 0
	}
	switch {
	case n.New:
	case len(n.Fields) == newsFields, c.Field == "attendees": // who came is many words
		n.More++
	default:
		n.Fields = append(n.Fields, c)
	}
}
