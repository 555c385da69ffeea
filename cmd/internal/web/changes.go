package web

import (
	"context"
	"html/template"
	"net/url"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// changesPage is what changed between two points, asked for as GET /v1/changes is.
var changesPage = page{"GET /changes", "changes", changesAnswer{}, of((*site).changes)}

type changesAnswer struct {
	*visit
	Asked    changesQuery
	From, To projections.Point
	SinceMet *projections.Since // the meeting that it begins at
	UntilMet *projections.Since
	List     changeList
	Number   int    // of changes on this page
	Next     string // cursor of more
	Filtered bool   // something but the points was asked for
	Choices  changesChoices
	Quick    []quickLink
	Exports  []quickLink
}

// quickLink leads to an answer that is often asked for.
type quickLink struct{ Title, Path string }

// changesQuery is the question, as the address of the page has it.
type changesQuery struct {
	From, To, SinceMeeting, UntilMeeting  string
	Agreement, Project, Milestone, Entity string
	Field, Actor, Party, Type, Reason     string
	Backdated, Corrections, Own           bool
	Net, Effective                        bool
}

// askedChanges reads the question. Where it has no points, they are those that the
// head of every page has.
func (v *visit) askedChanges() (q changesQuery, err error) {
	query := v.request.URL.Query()
	get := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	point := func(name string) string { return strings.ReplaceAll(get(name), " ", "+") }
	q = changesQuery{
		From: point("from"), To: point("to"), SinceMeeting: get("since_meeting"), UntilMeeting: get("until_meeting"),
		Agreement: get("agreement"), Project: get("project"), Milestone: get("milestone"), Entity: get("entity"),
		Field: get("field"), Actor: get("actor"), Party: get("party"), Type: get("type"), Reason: get("reason"),
	}
	for name, flag := range map[string]*bool{"backdated": &q.Backdated, "corrections": &q.Corrections, "own": &q.Own} {
		if text := get(name); text != "" && text != "true" && text != "false" {
			return q, api.InvalidParameter(name, "Want true or false.")
		}
		*flag = get(name) == "true"
	}
	switch get("mode") {
	case "net":
		q.Net = true
	case "", "all", "events":
	default:
		return q, api.InvalidParameter("mode", "Want net or all.")
	}
	switch get("axis") {
	case "effective":
		q.Effective = true
	case "", "recorded":
	default:
		return q, api.InvalidParameter("axis", "Want recorded or effective.")
	}
	if !q.Effective && q.To == "" && q.UntilMeeting == "" {
		q.To = v.AsOf
	}
	if q.From == "" && q.SinceMeeting == "" {
		q.From = v.Since
	}
	if q.From != "" {
		q.SinceMeeting = ""
	}
	if q.To != "" {
		q.UntilMeeting = ""
	}
	// What belongs to what is not asked for is not asked for either.
	if q.Agreement == "" {
		q.Project, q.SinceMeeting, q.UntilMeeting, q.Effective = "", "", "", false
	}
	if q.Project == "" {
		q.Milestone = ""
	}
	return q, nil
}

// values are the question as GET /v1/changes takes it.
func (q changesQuery) values(asOf string) url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"from": q.From, "to": q.To, "since_meeting": q.SinceMeeting, "until_meeting": q.UntilMeeting, "agreement": q.Agreement, "project": q.Project, "milestone": q.Milestone,
		"entity": q.Entity, "field": q.Field, "actor": q.Actor, "party": q.Party, "type": q.Type, "reason": q.Reason,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for name, flag := range map[string]bool{"backdated": q.Backdated, "corrections": q.Corrections, "own": q.Own} {
		if flag {
			values.Set(name, "true")
		}
	}
	if q.Net {
		values.Set("mode", "net")
	}
	if q.Effective {
		values.Set("axis", "effective")
		if asOf != "" {
			values.Set("as_of", asOf)
		}
	}
	return values
}

// filters reports whether it asks for more than points.
func (q changesQuery) filters() bool {
	return q.Agreement+q.Project+q.Milestone+q.Entity+q.Field+q.Actor+q.Party+q.Type+q.Reason != "" || q.Backdated || q.Corrections || q.Own
}

func (s *site) changes(ctx context.Context, v *visit) (changesAnswer, error) {
	v.Title, v.Section = v.Say("Changes"), "changes"
	answer := changesAnswer{visit: v}
	asked, err := v.askedChanges()
	if err != nil {
		return answer, err
	}
	answer.Asked, answer.Filtered = asked, asked.filters()
	from, to, page := projections.AsOf(asked.From), projections.AsOf(asked.To), v.page()
	if asked.Effective {
		answer.From, answer.To, err = v.models.ResolveEffectiveRange(ctx, projections.AsOf(v.AsOf), domain.Key(asked.Agreement), asked.From, asked.To, page)
	} else if v.models, err = s.api.Seen(ctx, 0, from, to); err == nil {
		answer.From, answer.To, err = v.models.ResolveRange(ctx, from, to, page)
	}
	if err != nil {
		return answer, err
	}
	found, err := v.models.Changes(ctx, projections.ChangeQuery{
		From: answer.From, To: answer.To, SinceMeeting: domain.Key(asked.SinceMeeting), UntilMeeting: domain.Key(asked.UntilMeeting), Net: asked.Net,
		Agreement: domain.Key(asked.Agreement), Entity: asked.Entity, Own: asked.Own, Project: domain.Key(asked.Project), Milestone: domain.Key(asked.Milestone),
		Field: asked.Field, Actor: asked.Actor, Party: domain.Key(asked.Party), Type: asked.Type, Reason: asked.Reason,
		Backdated: asked.Backdated, Corrections: asked.Corrections, Page: page,
	})
	if err != nil {
		return answer, err
	}
	answer.From, answer.To, answer.SinceMet, answer.UntilMet, answer.Number, answer.Next = found.From, found.To, found.Since, found.Until, len(found.Changes), found.Next
	if answer.List, err = s.changeList(ctx, v, found.Changes); err != nil {
		return answer, err
	}
	if asked.Net {
		answer.List.Old, answer.List.New = v.PlainPoint(found.From), v.PlainPoint(found.To)
		if found.Since != nil {
			answer.List.Old = v.Plain(found.Since.Title)
		}
		if found.Until != nil {
			answer.List.New = v.Plain(found.Until.Title)
		}
	}
	if asked.Agreement != "" {
		v.Agreement = domain.Key(asked.Agreement)
		if _, err := v.agreementCrumbs(ctx, "changes"); err != nil {
			return answer, err
		}
	}
	if answer.Choices, err = v.changesChoices(ctx, asked, found.Changes); err != nil {
		return answer, err
	}
	answer.Quick = v.quickChanges(asked, answer.Choices)
	for _, form := range []string{"csv", "xlsx", "json"} {
		values := asked.values(v.AsOf)
		values.Set("format", form)
		answer.Exports = append(answer.Exports, quickLink{strings.ToUpper(form), "/v1/changes?" + values.Encode()})
	}
	return answer, nil
}

// Point shows a point: its date where it is of the second axis, else its instant and
// its event.
func (v *visit) Point(p projections.Point) template.HTML {
	switch {
	case p.Effective != 0:
		return v.Day(p.Effective)
	case p.Seq == 0:
		return escaped(v.Say("the beginning"))
	}
	return v.Moment(p.At) + template.HTML(` <span class="soft small">`+template.HTMLEscapeString(v.Say("event %d", p.Seq))+`</span>`)
}

// PlainPoint is Point without markup.
func (v *visit) PlainPoint(p projections.Point) string {
	switch {
	case p.Effective != 0:
		return v.Date(p.Effective)
	case p.Seq == 0:
		return v.Say("the beginning")
	}
	return v.Time(p.At.In(v.site.Location)) + " · " + v.Say("event %d", p.Seq)
}
