package projections

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
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
	Seq        uint64      `json:"seq"`
	EventID    string      `json:"event_id"`
	Type       string      `json:"type"`
	Agreement  string      `json:"agreement"`
	Aggregate  string      `json:"aggregate"` // "project/iot-base"
	Version    uint64      `json:"version"`   // of the aggregate
	Actor      string      `json:"actor"`
	Party      string      `json:"party"`
	Effective  domain.Date `json:"effective"`
	RecordedAt time.Time   `json:"recorded_at"`
	Reason     string      `json:"reason"`
	Corrects   string      `json:"corrects"`
	CommandID  string      `json:"command_id"`
}

// Events lists the register in the order of sequences. It walks the most
// selective index of aggregate, agreement and actor that the question gives.
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
	var where conditions
	switch {
	case eq.Key != "":
		ref := domain.Ref{Agreement: eq.Agreement, Kind: eq.Kind, Key: domain.Key(eq.Key)}
		where.entity(q, "e.aggregate", ref.Agreement, ref.Path())
	case eq.Agreement != "":
		where.word(q, "e.agreement", string(eq.Agreement))
	}
	where.word(q, where.filter("e.actor"), eq.Actor)
	where.word(q, "+e.party", string(eq.Party))
	where.word(q, "+e.type", eq.Type)
	if where.err != nil || where.never {
		return items, "", where.err
	}
	to := int64(eq.To)
	if to == 0 {
		to = 1<<63 - 1
	}
	args := append([]any{max(p.after, int64(eq.After)), to}, where.args...)
	if eq.Kind != "" && eq.Key == "" {
		where.sql = append(where.sql, " AND n.kind = ?"...)
		args = append(args, eq.Kind)
	}
	last := int64(0)
	err = each(q.conn, `SELECT e.seq, e.event_id, e.type, e.agreement, n.path, e.version, e.actor, e.party, e.effective, e.recorded_at, e.reason, e.corrects, e.command_id
	FROM event e CROSS JOIN entity n ON n.id = e.aggregate WHERE e.seq > ? AND e.seq <= ?`+string(where.sql)+" ORDER BY e.seq",
		args, func(stmt *sqlite.Stmt) (bool, error) {
			if len(items) == p.limit {
				next = p.cursor(last)
				return false, nil
			}
			last = stmt.ColumnInt64(0)
			e, err := q.event(stmt)
			items = append(items, e)
			return err == nil, err
		})
	return items, next, err
}

func (q *query) event(stmt *sqlite.Stmt) (e EventItem, err error) {
	word := func(column int) (s string) {
		if err == nil && stmt.ColumnType(column) != sqlite.TypeNull {
			s, err = q.words.text(stmt.ColumnInt64(column))
		}
		return s
	}
	e = EventItem{
		Seq: uint64(stmt.ColumnInt64(0)), EventID: stmt.ColumnText(1), Type: word(2), Agreement: word(3), Aggregate: stmt.ColumnText(4),
		Version: uint64(stmt.ColumnInt64(5)), Actor: word(6), Party: word(7), Effective: domain.Date(stmt.ColumnInt64(8)),
		RecordedAt: time.UnixMicro(stmt.ColumnInt64(9)).UTC(), Reason: word(10), Corrects: stmt.ColumnText(11), CommandID: stmt.ColumnText(12),
	}
	return e, err
}

// FindCommand finds the first event of a command by its id, which is its
// idempotency key, as far as it is projected.
func (m *Models) FindCommand(ctx context.Context, id string) (seq uint64, ok bool, err error) {
	if id == "" {
		return 0, false, nil
	}
	err = m.read(ctx, Point{}, func(q *query) error {
		n, found, err := selectInt(q.conn, "SELECT seq FROM event WHERE command_hash = ? AND command_id = ? ORDER BY seq LIMIT 1", commandHash(id), id)
		seq, ok = uint64(n), found
		return err
	})
	return seq, ok, err
}
