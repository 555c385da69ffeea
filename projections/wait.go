package projections

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// wait is something in an aggregate that waits for a party: the aggregate
// itself or one of its parts has at most one of a kind for each.
type wait struct {
	party domain.Key
	kind  string
	title domain.Text
	due   domain.Date
	near  bool // listed only when it is due soon
}

// awaitingRow is a version of a wait. Its entity is named by what waits, the
// kind and the party.
type awaitingRow struct {
	Party  entityRef   `json:"party"`
	Open   bool        `json:"open"`   // it waits, until the next version
	Opened bool        `json:"opened"` // since this version
	Title  domain.Text `json:"title"`
	Due    domain.Date `json:"due"`
	Near   bool        `json:"near"`
}

var awaitingTable = newTable[awaitingRow](orderAwaiting, "awaiting", versionLead...)

// writeWaits writes what waits in an aggregate or a part of it since the event
// at hand, no longer, or otherwise than before.
func (k *keeps[S]) writeWaits(p *projector, a *aggregate, was, is *S, part, kind string, key domain.Key) error {
	if k.waits == nil {
		return nil
	}
	before, after := p.waits[0][:0], k.waits(is, kind, key, p.waits[1][:0])
	if was != nil {
		before = k.waits(was, kind, key, before)
	}
	p.waits = [2][]wait{before, after}
	for i := range after {
		w := &after[i]
		old := w.in(before)
		if old != nil && w.same(old) {
			continue
		}
		row := awaitingRow{Open: true, Opened: old == nil, Title: w.title, Due: w.due, Near: w.near}
		if err := p.writeWait(a, part, w, &row); err != nil {
			return err
		}
	}
	for i := range before {
		if w := &before[i]; w.in(after) == nil {
			if err := p.writeWait(a, part, w, &awaitingRow{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *projector) writeWait(a *aggregate, part string, w *wait, row *awaitingRow) error {
	of, err := p.aggregateEntity(party.Ref(w.party))
	if err != nil {
		return err
	}
	e, err := p.entityBelow(a.ref, a.entity, of, awaitingTable.name, strings.TrimPrefix(part+awaitingMark+w.kind+"/"+string(w.party), "/"))
	if err != nil {
		return err
	}
	row.Party = of
	if err := p.noteWait(of, e.id, row.Open); err != nil {
		return err
	}
	return putVersion(p, awaitingTable, e, row)
}

// awaitingMark parts the path of what waits from the kind and the party in the
// path of a wait.
const awaitingMark = "/awaiting/"

// in returns the wait of the same kind for the same party in others.
func (w *wait) in(others []wait) *wait {
	for i := range others {
		if o := &others[i]; o.party == w.party && o.kind == w.kind {
			return o
		}
	}
	return nil
}

func (w *wait) same(o *wait) bool {
	return w.due == o.due && w.near == o.near && sameText(w.title, o.title)
}

// sameText sees first whether the two are one and the same, as those of states that
// share a text are.
func sameText(a, b domain.Text) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() || maps.Equal(a, b)
}

// agreementWaits: signatures while it is under consultation; of an obligation
// its fulfilment, then the confirmation of that.
func agreementWaits(s *agreement.State, kind string, key domain.Key, to []wait) []wait {
	switch kind {
	case "":
		if s.State != agreement.StatusUnderConsultation {
			break
		}
		for _, p := range s.Parties {
			if signature, _ := s.Signatures.Get(p); signature == (agreement.Signature{}) { // none, or void
				to = append(to, wait{party: p, kind: AwaitsSignature, title: s.Title})
			}
		}
	case obligationTable.name:
		switch o, _ := s.Obligations.Get(key); o.State {
		case agreement.Open, agreement.Breached:
			to = append(to, wait{party: o.Debtor, kind: AwaitsAction, title: o.Title, due: o.Due})
		case agreement.Claimed:
			to = append(to, wait{party: o.Beneficiary, kind: AwaitsConfirmation, title: o.Title, due: o.Due})
		}
	}
	return to
}

// projectWaits: a milestone waits for the lead of a project under way, and when
// its achievement is claimed for those who have to confirm that.
func projectWaits(s *project.State, kind string, key domain.Key, to []wait) []wait {
	if kind != milestoneTable.name || s.State == project.StatusClosed || s.State == project.StatusCancelled {
		return to
	}
	m, _ := s.Milestones.Get(key)
	switch m.State {
	case project.Scheduled:
		if s.Lead != "" && (s.State == project.StatusImplementation || s.State == project.StatusCompletion) {
			to = append(to, wait{party: s.Lead, kind: AwaitsAction, title: m.Title, due: m.Due, near: true})
		}
	case project.Claimed:
		for _, p := range m.Confirming {
			if !slices.Contains(m.ConfirmedBy, p) {
				to = append(to, wait{party: p, kind: AwaitsConfirmation, title: m.Title, due: m.Due})
			}
		}
	}
	return to
}

// amendmentWaits: signatures while it is proposed.
func amendmentWaits(s *amendment.State, kind string, _ domain.Key, to []wait) []wait {
	if kind != "" || s.State != amendment.Proposed {
		return to
	}
	for _, p := range s.Parties {
		if !s.Signatures.Has(p) {
			to = append(to, wait{party: p, kind: AwaitsSignature, title: s.Title})
		}
	}
	return to
}

// meetingWaits: minutes wait for each member's confirmation, action items for
// their owners.
func meetingWaits(s *meeting.State, kind string, key domain.Key, to []wait) []wait {
	switch kind {
	case "":
		if s.State != meeting.Held || s.Minutes == "" {
			break
		}
		for _, p := range unconfirmed(s) {
			to = append(to, wait{party: p, kind: AwaitsConfirmation, title: s.Title})
		}
	case actionTable.name:
		if a, _ := s.Actions.Get(key); a.State == meeting.Open {
			to = append(to, wait{party: a.Owner, kind: AwaitsAction, title: a.Title, due: a.Due})
		}
	}
	return to
}

// indicatorWaits: a period with a target waits for its actual, which then
// waits for its verification, or is to be revised.
func indicatorWaits(s *indicator.State, kind string, key domain.Key, to []wait) []wait {
	if kind != periodTable.name {
		return to
	}
	switch p, _ := s.Periods.Get(key); p.State {
	case indicator.Planned:
		if hasTarget(&p) {
			to = append(to, wait{party: s.Reporter, kind: AwaitsReport, title: s.Title, due: p.End, near: true})
		}
	case indicator.Returned:
		to = append(to, wait{party: s.Reporter, kind: AwaitsReport, title: s.Title, due: p.End})
	case indicator.Reported:
		to = append(to, wait{party: s.Verifier, kind: AwaitsConfirmation, title: s.Title})
	}
	return to
}
