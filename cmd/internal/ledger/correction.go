package ledger

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
)

// CodeCorrectsAnother refuses a correction that names an event about something
// else than it puts right.
const CodeCorrectsAnother = "corrects-another"

// parts are what an event changed of its aggregate: "milestone/design", or ""
// for its own fields.
type parts map[string]bool

func (p parts) add(a *aggregate, before, after any) {
	a.kind.Diff(before, after, func(c domain.Change) { p[c.Part] = true })
}

// corrected returns what the event named by a correction changed, and refuses
// one that is not of the same aggregate. The register knows it, but for what it has
// not seen; that is folded.
func (l *Ledger) corrected(ctx context.Context, a *aggregate, id string) (parts, error) {
	told, err := l.told(ctx, a, id)
	if err != nil {
		return nil, fmt.Errorf("look for corrected event: %w", err)
	}
	if told == nil {
		return nil, domain.Refuse(domain.CodeNotFound, "corrects", "%s has no event %s", a.ref, id)
	}
	return told, nil
}

// told is what an event of the aggregate changed, nil where it has no such event.
func (l *Ledger) told(ctx context.Context, a *aggregate, id string) (parts, error) {
	var past snapshot
	var later []uint64
	var upTo uint64
	if l.opts.Register != nil {
		var err error
		if past, later, upTo, err = l.opts.Register.Past(ctx, a.ref); err != nil {
			return nil, err
		}
		changed, found, looked, err := l.opts.Register.Changed(ctx, a.ref, id)
		if err != nil {
			return nil, err
		}
		if !found && looked < upTo { // it cannot say any more what Past has seen
			past, later, upTo = snapshot{}, nil, 0
		}
		if found {
			told := parts{}
			for _, part := range changed {
				told[part] = true
			}
			return told, nil
		}
	}
	state := past.State
	for _, events := range []iter.Seq2[eventstore.Record, error]{l.log.Records(ctx, a.subject, later), l.log.Aggregate(ctx, a.subject, upTo+1)} {
		for rec, err := range events {
			if err != nil {
				return nil, err
			}
			env, event, err := catalogue.Decode(rec.Data)
			if err != nil {
				return nil, err
			}
			next := a.kind.Evolve(state, event)
			if env.ID == id {
				told := parts{}
				told.add(a, state, next)
				return told, nil
			}
			state = next
		}
	}
	return nil, nil
}

// meet refuses unless the events of a correction change some of what the
// corrected event changed. An event that changed nothing meets all.
func (p parts) meet(a *aggregate, state any, events []domain.Event, id string) error {
	is, told := state, parts{}
	for _, e := range events {
		if _, elsewhere := e.(domain.Elsewhere); !elsewhere {
			next := a.kind.Evolve(is, e)
			told.add(a, is, next)
			is = next
		}
	}
	for part := range told {
		if p[part] {
			return nil
		}
	}
	if len(p) == 0 || len(told) == 0 {
		return nil
	}
	return domain.Refuse(CodeCorrectsAnother, "corrects", "event %s is about %s, and this about %s; name the event that it puts right", id, p.names(a), told.names(a))
}

func (p parts) names(a *aggregate) string {
	names := slices.Sorted(maps.Keys(p))
	if names[0] == "" {
		names[0] = a.ref.Path()
	}
	return strings.Join(names, ", ")
}
