package domain

import (
	"encoding/json"
	"strings"
	"time"
)

// EDTF is a date that may be imprecise, in the Extended Date/Time Format of
// ISO 8601-2, levels 0 and 1, without times of day and years beyond four
// digits:
//
//	2017-02-28, 2017-02, 2017   a day, a month, a year
//	199X, 19XX, 2017-XX         digits that are not known, from the right
//	2017?, 2017~, 2017%         uncertain, approximate, both
//	2017-21 ... 2017-24         spring, summer, autumn, winter
//	1990/2017, ../2017, 1995/   an interval; ".." is open, "" is unknown
type EDTF string

const edtfWant = `an EDTF date such as "2017-02", "199X", "2017~" or "1995/2017"`

// UnmarshalJSON refuses what is not an EDTF date; "" is no date.
func (e *EDTF) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return &FormatError{Want: edtfWant, Got: string(b)}
	}
	if s != "" && !EDTF(s).Valid() {
		return &FormatError{Want: edtfWant, Got: s}
	}
	*e = EDTF(s)
	return nil
}

// FieldSpec describes imprecise dates to the catalogue.
func (EDTF) FieldSpec() Field { return Field{Type: "string", Format: "edtf", Example: "199X"} }

// Valid reports whether e is an EDTF date.
func (e EDTF) Valid() bool {
	_, _, ok := e.bounds()
	return ok
}

// Bounds returns the first and the last day that e may mean, 0 where that end
// is open or unknown, and 0, 0 when e is not valid. Uncertainty and
// approximation do not widen them: how far, nobody said. Seasons are those of
// the northern hemisphere in whole months, winter from December of its year.
func (e EDTF) Bounds() (earliest, latest Date) {
	earliest, latest, _ = e.bounds()
	return earliest, latest
}

func (e EDTF) bounds() (earliest, latest Date, ok bool) {
	from, to, interval := strings.Cut(string(e), "/")
	if !interval {
		return edtfDate(from)
	}
	if !openEnd(from) {
		if earliest, _, ok = edtfDate(from); !ok {
			return 0, 0, false
		}
	}
	if !openEnd(to) {
		if _, latest, ok = edtfDate(to); !ok || latest < earliest {
			return 0, 0, false
		}
	}
	return earliest, latest, earliest != 0 || latest != 0
}

func openEnd(s string) bool { return s == "" || s == ".." }

// edtfDate reads one date that is not an interval.
func edtfDate(s string) (earliest, latest Date, ok bool) {
	if n := len(s) - 1; n > 0 && strings.IndexByte("?~%", s[n]) >= 0 {
		s = s[:n]
	}
	year, rest, hasMonth := strings.Cut(s, "-")
	month, day, hasDay := strings.Cut(rest, "-")
	first, last, ok := edtfYear(year)
	if !ok {
		return 0, 0, false
	}
	if !hasMonth {
		return NewDate(first, time.January, 1), NewDate(last, time.December, 31), true
	}
	if first != last || len(month) != 2 { // digits are unknown from the right only
		return 0, 0, false
	}
	if month == "XX" && (!hasDay || day == "XX") {
		return NewDate(first, time.January, 1), NewDate(first, time.December, 31), true
	}
	m := digits(month)
	if m >= 21 && m <= 24 && !hasDay {
		start := time.Month(3 * (m - 20)) // spring begins in March
		return NewDate(first, start, 1), NewDate(first, start+3, 0), true
	}
	if m < 1 || m > 12 {
		return 0, 0, false
	}
	if !hasDay || day == "XX" {
		return NewDate(first, time.Month(m), 1), NewDate(first, time.Month(m)+1, 0), true
	}
	d, err := ParseDate(s)
	return d, d, err == nil
}

// edtfYear reads four digits, of which the last one or two may be unknown.
func edtfYear(s string) (first, last int, ok bool) {
	if len(s) != 4 {
		return 0, 0, false
	}
	known := strings.TrimRight(s, "X")
	unknown := len(s) - len(known)
	if unknown > 2 {
		return 0, 0, false
	}
	n, span := digits(known), 1
	for range unknown {
		span *= 10
	}
	return n * span, n*span + span - 1, n > 0
}
