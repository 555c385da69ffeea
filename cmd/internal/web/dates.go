package web

import (
	"html/template"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// Day shows a civil date, and a dash where there is none.
func (v *visit) Day(d domain.Date) template.HTML {
	if d == 0 {
		return none
	}
	return template.HTML(`<time datetime="` + d.String() + `">` + v.Date(d) + `</time>`)
}

// Moment shows an instant to the minute, in the ledger's time zone.
func (v *visit) Moment(t time.Time) template.HTML {
	if t.IsZero() {
		return none
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + v.Time(t.In(v.site.Location)) + `</time>`)
}

// Today is the day that the page is judged by.
func (v *visit) Today() domain.Date { return v.At.Day }

// Until says how far off a day is from that of the page.
func (v *visit) Until(d domain.Date) template.HTML {
	switch n := int(d - v.Today()); {
	case d == 0:
		return ""
	case n < 0:
		return `<span class="late">` + escaped(v.Say("%s late", v.Days(-n))) + `</span>`
	case n == 0:
		return `<strong>` + escaped(v.Say("today")) + `</strong>`
	default:
		return `<span class="soft">` + escaped(v.Say("in %s", v.Days(n))) + `</span>`
	}
}

// Slip says how many days something is late, or early; a dash where that is not known.
func (v *visit) Slip(days *int) template.HTML {
	switch {
	case days == nil:
		return none
	case *days > 0:
		return `<span class="late">` + escaped("+"+v.Days(*days)) + `</span>`
	case *days < 0:
		return escaped(v.Days(*days))
	}
	return escaped(v.Say("on time"))
}

// SlipOf is Slip of days that are known.
func (v *visit) SlipOf(days int) template.HTML { return v.Slip(&days) }

// daysBetween is how many days one day is after another; nil where one is not there.
func daysBetween(from, to domain.Date) *int {
	if from == 0 || to == 0 {
		return nil
	}
	days := int(to - from)
	return &days
}
