package web

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"reflect"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// planned is in words what a command would record.
type planned struct {
	Actor, Party   string
	Effective      domain.Date
	Reason, Note   string
	Corrects       string
	Evidence       []attachedFile
	Events         []plannedEvent
	ConfirmedByYou bool
}

type attachedFile struct{ Hash, Name string }

type plannedEvent struct {
	Doc     string
	Where   string // the thing that it happens to
	Changes []moved
}

// moved is a field that changes, or changed.
type moved struct {
	Label    string
	Old, New template.HTML
	Who      string
	When     time.Time
}

// planned says what a plan would record.
func (f *form) planned(ctx context.Context, plan ledger.Plan) (*planned, error) {
	p := &planned{
		Actor: plan.Actor, Effective: plan.Effective,
		Reason: f.values.Get("reason"), Note: f.values.Get("note"), Corrects: f.values.Get("corrects"),
	}
	if domain.Key(plan.Actor) == f.Principal.Key && f.Principal.Name != "" {
		p.Actor = f.Principal.Name + " (" + plan.Actor + ")"
	}
	var err error
	if plan.Party != "" {
		if p.Party, err = f.titleOf(ctx, domain.Ref{Kind: "party", Key: plan.Party}); err != nil {
			return nil, err
		}
	}
	for _, hash := range f.values["evidence"] {
		p.Evidence = append(p.Evidence, attachedFile{hash, f.values.Get("_name." + hash)})
	}
	for _, e := range plan.Events {
		event := plannedEvent{Doc: eventDoc(e.Type)}
		event.Doc = f.Say(event.Doc)
		if event.Where, err = f.titleOf(ctx, e.Ref); err != nil {
			return nil, err
		}
		event.Where = f.Label(e.Ref.Kind) + " " + event.Where
		for _, c := range e.Changes {
			if e.Reason != "" && p.Reason == "" {
				p.Reason, p.Note = e.Reason, e.Note
			}
			event.Changes = append(event.Changes, moved{
				Label: f.fieldLabel(c.Part, c.Field), Old: f.told(c.Field, encoded(c.Before)), New: f.told(c.Field, encoded(c.After)),
			})
		}
		p.Events = append(p.Events, event)
	}
	return p, nil
}

// encoded is a value as JSON, nothing for what is empty.
func encoded(value any) json.RawMessage {
	if value == nil || reflect.ValueOf(value).IsZero() {
		if b, ok := value.(bool); !ok || b {
			return nil
		}
	}
	return domain.EncodeValue(value)
}

// fieldLabel names a field of a part: "Milestone design · Forecast".
func (v *visit) fieldLabel(part, field string) string {
	var words []string
	for name := range strings.SplitSeq(field, ".") {
		words = append(words, v.Label(name))
	}
	label := strings.Join(words, " · ")
	if kind, key, ok := strings.Cut(part, "/"); ok {
		return v.Label(kind) + " " + key + " · " + label
	}
	return label
}

// coded are the fields of which the values are codes of the ledger's.
var coded = map[string]bool{
	"state": true, "kind": true, "outcome": true, "role": true, "cadence": true, "level": true, "measure": true, "type": true, "reason": true,
}

// told shows a field's value, and a code in words.
func (v *visit) told(field string, raw json.RawMessage) template.HTML {
	var code string
	if coded[field] && json.Unmarshal(raw, &code) == nil && code != "" {
		return template.HTML(template.HTMLEscapeString(v.Label(code)))
	}
	return v.Value(raw)
}

// eventDoc says what an event of a type is.
func eventDoc(name string) string {
	typ, err := catalogue.EventType(name)
	if err != nil {
		return name
	}
	return typ.Doc
}

// titleOf is what people call an aggregate, and its key.
func (v *visit) titleOf(ctx context.Context, ref domain.Ref) (string, error) {
	var title domain.Text
	var err error
	switch ref.Kind {
	case "party":
		var x projections.Party
		x, err = v.models.Party(ctx, ref.Key, v.At)
		title = x.Title
	case "agreement":
		var x projections.Agreement
		x, err = v.models.Agreement(ctx, ref.Key, v.At)
		title = x.Title
	case "project":
		var x projections.Project
		x, err = v.models.Project(ctx, ref.Agreement, ref.Key, v.At)
		title = x.Title
	case "meeting":
		var x projections.Meeting
		x, err = v.models.Meeting(ctx, ref.Agreement, ref.Key, v.At)
		title = x.Title
	case "amendment":
		var x projections.Amendment
		x, err = v.models.Amendment(ctx, ref.Agreement, ref.Key, v.At)
		title = x.Title
	case "fund":
		var x projections.Fund
		x, err = v.models.Fund(ctx, ref.Agreement, ref.Key, v.At)
		title = x.Title
	case "indicator":
		var x projections.Indicator
		x, err = v.models.Indicator(ctx, ref.Agreement, ref.Key, v.At)
		title = x.Title
	}
	if rejected := (*domain.Rejected)(nil); errors.As(err, &rejected) {
		err = nil // it is only about to be made
	}
	if text := v.Plain(title); text != "" {
		return text + " (" + string(ref.Key) + ")", err
	}
	return string(ref.Key), err
}

// event finds an event that the asker sees.
func (v *visit) event(ctx context.Context, seq uint64) (projections.EventItem, bool, error) {
	items, _, err := v.models.Events(ctx, projections.EventQuery{After: seq - 1, To: seq, Page: projections.Page{Limit: 1}})
	if err != nil || len(items) == 0 {
		return projections.EventItem{}, false, err
	}
	return items[0], true, nil
}

// moves is a table of changes, which tells by whom they are where they are not of the
// one who looks.
type moves struct {
	*visit
	Moves []moved
	Told  bool
}

// Moves is a table of what will change.
func (v *visit) Moves(m []moved) moves { return moves{v, m, false} }

// MovesTold is a table of what others changed.
func (v *visit) MovesTold(m []moved) moves { return moves{v, m, true} }
