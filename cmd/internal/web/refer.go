package web

import (
	"encoding/json"
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

// reference names something that may have a page, and leads there where it does and
// the asker may see it.
type reference struct{ Title, Address string }

// EventLink names an event by its sequence.
func (v *visit) EventLink(seq uint64) reference {
	r := reference{Title: uintText(seq)}
	if v.leadsTo("GET /audit/events/{seq}") {
		r.Address = v.Link("/audit/events/" + r.Title)
	}
	return r
}

// MeetingLink names a meeting of the agreement.
func (v *visit) MeetingLink(key domain.Key) reference {
	r := reference{Title: string(key)}
	if v.leadsTo("GET /agreements/{agreement}/meetings/{meeting}") {
		r.Address = v.Link(agreementPath(v.Agreement, "meetings", string(key)))
	}
	return r
}

func (v *visit) leadsTo(pattern string) bool {
	right, ok := access.Route(pattern)
	return ok && v.Principal.Begin(right)
}

// why is the reason of an event: a code in words, or what somebody wrote.
type why struct{ Reason, Note string }

// Why says why something was done. Codes of reasons are told from sentences by having
// no spaces and no capitals.
func (v *visit) Why(reason, note string) why {
	if domain.Key(reason).Valid() {
		return why{v.Label(reason), note}
	}
	return why{"", strings.TrimSpace(reason + " " + note)}
}

// LabelOf shows a value that is a code, such as a state.
func (v *visit) LabelOf(raw json.RawMessage) template.HTML {
	var code string
	if json.Unmarshal(raw, &code) != nil || code == "" {
		return `<span class="none">–</span>`
	}
	return template.HTML(template.HTMLEscapeString(v.Label(code)))
}
