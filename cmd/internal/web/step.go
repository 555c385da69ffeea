package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// step is where a page is in history: at which event, and which come before and
// after it, of the agreement that the page is about, or else of the ledger. All are
// of what the asker sees.
type step struct {
	First, Last    uint64 // sequences of the first event and of the last
	At             uint64
	Event          *projections.EventItem // the last one up to At; nil before the first
	Entity         entity                 // that it is about
	Party          domain.Key
	Previous, Next uint64 // sequences; 0 for none
}

// toEvent is the parameter of the form that steps: a page that is asked for with it
// leads to itself as of that event, which has one address only.
const toEvent = "to_event"

// stepped is the address of a page as of an event.
func stepped(page *url.URL, to string) string {
	query := page.Query()
	query.Del(toEvent)
	query.Del("cursor")
	query.Set("as_of", "seq:"+to)
	return page.Path + "?" + query.Encode()
}

// stepping reports whether the page is as of an event.
func (v *visit) stepping() bool { return strings.HasPrefix(v.AsOf, "seq:") }

// StepPage is the address of this page as of the last event, from where one steps
// through history; "" where one does already, and where there is none.
func (v *visit) StepPage() string {
	if v.stepping() || v.models == nil || v.At.Seq == 0 {
		return ""
	}
	return v.Here("as_of", "seq:"+uintText(v.At.Seq))
}

// StepTo is the address of this page as of an event.
func (v *visit) StepTo(seq uint64) string { return v.Here("as_of", "seq:"+uintText(seq)) }

// loadStep finds where the page is in history.
func (v *visit) loadStep(ctx context.Context) error {
	if !v.stepping() || v.models == nil {
		return nil
	}
	of := projections.EventQuery{Agreement: v.Agreement, To: v.models.Position().Seq}
	first, any, err := v.eventAfter(ctx, of, 0)
	if err != nil || !any {
		return err
	}
	last, _, err := v.eventBefore(ctx, of, of.To+1)
	if err != nil {
		return err
	}
	s := &step{First: first.Seq, Last: last.Seq, At: v.At.Seq}
	if e, ok, err := v.eventBefore(ctx, of, v.At.Seq+1); err != nil {
		return err
	} else if ok {
		s.Event, s.Entity, s.Party = &e, v.Entity(e.Agreement, e.Aggregate), domain.Key(e.Party)
		previous, _, err := v.eventBefore(ctx, of, e.Seq)
		if err != nil {
			return err
		}
		s.Previous = previous.Seq
	}
	next, _, err := v.eventAfter(ctx, of, v.At.Seq)
	s.Next = next.Seq
	v.AtStep = s
	return err
}

// notThereThen tells that what the page is about was not there at an event, and still
// lets one step on.
func (s *site) notThereThen(ctx context.Context, v *visit, err error) error {
	if err := v.loadStep(ctx); err != nil {
		return err
	}
	p := s.api.Problem(ctx, err)
	v.Title = v.Say("Not there at this point")
	return s.render(v.writer, http.StatusNotFound, v, problemPage.template, problemAnswer{v, p, ""})
}

// eventAfter is the first event after a sequence, of those that a question is about.
func (v *visit) eventAfter(ctx context.Context, q projections.EventQuery, seq uint64) (e projections.EventItem, ok bool, err error) {
	q.After, q.Page = seq, projections.Page{Limit: 1}
	if q.To <= seq {
		return e, false, nil
	}
	events, _, err := v.models.Events(ctx, q)
	if err != nil || len(events) == 0 {
		return e, false, err
	}
	return events[0], true, nil
}

// eventBefore is the last event before a sequence. The register is read in its own
// order, so it looks into ever longer stretches before the sequence, until one has
// an event.
func (v *visit) eventBefore(ctx context.Context, q projections.EventQuery, seq uint64) (e projections.EventItem, ok bool, err error) {
	end := min(seq-1, q.To)
	for length := uint64(64); end > 0 && seq > 0; length *= 4 {
		begin := end - min(end, length)
		q.After, q.To, q.Page = begin, end, projections.Page{Limit: projections.MaxLimit}
		for {
			events, next, err := v.models.Events(ctx, q)
			if err != nil {
				return e, false, err
			}
			if len(events) > 0 {
				e, ok = events[len(events)-1], true
			}
			if next == "" {
				break
			}
			q.Page.Cursor = next
		}
		if ok {
			return e, true, nil
		}
		end = begin
	}
	return e, false, nil
}

// AsOfDay and SinceDay are the points of the page where they are days, for inputs that
// take nothing else.
func (v *visit) AsOfDay() string  { return dayOnly(v.AsOf) }
func (v *visit) SinceDay() string { return dayOnly(v.Since) }

// AsOfWords is the point of the page, for its control.
func (v *visit) AsOfWords() template.HTML {
	switch {
	case v.EffectiveAt != "":
		return v.pointWords(v.EffectiveAt)
	case v.AsOf != "":
		return v.pointWords(v.AsOf)
	}
	return template.HTML(template.HTMLEscapeString(v.Say("now")))
}

// SinceWords is the point since which changes are marked; "" for none.
func (v *visit) SinceWords() template.HTML {
	if v.Since == "" {
		return ""
	}
	return v.pointWords(v.Since)
}

// pointWords shows a point as it was asked for.
func (v *visit) pointWords(point string) template.HTML {
	if day, err := domain.ParseDate(point); err == nil {
		return v.Day(day)
	}
	if at, err := time.Parse(time.RFC3339, point); err == nil {
		return v.Moment(at)
	}
	if seq, ok := strings.CutPrefix(point, "seq:"); ok {
		if n, err := strconv.ParseUint(seq, 10, 64); err == nil {
			return template.HTML(template.HTMLEscapeString(v.Say("event %d", n)))
		}
	}
	return template.HTML(template.HTMLEscapeString(point))
}

func dayOnly(point string) string {
	if _, err := domain.ParseDate(point); err != nil {
		return ""
	}
	return point
}

// WithinAgreement reports whether the page is one of an agreement's own, which may be
// asked for by effective dates too.
func (v *visit) WithinAgreement() bool { return v.request.PathValue("agreement") != "" }

// BackToNow is the address of this page as things stand now.
func (v *visit) BackToNow() string {
	query := v.request.URL.Query()
	for _, name := range []string{"as_of", "effective_at", "min_seq", "cursor"} {
		query.Del(name)
	}
	if len(query) == 0 {
		return v.request.URL.Path
	}
	return v.request.URL.Path + "?" + query.Encode()
}
