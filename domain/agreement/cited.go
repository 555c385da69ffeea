package agreement

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// What meetings decide and what amendments change is told by their own
// aggregates. The agreement keeps of each what others cite: whoever moves a
// date looks here, and what is here never ceases, so nobody has to guard it.

// Decision is a decision of a meeting under the agreement.
type Decision struct {
	Meeting domain.Key  `json:"meeting"`
	On      domain.Date `json:"on"`
	Affects []string    `json:"affects"` // paths of entities; none for a decision on the whole agreement
}

// Covers reports whether the decision is about the entity at path, or about
// what holds it.
func (d Decision) Covers(path string) bool {
	for _, a := range d.Affects {
		if path == a || strings.HasPrefix(path, a+"/") {
			return true
		}
	}
	return len(d.Affects) == 0
}

// Amendment is an amendment in effect.
type Amendment struct {
	On domain.Date `json:"on"` // since when
}

// Codes of refusals of a citation.
const (
	CodeNotCovered   = "not-covered"   // the decision is about something else
	CodeNotEffective = "not-effective" // no amendment of that name is in effect
)

// RequireDecision refuses unless a meeting under the agreement took the
// decision and it is about the entity at path.
func (s *State) RequireDecision(field string, key domain.Key, path string) error {
	d, ok := s.Decisions.Get(key)
	if !ok {
		return domain.Refuse(domain.CodeNotFound, field, "no meeting under agreement %q took a decision %q; record it with record-decision", s.Agreement, key)
	}
	if !d.Covers(path) {
		return domain.Refuse(CodeNotCovered, field, "decision %q of meeting %q affects %s, not %s; cite one that does", key, d.Meeting, strings.Join(d.Affects, ", "), path)
	}
	return nil
}

// RequireAmendment refuses unless the amendment is in effect.
func (s *State) RequireAmendment(field string, key domain.Key) error {
	if !s.Amendments.Has(key) {
		return domain.Refuse(CodeNotEffective, field, "no amendment %q of agreement %q is in effect; each party signs it with sign-amendment", key, s.Agreement)
	}
	return nil
}

// DecisionRecorded is put here by record-decision. Decisions have one name in
// the whole agreement: the append checks that nobody took it meanwhile.
type DecisionRecorded struct {
	ID
	Decision domain.Key  `json:"decision" doc:"Key of the decision."`
	Meeting  domain.Key  `json:"meeting" doc:"Key of the meeting."`
	On       domain.Date `json:"on" doc:"The date of the meeting."`
	Affects  []string    `json:"affects,omitzero" doc:"Paths of the entities that it is about, such as project/iot-base."`
}

func (DecisionRecorded) Type() string { return "milepost.agreement.decision-recorded.v1" }

func (e DecisionRecorded) Apply(s *State) {
	s.ID = e.ID
	s.Decisions = s.Decisions.With(e.Decision, Decision{e.Meeting, e.On, e.Affects})
}

// Amended is put here when an amendment takes effect: its document is the
// agreement's from then on, and its term where it changes that. The append
// checks that the agreement has not ended meanwhile.
type Amended struct {
	ID
	Amendment domain.Key    `json:"amendment" doc:"Key of the amendment."`
	Document  domain.Hash   `json:"document" doc:"SHA-256 of the agreement's text from now on."`
	Term      domain.Period `json:"term,omitzero" doc:"The new term; it stays when absent."` // zero where it stays
	On        domain.Date   `json:"on" doc:"The date on which it holds."`
}

func (Amended) Type() string { return "milepost.agreement.amended.v1" }

func (e Amended) Apply(s *State) {
	s.ID, s.Document = e.ID, e.Document
	if e.Term != (domain.Period{}) {
		s.Term = e.Term
	}
	s.Amendments = s.Amendments.With(e.Amendment, Amendment{e.On})
}

// MeetingScheduled is put here by schedule-meeting. It changes nothing: its
// append checks that the mechanism has not been dissolved meanwhile.
type MeetingScheduled struct {
	ID
	Mechanism domain.Key  `json:"mechanism" doc:"Key of the mechanism."`
	Meeting   domain.Key  `json:"meeting" doc:"Key of the meeting."`
	On        domain.Date `json:"on" doc:"The date for which it was scheduled."` // the day for which it was scheduled
}

func (MeetingScheduled) Type() string     { return "milepost.agreement.meeting-scheduled.v1" }
func (e MeetingScheduled) Apply(s *State) { s.ID = e.ID }

// FundsDisbursed is put here by disburse-funds. It changes nothing: its append
// checks that the agreement is still in effect.
type FundsDisbursed struct {
	ID
	Fund         domain.Key   `json:"fund" doc:"Key of the fund."`
	Disbursement domain.Key   `json:"disbursement" doc:"Key of the disbursement."`
	Project      domain.Key   `json:"project" doc:"The project that the funds go to."`
	Value        domain.Money `json:"value" doc:"The amount."`
	On           domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (FundsDisbursed) Type() string     { return "milepost.agreement.funds-disbursed.v1" }
func (e FundsDisbursed) Apply(s *State) { s.ID = e.ID }
