package domain

import (
	"fmt"
	"time"
)

// Date is a civil date, a day in the world and not an instant. Dates compare
// with < and ==, and b-a is the number of days from a to b. The zero Date is
// no date. It counts days from 1 January 0001, which is 1.
type Date int32

const (
	unixEpochDay  = 719163 // 1970-01-01 as a Date
	secondsPerDay = 86400
)

// NewDate returns the date of a year, month and day of month, normalised as
// by time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/86400 + unixEpochDay)
}

// DateOf returns the civil date of an instant in loc.
func DateOf(t time.Time, loc *time.Location) Date {
	_, offset := t.In(loc).Zone()
	seconds := t.Unix() + int64(offset)
	days := seconds / secondsPerDay
	if seconds%secondsPerDay < 0 {
		days--
	}
	return Date(days + unixEpochDay)
}

// ParseDate reads a date as YYYY-MM-DD and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		y, m, d := digits(s[:4]), digits(s[5:7]), digits(s[8:])
		if y > 0 && m >= 1 && m <= 12 && d >= 1 && d <= daysIn(m, y) {
			return civil(y, m, d), nil
		}
	}
	return 0, &FormatError{Want: "a date that exists, as YYYY-MM-DD", Got: s}
}

// MustDate is ParseDate for literals in tests and examples.
func MustDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func daysIn(month, year int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// civil is NewDate of a day that exists, after the year 0. It counts years from March
// on, so that a leap day is the last of its year: 306 days later than January.
func civil(y, m, d int) Date {
	if m < 3 {
		y, m = y-1, m+12
	}
	return Date(365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 306)
}

// Time returns the first instant of the date in loc.
func (d Date) Time(loc *time.Location) time.Time {
	y, m, day := time.Unix(int64(d-unixEpochDay)*86400, 0).UTC().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, loc)
	if DateOf(t, loc) < d { // clocks go forward at midnight: the day begins at one
		_, t = t.ZoneBounds()
	}
	return t
}

// String returns YYYY-MM-DD, or "" for no date.
func (d Date) String() string {
	var room [12]byte
	return string(d.Append(room[:0]))
}

// Append appends what String returns.
func (d Date) Append(b []byte) []byte {
	if d == 0 {
		return b
	}
	y, m, day := time.Unix(int64(d-unixEpochDay)*86400, 0).UTC().Date()
	if y < 0 || y > 9999 {
		return fmt.Appendf(b, "%04d-%02d-%02d", y, m, day)
	}
	two := func(n int) { b = append(b, '0'+byte(n/10), '0'+byte(n%10)) }
	two(y / 100)
	two(y % 100)
	b = append(b, '-')
	two(int(m))
	b = append(b, '-')
	two(day)
	return b
}

// MarshalJSON writes "YYYY-MM-DD", and null for no date.
func (d Date) MarshalJSON() ([]byte, error) {
	if d == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + d.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON writes; "" is no date.
func (d *Date) UnmarshalJSON(b []byte) error {
	if s := string(b); s == "null" || s == `""` {
		*d = 0
		return nil
	}
	s, err := unquoteShort(b)
	if err != nil {
		return &FormatError{Want: "a date that exists, as YYYY-MM-DD", Got: string(b)}
	}
	v, err := ParseDate(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// FieldSpec describes dates to the catalogue.
func (Date) FieldSpec() Field { return Field{Type: "string", Format: "date", Example: "2027-06-30"} }

// Period is the days from Start to End, both included; a zero End is open.
type Period struct {
	Start Date `json:"start,omitzero" doc:"First day."`
	End   Date `json:"end,omitzero" doc:"Last day; none where the end is open."`
}
