package amendment_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	day   = domain.MustDate
	id    = amendment.ID{Agreement: "framework", Amendment: "a-1"}
	both  = []domain.Key{City, Group}
	delay = domain.Meta{Reason: "supplier-delay"}
	no    = domain.Meta{Reason: "not agreed"}
)

// proposal of City to move site, and no more.
func proposal(changes ...string) amendment.Propose {
	c := amendment.Propose{Agreement: "framework", Amendment: "a-1", Rationale: En("Steel is late"), Party: City, Document: Text2}
	for _, change := range changes {
		c.Changes = append(c.Changes, domain.Clause(change))
	}
	return c
}

func signature(party domain.Key, on string) amendment.Sign {
	return amendment.Sign{ID: id, Party: party, Signatory: "For " + string(party), Date: day(on), Document: Text2}
}

func stateOf(s *Scenario) *amendment.State { return StateOf[amendment.State](s, id.Ref()) }

func agreementOf(s *Scenario) *agreement.State {
	return StateOf[agreement.State](s, Framework.Ref())
}

// fork is a scenario that goes on without touching the one it comes from.
func fork(s *Scenario) *Scenario {
	other := *s
	other.World = maps.Clone(s.World)
	return &other
}

func TestPropose(t *testing.T) {
	cmd := proposal(`{"command": "add-area", "area": "chips", "title": "Chips"}`)
	cmd.Title, cmd.Term = En("Second text"), domain.Period{End: day("2027-02-27")}
	s := Given(t, Running()...).When(cmd, domain.Meta{Reason: "other", Note: "flood", Effective: day("2024-06-01")}).Then(amendment.AmendmentProposed{
		ID: id, Title: cmd.Title, Rationale: cmd.Rationale, ReasonCode: "other", Note: "flood", Party: City, Parties: both, Document: Text2,
		Term:    domain.Period{Start: day("2017-02-28"), End: day("2027-02-27")}, // the first day stays
		Changes: []domain.Clause{domain.Clause(`{"command":"add-area","area":"chips","title":"Chips"}`)}, On: day("2024-06-01"),
	})
	assert.Equal(t, amendment.Proposed, stateOf(s).State)
	assert.False(t, agreementOf(s).Areas.Has("chips"), "tried, not done")
	s.When(cmd, delay).Refused(domain.CodeAlreadyExists, "amendment")

	Given(t, append(Running(), agreement.Suspended{ID: Framework})...).When(proposal(), delay).Accepted()
	assert.Equal(t, domain.Key("drawn"), amendment.Propose{}.WithKey("drawn").(amendment.Propose).Amendment)
}

func TestProposeRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*amendment.Propose, *domain.Meta)
		code, field string
	}{
		"no key":              {func(c *amendment.Propose, _ *domain.Meta) { c.Amendment = "" }, domain.CodeMissingField, "amendment"},
		"no rationale":        {func(c *amendment.Propose, _ *domain.Meta) { c.Rationale = nil }, domain.CodeMissingField, "rationale"},
		"an unknown one":      {func(c *amendment.Propose, _ *domain.Meta) { c.Agreement = "x" }, domain.CodeNotFound, "agreement"},
		"by a stranger":       {func(c *amendment.Propose, _ *domain.Meta) { c.Party = Stranger }, domain.CodeWrongParty, "party"},
		"in another's name":   {func(_ *amendment.Propose, m *domain.Meta) { m.ActingFor = Group }, domain.CodeWrongParty, "party"},
		"without a reason":    {func(_ *amendment.Propose, m *domain.Meta) { m.Reason = "" }, domain.CodeReasonRequired, "reason"},
		"another reason":      {func(_ *amendment.Propose, m *domain.Meta) { m.Reason = "late" }, domain.CodeInvalidReason, "reason"},
		"other, and no more":  {func(_ *amendment.Propose, m *domain.Meta) { m.Reason = "other" }, domain.CodeNoteRequired, "note"},
		"the text in force":   {func(c *amendment.Propose, _ *domain.Meta) { c.Document = Text1 }, domain.CodeNothingChanged, "document"},
		"a term that is none": {func(c *amendment.Propose, _ *domain.Meta) { c.Term.End = day("2017-02-27") }, domain.CodeInvalidValue, "term.end"},
		"too many changes":    {func(c *amendment.Propose, _ *domain.Meta) { c.Changes = make([]domain.Clause, 201) }, domain.CodeInvalidValue, "changes"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, meta := proposal(), delay
			c.change(&cmd, &meta)
			for i, change := range cmd.Changes {
				if change == nil {
					cmd.Changes[i] = domain.Clause(`{}`)
				}
			}
			Given(t, Running()...).When(cmd, meta).Refused(c.code, c.field)
		})
	}
	message := Given(t, UnderConsultation()...).When(proposal(), delay).Refused(domain.CodeWrongState, "agreement")
	assert.Contains(t, message, "revise-draft")
	Given(t, append(Active(), agreement.Terminated{ID: Framework, On: Today})...).When(proposal(), delay).Refused(domain.CodeWrongState, "agreement")
}

// Invariant 2: in effect only when every required party has signed the one
// document; then all that it changes holds too.
func TestSign(t *testing.T) {
	cmd := proposal(`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2024-07-31"}`)
	cmd.Term = domain.Period{Start: day("2017-02-28"), End: day("2027-02-27")}
	proposed := Given(t, Running()...).When(cmd, delay).Accepted()

	s := fork(proposed).When(signature(Group, "2024-06-12")).Then(amendment.Signed(signature(Group, "2024-06-12")))
	assert.Equal(t, amendment.Proposed, stateOf(s).State)
	s.When(signature(Group, "2024-06-12")).Refused(agreement.CodeAlreadySigned, "party")
	s.When(signature(City, "2024-06-10")).Then(
		amendment.Signed(signature(City, "2024-06-10")),
		amendment.TookEffect{ID: id, On: day("2024-06-12")},
		domain.Elsewhere{Ref: Framework.Ref(), Reason: "supplier-delay", Event: agreement.Amended{
			ID: Framework, Amendment: "a-1", Document: Text2, Term: cmd.Term, On: day("2024-06-12")}},
		domain.Elsewhere{Ref: Base.Ref(), Reason: "supplier-delay", Event: project.MilestoneRescheduled{
			MilestoneID: Milestone("site"), Due: day("2024-07-31"), Forecast: day("2024-07-31"), Amendment: "a-1"}},
	)
	assert.Equal(t, amendment.InEffect, stateOf(s).State)
	assert.Equal(t, day("2024-06-12"), stateOf(s).EffectiveOn)
	assert.Equal(t, Text2, agreementOf(s).Document)
	assert.Equal(t, cmd.Term, agreementOf(s).Term)
	assert.True(t, agreementOf(s).Amendments.Has("a-1"))
	s.When(signature(City, "2024-06-12")).Refused(agreement.CodeAlreadySigned, "party")
	s.When(signature(Stranger, "2024-06-12")).Refused(domain.CodeWrongState, "amendment")

	// what is withdrawn remains to be proposed again, by whomever it was signed
	signed := fork(proposed).When(signature(City, "2024-06-12")).Accepted()
	signed.When(amendment.Withdraw{ID: id, Party: City}, no).Accepted().
		When(signature(City, "2024-06-12")).Refused(domain.CodeWrongState, "amendment")

	s = fork(proposed)
	other := signature(City, "2024-06-12")
	other.Document = Text1
	message := s.When(other).Refused(agreement.CodeHashMismatch, "document")
	assert.Contains(t, message, string(Text2))
	s.When(signature(Stranger, "2024-06-12")).Refused(domain.CodeWrongParty, "party")
	s.When(signature(City, "2024-06-12"), domain.Meta{ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
	s.When(signature(City, "2024-06-16")).Refused(domain.CodeFutureDate, "date")
	Given(t, Running()...).When(signature(City, "2024-06-12")).Refused(domain.CodeNotFound, "amendment")
	fork(s).And(agreement.Expired{ID: Framework, On: Today}).When(signature(City, "2024-06-12")).Refused(domain.CodeWrongState, "agreement")
	fork(s).And(agreement.Suspended{ID: Framework}).When(signature(City, "2024-06-12")).Accepted().
		When(signature(Group, "2024-06-12")).Accepted()
}

func TestWithTheLastSignatureTheReasonOfEachChangeIsTheAmendments(t *testing.T) {
	s := Given(t, Running()...).When(proposal(`{"command":"cancel-milestone","project":"iot-base","milestone":"launch"}`), domain.Meta{Reason: "other", Note: "flood"}).Accepted().
		When(signature(City, "2024-06-12"), domain.Meta{Reason: "signed in Wuxi"}).Accepted()
	s.When(signature(Group, "2024-06-12"), domain.Meta{Reason: "signed in Beijing"}).Then(
		amendment.Signed(signature(Group, "2024-06-12")),
		amendment.TookEffect{ID: id, On: day("2024-06-12")},
		domain.Elsewhere{Ref: Framework.Ref(), Reason: "other", Note: "flood", Event: agreement.Amended{ID: Framework, Amendment: "a-1", Document: Text2, On: day("2024-06-12")}},
		domain.Elsewhere{Ref: Base.Ref(), Reason: "other", Note: "flood", Event: project.MilestoneCancelled{MilestoneID: Milestone("launch")}},
	)
}

// What has become impossible since is not done by half.
func TestAllChangesOrNone(t *testing.T) {
	signed := Given(t, Running()...).When(proposal(
		`{"command":"add-area","area":"chips","title":"Chips"}`,
		`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2024-07-31"}`), delay).Accepted().
		When(signature(City, "2024-06-12")).Accepted()

	s := fork(signed).And(project.MilestoneCancelled{MilestoneID: Milestone("site")})
	message := s.When(signature(Group, "2024-06-12")).Refused(domain.CodeWrongState, "changes[1].milestone")
	assert.Contains(t, message, "withdraw the amendment")
	assert.Equal(t, amendment.Proposed, stateOf(s).State)
	s.When(amendment.Withdraw{ID: id, Party: City}, no).Accepted()

	s = fork(signed).And(agreement.AreaAdded{ID: Framework, Area: "chips", Title: En("Chips")})
	s.When(signature(Group, "2024-06-12")).Refused(domain.CodeAlreadyExists, "changes[0].area")
}

func TestReject(t *testing.T) {
	reject := amendment.Reject{ID: id, Party: Group}
	proposed := Given(t, Running()...).When(proposal(), delay).Accepted()
	proposed.When(reject).Refused(domain.CodeReasonRequired, "reason")
	proposed.When(reject, domain.Meta{Reason: "no", ActingFor: City}).Refused(domain.CodeWrongParty, "party")
	proposed.When(amendment.Reject{ID: id, Party: Stranger}, no).Refused(domain.CodeWrongParty, "party")
	message := proposed.When(amendment.Reject{ID: id, Party: City}, no).Refused(domain.CodeWrongParty, "party")
	assert.Contains(t, message, "withdraw-amendment")
	s := fork(proposed).When(reject, no).Then(amendment.AmendmentRejected{ID: id, Party: Group, On: Today})
	assert.Equal(t, []any{amendment.Rejected, Today}, []any{stateOf(s).State, stateOf(s).EndedOn})
	thatIsThat(s)
	Given(t, Running()...).When(reject, no).Refused(domain.CodeNotFound, "amendment")
}

func TestWithdraw(t *testing.T) {
	withdraw := amendment.Withdraw{ID: id, Party: City}
	proposed := Given(t, Running()...).When(proposal(), delay).Accepted()
	proposed.When(withdraw).Refused(domain.CodeReasonRequired, "reason")
	proposed.When(withdraw, domain.Meta{Reason: "no", ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
	proposed.When(amendment.Withdraw{ID: id, Party: Group}, no).Refused(domain.CodeWrongParty, "party")
	s := fork(proposed).When(withdraw, no).Then(amendment.AmendmentWithdrawn{ID: id, Party: City, On: Today})
	assert.Equal(t, []any{amendment.Withdrawn, Today}, []any{stateOf(s).State, stateOf(s).EndedOn})
	thatIsThat(s)
	Given(t, Running()...).When(withdraw, no).Refused(domain.CodeNotFound, "amendment")
	thatIsThat(Given(t, Running()...).And(Amended("a-1")...))
}

// thatIsThat: an amendment that was settled takes nothing more.
func thatIsThat(s *Scenario) {
	s.When(amendment.Sign{ID: id, Party: Stranger, Signatory: "S", Date: Today, Document: Text2}).Refused(domain.CodeWrongState, "amendment")
	s.When(amendment.Reject{ID: id, Party: Group}, no).Refused(domain.CodeWrongState, "amendment")
	s.When(amendment.Withdraw{ID: id, Party: City}, no).Refused(domain.CodeWrongState, "amendment")
}

// By effective date, its signing may come before its proposal.
func TestEventsOutOfOrder(t *testing.T) {
	s := Given(t,
		amendment.TookEffect{ID: id, On: Today},
		amendment.Signed(signature(City, "2024-06-12")),
		amendment.AmendmentProposed{ID: id, Rationale: En("Why"), Party: City, Parties: both, Document: Text2, On: Today})
	assert.Equal(t, amendment.InEffect, stateOf(s).State)
	assert.Equal(t, both, stateOf(s).Parties)
	assert.True(t, stateOf(s).Signatures.Has(City))
}
