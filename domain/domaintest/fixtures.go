package domaintest

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// The parties of the fixtures; Stranger is registered and signs nothing.
const (
	City     domain.Key = "wuxi"
	Group    domain.Key = "cethik"
	Stranger domain.Key = "harbour"
)

// The documents of the fixtures.
var (
	Text1 = domain.Hash(strings.Repeat("1a", 32))
	Text2 = domain.Hash(strings.Repeat("2b", 32))
	File  = domain.Hash(strings.Repeat("f0", 32))
)

// The agreement and the project of the fixtures.
var (
	Framework = agreement.ID{Agreement: "framework"}
	Base      = project.ID{Agreement: "framework", Project: "iot-base"}
)

// Milestone names a milestone of Base.
func Milestone(key domain.Key) project.MilestoneID {
	return project.MilestoneID{Agreement: Base.Agreement, Project: Base.Project, Milestone: key}
}

// En is a text in English.
func En(s string) domain.Text { return domain.Text{"en": s} }

// Parties has City, Group and Stranger registered.
func Parties() []domain.Event {
	var events []domain.Event
	for _, key := range []domain.Key{City, Group, Stranger} {
		events = append(events, domain.On(party.Ref(key), party.Registered{Party: key, Title: En(string(key)), Kind: "other"}))
	}
	return events
}

// Drafted has Framework drafted between City and Group, with the area iot.
func Drafted() []domain.Event {
	return append(Parties(),
		agreement.Drafted{
			ID: Framework, Kind: agreement.KindFramework, Title: En("Framework"), Parties: []domain.Key{City, Group}, Document: Text1,
			Term: domain.Period{Start: domain.MustDate("2017-02-28"), End: domain.MustDate("2025-02-27")},
		},
		agreement.AreaAdded{ID: Framework, Area: "iot", Title: En("Internet of Things")})
}

// UnderConsultation has Framework ready to be signed.
func UnderConsultation() []domain.Event {
	return append(Drafted(), agreement.ConsultationOpened{ID: Framework})
}

// SignedBy is a signature of Framework as it stands in UnderConsultation.
func SignedBy(party domain.Key, date string) agreement.Signed {
	return agreement.Signed{ID: Framework, Party: party, Signatory: "For " + string(party), Date: domain.MustDate(date), Document: Text1}
}

// Active has Framework in effect since 2017-02-28.
func Active() []domain.Event {
	return append(UnderConsultation(),
		SignedBy(City, "2017-02-27"), SignedBy(Group, "2017-02-28"),
		agreement.TookEffect{ID: Framework, On: domain.MustDate("2017-02-28")})
}

// Proposed has Base proposed under the active Framework.
func Proposed() []domain.Event {
	return append(Active(), project.Proposed{ID: Base, Title: En("IoT industry base"), Kind: "industry-base", Areas: []domain.Key{"iot"}})
}

// Running has Base under way since 2018-02-02, with the milestones site (due
// 2024-03-31) and launch (due 2024-09-30, after site), which City and Group
// confirm, and no baseline. A meeting took the decision d-1 on the agreement as
// a whole.
func Running() []domain.Event {
	on := domain.MustDate("2018-02-02")
	return append(Proposed(), project.Approved{ID: Base}, project.Started{ID: Base, On: on},
		agreement.ProjectStarted{ID: Framework, Project: Base.Project, On: on},
		ScheduledFor("site", "2024-03-31"), ScheduledFor("launch", "2024-09-30", "site"),
		Decided("d-1"))
}

// Decided is a decision of a meeting under Framework about the entities at
// paths, about all of it when there are none.
func Decided(key domain.Key, affects ...string) agreement.DecisionRecorded {
	return agreement.DecisionRecorded{ID: Framework, Decision: key, Meeting: "coordination-1", On: domain.MustDate("2024-01-15"), Affects: affects}
}

// Amended has Framework's amendment signed by both parties and in effect, with
// another text and no other change.
func Amended(key domain.Key) []domain.Event {
	id, on := amendment.ID{Agreement: Framework.Agreement, Amendment: key}, domain.MustDate("2024-02-01")
	return []domain.Event{
		amendment.AmendmentProposed{
			ID: id, Rationale: En("Another text"), ReasonCode: "scope-change", Party: City, Parties: []domain.Key{City, Group}, Document: Text2, On: on,
		},
		amendment.Signed{ID: id, Party: City, Signatory: "For wuxi", Date: on, Document: Text2},
		amendment.Signed{ID: id, Party: Group, Signatory: "For cethik", Date: on, Document: Text2},
		amendment.TookEffect{ID: id, On: on},
		agreement.Amended{ID: Framework, Amendment: key, Document: Text2, On: on},
	}
}

// ScheduledFor has a milestone of Base scheduled with weight 1.
func ScheduledFor(key domain.Key, due string, dependsOn ...domain.Key) project.MilestoneScheduled {
	return project.MilestoneScheduled{
		MilestoneID: Milestone(key), Title: En(string(key)), Due: domain.MustDate(due), Weight: 1, MilestoneType: "delivery",
		Confirming: []domain.Key{City, Group}, DependsOn: dependsOn,
	}
}

// Achieved has a milestone of Base claimed by Group, confirmed by both, and met.
func Achieved(key domain.Key, metOn string) []domain.Event {
	on := domain.MustDate(metOn)
	return []domain.Event{
		project.AchievementClaimed{MilestoneID: Milestone(key), Party: Group, MetOn: on},
		project.AchievementConfirmed{MilestoneID: Milestone(key), Party: Group},
		project.AchievementConfirmed{MilestoneID: Milestone(key), Party: City},
		project.MilestoneMet{MilestoneID: Milestone(key), MetOn: on},
	}
}
