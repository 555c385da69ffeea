package projections

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// EventQuery asks for events after sequence After up to and with To (0 means
// the last). What else is zero asks for nothing.
type EventQuery struct {
	After, To uint64
	Agreement domain.Key // and everything under it
	Kind, Key string     // of the aggregate; a Key takes Kind, and Agreement where it has one
	Type      string
	Actor     string
	Party     domain.Key // for which the actor acted
	Page      Page
}

// EventItem is an event in the register. What it says is in the log.
type EventItem struct {
	Seq         uint64      `json:"seq"`
	EventID     string      `json:"event_id"`
	Type        string      `json:"type"`
	Agreement   string      `json:"agreement"`
	Aggregate   string      `json:"aggregate"` // "project/iot-base"
	Version     uint64      `json:"version"`   // of the aggregate
	Actor       string      `json:"actor"`
	Party       string      `json:"party"`
	Effective   domain.Date `json:"effective"`
	RecordedAt  time.Time   `json:"recorded_at"`
	Reason      string      `json:"reason"`
	Note        string      `json:"note"`
	Corrects    string      `json:"corrects"`     // id of the event that this puts right
	CorrectsSeq *uint64     `json:"corrects_seq"` // its sequence, where the ledger has it
	CommandID   string      `json:"command_id"`
}

// Events lists the register in the order of sequences, in time that grows with
// the answer: it walks the indexes of what the question gives, side by side.
func (m *Models) Events(ctx context.Context, eq EventQuery) (items []EventItem, next string, err error) {
	items = []EventItem{}
	err = m.read(ctx, Point{Seq: eq.To}, func(q *query) error {
		items, next, err = q.events(eq)
		return err
	})
	return items, next, err
}

func (q *query) events(eq EventQuery) (items []EventItem, next string, err error) {
	items = []EventItem{}
	// An end of 0 moves with the log, so it is no part of the question.
	p, err := eq.Page.open(Point{Seq: eq.To}, "events", fmt.Sprint(eq.After), string(eq.Agreement), eq.Kind, eq.Key, eq.Type, eq.Actor, string(eq.Party))
	if err != nil {
		return items, "", err
	}
	if eq.After >= 1<<(63-changeBits)-1 { // no event has such a sequence, nor a change such an id
		return items, "", nil
	}
	c := conditions{q: q, form: eventForm, first: (max(p.after, int64(eq.After)) + 1) << changeBits, last: math.MaxInt64}
	if eq.To != 0 {
		c.last = int64(eq.To+1)<<changeBits - 1
	}
	defer func() { err = errors.Join(err, c.close()) }()
	switch {
	case eq.Key != "":
		ref := domain.Ref{Agreement: eq.Agreement, Kind: eq.Kind, Key: domain.Key(eq.Key)}
		c.aggregate(ref.Agreement, ref.Path())
	case eq.Agreement != "":
		c.word("agreement", string(eq.Agreement))
	}
	if eq.Kind != "" && eq.Key == "" {
		c.words("type", typesOf(eq.Kind)...)
	}
	c.word("actor", eq.Actor)
	c.word("party", string(eq.Party))
	c.word("type", eq.Type)
	last := int64(0)
	err = c.walk(func(stmt *sqlite.Stmt) (bool, error) {
		if len(items) == p.limit {
			next = p.cursor(last)
			return false, nil
		}
		last = stmt.ColumnInt64(0)
		e, err := q.event(stmt, 0)
		items = append(items, e)
		return err == nil, err
	})
	return items, next, err
}

// typesOf are the types of the events of a kind of aggregates.
func typesOf(kind string) (types []string) {
	if a, ok := catalogue.Aggregate(kind); ok {
		for _, e := range a.Events {
			types = append(types, e.Type)
		}
	}
	return types
}

// selectEvent begins the queries of events.
const (
	selectEvent  = "SELECT " + eventColumns + " FROM event e "
	eventColumns = `e.seq, e.event_id, e.type, e.agreement, e.aggregate, e.version, e.actor, e.party, e.effective, e.recorded_at, e.reason, e.note,
	e.corrects, e.command_id`
)

// event reads eventColumns, of which the first is at.
func (q *query) event(stmt *sqlite.Stmt, at int) (e EventItem, err error) {
	word := func(column int) (s string) {
		if err == nil {
			s, err = q.wordAt(stmt, at+column)
		}
		return s
	}
	e = EventItem{
		Seq: q.logged(uint64(stmt.ColumnInt64(at))), EventID: stmt.ColumnText(at + 1), Type: word(2), Agreement: word(3),
		Version: uint64(stmt.ColumnInt64(at + 5)), Actor: word(6), Party: word(7), Effective: domain.Date(stmt.ColumnInt64(at + 8)),
		RecordedAt: time.UnixMicro(stmt.ColumnInt64(at + 9)).UTC(), Reason: word(10), Note: stmt.ColumnText(at + 11),
		Corrects: stmt.ColumnText(at + 12), CommandID: stmt.ColumnText(at + 13),
	}
	if err == nil {
		e.Aggregate, err = q.path(stmt.ColumnInt64(at + 4))
	}
	if e.Corrects != "" && err == nil {
		e.CorrectsSeq, err = q.findEvent(e.Corrects)
	}
	return e, err
}

// findEvent finds the sequence of an event by its id, nil where there is none.
func (q *query) findEvent(id string) (*uint64, error) {
	seq, ok, err := selectInt(q.conn, "SELECT seq FROM event WHERE id_start = ? AND event_id = ?", idStart(id), id)
	if !ok || err != nil {
		return nil, err
	}
	q.visited++
	found := q.logged(uint64(seq))
	return &found, nil
}

// FindCommand finds the first event of a command by its id, which is its
// idempotency key, as far as it is projected.
func (m *Models) FindCommand(ctx context.Context, id string) (seq uint64, ok bool, err error) {
	if id == "" {
		return 0, false, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		n, found, err := selectInt(q.conn, "SELECT seq FROM event WHERE command_hash IN (?, ?) AND command_id = ? ORDER BY seq LIMIT 1", commandHash(id), textHash(id), id)
		seq, ok = uint64(n), found
		return err
	})
	return seq, ok, err
}

// FindCommandOf is FindCommand among the events of one aggregate.
func (m *Models) FindCommandOf(ctx context.Context, ref domain.Ref, id string) (seq uint64, ok bool, err error) {
	err = m.read(ctx, Point{}, func(q *query) error {
		aggregate, known, _, err := registered(q.conn, ref)
		if err != nil || !known {
			return err
		}
		n, found, err := selectInt(q.conn, selectCommandOf, commandHash(id), textHash(id), id, aggregate)
		seq, ok = uint64(n), found
		return err
	})
	return seq, ok, err
}

// selectCommandOf finds a command of an aggregate. The plus keeps SQLite from going
// through all events of that.
const selectCommandOf = "SELECT seq FROM event WHERE command_hash IN (?, ?) AND command_id = ? AND +aggregate = ? ORDER BY seq LIMIT 1"
