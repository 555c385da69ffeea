package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Changes is a page of field changes in the order of their events, on the
// effective axis by the dates from which these hold. In net mode
// it has one for each field that moved, by its first move, from its value at
// From to its value at To; a field that came back to where it was is not in it.
type Changes struct {
	From     Point    `json:"from"`
	To       Point    `json:"to"`
	Since    *Since   `json:"since,omitempty"` // the meeting that From is of, where one was asked for
	Until    *Since   `json:"until,omitempty"` // and To
	Changes  []Change `json:"changes"`
	Complete bool     `json:"complete"` // nothing is left after these
	Next     string   `json:"next"`     // the cursor to the rest, "" when Complete

	visited int // rows, for tests
}

// Change is one field that an event changed; in net mode, that the event was
// the last to change of those asked for.
type Change struct {
	Seq         uint64          `json:"seq"`
	EventID     string          `json:"event_id"`
	Type        string          `json:"type"`
	Agreement   string          `json:"agreement"`
	Entity      string          `json:"entity"` // "project/iot-base/milestone/design"
	Field       string          `json:"field"`
	Op          string          `json:"op"`    // add, replace or remove
	Old         json.RawMessage `json:"old"`   // null where there was nothing
	New         json.RawMessage `json:"new"`   // null where there is nothing now
	Moves       int             `json:"moves"` // how many changes this is: 1, or in net mode those between old and new that were asked for
	Effective   domain.Date     `json:"effective"`
	RecordedAt  time.Time       `json:"recorded_at"`
	Actor       string          `json:"actor"`
	Party       string          `json:"party"`
	Reason      string          `json:"reason"`
	Note        string          `json:"note"`
	Corrects    string          `json:"corrects"`     // id of the event that this put right
	CorrectsSeq *uint64         `json:"corrects_seq"` // its sequence, where the ledger has it
}

// Changes answers in time that grows with the answer and not with the ledger.
// A question with one condition walks the index of it; one with several walks
// their indexes side by side, and comes to no more rows of each than the
// shortest has.
func (m *Models) Changes(ctx context.Context, cq ChangeQuery) (answer Changes, err error) {
	answer = Changes{From: cq.From, To: cq.To, Changes: []Change{}}
	if err := cq.settle(); err != nil {
		return answer, err
	}
	err = m.read(ctx, cq.To, func(q *query) error {
		defer func() { answer.visited = q.visited }()
		if err := q.known(cq.Agreement); err != nil {
			return err
		}
		if err := q.bound(&cq, &answer); err != nil {
			return err
		}
		return q.changes(cq, &answer)
	})
	answer.Complete = answer.Next == ""
	return answer, err
}

// known refuses with not-found an agreement of which nobody ever spoke: that
// nothing changed in it would be the wrong answer to a slip of the pen.
func (q *query) known(of domain.Key) error {
	if of == "" {
		return nil
	}
	_, ok, err := q.entity(of, agreement.Ref(of).Path())
	if err == nil && !ok {
		err = domain.NotFound("agreement", agreement.Kind, of)
	}
	return err
}

func (q *query) changes(cq ChangeQuery, answer *Changes) (err error) {
	p, err := cq.Page.open(q.asked, cq.words()...)
	if err != nil {
		return err
	}
	c := conditions{q: q, form: changeForm, first: int64(q.number(cq.From)+1) << changeBits, last: int64(q.number(cq.To)+1)<<changeBits - 1}
	defer func() { err = errors.Join(err, c.close()) }()
	if cq.Net {
		cq.ask(&c)
		return q.netChanges(&c, p, answer)
	}
	c.first = max(c.first, p.after+1)
	cq.ask(&c)
	last := int64(0)
	var event EventItem
	return c.walk(func(stmt *sqlite.Stmt) (more bool, err error) {
		if len(answer.Changes) == p.limit {
			answer.Next = p.cursor(last)
			return false, nil
		}
		last = stmt.ColumnInt64(0)
		if seq := q.logged(uint64(last >> changeBits)); seq != event.Seq {
			if event, err = q.event(stmt, eventAt); err != nil {
				return false, err
			}
		}
		m := moveAt(stmt)
		change, err := q.change(&m, &event)
		answer.Changes = append(answer.Changes, change)
		return err == nil, err
	})
}

// move is a change of a field as it is stored: by the ids of an entity and of
// words, 0 for none.
type move struct {
	entity, field int64
	old, new      int64
	moves         int
}

// moveAt is the row of a walk of changes.
func moveAt(stmt *sqlite.Stmt) move {
	return move{stmt.ColumnInt64(1), stmt.ColumnInt64(2), stmt.ColumnInt64(3), stmt.ColumnInt64(4), 1}
}

// change writes out a move that an event made.
func (q *query) change(m *move, e *EventItem) (c Change, err error) {
	text := func(id int64) (s string) {
		if err == nil && id != 0 {
			s, err = q.words.text(id)
		}
		return s
	}
	c = Change{
		Seq: e.Seq, EventID: e.EventID, Type: e.Type, Agreement: e.Agreement, Field: text(m.field), Op: "replace", Moves: m.moves,
		Effective: e.Effective, RecordedAt: e.RecordedAt, Actor: e.Actor, Party: e.Party, Reason: e.Reason, Note: e.Note,
		Corrects: e.Corrects, CorrectsSeq: e.CorrectsSeq,
	}
	if before := text(m.old); before != "" {
		c.Old = json.RawMessage(before)
	} else {
		c.Op = "add"
	}
	if after := text(m.new); after != "" {
		c.New = json.RawMessage(after)
	} else {
		c.Op = "remove"
	}
	if err == nil {
		c.Entity, err = q.path(m.entity)
	}
	if err != nil {
		err = fmt.Errorf("read a change of event %d: %w", e.Seq, err)
	}
	return c, err
}
