package web

import (
	"context"
	"encoding/json"
	"html/template"
	"reflect"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// planned is in words what a command would record.
type planned struct {
	Actor, Party string
	Effective    domain.Date
	Why          why
	Corrects     string
	Evidence     []attachedFile
	Events       []plannedEvent
}

type attachedFile struct{ Hash, Name string }

type plannedEvent struct {
	Doc     string
	Where   string // the thing that it happens to
	Changes []moved
}

// moved is a field that would change.
type moved struct {
	Label    string
	Old, New template.HTML
}

// planned says what a plan would record.
func (f *form) planned(plan ledger.Plan) *planned {
	p := &planned{
		Actor: plan.Actor, Effective: plan.Effective, Why: f.Why(f.values.Get("reason"), f.values.Get("note")), Corrects: f.values.Get("corrects"),
	}
	if domain.Key(plan.Actor) == f.Principal.Key && f.Principal.Name != "" {
		p.Actor = f.Principal.Name
	}
	if plan.Party != "" {
		p.Party = f.PartyName(plan.Party)
	}
	for _, hash := range f.values["evidence"] {
		p.Evidence = append(p.Evidence, attachedFile{hash, f.values.Get(fileName + hash)})
	}
	for _, e := range plan.Events {
		event := plannedEvent{Doc: f.Say(eventDoc(e.Type)), Where: f.called(e.Ref, "")}
		for _, c := range e.Changes {
			label := f.FieldName(c.Field)
			if c.Part != "" {
				label = f.called(e.Ref, c.Part) + " · " + label
			}
			event.Changes = append(event.Changes, moved{label, f.FieldValue(c.Field, encoded(c.Before)), f.FieldValue(c.Field, encoded(c.After))})
		}
		p.Events = append(p.Events, event)
	}
	return p
}

// called is what people call an aggregate, or a part of it, with what it is.
func (v *visit) called(ref domain.Ref, part string) string {
	path := ref.Path()
	if part != "" {
		path += "/" + part
	}
	e := v.Entity(string(ref.Agreement), path)
	return v.Label(e.last().Kind) + ": " + e.PlainShort()
}

// encoded is a value as JSON, nothing for what is empty.
func encoded(value any) json.RawMessage {
	if value == nil || reflect.ValueOf(value).IsZero() && reflect.ValueOf(value).Kind() != reflect.Bool {
		return nil
	}
	return domain.EncodeValue(value)
}

// eventDoc says what an event of a type is.
func eventDoc(name string) string {
	typ, err := catalogue.EventType(name)
	if err != nil {
		return name
	}
	return typ.Doc
}

// event finds an event that the asker sees.
func (v *visit) event(ctx context.Context, seq uint64) (projections.EventItem, bool, error) {
	items, _, err := v.models.Events(ctx, projections.EventQuery{After: seq - 1, To: seq, Page: projections.Page{Limit: 1}})
	if err != nil || len(items) == 0 {
		return projections.EventItem{}, false, err
	}
	return items[0], true, nil
}
