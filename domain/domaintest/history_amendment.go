package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	amendments = rapid.SampledFrom([]domain.Key{"a-1", "a-1", "a-2"})
	heard      = rapid.SampledFrom([]domain.Key{"d-1", "d-1", "d-unheard"})
)

// Amendments draws the commands about the amendments of Framework and what
// cites them.
var Amendments = rapid.Custom(func(t *rapid.T) domain.Command {
	return rapid.SampledFrom(ofAmendment(t, Framework.Agreement)).Draw(t, "which")()
})

// ofAmendment are commands about the amendments of an agreement, and about what
// cites them or decisions.
func ofAmendment(t *rapid.T, agreement domain.Key) asks {
	id := amendment.ID{Agreement: agreement, Amendment: amendments.Draw(t, "amendment")}
	p := project.ID{Agreement: agreement, Project: projects.Draw(t, "project")}
	m := project.MilestoneID{Agreement: agreement, Project: p.Project, Milestone: milestones.Draw(t, "milestone")}
	sign := func(party domain.Key) func() domain.Command {
		return func() domain.Command {
			return amendment.Sign{ID: id, Party: party, Signatory: "S", Date: Today - domain.Date(rapid.IntRange(0, 9).Draw(t, "ago")), Document: amendedTexts.Draw(t, "document")}
		}
	}
	propose := func() domain.Command {
		return amendment.Propose{
			Agreement: agreement, Amendment: id.Amendment, Rationale: texts.Draw(t, "rationale"), Party: signers.Draw(t, "party"),
			Document: Text2, Term: domain.Period{End: rapid.SampledFrom([]domain.Date{0, Today + 999}).Draw(t, "end")},
			Changes: rapid.SliceOfN(clauses(agreement), 0, 3).Draw(t, "changes"),
		}
	}
	review := func() project.GateReview {
		return project.GateReview{ID: p, Gate: rapid.SampledFrom([]domain.Key{"design", "build"}).Draw(t, "gate"), Decision: citations.Draw(t, "decision")}
	}
	return asks{
		propose, propose, sign(City), sign(City), sign(Group), sign(Group), sign(Stranger),
		func() domain.Command { return amendment.Reject{ID: id, Party: signers.Draw(t, "party")} },
		func() domain.Command { return amendment.Withdraw{ID: id, Party: signers.Draw(t, "party")} },
		func() domain.Command {
			return project.Reschedule{MilestoneID: m, Due: dates.Draw(t, "due"), Amendment: id.Amendment}
		},
		func() domain.Command {
			return project.Reschedule{MilestoneID: m, Due: dates.Draw(t, "due"), Decision: heard.Draw(t, "decision")}
		},
		func() domain.Command { return project.ApproveBaseline{ID: p, Amendment: id.Amendment} },
		func() domain.Command { return project.PassGate{GateReview: review()} },
		func() domain.Command { return project.FailGate{GateReview: review()} },
		func() domain.Command {
			return project.AssessTRL{ID: p, Level: rapid.IntRange(1, 9).Draw(t, "level")}
		},
	}
}

var amendedTexts = rapid.SampledFrom([]domain.Hash{Text2, Text2, Text2, Text1})

// clauses draws what an amendment may change, of which not all fits at a time.
func clauses(of domain.Key) *rapid.Generator[domain.Clause] {
	return rapid.Custom(func(t *rapid.T) domain.Clause {
		m := project.MilestoneID{Agreement: of, Project: projects.Draw(t, "project"), Milestone: milestones.Draw(t, "milestone")}
		p := project.ID{Agreement: of, Project: m.Project}
		cmd := rapid.SampledFrom(asks{
			func() domain.Command { return project.Reschedule{MilestoneID: m, Due: dates.Draw(t, "due")} },
			func() domain.Command { return project.CancelMilestone{MilestoneID: m} },
			func() domain.Command { return project.ApproveBaseline{ID: p} },
			func() domain.Command { return project.ChangeScope{ID: p, Title: texts.Draw(t, "title")} },
			func() domain.Command {
				return project.Schedule{ID: p, Milestone: m.Milestone, Title: texts.Draw(t, "title"), Due: dates.Draw(t, "due"), Confirming: []domain.Key{City}}
			},
			func() domain.Command {
				return project.Propose{Agreement: of, Project: p.Project, Title: texts.Draw(t, "title"), Kind: "town", Areas: some(t, areas, 1, 2)}
			},
			func() domain.Command {
				return agreement.AddArea{ID: agreement.ID{Agreement: of}, Area: areas.Draw(t, "area"), Title: texts.Draw(t, "title")}
			},
			func() domain.Command {
				return agreement.RetireArea{ID: agreement.ID{Agreement: of}, Area: areas.Draw(t, "area")}
			},
		}).Draw(t, "change")()
		return ClauseOf(cmd)
	})
}

// ClauseOf is the command as a clause.
func ClauseOf(cmd domain.Command) domain.Clause {
	raw := Raw(cmd, domain.Meta{})
	return append([]byte(`{"command":"`+cmd.Name()+`",`), raw[1:]...)
}
