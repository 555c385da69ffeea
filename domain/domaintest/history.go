package domaintest

import (
	"errors"
	"slices"

	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Step is a command that was accepted, and what followed.
type Step struct {
	Command domain.Command
	Meta    domain.Meta
	Events  []domain.Event
}

// History draws commands at random and yields those that are accepted, each
// before the world evolves by it. They are asked of a few aggregates with a few
// keys, so that they meet each other; most histories begin with much done, and
// some are of funds, of results, of signing keys or of access alone. It fails on an error
// that is no refusal.
func History(t *rapid.T, asks int, yield func(w World, s Step)) World {
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		return HistoryOf(t, Parties(), Commands, asks, yield)
	case 1:
		return HistoryOf(t, Funded(), Funds, asks, yield)
	case 2:
		return HistoryOf(t, Measured(), Indicators, asks, yield)
	case 3:
		return HistoryOf(t, Parties(), Keys, asks, yield)
	case 4:
		return HistoryOf(t, Running(), Access, asks, yield)
	}
	return HistoryOf(t, Running(), Commands, asks, yield)
}

// HistoryOf is History with commands of its own, after given events.
func HistoryOf(t *rapid.T, given []domain.Event, commands *rapid.Generator[domain.Command], asks int, yield func(w World, s Step)) World {
	w := World{}
	w.Evolve(domain.Ref{}, given...)
	for range asks {
		s := Step{Command: commands.Draw(t, "command"), Meta: metas.Draw(t, "meta")}
		events, err := w.Ask(s.Command, s.Meta, Today)
		var refused *domain.Rejected
		if err != nil && !errors.As(err, &refused) {
			t.Fatalf("%s %+v: %v", s.Command.Name(), s.Command, err)
		}
		if err != nil {
			continue
		}
		s.Events = events
		yield(w, s)
		w.Evolve(s.Command.Ref(), events...)
	}
	return w
}

var (
	parties    = rapid.SampledFrom([]domain.Key{City, Group, City, Group, Stranger})
	signers    = rapid.SampledFrom([]domain.Key{City, Group})
	agreements = rapid.SampledFrom([]domain.Key{"framework", "framework", "framework", "framework", "second"})
	projects   = rapid.SampledFrom([]domain.Key{"iot-base", "iot-base", "iot-base", "iot-base", "town"})
	milestones = rapid.SampledFrom([]domain.Key{"site", "launch", "fit-out"})
	areas      = rapid.SampledFrom([]domain.Key{"iot", "sensors", "chips"})
	citations  = rapid.SampledFrom([]domain.Key{"", "d-1"})
	texts      = rapid.SampledFrom([]domain.Text{En("One"), En("Two"), {"en": "One", "zh": "一"}})
	documents  = rapid.SampledFrom([]domain.Hash{Text1, Text1, Text1, Text2})
	dates      = rapid.Custom(func(t *rapid.T) domain.Date {
		return Today + domain.Date(rapid.IntRange(-400, 100).Draw(t, "day"))
	})
	metas = rapid.Custom(func(t *rapid.T) domain.Meta {
		m := domain.Meta{
			Reason: rapid.SampledFrom([]string{"supplier-delay", "supplier-delay", "other", "talks", ""}).Draw(t, "reason"),
			Note:   rapid.SampledFrom([]string{"", "flood"}).Draw(t, "note"),
		}
		if rapid.IntRange(0, 3).Draw(t, "evidence") > 0 {
			m.Evidence = []domain.Hash{File}
		}
		if rapid.IntRange(0, 5).Draw(t, "corrects") == 0 {
			m.Corrects = "01890a5d-ac96-774b-bcce-b302099a8057"
		}
		if rapid.Bool().Draw(t, "dated") {
			m.Effective = dates.Draw(t, "effective")
		}
		return m
	})
)

// some draws up to n keys, all different.
func some(t *rapid.T, keys *rapid.Generator[domain.Key], least, most int) []domain.Key {
	return rapid.SliceOfNDistinct(keys, least, most, rapid.ID).Draw(t, "keys")
}

// asks are commands, each drawn with its values only when it is chosen.
type asks []func() domain.Command

// Commands draws any command of the catalogue, with values that often fit.
var Commands = rapid.Custom(func(t *rapid.T) domain.Command {
	a := agreement.ID{Agreement: agreements.Draw(t, "agreement")}
	p := project.ID{Agreement: a.Agreement, Project: projects.Draw(t, "project")}
	m := project.MilestoneID{Agreement: p.Agreement, Project: p.Project, Milestone: milestones.Draw(t, "milestone")}
	if rapid.IntRange(0, 79).Draw(t, "ending") == 79 { // else nothing lives for long
		return rapid.SampledFrom(endings(a, p)).Draw(t, "which")()
	}
	group := rapid.SampledFrom(slices.DeleteFunc([]asks{
		ofAchievement(t, m), ofAchievement(t, m), ofAchievement(t, m), ofDates(t, p, m), ofDates(t, p, m), ofProject(t, p),
		ofAgreement(t, a), ofAgreement(t, a), ofMilestone(t, m), ofParty(t), ofMechanism(t, a), ofObligation(t, a),
		ofFund(t, a.Agreement), ofFund(t, a.Agreement), ofIndicator(t, a.Agreement), ofIndicator(t, a.Agreement),
		ofMeeting(t, a.Agreement), ofMeeting(t, a.Agreement), ofAmendment(t, a.Agreement), ofKeys(t),
	}, func(a asks) bool { return len(a) == 0 })).Draw(t, "group")
	return rapid.SampledFrom(group).Draw(t, "which")()
})

func ofAchievement(t *rapid.T, m project.MilestoneID) asks {
	return asks{
		func() domain.Command { return project.Confirm{MilestoneID: m, Party: City} },
		func() domain.Command { return project.Confirm{MilestoneID: m, Party: Group} },
		func() domain.Command {
			return project.Claim{MilestoneID: m, Party: parties.Draw(t, "party"), MetOn: dates.Draw(t, "met_on")}
		},
	}
}

func ofMilestone(t *rapid.T, m project.MilestoneID) asks {
	return asks{
		func() domain.Command { return project.AddDependency{MilestoneID: m, On: milestones.Draw(t, "on")} },
		func() domain.Command { return project.RemoveDependency{MilestoneID: m, On: milestones.Draw(t, "on")} },
		func() domain.Command {
			return project.ReportProgress{MilestoneID: m, Percent: rapid.IntRange(0, 100).Draw(t, "percent")}
		},
		func() domain.Command { return project.Reopen{MilestoneID: m} },
		func() domain.Command { return project.Dispute{MilestoneID: m, Party: parties.Draw(t, "party")} },
		func() domain.Command {
			return project.Judge{MilestoneID: m, Outcome: rapid.SampledFrom([]string{project.PartiallyMet, project.NotMet}).Draw(t, "outcome")}
		},
		func() domain.Command { return project.CancelMilestone{MilestoneID: m} },
	}
}

func ofDates(t *rapid.T, p project.ID, m project.MilestoneID) asks {
	return asks{
		func() domain.Command {
			weight := rapid.IntRange(0, 5).Draw(t, "weight")
			return project.Schedule{
				ID: p, Milestone: m.Milestone, Title: texts.Draw(t, "title"), Due: dates.Draw(t, "due"), Weight: &weight,
				Confirming: some(t, signers, 1, 2), DependsOn: some(t, milestones, 0, 2),
			}
		},
		func() domain.Command { return project.Reforecast{MilestoneID: m, Forecast: dates.Draw(t, "forecast")} },
		func() domain.Command {
			return project.Reschedule{MilestoneID: m, Due: dates.Draw(t, "due"), Decision: citations.Draw(t, "decision"), Amendment: citations.Draw(t, "amendment")}
		},
		func() domain.Command {
			return project.ApproveBaseline{ID: p, Decision: citations.Draw(t, "decision"), Amendment: citations.Draw(t, "amendment")}
		},
		func() domain.Command {
			return project.SetTolerance{ID: p, Amber: rapid.IntRange(0, 9).Draw(t, "amber"), Red: rapid.IntRange(5, 20).Draw(t, "red")}
		},
	}
}

func ofProject(t *rapid.T, p project.ID) asks {
	return asks{
		func() domain.Command {
			return project.Propose{Agreement: p.Agreement, Project: p.Project, Title: texts.Draw(t, "title"), Kind: "town", Areas: some(t, areas, 1, 2), Lead: parties.Draw(t, "lead")}
		},
		func() domain.Command { return project.Approve{ID: p} },
		func() domain.Command { return project.Start{ID: p} },
		func() domain.Command { return project.Resume{ID: p} },
		func() domain.Command {
			return project.ChangeScope{ID: p, Title: texts.Draw(t, "title"), Areas: some(t, areas, 0, 2)}
		},
		func() domain.Command { return project.Suspend{ID: p} },
	}
}

func ofAgreement(t *rapid.T, a agreement.ID) asks {
	sign := func(party domain.Key) domain.Command {
		return agreement.Sign{ID: a, Party: party, Signatory: "S", Date: dates.Draw(t, "date"), Document: documents.Draw(t, "document")}
	}
	return asks{
		func() domain.Command {
			return agreement.Draft{
				Agreement: a.Agreement, Kind: agreement.KindFramework, Title: texts.Draw(t, "title"), Parties: some(t, parties, 2, 2),
				Document: Text1, Renews: rapid.SampledFrom([]domain.Key{"framework", ""}).Draw(t, "renews"),
				Term: domain.Period{End: dates.Draw(t, "end")},
			}
		},
		func() domain.Command { return sign(City) },
		func() domain.Command { return sign(Group) },
		func() domain.Command { return agreement.OpenConsultation{ID: a} },
		func() domain.Command { return sign(Stranger) },
		func() domain.Command {
			return agreement.AddArea{ID: a, Area: areas.Draw(t, "area"), Title: texts.Draw(t, "title"), Parent: rapid.SampledFrom([]domain.Key{"", "iot"}).Draw(t, "parent")}
		},
		func() domain.Command { return agreement.Resume{ID: a} },
		func() domain.Command { return agreement.Revise{ID: a, Document: documents.Draw(t, "document")} },
		func() domain.Command { return agreement.Revise{ID: a, Parties: some(t, parties, 2, 2)} },
		func() domain.Command {
			return agreement.RecordPrior{ID: a, Entry: "first", Title: texts.Draw(t, "title"), Date: "199X"}
		},
		func() domain.Command { return agreement.RetireArea{ID: a, Area: areas.Draw(t, "area")} },
	}
}

func ofParty(t *rapid.T) asks {
	return asks{
		func() domain.Command {
			return party.Register{Party: parties.Draw(t, "party"), Title: texts.Draw(t, "title"), Kind: "other"}
		},
		func() domain.Command {
			return party.Change{Party: parties.Draw(t, "party"), Title: texts.Draw(t, "title"), Parent: parties.Draw(t, "parent")}
		},
	}
}

func endings(a agreement.ID, p project.ID) asks {
	var all asks
	for _, cmd := range []domain.Command{
		agreement.Suspend{ID: a}, agreement.Expire{ID: a}, agreement.Renew{ID: a, By: "second"}, agreement.Complete{ID: a},
		agreement.Terminate{ID: a}, project.Complete{ID: p}, project.Close{ID: p}, project.Cancel{ID: p},
	} {
		all = append(all, func() domain.Command { return cmd })
	}
	return all
}
