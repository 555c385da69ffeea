package project_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

func TestSlip(t *testing.T) {
	for name, c := range map[string]struct {
		m    project.Milestone
		days int
		ok   bool
	}{
		"no baseline":      {project.Milestone{Due: 100, Forecast: 120}, 0, false},
		"as forecast":      {project.Milestone{Baseline: 100, Due: 110, Forecast: 120}, 20, true},
		"early":            {project.Milestone{Baseline: 100, Due: 100, Forecast: 95}, -5, true},
		"as met":           {project.Milestone{Baseline: 100, Due: 100, Forecast: 95, MetOn: 103, State: project.Met}, 3, true},
		"never scheduled":  {project.Milestone{Baseline: 100}, 0, false},
		"met out of order": {project.Milestone{Baseline: 100, MetOn: 103, State: project.Met}, 3, true},
	} {
		days, ok := c.m.Slip()
		assert.Equal(t, c.ok, ok, name)
		assert.Equal(t, c.days, days, name)
	}
}

func TestRAG(t *testing.T) {
	scheduled := project.Milestone{State: project.Scheduled, Baseline: 1000, Due: 1000, Forecast: 1000}
	with := func(f func(*project.Milestone)) project.Milestone {
		m := scheduled
		f(&m)
		return m
	}
	tolerance := project.Tolerance{Amber: 7, Red: 20}
	for name, c := range map[string]struct {
		m     project.Milestone
		today domain.Date
		want  string
	}{
		"in time":                        {scheduled, 900, project.Green},
		"late within tolerance":          {scheduled, 1007, project.Green},
		"not met and past the tolerance": {scheduled, 1008, project.Amber},
		"on the last day of amber":       {scheduled, 1020, project.Amber},
		"and then red":                   {scheduled, 1021, project.Red},
		"forecast late":                  {with(func(m *project.Milestone) { m.Forecast = 1021 }), 900, project.Red},
		"agreed later, and still late":   {with(func(m *project.Milestone) { m.Due, m.Forecast = 1010, 1010 }), 900, project.Amber},
		"late against what is agreed":    {with(func(m *project.Milestone) { m.Baseline, m.Forecast = 0, 1010 }), 900, project.Amber},
		"claimed in time, not confirmed": {with(func(m *project.Milestone) { m.State, m.ClaimedOn = project.Claimed, 1001 }), 1500, project.Green},
		"met late stays so":              {with(func(m *project.Milestone) { m.State, m.MetOn = project.Met, 1010 }), 1500, project.Amber},
		"judged partially met":           {with(func(m *project.Milestone) { m.State = project.PartiallyMet }), 1500, project.Amber},
		"judged not met":                 {with(func(m *project.Milestone) { m.State = project.NotMet }), 900, project.Red},
		"cancelled":                      {with(func(m *project.Milestone) { m.State = project.Dropped }), 1500, ""},
		"nothing to measure it against":  {project.Milestone{State: project.Scheduled}, 900, project.Green},
	} {
		assert.Equal(t, c.want, c.m.RAG(tolerance, c.today), name)
	}
	assert.Equal(t, project.Green, scheduled.RAG(project.Tolerance{}, 1000+project.AmberDays), "default tolerance")
	assert.Equal(t, project.Amber, scheduled.RAG(project.Tolerance{}, 1000+project.AmberDays+1), "default tolerance")
	assert.Equal(t, project.Red, scheduled.RAG(project.Tolerance{}, 1000+project.RedDays+1), "default tolerance")
}

// What a read model stores says the same as the formula, on every day.
func TestRAGDatesAgreeWithRAG(t *testing.T) {
	date := rapid.Custom(func(t *rapid.T) domain.Date {
		return domain.Date(rapid.OneOf(rapid.Just(0), rapid.IntRange(900, 1100)).Draw(t, "date"))
	})
	rapid.Check(t, func(t *rapid.T) {
		m := project.Milestone{
			State:    rapid.SampledFrom([]string{project.Scheduled, project.Claimed, project.Met, project.PartiallyMet, project.NotMet, project.Dropped}).Draw(t, "state"),
			Baseline: date.Draw(t, "baseline"), Due: date.Draw(t, "due"), Forecast: date.Draw(t, "forecast"),
			ClaimedOn: date.Draw(t, "claimed"),
		}
		if m.State == project.Met {
			m.MetOn = domain.Date(rapid.IntRange(900, 1100).Draw(t, "met"))
		}
		amber := rapid.IntRange(0, 40).Draw(t, "amber")
		tolerance := project.Tolerance{Amber: amber, Red: amber + rapid.IntRange(0, 40).Draw(t, "more")}
		amberOn, redOn := m.RAGDates(tolerance)
		for today := domain.Date(850); today < 1250; today++ {
			stored := project.Green
			switch {
			case m.State == project.Dropped:
				stored = ""
			case redOn != 0 && redOn <= today:
				stored = project.Red
			case amberOn != 0 && amberOn <= today:
				stored = project.Amber
			}
			if rag := m.RAG(tolerance, today); rag != stored {
				t.Fatalf("on day %d it is %q, and stored %q from %d, %d", today, rag, stored, amberOn, redOn)
			}
		}
	})
}

func TestProgress(t *testing.T) {
	heavy := ScheduledFor("heavy", "2025-01-01")
	heavy.Weight = 3
	s := Given(t, Running()...).And(heavy, project.ProgressReported{MilestoneID: heavy.MilestoneID, Percent: 50}).And(Achieved("site", "2024-03-01")...)
	earned, weight := base(s).Progress()
	assert.Equal(t, []int{1*100 + 1*0 + 3*50, 5}, []int{earned, weight})

	s.And(project.MilestoneCancelled{MilestoneID: launch})
	_, weight = base(s).Progress()
	assert.Equal(t, 4, weight, "a cancelled milestone does not count")
	s.And(project.MilestoneReopened{MilestoneID: site})
	earned, _ = base(s).Progress()
	assert.Equal(t, 150, earned, "a reopened one earns what was reported")
}
