package api

import (
	"bytes"
	"context"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"github.com/milepost-ledger/milepost/cmd/internal/calendar"
	"github.com/milepost-ledger/milepost/projections"
)

type calendarQuestion struct {
	InAgreement
	Question
	Lang   string `query:"lang" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"Language of the summaries, such as zh; else what the header Accept-Language says, else English." example:"zh"`
	Accept string `header:"Accept-Language" doc:"Languages of the summaries, the best first."`
}

// languages are those to write in, the best first.
func (q calendarQuestion) languages() []string {
	accept := q.Accept
	if q.Lang != "" {
		accept = q.Lang
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return nil // a browser's oddity is no reason for having no calendar
	}
	var languages []string
	for _, t := range tags {
		base, _ := t.Base()
		languages = append(languages, t.String(), base.String())
	}
	return languages
}

type calendarAnswer struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" doc:"The name of the file."`
	AsOfHeaders
	Body []byte
}

// calendar serves what is due under an agreement to calendar programs.
func (s *server) calendar() {
	op := reading("get-calendar", "agreements", "/v1/agreements/{agreement}/calendar.ics", "What is due under an agreement, as an iCalendar.")
	op.Description = "Agreed dates of milestones, dates of obligations, meetings and action items, and ends of reporting periods with a target, " +
		"as whole days. A program that subscribes sees each entry move in its place: its UID stays, and its SEQUENCE grows with each change. " +
		"What is cancelled stays with STATUS:CANCELLED."
	op.Responses = map[string]*huma.Response{"200": {Description: "The calendar, by RFC 5545.",
		Content: map[string]*huma.MediaType{calendar.Media: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	get(s, op, func(ctx context.Context, in *calendarQuestion) (*calendarAnswer, error) {
		models, at, err := s.point(ctx, in, projections.Page{})
		if err != nil {
			return nil, err
		}
		c, err := calendar.Of(ctx, models, in.Agreement, at)
		if err != nil {
			return nil, err
		}
		var file bytes.Buffer
		err = c.Write(&file, s.cfg.Name, in.languages()...)
		return &calendarAnswer{
			ContentType: calendar.Media + "; charset=utf-8", Disposition: `inline; filename="` + string(in.Agreement) + `.ics"`,
			AsOfHeaders: asOfHeaders(at), Body: file.Bytes(),
		}, err
	})
}
