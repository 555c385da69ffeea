package api

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Told is what an event says of itself, with the files that it names: these the read
// models do not keep.
type Told struct {
	Seq       uint64
	Type      string
	Actor     string
	Party     domain.Key
	Effective domain.Date
	Recorded  time.Time
	Reason    string
	Note      string
	Evidence  []domain.Hash
	Milestone domain.Key // of a project's event that is about one
}

// Told returns the events of an aggregate that models, which are those of what the
// asker sees, have up to a point, in the order of the log. It reads each event once:
// what was said does not change.
func (a *API) Told(ctx context.Context, models *projections.Models, ref domain.Ref, at projections.Point) ([]Told, error) {
	seqs, _, err := models.History(ctx, ref)
	if err != nil {
		return nil, err
	}
	events, unread := a.told.of(seqs)
	next := 0
	for rec, err := range a.cfg.Store.Records(ctx, "", unread) {
		if err != nil {
			return nil, fmt.Errorf("read the events of %s: %w", ref, err)
		}
		event, err := told(rec.Seq, rec.Data)
		if err != nil {
			return nil, fmt.Errorf("read event %d: %w", rec.Seq, err)
		}
		for events[next].Seq != 0 {
			next++
		}
		events[next] = event
		a.told.add(event)
	}
	return upTo(events, at), nil
}

// upTo leaves out what is not known at a point, or not effective by its date.
func upTo(events []Told, at projections.Point) []Told {
	kept := events[:0]
	for _, e := range events {
		if e.Seq <= at.Seq && (at.Effective == 0 || e.Effective <= at.Effective) {
			kept = append(kept, e)
		}
	}
	return kept
}

func told(seq uint64, raw []byte) (Told, error) {
	e, err := domain.DecodeEnvelope(raw)
	if err != nil {
		return Told{}, err
	}
	var data struct{ Milestone domain.Key }
	_ = json.Unmarshal(e.Data, &data) // what has no milestone is about none
	return Told{
		Seq: seq, Type: e.Type, Actor: e.Actor, Party: e.Party, Effective: e.Effective, Recorded: e.Time,
		Reason: e.Reason, Note: e.Note, Evidence: e.Evidence, Milestone: data.Milestone,
	}, nil
}

// tellings remembers events that were read, by their sequences.
type tellings struct {
	mu     sync.Mutex
	events map[uint64]Told
}

// maxTold bounds what is remembered, some 20 MB; beyond it all is forgotten.
const maxTold = 50_000

// of returns the events in a place each, and the sequences of those that are not
// remembered, whose places are empty.
func (t *tellings) of(seqs []uint64) (events []Told, unread []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events = make([]Told, len(seqs))
	for i, seq := range seqs {
		var known bool
		if events[i], known = t.events[seq]; !known {
			unread = append(unread, seq)
		}
	}
	return events, unread
}

func (t *tellings) add(e Told) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.events == nil || len(t.events) >= maxTold {
		t.events = map[uint64]Told{}
	}
	t.events[e.Seq] = e
}
