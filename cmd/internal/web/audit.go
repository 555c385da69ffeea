package web

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

// auditPage is the register of events, and what shows that the log is whole. What
// the asker could not ask the API for is left out.
var auditPage = page{"GET /audit", "audit", auditAnswer{}, of((*site).audit)}

type auditAnswer struct {
	*visit
	Asked         eventsQuery
	Filtered      bool
	Events        []eventRow
	Earlier, Next string // addresses
	Choices       eventsChoices

	Status        *api.Status // nil for those who may not ask
	Checkpoint    *proof.Signed
	Countersigned []countersigned
	Keys          *api.Keys
	MayReplay     bool
}

// eventRow is an event in the register.
type eventRow struct {
	projections.EventItem
	Entity  entity
	For     domain.Key
	Righted uint64
	Settled api.Settlement
}

// countersigned is how far a party has countersigned the ledger.
type countersigned struct {
	api.Countersigned
	Behind int // events that the newest checkpoint has more
}

// eventsQuery is what the register is asked for, as GET /v1/events is.
type eventsQuery struct{ Agreement, Kind, Key, Type, Actor, Party string }

type eventsChoices struct{ Agreements, Kinds, Types, Parties []choice }

// registerShown is how many events are on a page of the register.
const registerShown = 100

func (s *site) audit(ctx context.Context, v *visit) (answer auditAnswer, err error) {
	v.Title, v.Section = v.Say("Audit"), "audit"
	answer.visit = v
	query := v.request.URL.Query()
	get := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	answer.Asked = eventsQuery{get("agreement"), get("kind"), get("key"), get("type"), get("actor"), get("party")}
	if answer.Asked.Kind == "" {
		answer.Asked.Key = ""
	}
	answer.Filtered = answer.Asked != eventsQuery{}
	if answer.Asked.Agreement != "" {
		v.Agreement = domain.Key(answer.Asked.Agreement)
		if _, err := v.agreementCrumbs(ctx, "audit"); err != nil {
			return answer, err
		}
	}
	if err := s.register(ctx, v, &answer); err != nil {
		return answer, err
	}
	if answer.Choices, err = v.eventsChoices(ctx, answer.Asked); err != nil {
		return answer, err
	}
	return answer, s.wholeness(ctx, &answer)
}

// register reads a page of events, by sequence. Without filters it opens at the end
// of the log, and goes back by stretches of it; with filters it begins at the first
// that they let through.
func (s *site) register(ctx context.Context, v *visit, answer *auditAnswer) error {
	if v.At.Seq == 0 {
		return nil // which a question takes for no bound at all
	}
	after := v.At.Seq - min(v.At.Seq, registerShown)
	if answer.Filtered {
		after = 0
	}
	if text := v.request.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return api.InvalidParameter("after", "Want the sequence of an event, such as 128.")
		}
	}
	asked, page := answer.Asked, v.page()
	page.Limit = registerShown
	events, next, err := v.models.Events(ctx, projections.EventQuery{
		After: after, To: v.At.Seq, Agreement: domain.Key(asked.Agreement), Kind: asked.Kind, Key: asked.Key, Type: asked.Type,
		Actor: asked.Actor, Party: domain.Key(asked.Party), Page: page,
	})
	if err != nil {
		return err
	}
	answer.Events, err = s.eventRows(ctx, v, events)
	if next != "" {
		answer.Next = v.Here("cursor", next)
	}
	if after > 0 && page.Cursor == "" {
		answer.Earlier = v.Here("after", uintText(after-min(after, registerShown)))
	}
	return err
}

// eventRows finds what events are about, and whether they are settled.
func (s *site) eventRows(ctx context.Context, v *visit, events []projections.EventItem) (rows []eventRow, err error) {
	seqs := make([]uint64, len(events))
	for i, e := range events {
		seqs[i] = e.Seq
	}
	settlements, err := s.api.Settlements(ctx, seqs...)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		row := eventRow{EventItem: e, Entity: v.Entity(e.Agreement, e.Aggregate), For: domain.Key(e.Party), Settled: settlements[i]}
		if e.CorrectsSeq != nil {
			row.Righted = *e.CorrectsSeq
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// eventsChoices are what the register can be filtered by.
func (v *visit) eventsChoices(ctx context.Context, asked eventsQuery) (c eventsChoices, err error) {
	agreements, err := every(ctx, v.whole(), v.models.Agreements)
	if err != nil {
		return c, err
	}
	for _, a := range agreements {
		choose(&c.Agreements, asked.Agreement, string(a.Agreement), v.Plain(a.Title))
	}
	parties, err := every(ctx, v.whole(), v.models.Parties)
	for _, p := range parties {
		choose(&c.Parties, asked.Party, string(p.Party), v.Plain(p.Title))
	}
	for _, a := range catalogue.Aggregates {
		choose(&c.Kinds, asked.Kind, a.Kind, v.Label(a.Kind))
		for _, e := range a.Events {
			if asked.Kind == "" || asked.Kind == a.Kind {
				choose(&c.Types, asked.Type, e.Type, v.EventName(e.Type))
			}
		}
	}
	slices.SortStableFunc(c.Types, func(a, b choice) int { return cmp.Compare(a.Title, b.Title) })
	return c, err
}

// wholeness finds what shows that the log is whole, as far as the asker may ask for it.
func (s *site) wholeness(ctx context.Context, answer *auditAnswer) error {
	if !answer.Now() {
		return nil // it is of the log as it is
	}
	signed, err := s.api.Checkpoint(ctx) // before the status, which tells of it
	if err != nil {
		return err
	}
	answer.Checkpoint = &signed
	answer.MayReplay = s.api.MayAsk(ctx, "POST /v1/replay")
	if s.api.MayAsk(ctx, "GET /v1/status") {
		status, err := s.api.Status(ctx)
		if err != nil {
			return err
		}
		answer.Status = &status
	}
	parties, err := s.api.Countersigned(ctx)
	if err != nil {
		return err
	}
	for _, p := range parties {
		answer.Countersigned = append(answer.Countersigned, countersigned{p, int(signed.Size - min(signed.Size, p.Leaves))})
	}
	keys, err := s.api.Keys(ctx)
	answer.Keys = &keys
	return err
}

// Root writes the root of a checkpoint's tree.
func (a auditAnswer) Root() string {
	if a.Checkpoint == nil {
		return ""
	}
	return a.Checkpoint.Root.String()
}

// settlement is whether an event is settled, for a template.
type settlement struct {
	*visit
	State  string
	Awaits []domain.Key
}

// Settled prepares a settlement to be shown.
func (v *visit) Settled(s api.Settlement) settlement { return settlement{v, s.Settlement, s.Awaits} }

// Instant is Moment for where there may be none.
func (v *visit) Instant(t *time.Time) template.HTML {
	if t == nil {
		return v.Moment(time.Time{})
	}
	return v.Moment(*t)
}

// ScrubState says in words what the scrub does, which reads and hashes the log again.
func (a auditAnswer) ScrubState() string {
	switch {
	case a.Status == nil:
		return ""
	case a.Status.Integrity.Scrub.State == notary.ScrubOff:
		return a.Say("off")
	case a.Status.Integrity.Scrub.State == notary.ScrubBeginning:
		return a.Say("beginning")
	case a.Status.Integrity.Scrub.State == notary.ScrubWaiting:
		return a.Say("waiting")
	case a.Status.Integrity.Scrub.State == notary.ScrubReading:
		return a.Say("reading")
	}
	return a.Say("failed")
}
