package web

import (
	"errors"
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// whole is the point of the page for what belongs to no agreement, such as parties:
// that is never on the effective axis.
func (v *visit) whole() projections.Point {
	return projections.Point{Seq: v.At.Seq, At: v.At.At, Day: v.At.Day}
}

// Party shows a party, and leads to its page. One that is not registered is called by
// its key.
func (v *visit) Party(key domain.Key) template.HTML {
	if key == "" {
		return none
	}
	return v.Entity("", "party/"+string(key)).linked(string(key))
}

// PartyName is a party's name for where no markup can be.
func (v *visit) PartyName(key domain.Key) string {
	if e := v.Entity("", "party/"+string(key)); e.Parts[0].Title != nil {
		return v.Plain(e.Parts[0].Title)
	}
	return string(key)
}

// AgreementLink shows an agreement, and leads to its page.
func (v *visit) AgreementLink(key domain.Key) template.HTML {
	if key == "" {
		return none
	}
	return v.Entity(string(key), "agreement/"+string(key)).linked(string(key))
}

// linked is the innermost title, or where there is none another one, and leads to the
// page.
func (e entity) linked(otherwise string) template.HTML {
	title := escaped(otherwise)
	if n := len(e.Parts); n > 0 && e.Parts[n-1].Title != nil {
		title = e.Text(e.Parts[n-1].Title)
	}
	if e.Page == "" {
		return title
	}
	return `<a href="` + escaped(e.Page) + `">` + title + `</a>`
}

// Shown shows something with what it is and what it is in after it, and leads to it.
func (v *visit) Shown(e entity) template.HTML {
	if len(e.Parts) == 0 {
		return e.Name()
	}
	last := e.Parts[len(e.Parts)-1]
	title, about := e.linked(string(last.Key)), template.HTMLEscapeString(v.Label(last.Kind))
	if len(e.Parts) > 1 {
		switch of := e.Parts[0]; {
		case last.Kind == "period" && of.Title != nil: // the result is what people know it by
			e.Parts = e.Parts[:1]
			title, about = e.linked(string(of.Key)), about+" "+template.HTMLEscapeString(string(last.Key))
		case of.Kind != "agreement" && of.Title != nil:
			about += " · " + string(v.Text(of.Title))
		}
	}
	return title + template.HTML(` <span class="soft small">`+about+`</span>`)
}

// Parties shows several of them.
func (v *visit) Parties(keys []domain.Key) template.HTML {
	if len(keys) == 0 {
		return none
	}
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = string(v.Party(key))
	}
	return template.HTML(strings.Join(all, `<span class="soft"> · </span>`))
}

// Until says how far off a day is from that of the page.
func (v *visit) Until(d domain.Date) template.HTML {
	switch n := int(d - v.Today()); {
	case d == 0:
		return ""
	case n < 0:
		return template.HTML(`<span class="late">` + template.HTMLEscapeString(v.Say("%s late", v.Days(-n))) + `</span>`)
	case n == 0:
		return template.HTML(`<strong>` + template.HTMLEscapeString(v.Say("today")) + `</strong>`)
	default:
		return template.HTML(`<span class="soft">` + template.HTMLEscapeString(v.Say("in %s", v.Days(n))) + `</span>`)
	}
}

// notThere reports whether an error says that something is not there, or not for
// the asker to see.
func notThere(err error) bool {
	var r *domain.Rejected
	return errors.As(err, &r) && r.Code == domain.CodeNotFound
}
