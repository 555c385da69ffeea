package projections_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	framework = agreement.ID{Agreement: "framework"}
	base      = project.ID{Agreement: "framework", Project: "iot-base"}
	day       = domain.MustDate
)

func milestone(key domain.Key) project.MilestoneID {
	return project.MilestoneID{Agreement: base.Agreement, Project: base.Project, Milestone: key}
}

func text(s string) domain.Text { return domain.Text{"en": s} }

// signed lets two parties sign an agreement with one area.
func (l *ledger) signed(id agreement.ID) {
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		if l.world[party.Ref(p)] == nil {
			l.do(party.Register{Party: p, Title: domain.Text{"en": "Party " + string(p), "zh": "无锡"}, Kind: "local-government"})
		}
	}
	l.do(agreement.Draft{
		Agreement: id.Agreement, Kind: "framework", Title: text("Framework"), Document: domaintest.Text1,
		Parties: []domain.Key{domaintest.City, domaintest.Group},
	})
	l.do(agreement.AddArea{ID: id, Area: "iot", Title: text("Internet of Things")})
	l.do(agreement.OpenConsultation{ID: id})
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		l.do(agreement.Sign{ID: id, Party: p, Signatory: "A. Person", Date: day("2024-06-01"), Document: domaintest.Text1})
	}
}

// started starts a project under a signed agreement.
func (l *ledger) started(id project.ID) {
	l.do(project.Propose{Agreement: id.Agreement, Project: id.Project, Title: text("IoT base"), Kind: "industry-base", Areas: []domain.Key{"iot"}, Lead: domaintest.City})
	l.do(project.Approve{ID: id})
	l.do(project.Start{ID: id})
}

// decided lets a meeting of the framework have taken a decision.
func (l *ledger) decided() domain.Key {
	l.given(domaintest.Decided("d-1"))
	return "d-1"
}

// scheduled schedules a milestone of base.
func (l *ledger) scheduled(key domain.Key, due string, weight int) {
	l.do(project.Schedule{
		ID: base, Milestone: key, Title: text("Milestone " + string(key)), Due: day(due), Weight: &weight,
		Confirming: []domain.Key{domaintest.City, domaintest.Group},
	})
}

// story is a signed framework with a project of two milestones that moves on
// a little. It returns the sequence before the moves.
func (l *ledger) story() (before uint64) {
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-09-30", 1)
	l.scheduled("build", "2025-03-31", 3)
	l.do(project.ApproveBaseline{ID: base})
	before = l.seq
	l.do(project.Reforecast{MilestoneID: milestone("design"), Forecast: day("2024-10-20")}, domain.Meta{Reason: "supplier-delay", Note: "the steel is late", Actor: "wang.fang", ActingFor: domaintest.Group})
	l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 50})
	l.do(project.Claim{MilestoneID: milestone("design"), Party: domaintest.Group, MetOn: day("2024-06-09")}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		l.do(project.Confirm{MilestoneID: milestone("design"), Party: p})
	}
	return before
}
