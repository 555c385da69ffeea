package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// Jobs is the indicator of the fixtures, under Framework.
var Jobs = indicator.ID{Agreement: Framework.Agreement, Indicator: "jobs"}

// JobsIn names a period of Jobs.
func JobsIn(period indicator.ReportingPeriod) indicator.PeriodID {
	return indicator.PeriodID{Agreement: Jobs.Agreement, Indicator: Jobs.Indicator, Period: period}
}

// Measured has Jobs defined beside Running: from 20 jobs on, for City, reported
// by Group and verified by City, with the target 120 in 2023.
func Measured() []domain.Event {
	return append(Running(),
		indicator.Defined{
			ID: Jobs, Title: En("Jobs created"), Level: indicator.Outcome, Measure: indicator.Unit, Unit: "jobs", Ascending: true,
			Baseline: "20", BaselineOn: domain.MustDate("2018-01-01"), Beneficiary: City, Reporter: Group, Verifier: City, Summable: true,
		},
		indicator.TargetSet{PeriodID: JobsIn("2023"), Value: "120"})
}

// Indicators draws commands about the indicators of Framework.
var Indicators = within(func(t *rapid.T) asks { return ofIndicator(t, Framework.Agreement) })

var (
	periods  = rapid.SampledFrom([]indicator.ReportingPeriod{"2023", "2023", "2023-h1", "2023-q4", "2024-05", "2023-03-01--2023-08-31", "2030"})
	measures = rapid.SampledFrom([]string{indicator.Unit, indicator.Unit, indicator.Unit, indicator.Percentage, indicator.Qualitative})
	numbers  = rapid.SampledFrom([]domain.Decimal{"0", "20", "80", "120.5", "-3", "120.5", "80", ""})
	words    = rapid.Custom(func(t *rapid.T) domain.Text {
		if rapid.IntRange(0, 4).Draw(t, "in words") == 4 {
			return texts.Draw(t, "words")
		}
		return nil
	})
)

// ofIndicator are commands about the indicators of an agreement.
func ofIndicator(t *rapid.T, agreement domain.Key) asks {
	p := indicator.PeriodID{
		Agreement: agreement, Indicator: rapid.SampledFrom([]domain.Key{"jobs", "jobs", "jobs", "trust"}).Draw(t, "indicator"), Period: periods.Draw(t, "period"),
	}
	define := func() domain.Command {
		c := indicator.Define{
			Agreement: agreement, Indicator: p.Indicator, Title: texts.Draw(t, "title"), Level: indicator.Output, Measure: measures.Draw(t, "measure"),
			Baseline: numbers.Draw(t, "baseline"), Beneficiary: signers.Draw(t, "beneficiary"), Reporter: Group, Verifier: rapid.SampledFrom([]domain.Key{"", City}).Draw(t, "verifier"),
		}
		if c.Measure == indicator.Unit {
			c.Unit, c.Summable = "jobs", rapid.Bool().Draw(t, "summable")
		}
		if rapid.IntRange(0, 3).Draw(t, "less is better") == 3 {
			c.Ascending = new(bool)
		}
		switch rapid.IntRange(0, 2).Draw(t, "of") {
		case 1:
			c.Project = projects.Draw(t, "project")
		case 2:
			c.Area = areas.Draw(t, "area")
		}
		return c
	}
	report := func() domain.Command {
		return indicator.ReportActual{PeriodID: p, Party: rapid.SampledFrom([]domain.Key{Group, Group, Group, City}).Draw(t, "party"), Value: numbers.Draw(t, "value"), Statement: words.Draw(t, "statement")}
	}
	verify := func() domain.Command {
		return indicator.VerifyActual{PeriodID: p, Party: rapid.SampledFrom([]domain.Key{City, City, City, Group}).Draw(t, "party")}
	}
	return asks{
		define, define, report, report, report, verify, verify,
		func() domain.Command {
			return indicator.SetTarget{PeriodID: p, Value: numbers.Draw(t, "value"), Statement: words.Draw(t, "statement")}
		},
		func() domain.Command { return indicator.ReturnActual{PeriodID: p, Party: City} },
		func() domain.Command { return indicator.LockPeriod{PeriodID: p} },
	}
}
