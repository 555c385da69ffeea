package projections

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

type resolver struct {
	conn  *sqlite.Conn
	times *times
	last  position
	field string
	now   time.Time // by this machine's clock, which may be behind the one that recorded the last event
	loc   *time.Location
	early bool
	gaps  bool // a view has not every event
}

// latest is the latest moment that is not in the future: what the clock of another
// machine has recorded has come.
func (r *resolver) latest() time.Time {
	if last := r.last.time(); last.After(r.now) {
		return last
	}
	return r.now
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
	t, day, err := AsOf(s).instant(r.loc)
	switch isDate := AsOf(s).isDate(); {
	case err != nil && isDate:
		return Point{}, r.refuse(CodeInvalidAsOf, "%q: want %s, of a day that exists", s, asOfForms)
	case err != nil:
		return Point{}, r.refuse(CodeInvalidAsOf, "%q: want %s", s, asOfForms)
	case isDate && day > domain.DateOf(r.latest(), r.loc):
		return Point{}, r.refuse(CodeAsOfInFuture, "%s has not come; today is %s", s, today)
	case !isDate && t.After(r.latest()):
		return Point{}, r.refuse(CodeAsOfInFuture, "%s has not come; it is %s", s, r.now.UTC().Format(time.RFC3339))
	}
	return r.instant(t, day)
}

// sequence is the point right after event seq.
func (r *resolver) sequence(seq uint64, today domain.Date) (Point, error) {
	if seq == 0 {
		return Point{Day: today}, nil
	}
	at, err := r.at(seq)
	if err == nil && at.IsZero() { // before the first event of a view
		return Point{Seq: seq, Day: today}, nil
	}
	return Point{Seq: seq, At: at, Day: domain.DateOf(at, r.loc)}, err
}

// instant finds the last event whose ledger time is not after t. Ledger time
// never runs backwards, so it is the one before the first that is after t.
func (r *resolver) instant(t time.Time, day domain.Date) (Point, error) {
	e, ok, err := r.times.upTo(r, t)
	switch {
	case err != nil:
		return Point{}, err
	case ok:
		return e.point(day), nil
	case !r.early && !r.last.time().IsZero():
		first, err := r.first()
		if err == nil {
			err = r.refuse(CodeAsOfBeforeFirst, "the first event was recorded at %s", first.Format(time.RFC3339Nano))
		}
		return Point{}, err
	}
	return Point{Seq: e.seq, Day: day}, nil
}

// at is the ledger time at a sequence: that of its event or, where a view has
// not got it, of the last one before; zero where there is none.
func (r *resolver) at(seq uint64) (at time.Time, err error) {
	var of uint64
	err = each(r.conn, "SELECT seq, at FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT 1", []any{seq}, func(stmt *sqlite.Stmt) (bool, error) {
		of, at = uint64(stmt.ColumnInt64(0)), time.UnixMicro(stmt.ColumnInt64(1)).UTC()
		return false, nil
	})
	if err == nil && of != seq && !r.gaps {
		err = missing(seq)
	}
	return at, err
}

func missing(seq uint64) error {
	return fmt.Errorf("projections: event %d is missing in the register", seq)
}

// first is the time of the first event.
func (r *resolver) first() (time.Time, error) {
	us, _, err := selectInt(r.conn, "SELECT at FROM event ORDER BY seq LIMIT 1")
	return time.UnixMicro(us).UTC(), err
}
