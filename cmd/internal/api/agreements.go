package api

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// OfAgreement names an agreement.
type OfAgreement struct {
	Agreement domain.Key `path:"agreement" doc:"Key of the agreement." example:"wuxi-2017"`
}

// InAgreement is what every question about an agreement, or what is below it,
// has beside those of Question.
type InAgreement struct {
	OfAgreement
	EffectiveAt string `query:"effective_at" doc:"Answer by what is effective by this civil date: of what was recorded by as_of, that which holds from then or before, in the order of the dates from which it holds. It may lie in the future; all that was recorded, in the order of recording, when absent." example:"2019-01-01"`
}

func (q InAgreement) inAgreement() InAgreement { return q }

type InProject struct {
	InAgreement
	Project domain.Key `path:"project" doc:"Key of the project." example:"iot-base"`
}

type InMilestone struct {
	InProject
	Milestone domain.Key `path:"milestone" doc:"Key of the milestone." example:"design"`
}

type InParty struct {
	Party domain.Key `path:"party" doc:"Key of the party." example:"wuxi"`
}

// agreements serves agreements and, below each, its projects and their
// milestones.
func (s *server) agreements() {
	const agreements = "/v1/agreements"
	getList(s, reading("list-agreements", "agreements", agreements, "The agreements, in the order in which they were drafted."),
		func(ctx context.Context, models *projections.Models, in *ListQuestion, at projections.Point) ([]projections.Agreement, string, error) {
			return models.Agreements(ctx, at, in.page())
		})

	const agreement = agreements + "/{agreement}"
	type agreementQuestion struct {
		InAgreement
		Question
	}
	getItem(s, reading("get-agreement", "agreements", agreement, "One agreement."),
		func(ctx context.Context, models *projections.Models, in *agreementQuestion, at projections.Point) (projections.Agreement, uint64, error) {
			item, err := models.Agreement(ctx, in.Agreement, at)
			return item, item.Version, err
		})

	const projects = agreement + "/projects"
	type projectsQuestion struct {
		InAgreement
		ListQuestion
	}
	getList(s, reading("list-projects", "projects", projects, "The projects of an agreement, in the order in which they were proposed."),
		func(ctx context.Context, models *projections.Models, in *projectsQuestion, at projections.Point) ([]projections.Project, string, error) {
			return models.Projects(ctx, in.Agreement, at, in.page())
		})

	const project = projects + "/{project}"
	type projectQuestion struct {
		InProject
		Question
	}
	getItem(s, reading("get-project", "projects", project, "One project."),
		func(ctx context.Context, models *projections.Models, in *projectQuestion, at projections.Point) (projections.Project, uint64, error) {
			item, err := models.Project(ctx, in.Agreement, in.Project, at)
			return item, item.Version, err
		})

	const milestones = project + "/milestones"
	type milestonesQuestion struct {
		InProject
		ListQuestion
	}
	getList(s, reading("list-milestones", "milestones", milestones, "The milestones of a project, in the order in which they were scheduled."),
		func(ctx context.Context, models *projections.Models, in *milestonesQuestion, at projections.Point) ([]projections.Milestone, string, error) {
			return models.Milestones(ctx, in.Agreement, in.Project, at, in.page())
		})

	type milestoneQuestion struct {
		InMilestone
		Question
	}
	getItem(s, reading("get-milestone", "milestones", milestones+"/{milestone}",
		"One milestone. Its ETag is the version of the project, which its commands are asked of."),
		func(ctx context.Context, models *projections.Models, in *milestoneQuestion, at projections.Point) (item projections.Milestone, version uint64, err error) {
			of, err := models.Project(ctx, in.Agreement, in.Project, at)
			if err != nil {
				return item, 0, err
			}
			item, err = models.Milestone(ctx, in.Agreement, in.Project, in.Milestone, at)
			return item, of.Version, err
		})
}

// parties serves the parties of the ledger.
func (s *server) parties() {
	getList(s, reading("list-parties", "parties", "/v1/parties", "The parties, in the order in which they were registered."),
		func(ctx context.Context, models *projections.Models, in *ListQuestion, at projections.Point) ([]projections.Party, string, error) {
			return models.Parties(ctx, at, in.page())
		})

	type partyQuestion struct {
		InParty
		Question
	}
	getItem(s, reading("get-party", "parties", "/v1/parties/{party}", "One party."),
		func(ctx context.Context, models *projections.Models, in *partyQuestion, at projections.Point) (projections.Party, uint64, error) {
			item, err := models.Party(ctx, in.Party, at)
			return item, item.Version, err
		})
}
