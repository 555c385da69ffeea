package feed

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Filter says which events are wanted; what is empty asks for nothing.
type Filter struct {
	Agreement domain.Key // and everything under it
	Kinds     []string   // of aggregates: any of these
	Types     []string   // of events: any of these
}

// Event is an event as the log has it.
type Event struct {
	Seq  uint64
	ID   string // of the CloudEvent
	Type string
	Ref  domain.Ref // the aggregate that it is of
	Data []byte     // the stored bytes, one line; shared by all readers, so never to be altered
}

// Chunk is what a reader gets at a time.
type Chunk struct {
	Events []Event // shared, never to be altered; there may be none
	UpTo   uint64  // everything up to and with this sequence was looked at
}

// Matches reports whether the filter lets an event through.
func (f Filter) Matches(e *Event) bool {
	return (f.Agreement == "" || f.Agreement == e.Ref.Agreement) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Ref.Kind)) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, e.Type))
}

// of returns the events that the filter lets through.
func (f Filter) of(events []Event) []Event {
	if f.Agreement == "" && len(f.Kinds) == 0 && len(f.Types) == 0 {
		return events
	}
	var out []Event
	for i := range events {
		if f.Matches(&events[i]) {
			out = append(out, events[i])
		}
	}
	return out
}

// query asks the register for what the filter may let through: it knows but one
// kind and one type at a time, and the rest is left to of.
func (f Filter) query(after, to uint64) projections.EventQuery {
	q := projections.EventQuery{After: after, To: to, Agreement: f.Agreement, Page: projections.Page{Limit: pageLimit}}
	if len(f.Kinds) == 1 {
		q.Kind = f.Kinds[0]
	}
	if len(f.Types) == 1 {
		q.Type = f.Types[0]
	}
	return q
}
