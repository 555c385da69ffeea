package web

import (
	"net/url"

	"github.com/milepost-ledger/milepost/domain"
)

// agreementPath is the address of an agreement's page, and with parts of one below it.
func agreementPath(of domain.Key, parts ...domain.Key) string {
	path := "/agreements/" + string(of)
	for _, part := range parts {
		path += "/" + string(part)
	}
	return path
}

// AgreementPage leads to an agreement's page, or with parts to one below it:
// AgreementPage(a, "projects", p).
func (v *visit) AgreementPage(of domain.Key, parts ...domain.Key) string {
	return v.Link(agreementPath(of, parts...))
}

// MilestonePage leads to a milestone.
func (v *visit) MilestonePage(agreement, project, milestone domain.Key) string {
	return v.AgreementPage(agreement, "projects", project, "milestones", milestone)
}

// EventPage leads to an event.
func (v *visit) EventPage(seq uint64) string { return v.Link("/audit/events/" + uintText(seq)) }

// SincePage leads to the changes since a meeting.
func (v *visit) SincePage(meeting domain.Key) string {
	return v.link("/changes", url.Values{"agreement": {string(v.Agreement)}, "since_meeting": {string(meeting)}, "mode": {"net"}})
}

// ChangesOf leads to every change of an entity of the agreement.
func (v *visit) ChangesOf(entity string) string {
	return v.link("/changes", url.Values{"agreement": {string(v.Agreement)}, "entity": {entity}, "from": {"seq:0"}})
}
