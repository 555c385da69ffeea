// Package agreement holds the strategic cooperation agreement: how it is
// drafted, signed, takes effect and ends, the areas of cooperation under it,
// the cooperation that came before it, the mechanisms in which its parties
// meet, and what they owe each other.
//
//   - An agreement takes effect in the same decision as the last required
//     signature, and every signature is of the document that stands then.
//
//   - Only an agreement in effect lets projects start: what starts one also
//     puts an event here, so the two are appended together or not at all.
//
//   - Which agreement renews which, and that one took effect, never ceases.
//
//   - A mechanism that was dissolved schedules no meeting: what schedules one
//     also puts an event here.
//
//   - An obligation is fulfilled only when who benefits has confirmed what who
//     owes has claimed, with evidence. It outlives the agreement.
//
//   - A draft loses no party that a mechanism or an obligation names.
//
//   - Decisions and amendments that others cite never cease (cited.go).
//
// Areas, mechanisms and obligations are Lists of parts in State with a file
// each. Meetings and amendments are aggregates of their own, so that work on
// one does not wait for work on another.
package agreement

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "agreement"

// States of an agreement, in the order of its life; the last four are final.
const (
	StatusDrafted           = "drafted"
	StatusUnderConsultation = "under-consultation"
	StatusActive            = "active"
	StatusSuspended         = "suspended"
	StatusCompleted         = "completed"
	StatusTerminated        = "terminated"
	StatusExpired           = "expired"
	StatusRenewed           = "renewed"
)

// Kinds of agreements. A subsidiary or a supplement stands under a parent.
const (
	KindFramework  = "framework"
	KindSubsidiary = "subsidiary"
	KindSupplement = "supplement"
)

// State is what is known of one agreement.
type State struct {
	ID
	Kind      string        `json:"kind"`
	Title     domain.Text   `json:"title"`
	Parent    domain.Key    `json:"parent"`
	Renews    domain.Key    `json:"renews"`     // the agreement that it renews
	RenewedBy domain.Key    `json:"renewed_by"` // the agreement that took its place
	Parties   []domain.Key  `json:"parties"`    // each has to sign
	Document  domain.Hash   `json:"document"`   // the text to be signed
	State     string        `json:"state"`
	Term      domain.Period `json:"term"`

	EffectiveOn     domain.Date `json:"effective_on"` // 0 until it takes effect, then for ever
	EndedOn         domain.Date `json:"ended_on"`
	FirstProjectOn  domain.Date `json:"first_project_on"` // the earliest start of a project
	ProjectsStarted int         `json:"projects_started"`

	Signatures domain.List[Signature] `part:"signature"` // by party
	Areas      domain.List[Area]      `part:"area"`
	Prior      domain.List[Prior]     `part:"prior"`

	Mechanisms  domain.List[Mechanism]  `part:"mechanism"`
	Obligations domain.List[Obligation] `part:"obligation"`
	Decisions   domain.List[Decision]   `diff:"-"` // of all its meetings
	Amendments  domain.List[Amendment]  `diff:"-"` // in effect
}

// ID names an agreement in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
}

// Ref names the agreement as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement) }

// Ref names the agreement key. It belongs to itself, so that one wildcard
// finds it together with all that stands under it.
func Ref(key domain.Key) domain.Ref {
	return domain.Ref{Agreement: key, Kind: Kind, Key: key}
}

// Load returns the state of the agreement key, and refuses in the name of
// field when there is none.
func Load(w domain.World, field string, key domain.Key) (*State, error) {
	s, err := w.State(Ref(key))
	if err != nil {
		return nil, err
	}
	if a, ok := s.(*State); ok && a != nil {
		return a, nil
	}
	return nil, domain.NotFound(field, Kind, key)
}

// HasParty reports whether the party is one of those that have to sign.
func (s *State) HasParty(party domain.Key) bool { return slices.Contains(s.Parties, party) }

// RequireParty refuses in the name of field unless the party is one of those
// that have to sign.
func (s *State) RequireParty(field string, party domain.Key) error {
	if !s.HasParty(party) {
		return domain.Refuse(domain.CodeWrongParty, field, "%q is no party of agreement %q; its parties are %s", party, s.Agreement, domain.Join(s.Parties, ", "))
	}
	return nil
}

// CodeAgreementNotActive refuses what needs an agreement in effect.
const CodeAgreementNotActive = "agreement-not-active"

// RequireActive refuses unless the agreement is in effect. Being active can
// cease: who relies on it also puts an event on the agreement.
func (s *State) RequireActive(what string) error {
	if s.State == StatusActive {
		return nil
	}
	return domain.Refuse(CodeAgreementNotActive, "agreement", "%s under agreement %q, which is %s%s",
		what, s.Agreement, s.State, strings.TrimSuffix("; "+hint(s.State), "; "))
}

// in refuses unless there is an agreement and its state is one of wanted; with
// none wanted, any state will do.
func (id ID) in(s *State, wanted ...string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, id.Agreement)
	case len(wanted) == 0 || slices.Contains(wanted, s.State):
		return nil
	case slices.Contains(wanted, StatusActive) || wanted[0] == StatusUnderConsultation:
		return domain.WrongState(Kind, id.Agreement, s.State, hint(s.State), wanted...)
	}
	return domain.WrongState(Kind, id.Agreement, s.State, "", wanted...)
}

// open refuses unless there is an agreement and it has not ended.
func (id ID) open(s *State) error {
	return id.in(s, StatusActive, StatusDrafted, StatusUnderConsultation, StatusSuspended)
}

// hint says what leads on from a state towards taking effect.
func hint(state string) string {
	switch state {
	case StatusDrafted:
		return "open its consultation with open-consultation"
	case StatusUnderConsultation:
		return "it takes effect when each party has signed with sign-agreement"
	case StatusSuspended:
		return "resume it with resume-agreement"
	}
	return ""
}

// Aggregate lists the commands and events of agreements.
var Aggregate = domain.NewAggregate[State](Kind, "A strategic cooperation agreement between two or more parties.",
	[]domain.CommandType{
		domain.CommandOf[State, Draft]("Draft an agreement between parties, all of which will have to sign it."),
		domain.CommandOf[State, Revise]("Revise a draft; another document or other parties void the signatures given so far."),
		domain.CommandOf[State, OpenConsultation]("Open the consultation of a draft: from then on it can be signed."),
		domain.CommandOf[State, Sign]("Sign an agreement for a party; the last required signature puts it into effect."),
		domain.CommandOf[State, Suspend]("Suspend an agreement in effect: no project starts until it is resumed."),
		domain.CommandOf[State, Resume]("Resume a suspended agreement."),
		domain.CommandOf[State, Terminate]("Terminate an agreement before its term has run out."),
		domain.CommandOf[State, Complete]("Complete an agreement whose purpose is fulfilled."),
		domain.CommandOf[State, Expire]("Record that the term of an agreement has run out."),
		domain.CommandOf[State, Renew]("Record that another agreement, in effect, renews this one and takes its place."),
		domain.CommandOf[State, RecordPrior]("Record cooperation between the parties from before the agreement."),
		domain.CommandOf[State, AddArea]("Add an area of cooperation, or one within another."),
		domain.CommandOf[State, RetireArea]("Retire an area of cooperation: no new project can name it."),
		domain.CommandOf[State, EstablishMechanism]("Establish a mechanism in which parties meet: coordination, consultation or project implementation."),
		domain.CommandOf[State, ChangeMechanism]("Change a mechanism's title, members or cadence."),
		domain.CommandOf[State, DissolveMechanism]("Dissolve a mechanism: no further meeting of it is scheduled."),
		domain.CommandOf[State, AddObligation]("Add what one party owes another, by when and, where it is money, how much."),
		domain.CommandOf[State, ClaimFulfilment]("Claim for the party that owes that an obligation is fulfilled, with evidence."),
		domain.CommandOf[State, ConfirmFulfilment]("Confirm for the party that benefits that an obligation is fulfilled."),
		domain.CommandOf[State, DisputeFulfilment]("Dispute for the party that benefits that an obligation is fulfilled: it is open again."),
		domain.CommandOf[State, WaiveObligation]("Waive an obligation for the party that benefits: it is owed no more."),
		domain.CommandOf[State, DeclareBreach]("Declare for the party that benefits that an obligation was not fulfilled in time."),
	},
	[]domain.EventType{
		domain.EventOf[State, Drafted]("An agreement was drafted."),
		domain.EventOf[State, DraftRevised]("A draft was revised, and the signatures named void are so."),
		domain.EventOf[State, ConsultationOpened]("The parties consult on the draft and may sign it."),
		domain.EventOf[State, Signed]("A party signed the agreement."),
		domain.EventOf[State, TookEffect]("Every required party has signed: the agreement is in effect."),
		domain.EventOf[State, Suspended]("The agreement was suspended."),
		domain.EventOf[State, Resumed]("The agreement is in effect again."),
		domain.EventOf[State, Terminated]("The agreement was terminated."),
		domain.EventOf[State, Completed]("The agreement was completed."),
		domain.EventOf[State, Expired]("The term of the agreement ran out."),
		domain.EventOf[State, Renewed]("Another agreement renewed this one and took its place."),
		domain.EventOf[State, PriorCooperationRecorded]("Cooperation from before the agreement was recorded."),
		domain.EventOf[State, AreaAdded]("An area of cooperation was added."),
		domain.EventOf[State, AreaRetired]("An area of cooperation was retired."),
		domain.EventOf[State, MechanismEstablished]("A mechanism was established."),
		domain.EventOf[State, MechanismChanged]("A mechanism's title, members or cadence changed."),
		domain.EventOf[State, MechanismDissolved]("A mechanism was dissolved."),
		domain.EventOf[State, ObligationAdded]("A party owes another something."),
		domain.EventOf[State, FulfilmentClaimed]("The party that owes claimed that an obligation is fulfilled."),
		domain.EventOf[State, FulfilmentConfirmed]("The party that benefits confirmed it: the obligation is fulfilled."),
		domain.EventOf[State, FulfilmentDisputed]("The party that benefits disputed the claim: the obligation is open again."),
		domain.EventOf[State, ObligationWaived]("The party that benefits waived an obligation."),
		domain.EventOf[State, BreachDeclared]("The party that benefits declared that an obligation was not fulfilled in time."),
		domain.EventOf[State, ProjectStarted]("A project under the agreement started."),
		domain.EventOf[State, ProjectResumed]("A suspended project under the agreement resumed."),
		domain.EventOf[State, DecisionRecorded]("A meeting under the agreement took a decision."),
		domain.EventOf[State, Amended]("An amendment of the agreement took effect."),
		domain.EventOf[State, MeetingScheduled]("A meeting of a mechanism of the agreement was scheduled."),
		domain.EventOf[State, FundsDisbursed]("A fund under the agreement disbursed funds."),
	})
