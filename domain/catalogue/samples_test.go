package catalogue_test

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	title     = domain.Text{"en": "IoT & \"base\"", "zh": "物联网基地"}
	document  = domain.Hash(strings.Repeat("1a", 32))
	on        = domain.MustDate("2018-02-02")
	keys      = []domain.Key{"wuxi", "cethik"}
	framework = agreement.ID{Agreement: "framework"}
	base      = project.ID{Agreement: "framework", Project: "iot-base"}
	site      = project.MilestoneID{Agreement: "framework", Project: "iot-base", Milestone: "site"}
	term      = domain.Period{Start: domain.MustDate("2017-02-28"), End: domain.MustDate("2025-02-27")}
)

// samples has an event of each type with every field filled. A new type finds
// its place here, and its golden file by -update.
var samples = slices.Concat(coreSamples, agreementSamples, projectSamples, fundSamples, indicatorSamples, meetingSamples, amendmentSamples, keySamples, accessSamples)

// coreSamples are of parties, agreements and projects.
var coreSamples = []domain.Event{
	party.Registered{Party: "cethik", Title: title, Kind: "state-owned-enterprise", Parent: "cetc"},
	party.Changed{Party: "cethik", Title: title, Kind: "private-sector", Parent: "cetc"},

	agreement.Drafted{
		ID: framework, Kind: "subsidiary", Title: title, Parties: keys, Document: document,
		Parent: "parent", Renews: "earlier", Term: term,
	},
	agreement.DraftRevised{
		ID: framework, Title: title, Parties: keys, Document: document, Renews: "earlier", Term: term, Voided: keys,
	},
	agreement.ConsultationOpened{ID: framework},
	agreement.Signed{ID: framework, Party: "wuxi", Signatory: "王", Date: on, Document: document},
	agreement.TookEffect{ID: framework, On: on},
	agreement.Suspended{ID: framework},
	agreement.Resumed{ID: framework},
	agreement.Terminated{ID: framework, On: on},
	agreement.Completed{ID: framework, On: on},
	agreement.Expired{ID: framework, On: on},
	agreement.Renewed{ID: framework, By: "deepened", On: on},
	agreement.PriorCooperationRecorded{ID: framework, Entry: "first", Title: title, Date: "199X"},
	agreement.AreaAdded{ID: framework, Area: "sensors", Title: title, Parent: "iot"},
	agreement.AreaRetired{ID: framework, Area: "sensors"},
	agreement.ProjectStarted{ID: framework, Project: "iot-base", On: on},
	agreement.ProjectResumed{ID: framework, Project: "iot-base", On: on},
	agreement.DecisionRecorded{ID: framework, Decision: "d-1", Meeting: "m-1", On: on, Affects: []string{"project/iot-base"}},
	agreement.Amended{ID: framework, Amendment: "a-1", Document: document, Term: term, On: on},
	agreement.MeetingScheduled{ID: framework, Mechanism: "coordination", Meeting: "m-1", On: on},
	agreement.FundsDisbursed{ID: framework, Fund: "iot-fund", Disbursement: "first", Project: "iot-base", Value: value, On: on},

	project.Proposed{ID: base, Title: title, Kind: "industry-base", Areas: []domain.Key{"iot"}, Lead: "cethik"},
	project.Approved{ID: base},
	project.Started{ID: base, On: on},
	project.Suspended{ID: base},
	project.Resumed{ID: base},
	project.FundsReceived{ID: base, Fund: "iot-fund", Disbursement: "first", Milestone: "site", Value: value, On: on},
	project.Completed{ID: base},
	project.Closed{ID: base, On: on},
	project.Cancelled{ID: base, On: on},
	project.ScopeChanged{ID: base, Title: title, Kind: "town", Areas: []domain.Key{"iot"}, Lead: "wuxi"},
	project.ToleranceSet{ID: base, Amber: 7, Red: 20},
	project.MilestoneScheduled{
		MilestoneID: site, Title: title, Due: on, Weight: 3, MilestoneType: "delivery", Confirming: keys, DependsOn: []domain.Key{"land"},
	},
	project.BaselineApproved{
		ID: base, Number: 2, Title: title, On: on, Decision: "d-1", Amendment: "a-1",
		Milestones: []project.Frozen{{Milestone: "site", Due: on, Weight: 3}},
	},
	project.MilestoneReforecast{MilestoneID: site, Forecast: on},
	project.MilestoneRescheduled{MilestoneID: site, Due: on, Forecast: on, Decision: "d-1", Amendment: "a-1"},
	project.ProgressReported{MilestoneID: site, Percent: 60},
	project.AchievementClaimed{MilestoneID: site, Party: "cethik", MetOn: on, Despite: []domain.Key{"land"}},
	project.AchievementConfirmed{MilestoneID: site, Party: "wuxi"},
	project.MilestoneMet{MilestoneID: site, MetOn: on, Despite: []domain.Key{"land"}},
	project.AchievementDisputed{MilestoneID: site, Party: "wuxi"},
	project.MilestoneJudged{MilestoneID: site, Outcome: "partially-met", Decision: "d-1"},
	project.MilestoneReopened{MilestoneID: site},
	project.MilestoneCancelled{MilestoneID: site},
	project.DependencyAdded{MilestoneID: site, On: "land"},
	project.DependencyRemoved{MilestoneID: site, On: "land"},
}
