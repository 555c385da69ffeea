package indicator_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	day    = domain.MustDate
	reason = domain.Meta{Reason: "because"}
	// correcting is the meta of a correction.
	correcting = domain.Meta{Reason: "miscounted", Corrects: "018f3c5e-7b1a-7000-8000-00000000beef"}
)

func period(s *Scenario, key indicator.ReportingPeriod) indicator.Period {
	p, _ := StateOf[indicator.State](s, Jobs.Ref()).Periods.Get(domain.Key(key))
	return p
}

// reported has an actual of 2023 reported.
func reported(value domain.Decimal) indicator.ActualReported {
	return indicator.ActualReported{PeriodID: JobsIn("2023"), Party: Group, Value: value, On: day("2024-01-10")}
}

// verified has the actual of 2023 verified, which was 80.
func verified(on string) indicator.ActualVerified {
	return indicator.ActualVerified{PeriodID: JobsIn("2023"), Party: City, Value: "80", On: day(on)}
}

// locked has 2023 reported, verified and locked.
func locked() []domain.Event {
	return append(Measured(), reported("80"), verified("2024-02-01"), indicator.PeriodLocked{PeriodID: JobsIn("2023")})
}

// trust is a qualitative indicator.
var trust = indicator.Defined{
	ID: indicator.ID{Agreement: "framework", Indicator: "trust"}, Title: En("Trust"), Level: indicator.Impact, Measure: indicator.Qualitative,
	Ascending: true, Beneficiary: City, Reporter: Group, Verifier: City,
}

func TestDefine(t *testing.T) {
	cmd := indicator.Define{
		Agreement: "framework", Indicator: "jobs", Title: En("Jobs"), Level: indicator.Outcome, Measure: indicator.Unit, Unit: "jobs",
		Baseline: "20", BaselineOn: day("2018-01-01"), Beneficiary: City, Reporter: Group, Summable: true, Project: "iot-base",
	}
	defined := indicator.Defined{
		ID: Jobs, Title: En("Jobs"), Level: indicator.Outcome, Measure: indicator.Unit, Unit: "jobs", Ascending: true,
		Baseline: "20", BaselineOn: day("2018-01-01"), Beneficiary: City, Reporter: Group, Verifier: City, Summable: true, Project: "iot-base",
	}
	s := Given(t, Running()...).When(cmd).Then(defined)
	s.When(cmd).Refused(domain.CodeAlreadyExists, "indicator")
	Given(t).When(cmd).Refused(domain.CodeNotFound, "agreement")

	for name, c := range map[string]struct {
		change      func(*indicator.Define)
		code, field string
	}{
		"no key":                       {func(c *indicator.Define) { c.Indicator = "" }, domain.CodeMissingField, "indicator"},
		"no unit":                      {func(c *indicator.Define) { c.Unit = "" }, domain.CodeMissingField, "unit"},
		"an unknown level":             {func(c *indicator.Define) { c.Level = "input" }, domain.CodeInvalidValue, "level"},
		"an unknown measure":           {func(c *indicator.Define) { c.Measure = "rank" }, domain.CodeInvalidValue, "measure"},
		"a sum of percentages":         {func(c *indicator.Define) { c.Measure = indicator.Percentage }, domain.CodeInvalidValue, "summable"},
		"a sum of words":               {func(c *indicator.Define) { c.Measure, c.Baseline = indicator.Qualitative, "" }, domain.CodeInvalidValue, "summable"},
		"a baseline of words":          {func(c *indicator.Define) { c.Measure, c.Summable = indicator.Qualitative, false }, domain.CodeInvalidValue, "baseline"},
		"less is better than what":     {func(c *indicator.Define) { c.Ascending, c.Baseline = new(bool), "" }, domain.CodeMissingField, "baseline"},
		"a baseline to come":           {func(c *indicator.Define) { c.BaselineOn = Today + 1 }, domain.CodeFutureDate, "baseline_on"},
		"a beneficiary beside it":      {func(c *indicator.Define) { c.Beneficiary = Stranger }, domain.CodeWrongParty, "beneficiary"},
		"a reporter beside it":         {func(c *indicator.Define) { c.Reporter = Stranger }, domain.CodeWrongParty, "reporter"},
		"a verifier beside it":         {func(c *indicator.Define) { c.Verifier = Stranger }, domain.CodeWrongParty, "verifier"},
		"who benefits reports":         {func(c *indicator.Define) { c.Reporter = City }, domain.CodeMissingField, "verifier"},
		"who reports verifies":         {func(c *indicator.Define) { c.Verifier = Group }, domain.CodeWrongParty, "verifier"},
		"an unknown project":           {func(c *indicator.Define) { c.Project = "town" }, domain.CodeNotFound, "project"},
		"an unknown area":              {func(c *indicator.Define) { c.Project, c.Area = "", "chips" }, domain.CodeNotFound, "area"},
		"a retired area":               {func(c *indicator.Define) { c.Project, c.Area = "", "old" }, domain.CodeWrongState, "area"},
		"a project and an area":        {func(c *indicator.Define) { c.Area = "iot" }, domain.CodeInvalidValue, "area"},
		"a baseline written as a word": {func(c *indicator.Define) { c.Baseline = "twenty" }, domain.CodeInvalidValue, "baseline"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cmd
			c.change(&cmd)
			Given(t, Running()...).And(agreement.AreaAdded{ID: Framework, Area: "old"}, agreement.AreaRetired{ID: Framework, Area: "old"}).
				When(cmd).Refused(c.code, c.field)
		})
	}

	cmd.Project, cmd.Area, cmd.Reporter, cmd.Verifier, cmd.Ascending = "", "iot", City, Group, new(bool)
	defined.Project, defined.Area, defined.Reporter, defined.Verifier, defined.Ascending = "", "iot", City, Group, false
	Given(t, Running()...).When(cmd).Then(defined)
	// it outlives its project
	cmd.Area, cmd.Project = "", "iot-base"
	Given(t, Running()...).And(project.Cancelled{ID: Base, On: Today}).When(cmd).Accepted()
	assert.Equal(t, domain.Key("drawn"), indicator.Define{}.WithKey("drawn").(indicator.Define).Indicator)
}

func TestSetTarget(t *testing.T) {
	cmd := indicator.SetTarget{PeriodID: JobsIn("2024-h1"), Value: "150.5"}
	s := Given(t, Measured()...).When(cmd).Then(indicator.TargetSet{PeriodID: JobsIn("2024-h1"), Value: "150.5"})
	assert.Equal(t, indicator.Period{Start: day("2024-01-01"), End: day("2024-06-30"), Target: "150.5", State: indicator.Planned}, period(s, "2024-h1"))
	// when it is set again, or for a period to come, then it is replaced
	cmd.Value = "160"
	assert.Equal(t, domain.Decimal("160"), period(s.When(cmd).Accepted(), "2024-h1").Target)
	s.When(indicator.SetTarget{PeriodID: JobsIn("2031"), Value: "1000"}).Accepted()

	s.When(indicator.SetTarget{PeriodID: JobsIn("2024")}).Refused(domain.CodeMissingField, "value")
	s.When(indicator.SetTarget{PeriodID: JobsIn("2024"), Statement: En("Many")}).Refused(domain.CodeInvalidValue, "statement")
	s.When(indicator.SetTarget{PeriodID: JobsIn("2024-h3"), Value: "1"}).Refused(domain.CodeInvalidValue, "period")
	s.When(indicator.SetTarget{PeriodID: JobsIn(""), Value: "1"}).Refused(domain.CodeMissingField, "period")
	unknown := JobsIn("2024")
	unknown.Indicator = "other"
	s.When(indicator.SetTarget{PeriodID: unknown, Value: "1"}).Refused(domain.CodeNotFound, "indicator")
}

func TestInWords(t *testing.T) {
	of2023 := indicator.PeriodID{Agreement: "framework", Indicator: "trust", Period: "2023"}
	s := Given(t, Running()...).And(trust)
	s.When(indicator.SetTarget{PeriodID: of2023}).Refused(domain.CodeMissingField, "statement")
	s.When(indicator.SetTarget{PeriodID: of2023, Value: "1"}).Refused(domain.CodeInvalidValue, "value")
	s.When(indicator.SetTarget{PeriodID: of2023, Value: "1", Statement: En("High")}).Refused(domain.CodeInvalidValue, "value")
	s.When(indicator.SetTarget{PeriodID: of2023, Statement: En("High")}).Then(indicator.TargetSet{PeriodID: of2023, Statement: En("High")})
	s.When(indicator.ReportActual{PeriodID: of2023, Party: Group, Value: "1"}).Refused(domain.CodeInvalidValue, "value")
	s.When(indicator.ReportActual{PeriodID: of2023, Party: Group, Statement: En("Fair")}).Accepted()
	s.When(indicator.VerifyActual{PeriodID: of2023, Party: City}).Accepted()
	state := StateOf[indicator.State](s, trust.Ref())
	p, _ := state.Periods.Get("2023")
	assert.Equal(t, [3]any{En("High"), En("Fair"), indicator.Verified}, [3]any{p.TargetText, p.ActualText, p.State})
	_, ok := state.Progress("2023")
	assert.False(t, ok, "words have no ratio")
}

func TestReportActual(t *testing.T) {
	cmd := indicator.ReportActual{PeriodID: JobsIn("2023"), Party: Group, Value: "80"}
	effective := domain.Meta{Effective: day("2024-01-10")}
	s := Given(t, Measured()...).When(cmd, effective).Then(reported("80"))
	assert.Equal(t, indicator.Period{
		Start: day("2023-01-01"), End: day("2023-12-31"), Target: "120", Actual: "80", State: indicator.Reported, ReportedOn: day("2024-01-10"),
	}, period(s, "2023"))
	// when it was verified and another one comes, then that waits again
	s.And(verified("2024-02-01"))
	cmd.Value = "85"
	p := period(s.When(cmd).Accepted(), "2023")
	assert.Equal(t, [4]any{indicator.Reported, domain.Decimal("85"), Today, domain.Date(0)}, [4]any{p.State, p.Actual, p.ReportedOn, p.VerifiedOn})

	// a period under way may be reported, one to come not
	cmd.Period = "2024"
	s.When(cmd).Accepted()
	cmd.Period = "2024-h2"
	assert.Contains(t, s.When(cmd).Refused(agreement.CodeNotYet, "period"), "2024-07-01")
	cmd.Period = "2023"
	s.When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	s.When(indicator.ReportActual{PeriodID: cmd.PeriodID, Party: Group}).Refused(domain.CodeMissingField, "value")
	assert.Contains(t, s.When(indicator.ReportActual{PeriodID: cmd.PeriodID, Party: City, Value: "1"}).Refused(domain.CodeWrongParty, "party"), `"cethik"`)
	s.When(cmd, domain.Meta{ActingFor: City}).Refused(domain.CodeWrongParty, "party")
	assert.Equal(t, Group, cmd.ActingParty())
	cmd.Indicator = "other"
	s.When(cmd).Refused(domain.CodeNotFound, "indicator")
}

func TestVerifyAndReturn(t *testing.T) {
	verify := indicator.VerifyActual{PeriodID: JobsIn("2023"), Party: City}
	giveBack := indicator.ReturnActual{PeriodID: JobsIn("2023"), Party: City}
	effective := domain.Meta{Effective: day("2024-02-01")}
	given := func() *Scenario { return Given(t, Measured()...).And(reported("80")) }

	s := given().When(verify, effective).Then(verified("2024-02-01"))
	assert.Equal(t, [2]any{indicator.Verified, day("2024-02-01")}, [2]any{period(s, "2023").State, period(s, "2023").VerifiedOn})
	assert.Equal(t, day("2024-02-01"), StateOf[indicator.State](s, Jobs.Ref()).FirstVerifiedOn)
	s.When(verify).Refused(domain.CodeWrongState, "period")
	s.When(giveBack, reason).Refused(domain.CodeWrongState, "period")

	given().When(giveBack).Refused(domain.CodeReasonRequired, "reason")
	s = given().When(giveBack, reason).Then(indicator.ActualReturned{PeriodID: JobsIn("2023"), Party: City})
	assert.Equal(t, [2]any{indicator.Returned, domain.Decimal("80")}, [2]any{period(s, "2023").State, period(s, "2023").Actual})
	assert.Contains(t, s.When(verify).Refused(domain.CodeWrongState, "period"), "report-actual")
	s.When(indicator.ReportActual{PeriodID: JobsIn("2023"), Party: Group, Value: "70"}).Accepted().When(verify).Accepted()

	for _, cmd := range []interface {
		domain.Acting
		Decide(*indicator.State, domain.Input) ([]domain.Event, error)
	}{verify, giveBack} {
		given().When(cmd, domain.Meta{Reason: "x", ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
		assert.Equal(t, City, cmd.ActingParty())
	}
	// who reported it never verifies it
	verify.Party, giveBack.Party = Group, Group
	given().When(verify).Refused(domain.CodeWrongParty, "party")
	given().When(giveBack, reason).Refused(domain.CodeWrongParty, "party")
	verify.Party = City
	given().When(verify, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	given().When(verify, domain.Meta{Effective: day("2024-01-09")}).Refused(domain.CodeInvalidValue, "effective")
	given().When(verify, domain.Meta{Effective: day("2024-01-10")}).Accepted()
	assert.Contains(t, Given(t, Measured()...).When(verify).Refused(domain.CodeWrongState, "period"), "report-actual")
	Given(t, Running()...).When(verify).Refused(domain.CodeNotFound, "indicator")
}

func TestTheFirstVerifiedResult(t *testing.T) {
	s := Given(t, Measured()...).And(reported("80"), verified("2024-02-01"))
	s.And(indicator.ActualVerified{PeriodID: JobsIn("2022"), Party: City, On: day("2023-03-01")}, reported("90"), verified("2024-05-01"))
	assert.Equal(t, day("2023-03-01"), StateOf[indicator.State](s, Jobs.Ref()).FirstVerifiedOn, "the earliest, in whatever order")
}

// Invariant 7: a locked period changes only by a correction with a reason, and
// stays locked.
func TestLockedPeriods(t *testing.T) {
	lock := indicator.LockPeriod{PeriodID: JobsIn("2023")}
	Given(t, Measured()...).When(lock).Refused(domain.CodeWrongState, "period")
	assert.Contains(t, Given(t, Measured()...).And(reported("80")).When(lock).Refused(domain.CodeWrongState, "period"), "verify-actual")
	Given(t, Running()...).When(lock).Refused(domain.CodeNotFound, "indicator")
	s := Given(t, Measured()...).And(reported("80"), verified("2024-02-01")).When(lock).Then(indicator.PeriodLocked{PeriodID: JobsIn("2023")})
	s.When(lock).Refused(domain.CodeNothingChanged, "period")

	report := indicator.ReportActual{PeriodID: JobsIn("2023"), Party: Group, Value: "79"}
	target := indicator.SetTarget{PeriodID: JobsIn("2023"), Value: "119"}
	for _, cmd := range []domain.Command{report, target} {
		for _, meta := range []domain.Meta{{}, reason, {Corrects: correcting.Corrects}} {
			message := Given(t, locked()...).When(cmd, meta).Refused(indicator.CodePeriodLocked, "period")
			assert.Contains(t, message, "name the event in corrects and give a reason")
		}
	}
	s = Given(t, locked()...).When(target, correcting).Accepted()
	assert.Equal(t, [3]any{domain.Decimal("119"), indicator.Verified, true}, [3]any{period(s, "2023").Target, period(s, "2023").State, period(s, "2023").Locked})
	s.When(report, correcting).Accepted()
	assert.Equal(t, [3]any{domain.Decimal("79"), indicator.Reported, true}, [3]any{period(s, "2023").Actual, period(s, "2023").State, period(s, "2023").Locked})
	s.When(lock).Refused(domain.CodeWrongState, "period")
	s.When(report, reason).Refused(indicator.CodePeriodLocked, "period")
	s.When(indicator.VerifyActual{PeriodID: JobsIn("2023"), Party: City}).Accepted()
	s.When(report).Refused(indicator.CodePeriodLocked, "period")
	// and only that period is
	s.When(indicator.ReportActual{PeriodID: JobsIn("2023-h1"), Party: Group, Value: "40"}).Accepted()
}

// Invariant 8: (actual - baseline) / (target - baseline).
func TestProgress(t *testing.T) {
	for _, c := range []struct{ baseline, target, actual, want domain.Decimal }{
		{"20", "120", "20", "0"},
		{"20", "120", "80", "0.6"},
		{"20", "120", "120", "1"},
		{"20", "120", "145", "1.25"},
		{"20", "120", "10", "-0.1"},
		{"", "120", "40", "0.3333"},
		{"0", "3", "2", "0.6667"},
		{"0", "-3", "2", "-0.6667"},
		{"10", "4", "7", "0.5"}, // less is better
		{"10", "4", "13", "-0.5"},
		{"0.1", "0.3", "0.2", "0.5"},
		{"0", "99999999999999999999", "0.0000000001", "0"},
		{"5", "5", "5", ""},
		{"5", "5.0", "7", ""},
		{"", "0", "7", ""},
		{"5", "", "7", ""},
		{"5", "7", "", ""},
	} {
		s := &indicator.State{Baseline: c.baseline}
		s.Periods = s.Periods.With("2023", indicator.Period{Target: c.target, Actual: c.actual})
		got, ok := s.Progress("2023")
		assert.Equal(t, c.want, got, "%+v", c)
		assert.Equal(t, c.want != "", ok, "%+v", c)
	}
	_, ok := new(indicator.State).Progress("2023")
	assert.False(t, ok)
}
