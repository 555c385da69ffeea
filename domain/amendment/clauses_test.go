package amendment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

// inEffect is what the changes come to when both parties sign at once.
func inEffect(t *testing.T, s *Scenario, changes ...string) *Scenario {
	t.Helper()
	return s.When(proposal(changes...), delay).Accepted().
		When(signature(City, "2024-06-12")).Accepted().
		When(signature(Group, "2024-06-12")).Accepted()
}

// Each change is decided on what those before it left.
func TestChangesBuildOnEachOther(t *testing.T) {
	s := inEffect(t, Given(t, Running()...),
		`{"command":"add-area","area":"chips","title":"Chips"}`,
		`{"command":"propose-project","project":"fab","title":"Fab","kind":"other","areas":["chips"]}`,
		`{"command":"schedule-milestone","project":"fab","milestone":"land","title":"Land","due":"2025-01-31","confirming":["wuxi"]}`,
		`{"command":"schedule-milestone","project":"fab","milestone":"site","title":"Site","due":"2025-06-30","confirming":["wuxi"],"depends_on":["land"]}`,
		`{"command":"approve-baseline","project":"fab"}`,
		`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2024-07-31"}`,
		`{"command":"reschedule-milestone","project":"iot-base","milestone":"launch","due":"2024-12-31"}`,
		`{"command":"change-scope","project":"iot-base","areas":["iot","chips"]}`,
		`{"command":"approve-baseline","project":"iot-base"}`)
	fab := StateOf[project.State](s, project.Ref("framework", "fab"))
	assert.Equal(t, 2, fab.Milestones.Len())
	assert.Equal(t, 1, fab.Baseline)
	frozen, _ := fab.Baselines.Get("1")
	assert.Equal(t, domain.Key("a-1"), frozen.Amendment, "cites its amendment")
	assert.Equal(t, day("2024-06-12"), frozen.ApprovedOn, "holds from when the amendment does")

	base := StateOf[project.State](s, Base.Ref())
	assert.Equal(t, []domain.Key{"iot", "chips"}, base.Areas)
	site, _ := base.Milestones.Get("site")
	assert.Equal(t, day("2024-07-31"), site.Baseline, "frozen as it was moved")
}

// Each kind of change, on agreement, project, fund and indicator, in one go.
func TestEveryKindOfChangeCanBeMade(t *testing.T) {
	s := inEffect(t, Given(t, Running()...).And(fund.FundEstablished{ID: fund.ID{Agreement: "framework", Fund: "growth"}, Currency: "CNY", Manager: Group, On: day("2024-01-31")}),
		`{"command":"establish-mechanism","mechanism":"coordination","kind":"coordination","title":"C","members":["wuxi","cethik"],"cadence":"monthly"}`,
		`{"command":"change-mechanism","mechanism":"coordination","cadence":"yearly"}`,
		`{"command":"dissolve-mechanism","mechanism":"coordination"}`,
		`{"command":"add-obligation","obligation":"land","title":"Land","debtor":"wuxi","beneficiary":"cethik","due":"2025-01-31"}`,
		`{"command":"retire-area","area":"iot"}`,
		`{"command":"cancel-milestone","project":"iot-base","milestone":"launch"}`,
		`{"command":"propose-fund","fund":"seed","title":"Seed"}`,
		`{"command":"commit-funds","fund":"growth","commitment":"first","party":"wuxi","value":{"amount":"100","currency":"CNY"}}`,
		`{"command":"reduce-commitment","fund":"growth","commitment":"first","value":{"amount":"40","currency":"CNY"}}`,
		`{"command":"define-indicator","indicator":"jobs","title":"Jobs","level":"outcome","measure":"unit","unit":"jobs","beneficiary":"wuxi","reporter":"cethik"}`,
		`{"command":"set-target","indicator":"jobs","period":"2025","value":"300"}`)
	a := agreementOf(s)
	mechanism, _ := a.Mechanisms.Get("coordination")
	assert.Equal(t, []any{"yearly", agreement.Dissolved}, []any{mechanism.Cadence, mechanism.State})
	assert.True(t, a.Obligations.Has("land"))
	iot, _ := a.Areas.Get("iot")
	assert.True(t, iot.Retired)
	assert.NotNil(t, s.World[fund.Ref("framework", "seed")])
	growth := StateOf[fund.State](s, fund.Ref("framework", "growth"))
	first, _ := growth.Commitments.Get("first")
	assert.Equal(t, domain.Decimal("60"), first.Amount)
	assert.Equal(t, day("2024-06-12"), first.On, "holds from when the amendment does")
	assert.NotNil(t, s.World[indicator.Ref("framework", "jobs")])
}

func TestAChangeIsReadAsStrictlyAsACommand(t *testing.T) {
	const area = `{"command":"add-area","area":"chips","title":"Chips"}`
	for name, c := range map[string]struct{ change, code, field string }{
		"not a change":               {`{"command":"claim-achievement","project":"iot-base"}`, amendment.CodeNotAChange, "changes[1].command"},
		"no command at all":          {`{"command":"move-milestone"}`, amendment.CodeNotAChange, "changes[1].command"},
		"no name":                    {`{"area":"chips"}`, amendment.CodeNotAChange, "changes[1].command"},
		"a name that is none":        {`{"command":7}`, domain.CodeInvalidValue, "changes[1].command"},
		"an unknown field":           {`{"command":"add-area","area":"sensors","title":"S","colour":"red"}`, domain.CodeUnknownField, "changes[1].colour"},
		"a field twice":              {`{"command":"add-area","area":"sensors","area":"chips","title":"S"}`, domain.CodeInvalidValue, "changes[1].area"},
		"its own agreement twice":    {`{"command":"add-area","agreement":"framework","agreement":"x","area":"s","title":"S"}`, domain.CodeInvalidValue, "changes[1].agreement"},
		"a wrong date":               {`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2025-02-30"}`, domain.CodeInvalidValue, "changes[1].due"},
		"a field missing":            {`{"command":"reschedule-milestone","project":"iot-base","milestone":"site"}`, domain.CodeMissingField, "changes[1].due"},
		"a key missing":              {`{"command":"add-area","title":"S"}`, domain.CodeMissingField, "changes[1].area"},
		"of a project without a key": {`{"command":"propose-project","title":"S","kind":"other","areas":["iot"]}`, domain.CodeMissingField, "changes[1].project"},
		"of another agreement":       {`{"command":"add-area","agreement":"second","area":"sensors","title":"S"}`, domain.CodeInvalidValue, "changes[1].agreement"},
		"by another amendment":       {`{"command":"approve-baseline","project":"iot-base","amendment":"a-0"}`, domain.CodeInvalidValue, "changes[1].amendment"},
		"by a decision":              {`{"command":"approve-baseline","project":"iot-base","decision":"d-1"}`, project.CodeCitationRequired, "changes[1].amendment"},
		"by somebody else":           {`{"command":"add-area","area":"sensors","title":"S","actor":"ann"}`, domain.CodeUnknownField, "changes[1].actor"},
		"at another time":            {`{"command":"add-area","area":"sensors","title":"S","effective":"2024-06-01"}`, domain.CodeUnknownField, "changes[1].effective"},
		"for another reason":         {`{"command":"add-area","area":"sensors","title":"S","reason":"correction"}`, domain.CodeUnknownField, "changes[1].reason"},
		"what the one before did":    {area, domain.CodeAlreadyExists, "changes[1].area"},
		"of what does not exist":     {`{"command":"change-scope","project":"x","title":"X"}`, domain.CodeNotFound, "changes[1].project"},
		"what its rules refuse":      {`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2024-03-31"}`, domain.CodeNothingChanged, "changes[1].due"},
		"what names no field":        {`{"command":"change-scope","project":"iot-base","kind":"industry-base"}`, domain.CodeNothingChanged, "changes[1]"},
		"with a text nobody can see": {`{"command":"add-area","area":"sensors","title":"a\u0007"}`, domain.CodeInvalidValue, "changes[1].title.en"},
	} {
		t.Run(name, func(t *testing.T) {
			Given(t, Running()...).When(proposal(area, c.change), delay).Refused(c.code, c.field)
		})
	}
	message := Given(t, Running()...).When(proposal(`{"command":"start-project"}`), delay).Refused(amendment.CodeNotAChange, "changes[0].command")
	assert.Contains(t, message, "schedule-milestone", "names those that may")

	// what it need not say it may say
	Given(t, Running()...).When(proposal(
		`{"command":"reschedule-milestone","agreement":"framework","project":"iot-base","milestone":"site","due":"2024-07-31","amendment":"a-1"}`), delay).Accepted()
}

// Every party has signed, so a change is asked in the name of whichever it says.
func TestAChangeActsForTheParties(t *testing.T) {
	owed := agreement.ObligationAdded{ID: Framework, Obligation: "land", Title: En("Land"), Debtor: City, Beneficiary: Group, Due: Today}
	s := Given(t, Running()...).And(owed)
	s.When(proposal(`{"command":"waive-obligation","obligation":"land","party":"cethik"}`), domain.Meta{Reason: delay.Reason, ActingFor: City}).Accepted().
		When(signature(Group, "2024-06-12"), domain.Meta{ActingFor: Group}).Accepted().
		When(signature(City, "2024-06-12"), domain.Meta{ActingFor: City}).Accepted()
	o, _ := agreementOf(s).Obligations.Get("land")
	assert.Equal(t, agreement.Waived, o.State)
}

// The parties of an amendment bind themselves and nobody else.
func TestAChangeActsForNobodyElse(t *testing.T) {
	commit := func(party domain.Key) *Outcome {
		return Given(t, Funded()...).When(proposal(fmt.Sprintf(
			`{"command":"commit-funds","fund":"iot-fund","commitment":"more","party":%q,"value":{"amount":"100","currency":"CNY"}}`, party)), delay)
	}
	commit(Group).Accepted()
	assert.Contains(t, commit(Stranger).Refused(domain.CodeWrongParty, "changes[0].party"), "commit-funds")
}

// What parties agree on can be changed; what one of them does or reports cannot.
func TestWhatAnAmendmentCanDo(t *testing.T) {
	can := map[string]bool{}
	for name := range strings.FieldsSeq(`schedule-milestone reschedule-milestone cancel-milestone change-scope approve-baseline propose-project
		add-area retire-area add-obligation waive-obligation establish-mechanism change-mechanism dissolve-mechanism
		propose-fund commit-funds reduce-commitment define-indicator set-target`) {
		_, _, err := catalogue.Command(name)
		assert.NoError(t, err)
		can[name] = true
	}
	s := Given(t, Running()...)
	for _, c := range catalogue.Commands() {
		o := s.When(proposal(`{"command":"`+c.Name+`","nonsense":1}`), delay)
		if can[c.Name] {
			o.Refused(domain.CodeUnknownField, "changes[0].nonsense")
		} else {
			o.Refused(amendment.CodeNotAChange, "changes[0].command")
		}
	}
}
