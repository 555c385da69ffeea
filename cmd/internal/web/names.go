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

// partyTitle is what a party is called, asked for once a page. One that is not
// registered is called by its key.
func (v *visit) partyTitle(key domain.Key) domain.Text {
	if title, ok := v.parties[key]; ok {
		return title
	}
	p, err := v.models.Party(v.request.Context(), key, v.whole())
	if err != nil || len(p.Title) == 0 {
		p.Title = nil
	}
	if v.parties == nil {
		v.parties = map[domain.Key]domain.Text{}
	}
	v.parties[key] = p.Title
	return p.Title
}

// PartyName is a party's name for where no markup can be.
func (v *visit) PartyName(key domain.Key) string {
	if title := v.partyTitle(key); title != nil {
		return v.Plain(title)
	}
	return string(key)
}

// Party shows a party, and leads to its page.
func (v *visit) Party(key domain.Key) template.HTML {
	if key == "" {
		return `<span class="none">–</span>`
	}
	title := v.partyTitle(key)
	if title == nil {
		return template.HTML(template.HTMLEscapeString(string(key)))
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(v.Link("/parties/"+string(key))) + `">` + string(v.Text(title)) + `</a>`)
}

// Parties shows several of them.
func (v *visit) Parties(keys []domain.Key) template.HTML {
	if len(keys) == 0 {
		return `<span class="none">–</span>`
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

// atMost bounds how much of a list a page looks through.
const atMost = 2000

// every reads a list to its end, or as far as a page looks.
func every[T any](read func(projections.Page) ([]T, string, error)) (all []T, err error) {
	page := projections.Page{Limit: projections.MaxLimit}
	for len(all) < atMost {
		items, next, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" {
			break
		}
		page.Cursor = next
	}
	return all, nil
}

// AgreementLink shows an agreement, and leads to its page.
func (v *visit) AgreementLink(key domain.Key) template.HTML {
	if key == "" {
		return `<span class="none">–</span>`
	}
	t := v.Thing(key, "agreement/"+string(key))
	title := template.HTML(template.HTMLEscapeString(string(key)))
	if len(t.Title) > 0 {
		title = v.Text(t.Title)
	}
	return `<a href="` + template.HTML(template.HTMLEscapeString(v.Where(t))) + `">` + title + `</a>`
}
