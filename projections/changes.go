package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// ChangeQuery asks which fields changed after From up to and with To. What is
// zero asks for nothing.
type ChangeQuery struct {
	From, To  Point
	Agreement domain.Key // and everything under it
	Project   domain.Key // with its parts; takes Agreement
	Milestone domain.Key // takes Project
	Actor     string
	Party     domain.Key // for which the actor acted
	Type      string     // of the event
	Field     string
	Page      Page
}

// Changes is a page of field changes in the order of their events.
type Changes struct {
	From     Point    `json:"from"`
	To       Point    `json:"to"`
	Changes  []Change `json:"changes"`
	Complete bool     `json:"complete"` // nothing is left after these
	Next     string   `json:"next"`     // the cursor to the rest, "" when Complete
}

// Change is one field that an event changed.
type Change struct {
	Seq        uint64          `json:"seq"`
	EventID    string          `json:"event_id"`
	Type       string          `json:"type"`
	Agreement  string          `json:"agreement"`
	Entity     string          `json:"entity"` // "project/iot-base/milestone/design"
	Field      string          `json:"field"`
	Op         string          `json:"op"`  // add, replace or remove
	Old        json.RawMessage `json:"old"` // null where there was nothing
	New        json.RawMessage `json:"new"` // null where there is nothing now
	Effective  domain.Date     `json:"effective"`
	RecordedAt time.Time       `json:"recorded_at"`
	Actor      string          `json:"actor"`
	Party      string          `json:"party"`
	Reason     string          `json:"reason"`
	Corrects   string          `json:"corrects"` // id of the event that this put right
}

// Changes answers in time that grows with the answer and not with the ledger:
// it walks the most selective index of entity, aggregate, agreement and actor
// that the question gives; what else it gives filters on the way.
func (m *Models) Changes(ctx context.Context, cq ChangeQuery) (answer Changes, err error) {
	answer = Changes{From: cq.From, To: cq.To, Changes: []Change{}}
	if cq.Project != "" && cq.Agreement == "" || cq.Milestone != "" && cq.Project == "" {
		return answer, domain.Refuse(domain.CodeMissingField, "agreement", "a project is asked for with its agreement, a milestone with its project")
	}
	err = m.read(ctx, cq.To, func(q *query) error { return q.changes(cq, &answer) })
	answer.Complete = answer.Next == ""
	return answer, err
}

func (q *query) changes(cq ChangeQuery, answer *Changes) error {
	p, err := cq.Page.open(cq.To, "changes", strconv.FormatUint(cq.From.Seq, 10), string(cq.Agreement), string(cq.Project),
		string(cq.Milestone), cq.Actor, string(cq.Party), cq.Type, cq.Field)
	if err != nil {
		return err
	}
	after := max(int64(cq.From.Seq+1)<<changeBits-1, p.after) // id of the last change before the page
	until := int64(cq.To.Seq+1) << changeBits

	query, where := q.changesSQL(cq)
	if where.err != nil || where.never {
		return where.err
	}
	args := append([]any{after >> changeBits, cq.To.Seq, after, until}, where.args...)
	last := after
	return each(q.conn, query, args, func(stmt *sqlite.Stmt) (bool, error) {
		if len(answer.Changes) == p.limit {
			answer.Next = p.cursor(last)
			return false, nil
		}
		last = stmt.ColumnInt64(0)
		c, err := q.change(stmt)
		if err != nil {
			return false, fmt.Errorf("read change %d: %w", last, err)
		}
		answer.Changes = append(answer.Changes, c)
		return true, nil
	})
}

// changesSQL chooses the index to walk. The query takes the sequences and the
// ids of changes between which to look, and the conditions' values.
func (q *query) changesSQL(cq ChangeQuery) (sql string, where conditions) {
	from, order, within := byEvent, "e.seq, c.id", "+" // the bounds that e.seq gives are the narrower
	switch {
	case cq.Milestone != "":
		from, order, within = byChange, "c.id", ""
		where.entity(q, "c.entity", cq.Agreement, project.Ref(cq.Agreement, cq.Project).Path()+"/"+milestoneTable.name+"/"+string(cq.Milestone))
	case cq.Project != "":
		where.entity(q, "e.aggregate", cq.Agreement, project.Ref(cq.Agreement, cq.Project).Path())
	case cq.Agreement != "":
		where.word(q, "e.agreement", string(cq.Agreement))
	}
	where.word(q, where.filter("e.actor"), cq.Actor)
	where.word(q, "+e.party", string(cq.Party))
	where.word(q, "+e.type", cq.Type)
	where.word(q, "+c.field", cq.Field)
	return `SELECT c.id, e.event_id, e.type, e.agreement, c.entity, c.field, c.old, c.new, e.effective, e.recorded_at, e.actor, e.party, e.reason, e.corrects
	FROM ` + from + `
	WHERE e.seq >= ? AND e.seq <= ? AND ` + within + `c.id > ? AND ` + within + `c.id < ?` + string(where.sql) + " ORDER BY " + order, where
}

// The two ways to walk: CROSS JOIN keeps SQLite to the order written.
const (
	byEvent  = "event e CROSS JOIN change c ON c.id >= e.seq << 16 AND c.id < (e.seq + 1) << 16"
	byChange = "change c CROSS JOIN event e ON e.seq = c.id >> 16"
)

func (q *query) change(stmt *sqlite.Stmt) (c Change, err error) {
	word := func(column int) (s string) {
		if err == nil && stmt.ColumnType(column) != sqlite.TypeNull {
			s, err = q.words.text(stmt.ColumnInt64(column))
		}
		return s
	}
	id := stmt.ColumnInt64(0)
	c = Change{
		Seq: uint64(id >> changeBits), EventID: stmt.ColumnText(1), Type: word(2), Agreement: word(3),
		Field: word(5), Effective: domain.Date(stmt.ColumnInt64(8)), RecordedAt: time.UnixMicro(stmt.ColumnInt64(9)).UTC(),
		Actor: word(10), Party: word(11), Reason: word(12), Corrects: stmt.ColumnText(13),
	}
	if err == nil {
		c.Entity, err = q.path(stmt.ColumnInt64(4))
	}
	c.Op = "replace"
	if before := word(6); before != "" {
		c.Old = json.RawMessage(before)
	} else {
		c.Op = "add"
	}
	if after := word(7); after != "" {
		c.New = json.RawMessage(after)
	} else {
		c.Op = "remove"
	}
	return c, err
}
