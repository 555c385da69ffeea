package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// AsOf names a point in the ledger's history:
//
//	""                      now: everything that is known
//	2027-06-30T12:00:00Z    an instant, RFC 3339
//	2027-06-30              a civil date: its end, in the ledger's time zone; today means now
//	seq:1234                right after event 1234; seq:0 is before the first
type AsOf string

// Point is what an AsOf means: everything up to and with event Seq is known.
// The order of events is their sequence and never a clock; an instant means
// the last event whose ledger time, the latest recorded time so far, is not
// after it. As of an instant before the ledger time of the last event the answer is
// the same for ever, whatever clocks do: every later event has at least that time.
type Point struct {
	Seq uint64
	At  time.Time   // ledger time of event Seq, zero for Seq 0
	Day domain.Date // on which what depends on the day, as RAG does, is judged; not in JSON

	// Effective, where it is a date, is the second axis: of the events up to Seq,
	// those of Agreement count that are effective by that date, in the order of
	// their effective dates, where these are the same of their sequences. Such a
	// point answers questions about the agreement and what is below it, no others.
	Effective domain.Date
	Agreement domain.Key // not in JSON
}

// MarshalJSON writes {"seq": 12, "at": "2027-06-30T12:00:00.000000Z"}; at is
// null before the first event, and a point on the second axis has effective_at.
func (p Point) MarshalJSON() ([]byte, error) {
	b := strconv.AppendUint([]byte(`{"seq":`), p.Seq, 10)
	if p.At.IsZero() {
		b = append(b, `,"at":null`...)
	} else {
		b = p.At.UTC().AppendFormat(append(b, `,"at":"`...), domain.TimeFormat)
		b = append(b, '"')
	}
	if p.Effective != 0 {
		b = append(b, `,"effective_at":"`+p.Effective.String()+`"`...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(b []byte) error {
	var v struct {
		Seq uint64
		At  time.Time

		Effective domain.Date `json:"effective_at"`
	}
	err := json.Unmarshal(b, &v)
	p.Seq, p.At, p.Effective = v.Seq, v.At, v.Effective
	return err
}

// Resolve finds the point that asOf means, or refuses with an *AsOfError.
func (m *Models) Resolve(ctx context.Context, asOf AsOf) (Point, error) {
	return m.resolve(ctx, "as_of", asOf, false)
}

// ResolvePage is Resolve for a list that is read in pages: where asOf is now,
// or today, and the page has a cursor, the point is that of the page before,
// and so is the day.
func (m *Models) ResolvePage(ctx context.Context, asOf AsOf, page Page) (Point, error) {
	return m.resolvePage(ctx, "as_of", asOf, page, false)
}

// ResolveEffective is ResolvePage for a question about an agreement or what is
// below it, of what is effective by a civil date: what was recorded by asOf and
// holds from then or before. The date may lie in the future. Where it is "" the
// question is about all that was recorded.
func (m *Models) ResolveEffective(ctx context.Context, asOf AsOf, of domain.Key, date string, page Page) (Point, error) {
	p, err := m.ResolvePage(ctx, asOf, page)
	if err != nil || date == "" {
		return p, err
	}
	day, err := parseEffective("effective_at", date)
	return p.on(of, day), err
}

// ResolveRange finds the points between which a question about changes looks:
// a from of "", or before the first event, is the beginning, a to of "" is
// now, or as of when the page before was that the cursor is from.
func (m *Models) ResolveRange(ctx context.Context, from, to AsOf, page Page) (f, t Point, err error) {
	if from == "" {
		from = "seq:0"
	}
	if f, err = m.resolve(ctx, "from", from, true); err != nil {
		return f, t, err
	}
	if t, err = m.resolvePage(ctx, "to", to, page, true); err != nil {
		return f, t, err
	}
	switch {
	case f.Seq > t.Seq:
		err = &AsOfError{CodeInvalidRange, "from", fmt.Sprintf("sequence %d lies after to, %d: swap them", f.Seq, t.Seq)}
	case from.isAfter(to, m.location): // with no event between them
		err = &AsOfError{CodeInvalidRange, "from", fmt.Sprintf("%s lies after to, %s: swap them", from, to)}
	}
	return f, t, err
}

// The last date there is: by it, everything is effective.
var lastDate = domain.MustDate("9999-12-31")

// ResolveEffectiveRange finds the points between which a question about the
// changes of an agreement on its effective axis looks, by what was recorded by
// asOf: after the end of the day from, where it is "" from the beginning, up to
// the end of the day to, where it is "" for ever.
func (m *Models) ResolveEffectiveRange(ctx context.Context, asOf AsOf, of domain.Key, from, to string, page Page) (f, t Point, err error) {
	if t, err = m.ResolvePage(ctx, asOf, page); err != nil {
		return f, t, err
	}
	last := lastDate
	if to != "" {
		if last, err = parseEffective("to", to); err != nil {
			return f, t, err
		}
	}
	t = t.on(of, last)
	if from == "" {
		return f, t, nil
	}
	first, err := parseEffective("from", from)
	if err == nil && first > last {
		err = &AsOfError{CodeInvalidRange, "from", fmt.Sprintf("%s lies after to, %s: swap them", first, last)}
	}
	return t.on(of, first), t, err
}

// on is the point on the effective axis of an agreement.
func (p Point) on(of domain.Key, date domain.Date) Point {
	p.Day, p.Effective, p.Agreement = date, date, of
	return p
}

func parseEffective(field, date string) (domain.Date, error) {
	d, err := domain.ParseDate(date)
	if err != nil {
		err = &AsOfError{CodeInvalidEffectiveAt, field, fmt.Sprintf("%q: want a civil date that exists, as 2027-06-30; this axis has no instants and no sequences", date)}
	}
	return d, err
}

// resolvePage resolves asOf; where that is now, which moves, to the point of the
// page before.
func (m *Models) resolvePage(ctx context.Context, field string, asOf AsOf, page Page, early bool) (Point, error) {
	c, ok := parseCursor(page.Cursor)
	if !ok || asOf != "" && string(asOf) != domain.DateOf(m.now(), m.location).String() {
		return m.resolve(ctx, field, asOf, early)
	}
	p, err := m.resolve(ctx, field, AsOf("seq:"+strconv.FormatUint(c.seq, 10)), early)
	if refused := (*AsOfError)(nil); errors.As(err, &refused) {
		return p, foreignCursor()
	}
	p.Day = c.day
	return p, err
}

// isAfter compares what a date or an instant asks for with another; a sequence
// and now are neither.
func (a AsOf) isAfter(b AsOf, loc *time.Location) bool {
	until := func(a AsOf) (time.Time, bool) {
		if day, err := domain.ParseDate(string(a)); err == nil {
			return (day + 1).Time(loc), true
		}
		at, err := time.Parse(time.RFC3339Nano, string(a))
		return at, err == nil
	}
	from, ok := until(a)
	to, both := until(b)
	return ok && both && from.After(to)
}

// instant is what a date or an instant means: the last moment of the day, or itself.
func (a AsOf) instant(loc *time.Location) (t time.Time, day domain.Date, err error) {
	if a.isDate() {
		day, err = domain.ParseDate(string(a))
		return (day + 1).Time(loc).Add(-time.Microsecond), day, err
	}
	t, err = time.Parse(time.RFC3339Nano, string(a))
	return t, domain.DateOf(t, loc), err
}

func (a AsOf) isDate() bool { return !strings.Contains(string(a), "T") }

const asOfForms = "an instant (2027-06-30T12:00:00Z), a date (2027-06-30) or a sequence (seq:1234)"

// resolve does it; early lets a point lie before the first event.
func (m *Models) resolve(ctx context.Context, field string, asOf AsOf, early bool) (p Point, err error) {
	file, err := m.acquire(0)
	if err != nil {
		return p, err
	}
	defer file.inUse.Done()
	if p, ok := file.times.point(asOf, m.location); ok {
		return p, m.Wait(ctx, p.Seq)
	}
	err = file.read(ctx, func(conn *sqlite.Conn) error {
		last, err := readPosition(conn)
		if err != nil {
			return err
		}
		r := resolver{conn: conn, times: &file.times, last: last, field: field, now: m.now(), loc: m.location, early: early, gaps: m.opts.View != nil}
		p, err = r.resolve(string(asOf))
		return err
	})
	if err == nil {
		err = m.Wait(ctx, p.Seq) // the file shows a commit a moment before Position does
	}
	return p, err
}
