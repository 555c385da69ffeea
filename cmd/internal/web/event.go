package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// eventPage is one event: what it says, what it changed, and its proof.
var eventPage = page{"GET /audit/events/{seq}", "event", eventAnswer{}, of((*site).event)}

type eventAnswer struct {
	*visit
	Of                       eventRow
	Envelope                 domain.Envelope
	Changes                  changeList
	Doc                      string // what such an event says
	Raw, Pretty              string
	Size                     int
	SHA256                   string
	Proof                    *api.Inclusion // nil while the tree does not cover it
	CorrectedBy              []uint64
	Previous, Next           uint64 // of the ledger
	PreviousOfOne, NextOfOne uint64 // of the same aggregate
}

func (s *site) event(ctx context.Context, v *visit) (answer eventAnswer, err error) {
	v.Section, v.Crumbs = "audit", []crumb{{v.Say("Audit"), "/audit"}}
	answer.visit = v
	seq, err := strconv.ParseUint(v.request.PathValue("seq"), 10, 63)
	if err != nil || seq == 0 {
		return answer, api.InvalidParameter("seq", "Want the sequence of an event, a whole number.")
	}
	records, err := s.api.Stored(ctx, seq)
	if err != nil {
		return answer, err
	}
	if v.models, err = s.api.Seen(ctx, seq); err != nil {
		return answer, err
	}
	if answer.Envelope, err = domain.DecodeEnvelope(records[0].Data); err != nil {
		return answer, err
	}
	answer.show(records[0].Data)
	items, _, err := v.models.Events(ctx, projections.EventQuery{After: seq - 1, To: seq})
	if err == nil && len(items) == 0 {
		err = api.NotThere(v.Say("There is no such event."))
	}
	if err != nil {
		return answer, err
	}
	rows, err := s.eventRows(ctx, v, items)
	if err != nil {
		return answer, err
	}
	answer.Of = rows[0]
	if typ, err := catalogue.EventType(answer.Of.Type); err == nil {
		answer.Doc = v.Say(typ.Doc)
	}
	v.Title = v.Say("Event %d: %s", seq, v.EventName(answer.Of.Type))
	if err := s.eventChanges(ctx, v, &answer); err != nil {
		return answer, err
	}
	if err := v.neighbours(ctx, &answer); err != nil {
		return answer, err
	}
	proof, err := s.api.Inclusion(ctx, seq, records[0].Data)
	if err != nil {
		return answer, err
	}
	answer.Proof = &proof
	return answer, nil
}

// show keeps the stored bytes, exactly and as JSON that is easy to read.
func (a *eventAnswer) show(raw []byte) {
	sum := sha256.Sum256(raw)
	a.Size, a.SHA256, a.Raw = len(raw), hex.EncodeToString(sum[:]), string(raw)
	if !utf8.Valid(raw) {
		a.Raw = hex.EncodeToString(raw)
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") == nil {
		a.Pretty = b.String()
	}
}

// eventChanges finds which fields the event changed, and which events put it right.
func (s *site) eventChanges(ctx context.Context, v *visit, answer *eventAnswer) error {
	seq := answer.Of.Seq
	from, to, err := v.models.ResolveRange(ctx, projections.AsOf("seq:"+uintText(seq-1)), projections.AsOf("seq:"+uintText(seq)), projections.Page{})
	if err != nil {
		return err
	}
	found, err := v.models.Changes(ctx, projections.ChangeQuery{From: from, To: to, Page: projections.Page{Limit: projections.MaxLimit}})
	if err != nil {
		return err
	}
	if answer.Changes, err = s.changeList(ctx, v, found.Changes); err != nil {
		return err
	}
	now, err := v.models.Resolve(ctx, "")
	if err != nil {
		return err
	}
	query := projections.ChangeQuery{
		From: to, To: now, Entity: answer.Of.Aggregate, Corrections: true, Page: projections.Page{Limit: projections.MaxLimit},
	}
	if !catalogue.LedgerWide(answer.Envelope.Ref.Kind) {
		query.Agreement = domain.Key(answer.Of.Agreement)
	}
	corrections, err := v.models.Changes(ctx, query)
	for _, c := range corrections.Changes {
		n := len(answer.CorrectedBy)
		if c.CorrectsSeq != nil && *c.CorrectsSeq == seq && (n == 0 || answer.CorrectedBy[n-1] != c.Seq) {
			answer.CorrectedBy = append(answer.CorrectedBy, c.Seq)
		}
	}
	return err
}

// neighbours finds the events before and after, of the ledger and of the aggregate.
func (v *visit) neighbours(ctx context.Context, answer *eventAnswer) error {
	seq, ref := answer.Of.Seq, answer.Envelope.Ref
	all := projections.EventQuery{To: v.models.Position().Seq}
	one := all
	one.Agreement, one.Kind, one.Key = ref.Agreement, ref.Kind, string(ref.Key)
	for _, of := range []struct {
		query          projections.EventQuery
		previous, next *uint64
	}{{all, &answer.Previous, &answer.Next}, {one, &answer.PreviousOfOne, &answer.NextOfOne}} {
		before, _, err := v.eventBefore(ctx, of.query, seq)
		if err != nil {
			return err
		}
		after, _, err := v.eventAfter(ctx, of.query, seq)
		if err != nil {
			return err
		}
		*of.previous, *of.next = before.Seq, after.Seq
	}
	return nil
}
