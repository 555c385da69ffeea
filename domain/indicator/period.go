package indicator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// ReportingPeriod names the days that a target and an actual are about: a year
// 2018, a half-year 2018-h1, a quarter 2018-q3, a month 2018-05, or else the
// first and the last day, 2018-03-01--2018-08-31 (an interval of ISO 8601 with
// a double hyphen for the solidus). It has the form of a key, and days that
// have a name of the first four kinds have no other.
type ReportingPeriod string

// PeriodPattern is the form of a ReportingPeriod as a regular expression.
const PeriodPattern = `^[0-9]{4}(-h[12]|-q[1-4]|-[0-9]{2}|-[0-9]{2}-[0-9]{2}--[0-9]{4}-[0-9]{2}-[0-9]{2})?$`

// ParsePeriod reads a period in any of its forms and returns its one name:
// 2018-01-01--2018-12-31 is 2018.
func ParsePeriod(s string) (ReportingPeriod, error) {
	start, end, ok := span(s)
	if !ok {
		return "", &domain.FormatError{Want: "a period: 2018, 2018-h1, 2018-q3, 2018-05, or its first and last day as 2018-03-01--2018-08-31", Got: s}
	}
	return PeriodOf(start, end), nil
}

// PeriodOf names the days from start to end, both included; "" where one is no
// date or they are not in this order.
func PeriodOf(start, end domain.Date) ReportingPeriod {
	if start == 0 || start > end {
		return ""
	}
	if first, last := start.String(), end.String(); first[:4] == last[:4] {
		year, month := first[:4], first[5:7]
		quarter, _ := strconv.Atoi(month)
		quarter = (quarter + 2) / 3
		for _, name := range []string{
			year, fmt.Sprint(year, "-h", (quarter+1)/2), fmt.Sprint(year, "-q", quarter), year + "-" + month,
		} {
			if s, e, _ := span(name); s == start && e == end {
				return ReportingPeriod(name)
			}
		}
	}
	return ReportingPeriod(start.String() + "--" + end.String())
}

// Valid reports whether p is a period by its one name.
func (p ReportingPeriod) Valid() bool {
	one, err := ParsePeriod(string(p))
	return err == nil && one == p
}

// Span returns the first and the last day of the period, 0 for what is none.
func (p ReportingPeriod) Span() (start, end domain.Date) {
	start, end, _ = span(string(p))
	return start, end
}

// span reads a period in any form.
func span(s string) (start, end domain.Date, ok bool) {
	if first, last, interval := strings.Cut(s, "--"); interval {
		start, err1 := domain.ParseDate(first)
		end, err2 := domain.ParseDate(last)
		if err1 != nil || err2 != nil || start > end {
			return 0, 0, false
		}
		return start, end, true
	}
	year, part, divided := strings.Cut(s, "-")
	first, months := "01", 12
	switch {
	case !divided:
	case part == "h1" || part == "h2":
		first, months = []string{"01", "07"}[part[1]-'1'], 6
	case len(part) == 2 && part[0] == 'q' && part[1] >= '1' && part[1] <= '4':
		first, months = []string{"01", "04", "07", "10"}[part[1]-'1'], 3
	default:
		first, months = part, 1
	}
	start, err := domain.ParseDate(year + "-" + first + "-01")
	if err != nil {
		return 0, 0, false
	}
	y, m, _ := start.Time(time.UTC).Date()
	return start, domain.NewDate(y, m+time.Month(months), 1) - 1, true
}

// UnmarshalJSON takes any form of a period and keeps its one name; "" is none.
func (p *ReportingPeriod) UnmarshalJSON(b []byte) error {
	if s := string(b); s == "null" || s == `""` {
		*p = ""
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b[:1]) // no string is a period, not even the number 2018
	}
	one, err := ParsePeriod(s)
	if err == nil {
		*p = one
	}
	return err
}

// FieldSpec describes periods to the catalogue.
func (ReportingPeriod) FieldSpec() domain.Field {
	return domain.Field{Type: "string", Format: "reporting-period", Pattern: PeriodPattern, Example: "2018-h1"}
}
