package projections

import (
	"context"
	"encoding/json"
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
// after it.
type Point struct {
	Seq uint64
	At  time.Time   // ledger time of event Seq, zero for Seq 0
	Day domain.Date // on which what depends on the day, as RAG does, is judged; not in JSON
}

// MarshalJSON writes {"seq": 12, "at": "2027-06-30T12:00:00.000000Z"}; at is
// null before the first event.
func (p Point) MarshalJSON() ([]byte, error) {
	b := strconv.AppendUint([]byte(`{"seq":`), p.Seq, 10)
	if p.At.IsZero() {
		return append(b, `,"at":null}`...), nil
	}
	b = p.At.UTC().AppendFormat(append(b, `,"at":"`...), domain.TimeFormat)
	return append(b, `"}`...), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(b []byte) error {
	var v struct {
		Seq uint64
		At  time.Time
	}
	err := json.Unmarshal(b, &v)
	p.Seq, p.At = v.Seq, v.At
	return err
}

// Resolve finds the point that asOf means, or refuses with an *AsOfError.
func (m *Models) Resolve(ctx context.Context, asOf AsOf) (Point, error) {
	return m.resolve(ctx, "as_of", asOf, false)
}

// ResolvePage is Resolve for a list that is read in pages: where asOf is now
// and the page has a cursor, the point is that of the page before, and so is
// the day.
func (m *Models) ResolvePage(ctx context.Context, asOf AsOf, page Page) (Point, error) {
	p, err := m.Resolve(ctx, pinned(asOf, page))
	if c, ok := parseCursor(page.Cursor); ok && asOf == "" {
		p.Day = c.day
	}
	return p, err
}

// ResolveRange finds the points between which a question about changes looks:
// a from of "", or before the first event, is the beginning, a to of "" is
// now, or where the page before ended that the cursor is from.
func (m *Models) ResolveRange(ctx context.Context, from, to AsOf, page Page) (f, t Point, err error) {
	if from == "" {
		from = "seq:0"
	}
	if f, err = m.resolve(ctx, "from", from, true); err != nil {
		return f, t, err
	}
	if t, err = m.resolve(ctx, "to", pinned(to, page), true); err != nil {
		return f, t, err
	}
	if f.Seq > t.Seq {
		return f, t, &AsOfError{CodeInvalidRange, "from", fmt.Sprintf("sequence %d lies after to, %d: swap them", f.Seq, t.Seq)}
	}
	return f, t, nil
}

// pinned is the point of the page before, as long as nothing else is asked.
func pinned(asOf AsOf, page Page) AsOf {
	if c, ok := parseCursor(page.Cursor); ok && asOf == "" {
		return AsOf("seq:" + strconv.FormatUint(c.seq, 10))
	}
	return asOf
}

const asOfForms = "an instant (2027-06-30T12:00:00Z), a date (2027-06-30) or a sequence (seq:1234)"

// resolve does it; early lets a point lie before the first event.
func (m *Models) resolve(ctx context.Context, field string, asOf AsOf, early bool) (p Point, err error) {
	file, err := m.acquire(0)
	if err != nil {
		return p, err
	}
	defer file.inUse.Done()
	err = file.read(ctx, func(conn *sqlite.Conn) error {
		last, err := readPosition(conn)
		if err != nil {
			return err
		}
		r := resolver{conn: conn, last: last, field: field, now: m.now(), loc: m.location, early: early}
		p, err = r.resolve(string(asOf))
		return err
	})
	if err == nil {
		err = m.Wait(ctx, p.Seq) // the file shows a commit a moment before Position does
	}
	return p, err
}

type resolver struct {
	conn  *sqlite.Conn
	last  position
	field string
	now   time.Time
	loc   *time.Location
	early bool
}

func (r *resolver) refuse(code, format string, args ...any) error {
	return &AsOfError{code, r.field, fmt.Sprintf(format, args...)}
}

func (r *resolver) resolve(s string) (Point, error) {
	today := domain.DateOf(r.now, r.loc)
	if s == "" {
		return Point{Seq: r.last.seq, At: r.last.time(), Day: today}, nil
	}
	if digits, ok := strings.CutPrefix(s, "seq:"); ok {
		seq, err := strconv.ParseUint(digits, 10, 63)
		switch {
		case err != nil:
			return Point{}, r.refuse(CodeInvalidAsOf, "%q: want %s", s, asOfForms)
		case seq > r.last.seq:
			return Point{}, r.refuse(CodeAsOfInFuture, "the last event is %d", r.last.seq)
		}
		return r.sequence(seq, today)
	}
	if !strings.Contains(s, "T") {
		day, err := domain.ParseDate(s)
		switch {
		case err != nil:
			return Point{}, r.refuse(CodeInvalidAsOf, "%q: want %s, of a day that exists", s, asOfForms)
		case day > today:
			return Point{}, r.refuse(CodeAsOfInFuture, "%s has not come; today is %s", day, today)
		}
		return r.instant((day + 1).Time(r.loc).Add(-time.Microsecond), day)
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	switch {
	case err != nil:
		return Point{}, r.refuse(CodeInvalidAsOf, "%q: want %s", s, asOfForms)
	case at.After(r.now):
		return Point{}, r.refuse(CodeAsOfInFuture, "%s has not come; it is %s", s, r.now.UTC().Format(time.RFC3339))
	}
	return r.instant(at, domain.DateOf(at, r.loc))
}

// sequence is the point right after event seq.
func (r *resolver) sequence(seq uint64, today domain.Date) (Point, error) {
	if seq == 0 {
		return Point{Day: today}, nil
	}
	at, err := r.at(seq)
	return Point{Seq: seq, At: at, Day: domain.DateOf(at, r.loc)}, err
}

// instant finds the last event whose ledger time is not after t. Ledger time
// never runs backwards, so a binary search by sequence finds it.
func (r *resolver) instant(t time.Time, day domain.Date) (Point, error) {
	low, high := uint64(0), r.last.seq // the answer lies in [low, high]
	for low < high {
		middle := (low + high + 1) / 2
		at, err := r.at(middle)
		if err != nil {
			return Point{}, err
		}
		if at.After(t) {
			high = middle - 1
		} else {
			low = middle
		}
	}
	if low == 0 {
		if r.last.seq > 0 && !r.early {
			first, err := r.at(1)
			if err != nil {
				return Point{}, err
			}
			return Point{}, r.refuse(CodeAsOfBeforeFirst, "the first event was recorded at %s", first.Format(time.RFC3339Nano))
		}
		return Point{Day: day}, nil
	}
	at, err := r.at(low)
	return Point{Seq: low, At: at, Day: day}, err
}

func (r *resolver) at(seq uint64) (time.Time, error) {
	us, ok, err := selectInt(r.conn, "SELECT at FROM event WHERE seq = ?", seq)
	if err == nil && !ok {
		err = fmt.Errorf("projections: event %d is missing in the register", seq)
	}
	return time.UnixMicro(us).UTC(), err
}
