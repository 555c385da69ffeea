package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

type changesQuestion struct {
	From         string     `query:"from" doc:"The point after which to look: an instant, a civil date (its end) or seq:N; the beginning when absent." example:"2018-02-02"`
	To           string     `query:"to" doc:"The point up to which to look, in the same forms; now when absent."`
	Axis         string     `query:"axis" enum:"recorded,effective" default:"recorded" doc:"By the order of recording; or by the dates from which things hold: the changes are then in that order, each of the values that fields have in it, and from and to are civil dates. The effective axis takes agreement."`
	AsOf         string     `query:"as_of" doc:"With axis=effective, the point by which the changes were recorded, in the forms of from; now when absent. On the axis of recording that is to."`
	SinceMeeting domain.Key `query:"since_meeting" doc:"Look after a meeting instead of from: the event that recorded it as held. The key of a meeting; or of a mechanism, or a kind of mechanisms (coordination, consultation, project-implementation), whose last meeting held by then is meant. Takes agreement." example:"coordination"`
	UntilMeeting domain.Key `query:"until_meeting" doc:"Look up to and with a meeting instead of to: the event that recorded it as held, named as in since_meeting. A mechanism or a kind in since_meeting then means its last meeting before this one. Takes agreement." example:"autumn-2019"`
	Mode         string     `query:"mode" enum:"events,net" default:"events" doc:"Every change by its event, or net: one line for each field that moved, with its value at from and at to, and the last of the events that moved it."`
	Agreement    domain.Key `query:"agreement" doc:"Only of this agreement and what is under it."`
	Entity       string     `query:"entity" doc:"Only of this entity, by its path within the agreement, or, of a party, within the ledger; an aggregate with its parts." example:"project/iot-base/milestone/design"`
	Own          bool       `query:"own" doc:"Of an entity that is an aggregate, only its own fields and not those of its parts."`
	Project      domain.Key `query:"project" doc:"Only of this project; takes agreement."`
	Milestone    domain.Key `query:"milestone" doc:"Only of this milestone; takes agreement and project."`
	Field        string     `query:"field" doc:"Only of fields of this name." example:"forecast"`
	Actor        string     `query:"actor" doc:"Only by this actor."`
	Party        domain.Key `query:"party" doc:"Only for this party."`
	Type         string     `query:"type" doc:"Only by events of this type." example:"milepost.project.milestone-reforecast.v1"`
	Reason       string     `query:"reason" doc:"Only by events with this reason." example:"supplier-delay"`
	Backdated    bool       `query:"backdated" doc:"Only by events effective before the day, in the ledger's time zone, on which they were recorded."`
	Corrections  bool       `query:"corrections" doc:"Only by events that correct another."`
	MinSeq       uint64     `query:"min_seq" doc:"Wait until the read models have reached this sequence."`
	PageQuestion
}

type eventsQuestion struct {
	After     uint64     `query:"after" doc:"Only events after this sequence."`
	Agreement domain.Key `query:"agreement" doc:"Only of this agreement."`
	Kind      string     `query:"kind" doc:"Only of aggregates of this kind." example:"project"`
	Key       domain.Key `query:"key" doc:"Only of the aggregate with this key; takes kind, and agreement where it has one."`
	Type      string     `query:"type" doc:"Only of this type." example:"milepost.project.milestone-reforecast.v1"`
	Actor     string     `query:"actor" doc:"Only by this actor."`
	Party     domain.Key `query:"party" doc:"Only for this party."`
	ListQuestion
}

// event is one stored event: the bytes as they are in the log.
type event struct {
	Seq uint64 `json:"seq"`
	Settlement
	Event storedEvent `json:"event" doc:"The CloudEvent as stored."`
}

// history serves what happened: field by field, and event by event.
func (s *server) history() {
	getListing[changesQuestion, projections.Changes, projections.Change](s, reading("changes", "history", "/v1/changes", "Which fields changed after one point up to and with another, by sequence."), s.changes)
	events := reading("list-events", "history", "/v1/events", "The events, by sequence; or a stream of them, live.")
	events.Middlewares = huma.Middlewares{s.streaming}
	getList(s, events, s.events)
	s.documentStream()
	s.handle(huma.Operation{
		OperationID: "get-event", Method: http.MethodGet, Path: "/v1/events/{seq}", Tags: []string{"history"},
		Summary: "One event: exactly the stored bytes.",
		Parameters: []*huma.Param{{Name: "seq", In: "path", Required: true, Description: "Sequence of the event.",
			Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}, Example: 1}},
		Responses: map[string]*huma.Response{"200": {Description: "The CloudEvent.",
			Headers: map[string]*huma.Param{
				headerSeq:        {Description: "Its sequence.", Schema: &huma.Schema{Type: huma.TypeInteger}},
				headerSettlement: {Description: settlementDoc + " Absent while the read models are behind.", Schema: &huma.Schema{Type: huma.TypeString}},
			},
			Content: map[string]*huma.MediaType{mediaEvent: {Schema: storedEvent{}.Schema(s.api.OpenAPI().Components.Schemas)}}}},
		Errors: []int{400, 403, 404, 500, 503, 507},
	}, s.event)
}

const (
	mediaEvent = "application/cloudevents+json"
	headerSeq  = "Milepost-Seq"
)

func (s *server) changes(ctx context.Context, in *changesQuestion) (listing, error) {
	if in.SinceMeeting != "" && in.From != "" {
		return listing{}, newProblem(projections.CodeContradiction, "since_meeting", "The changes are asked for since a meeting and from a point: leave one of them out.")
	}
	if in.UntilMeeting != "" && in.To != "" {
		return listing{}, newProblem(projections.CodeContradiction, "until_meeting", "The changes are asked for until a meeting and up to a point: leave one of them out.")
	}
	models, f, t, err := s.rangeOf(ctx, in)
	if err != nil {
		return listing{}, err
	}
	answer, err := models.Changes(ctx, projections.ChangeQuery{
		From: f, To: t, SinceMeeting: in.SinceMeeting, UntilMeeting: in.UntilMeeting, Net: in.Mode == "net", Agreement: in.Agreement, Entity: in.Entity, Own: in.Own,
		Project: in.Project, Milestone: in.Milestone, Field: in.Field, Actor: in.Actor, Party: in.Party, Type: in.Type,
		Reason: in.Reason, Backdated: in.Backdated, Corrections: in.Corrections, Page: in.page(),
	})
	return listing{answer, answer.Changes, answer.Next, answer.To}, err
}

// rangeOf finds the points between which to look, when the read models can
// answer for them.
func (s *server) rangeOf(ctx context.Context, in *changesQuestion) (models *projections.Models, f, t projections.Point, err error) {
	if in.Axis == "effective" {
		asOf := pointText(in.AsOf)
		if models, err = s.seenBy(ctx, in.MinSeq, asOf); err != nil {
			return nil, f, t, err
		}
		f, t, err = models.ResolveEffectiveRange(ctx, asOf, in.Agreement, in.From, in.To, in.page())
		return models, f, t, err
	}
	if in.AsOf != "" {
		return nil, f, t, newProblem(projections.CodeContradiction, "as_of", "The changes are by the order of recording, up to to: leave as_of out, or ask with axis=effective.")
	}
	from, to := pointText(in.From), pointText(in.To)
	if models, err = s.seenBy(ctx, in.MinSeq, from, to); err != nil {
		return nil, f, t, err
	}
	f, t, err = models.ResolveRange(ctx, from, to, in.page())
	return models, f, t, err
}

// events finds the events in the register and reads them from the log, which
// alone has what they say.
func (s *server) events(ctx context.Context, models *projections.Models, in *eventsQuestion, at projections.Point) ([]event, string, error) {
	if at.Seq == 0 { // which EventQuery takes for no bound at all
		return []event{}, "", nil
	}
	if in.Key != "" && in.Kind == "" {
		return nil, "", newProblem(CodeInvalidParameter, "kind", "A key is asked for with its kind.")
	}
	rows, next, err := models.Events(ctx, projections.EventQuery{
		After: in.After, To: at.Seq, Agreement: in.Agreement, Kind: in.Kind, Key: string(in.Key), Type: in.Type, Actor: in.Actor,
		Party: in.Party, Page: in.page(),
	})
	if err != nil {
		return nil, "", err
	}
	settler, err := s.settler(ctx)
	if err != nil {
		return nil, "", err
	}
	items := make([]event, len(rows))
	for i, row := range rows {
		rec, err := s.cfg.Store.Get(ctx, row.Seq)
		if err != nil {
			return nil, "", fmt.Errorf("read event %d: %w", row.Seq, err)
		}
		leaf, err := s.cfg.Models.Leaf(ctx, row.Seq)
		if err != nil {
			return nil, "", err
		}
		settlement, err := settler.of(ctx, leaf)
		if err != nil {
			return nil, "", err
		}
		items[i] = event{rec.Seq, settlement, storedEvent{rec.Data}}
	}
	return items, next, nil
}

// seesEvent refuses an event that the asker does not see as one that is not there.
func (s *server) seesEvent(ctx context.Context, seq uint64) error {
	models, err := s.seen(ctx)
	if err != nil {
		return err
	}
	sees, err := models.SeesEvent(ctx, seq)
	if err == nil && !sees {
		err = noEvent(seq)
	}
	return err
}

func noEvent(seq uint64) error {
	return newProblem(domain.CodeNotFound, "seq", fmt.Sprintf("There is no event %d.", seq))
}

// event answers with the bytes that the log has, whatever the read models do.
func (s *server) event(w http.ResponseWriter, r *http.Request) error {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil {
		return newProblem(CodeInvalidParameter, "seq", "Want the sequence of an event, a whole number.")
	}
	if err := s.seesEvent(r.Context(), seq); err != nil {
		return err
	}
	rec, err := s.cfg.Store.Get(r.Context(), seq)
	if errors.Is(err, eventstore.ErrNotFound) {
		return noEvent(seq)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaEvent)
	w.Header().Set("Content-Length", strconv.Itoa(len(rec.Data)))
	w.Header().Set(headerSeq, strconv.FormatUint(rec.Seq, 10))
	if settlement, err := s.settlementOf(r.Context(), rec.Seq); err == nil { // else the read models are behind, and the event is there all the same
		w.Header().Set(headerSettlement, settlement.header())
	}
	_, _ = w.Write(rec.Data) // a client that is gone hears nothing
	return nil
}
