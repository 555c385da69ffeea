package projections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Difference is where the log is not whole, or the read models are not what it
// gives.
type Difference struct {
	Code      string     `json:"code"`
	Seq       uint64     `json:"seq"`
	Agreement domain.Key `json:"agreement"` // "" where the entity belongs to the whole ledger
	Entity    string     `json:"entity"`    // "project/iot-base/milestone/design"; "" where none can be named
	What      string     `json:"what"`      // in words
}

// Codes of differences.
const (
	DiffersGap      = "gap"           // a sequence is missing in the log, or came twice
	DiffersBatch    = "torn-batch"    // an atomic batch is in the log only in part
	DiffersEvent    = "invalid-event" // not an event of this ledger, or not understood
	DiffersSubject  = "wrong-subject" // an event under the subject of another aggregate
	DiffersVersion  = "wrong-version" // not the next version of its aggregate
	DiffersHash     = "wrong-hash"    // not the event that the read models were made from
	DiffersEnd      = "log-ends"      // before the read models do
	DiffersTables   = "tables"        // the tables do not hold what the log gives
	DiffersEvidence = "evidence"      // a file that the event names is not stored, or is damaged
)

func (d *Difference) Error() string {
	where := fmt.Sprintf("event %d", d.Seq)
	if d.Entity != "" {
		where += ", " + d.Entity
		if d.Agreement != "" && d.Entity != agreement.Ref(d.Agreement).Path() {
			where += " of " + string(d.Agreement)
		}
	}
	return where + ": " + d.What
}

// differenceOf turns the reason why a fold ended into a difference. An error that
// says nothing about the log comes back as it is.
func (m *Models) differenceOf(ctx context.Context, log Log, err error) (*Difference, error) {
	var (
		found   *Difference
		gap     *GapError
		logGap  *eventstore.GapError
		torn    *eventstore.TornBatchError
		version *VersionError
		subject *SubjectError
		event   *EventError
	)
	d := &Difference{What: err.Error()}
	switch {
	case errors.As(err, &found):
		d = found
	case errors.As(err, &gap):
		d.Code, d.Seq = DiffersGap, gap.Want
	case errors.As(err, &logGap):
		d.Code, d.Seq = DiffersGap, logGap.Want
	case errors.As(err, &torn):
		d.Code, d.Seq = DiffersBatch, torn.Seq
	case errors.As(err, &version):
		d.Code, d.Seq, d.Agreement, d.Entity = DiffersVersion, version.Seq, version.Ref.Agreement, version.Ref.Path()
	case errors.As(err, &subject):
		d.Code, d.Seq, d.Agreement, d.Entity = DiffersSubject, subject.Seq, subject.Ref.Agreement, subject.Ref.Path()
	case errors.As(err, &event):
		d.Code, d.Seq = DiffersEvent, event.Seq
	default:
		return nil, err
	}
	for _, room := range []string{"projections: ", "eventstore: ", fmt.Sprintf("event %d ", d.Seq), fmt.Sprintf("event %d: ", d.Seq)} {
		d.What = strings.TrimPrefix(d.What, room)
	}
	if d.Entity == "" {
		return d, m.locate(ctx, log, d)
	}
	return d, nil
}

// locate names the aggregate of a difference: the one whose subject the event
// has in the log, or where it has none there the one in the register.
func (m *Models) locate(ctx context.Context, log Log, d *Difference) error {
	rec, err := log.Get(ctx, d.Seq)
	if ref, ok := refOf(rec.Subject); err == nil && rec.Seq == d.Seq && ok {
		d.Agreement, d.Entity = ref.Agreement, ref.Path()
		return nil
	}
	if err != nil && !errors.Is(err, eventstore.ErrNotFound) {
		return fmt.Errorf("projections: %w", err)
	}
	return m.read(ctx, Point{}, func(q *query) error {
		return each(q.conn, "SELECT n.agreement, n.path FROM event e JOIN entity n ON n.id = e.aggregate WHERE e.seq = ?", []any{d.Seq}, func(stmt *sqlite.Stmt) (bool, error) {
			d.Agreement, d.Entity = domain.Key(stmt.ColumnText(0)), stmt.ColumnText(1)
			return false, nil
		})
	})
}

// tablesDifference finds the row that a verification stumbled over, by making
// the rows of that event again from the log.
func (m *Models) tablesDifference(ctx context.Context, log Log, tables *TablesError) (*Difference, error) {
	d := &Difference{Code: DiffersTables, Seq: tables.Seq, Agreement: tables.Agreement, Entity: tables.Entity, What: tables.What}
	if tables.Table != "" { // the row is known
		return d, nil
	}
	var want, got []tableRow
	p := newFold(log, true, position{}, m.opts)
	defer p.aside.close()
	p.digests.seen = func(order int, entity string, cells []cell) {
		if p.next() == tables.Seq {
			want = append(want, tableRow{order, rowEntity(order, entity, cells), slices.Clone(cells)})
		}
	}
	err := p.readUpTo(ctx, log, tables.Seq, func(int, time.Time, eventstore.Record) error {
		p.out.reset()
		return nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return d, m.locate(ctx, log, d) // the log is not whole either
	}
	err = m.verify(ctx, func(v *verifier) {
		v.rows.seen = func(order int, entity string, cells []cell) {
			if v.seq == tables.Seq {
				got = append(got, tableRow{order, rowEntity(order, entity, cells), slices.Clone(cells)})
			}
		}
	})
	if again := (*TablesError)(nil); err != nil && !errors.As(err, &again) {
		return nil, err
	}
	if row, what := firstDifferent(want, got); row != nil {
		d.Agreement, d.Entity = placeOf(row.entity)
		d.What = what
		return d, nil
	}
	return d, m.locate(ctx, log, d)
}

// tableRow is a row of an event, as the digest sees it.
type tableRow struct {
	order  int
	entity string // name of the entity that it is about
	cells  []cell
}

// placeOf takes an entity's name apart.
func placeOf(name string) (domain.Key, string) {
	of, path, _ := strings.Cut(name, ":")
	return domain.Key(of), path
}

// rowEntity is the name of the entity that a row is about; entity is that of a
// versioned row.
func rowEntity(order int, entity string, cells []cell) string {
	switch order {
	case orderEntity:
		return entityName(cells[0].s, cells[1].s)
	case orderEvent:
		return cells[aggregateColumn].s
	case orderChange:
		return cells[0].s
	case orderTile:
		if of := cells[0].s; of != ledgerTree {
			return entityName(of, agreement.Ref(domain.Key(of)).Path())
		}
	}
	return entity
}

// firstDifferent finds the first row in which two lists differ, and says how.
func firstDifferent(want, got []tableRow) (*tableRow, string) {
	for i := range want {
		w := &want[i]
		at := slices.IndexFunc(got, func(g tableRow) bool { return g.order == w.order && g.entity == w.entity })
		name, cols := tableOf(w.order)
		if at < 0 {
			return w, fmt.Sprintf("table %s: the row is missing", name)
		}
		for j := range w.cells {
			if j >= len(got[at].cells) || !bytes.Equal(appendDigestCell(nil, &w.cells[j]), appendDigestCell(nil, &got[at].cells[j])) {
				return w, fmt.Sprintf("table %s: %s is %s, and the log gives %s", name, cols[j].name, got[at].cells[j].text(), w.cells[j].text())
			}
		}
		got = slices.Delete(got, at, at+1)
	}
	if len(got) > 0 {
		name, _ := tableOf(got[0].order)
		return &got[0], fmt.Sprintf("table %s: there is a row that the log does not give", name)
	}
	return nil, ""
}

// tableOf is the table of that place in the digest.
func tableOf(order int) (string, []column) {
	name, _, cols := slices.Concat(registers, versioned)[order].describe()
	return name, cols
}

// text is a value for people.
func (c *cell) text() string {
	switch {
	case c.null:
		return "nothing"
	case c.kind == columnDate:
		return domain.Date(c.i).String()
	case c.kind == columnInt || c.kind == columnOpt:
		return fmt.Sprint(c.i)
	case c.kind == columnBlob:
		return fmt.Sprintf("%x", c.s)
	}
	return fmt.Sprintf("%q", c.s)
}
