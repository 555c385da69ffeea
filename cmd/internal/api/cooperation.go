package api

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

type InObligation struct {
	InAgreement
	Obligation domain.Key `path:"obligation" doc:"Key of the obligation." example:"land-use"`
}

type InAmendment struct {
	InAgreement
	Amendment domain.Key `path:"amendment" doc:"Key of the amendment." example:"extension"`
}

type InMeeting struct {
	InAgreement
	Meeting domain.Key `path:"meeting" doc:"Key of the meeting." example:"2018-spring"`
}

// agreementList asks for a list of what is under an agreement.
type agreementList struct {
	InAgreement
	ListQuestion
}

// below serves a list of what is under an agreement.
func below[T any](s *server, id, tag, name, summary string, read func(*projections.Models, context.Context, domain.Key, projections.Point, projections.Page) ([]T, string, error)) {
	getList(s, reading(id, tag, "/v1/agreements/{agreement}/"+name, summary),
		func(ctx context.Context, models *projections.Models, in *agreementList, at projections.Point) ([]T, string, error) {
			return read(models, ctx, in.Agreement, at, in.page())
		})
}

// cooperation serves how the parties of an agreement work together: the bodies
// that meet, what was decided there, what they owe each other, how they amend
// what they signed, and what waits for one of them.
func (s *server) cooperation() {
	const agreement = "/v1/agreements/{agreement}"
	below(s, "list-mechanisms", "mechanisms", "mechanisms", "The mechanisms of an agreement, in the order in which they were established.", (*projections.Models).Mechanisms)

	below(s, "list-obligations", "obligations", "obligations", "The obligations under an agreement, in the order in which they were added.", (*projections.Models).Obligations)
	type obligationQuestion struct {
		InObligation
		Question
	}
	getItem(s, reading("get-obligation", "obligations", agreement+"/obligations/{obligation}",
		"One obligation. Its ETag is the version of the agreement, which its commands are asked of."),
		func(ctx context.Context, models *projections.Models, in *obligationQuestion, at projections.Point) (item projections.Obligation, version uint64, err error) {
			of, err := models.Agreement(ctx, in.Agreement, at)
			if err != nil {
				return item, 0, err
			}
			item, err = models.Obligation(ctx, in.Agreement, in.Obligation, at)
			return item, of.Version, err
		})

	below(s, "list-amendments", "amendments", "amendments", "The amendments of an agreement, in the order in which they were proposed.", (*projections.Models).Amendments)
	type amendmentQuestion struct {
		InAmendment
		Question
	}
	getItem(s, reading("get-amendment", "amendments", agreement+"/amendments/{amendment}", "One amendment."),
		func(ctx context.Context, models *projections.Models, in *amendmentQuestion, at projections.Point) (projections.Amendment, uint64, error) {
			item, err := models.Amendment(ctx, in.Agreement, in.Amendment, at)
			return item, item.Version, err
		})

	s.meetings()

	type gatesQuestion struct {
		InProject
		ListQuestion
	}
	getList(s, reading("list-gates", "projects", agreement+"/projects/{project}/gates",
		"The stage gates of a project by their last review, in the order in which they were first reviewed."),
		func(ctx context.Context, models *projections.Models, in *gatesQuestion, at projections.Point) ([]projections.Gate, string, error) {
			return models.Gates(ctx, in.Agreement, in.Project, at, in.page())
		})

	type awaitingQuestion struct {
		Party  domain.Key `query:"party" required:"true" doc:"The party that is waited for." example:"wuxi"`
		Within int        `query:"within" minimum:"0" maximum:"36500" default:"30" doc:"Milestones of projects that it leads, and reports on periods, are listed when they are due at most so many days ahead."`
		ListQuestion
	}
	getList(s, reading("awaiting", "parties", "/v1/awaiting",
		"What waits for a party, most urgent first: signatures, confirmations, what it has to do, and what it has to report."),
		func(ctx context.Context, models *projections.Models, in *awaitingQuestion, at projections.Point) ([]projections.Awaited, string, error) {
			return models.Awaiting(ctx, in.Party, at, in.Within, in.page())
		})
}

// meetings serves the meetings of an agreement's mechanisms, with decisions and
// action items of one meeting or of all.
func (s *server) meetings() {
	const meeting = "/v1/agreements/{agreement}/meetings/{meeting}"
	below(s, "list-meetings", "meetings", "meetings", "The meetings under an agreement, in the order in which they were scheduled.", (*projections.Models).Meetings)
	type meetingQuestion struct {
		InMeeting
		Question
	}
	getItem(s, reading("get-meeting", "meetings", meeting, "One meeting."),
		func(ctx context.Context, models *projections.Models, in *meetingQuestion, at projections.Point) (projections.Meeting, uint64, error) {
			item, err := models.Meeting(ctx, in.Agreement, in.Meeting, at)
			return item, item.Version, err
		})

	type meetingList struct {
		InMeeting
		ListQuestion
	}
	getList(s, reading("list-meeting-decisions", "meetings", meeting+"/decisions", "The decisions of a meeting, in the order in which they were recorded."),
		func(ctx context.Context, models *projections.Models, in *meetingList, at projections.Point) ([]projections.Decision, string, error) {
			return models.Decisions(ctx, in.Agreement, in.Meeting, at, in.page())
		})
	getList(s, reading("list-meeting-actions", "meetings", meeting+"/actions", "The action items of a meeting, in the order in which they were assigned."),
		func(ctx context.Context, models *projections.Models, in *meetingList, at projections.Point) ([]projections.Action, string, error) {
			return models.Actions(ctx, in.Agreement, in.Meeting, at, in.page())
		})
	type meetingsList struct {
		InAgreement
		Meeting domain.Key `query:"meeting" doc:"Only of this meeting."`
		ListQuestion
	}
	getList(s, reading("list-decisions", "meetings", "/v1/agreements/{agreement}/decisions",
		"The decisions of all meetings under an agreement, in the order in which they were recorded."),
		func(ctx context.Context, models *projections.Models, in *meetingsList, at projections.Point) ([]projections.Decision, string, error) {
			return models.Decisions(ctx, in.Agreement, in.Meeting, at, in.page())
		})
	getList(s, reading("list-actions", "meetings", "/v1/agreements/{agreement}/actions",
		"The action items of all meetings under an agreement, in the order in which they were assigned."),
		func(ctx context.Context, models *projections.Models, in *meetingsList, at projections.Point) ([]projections.Action, string, error) {
			return models.Actions(ctx, in.Agreement, in.Meeting, at, in.page())
		})
}
