package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

var (
	jobs     = indicator.ID{Agreement: "framework", Indicator: "jobs"}
	halfYear = indicator.PeriodID{Agreement: "framework", Indicator: "jobs", Period: "2018-h1"}
)

var indicatorSamples = []domain.Event{
	indicator.Defined{
		ID: jobs, Title: title, Level: indicator.Outcome, Measure: indicator.Unit, Unit: "jobs", Ascending: true, Baseline: "-12.5", BaselineOn: on,
		Beneficiary: "wuxi", Reporter: "cethik", Verifier: "wuxi", Summable: true, Project: "iot-base", Area: "iot",
	},
	indicator.TargetSet{PeriodID: halfYear, Value: "120", Statement: title},
	indicator.ActualReported{PeriodID: halfYear, Party: "cethik", Value: "80.25", Statement: title, On: on},
	indicator.ActualVerified{PeriodID: halfYear, Party: "wuxi", Value: "80.25", Statement: title, On: on},
	indicator.ActualReturned{PeriodID: halfYear, Party: "wuxi"},
	indicator.PeriodLocked{PeriodID: halfYear},
}
