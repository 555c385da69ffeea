package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// SeriesQuestion is a question whose answer is a whole series, in one piece.
type SeriesQuestion struct {
	Question
	Format string `query:"format" enum:"json,csv,xlsx" doc:"The form of the series: JSON, or its items as a table, CSV or an Excel workbook; else what the header Accept says."`
}

func (SeriesQuestion) page() projections.Page { return projections.Page{} }

// progress serves how agreements and projects come along: earned against
// planned value, the trends of milestones, what a slip would do, how many stand
// how, and how soon there was something to show.
func (s *server) progress() {
	const (
		agreement = "/v1/agreements/{agreement}"
		project   = agreement + "/projects/{project}"
	)
	type agreementCurve struct {
		InAgreement
		Project domain.Key `query:"project" doc:"Only of this project."`
		SeriesQuestion
	}
	getSeries(s, reading("agreement-s-curve", "progress", agreement+"/s-curve",
		"Planned and earned value of an agreement's projects over time, and the SPI: the series of an S-curve."),
		func(ctx context.Context, models *projections.Models, in *agreementCurve, at projections.Point) (projections.SCurve, []projections.CurvePoint, error) {
			curve, err := models.SCurve(ctx, in.Agreement, in.Project, at)
			return curve, curve.Items, err
		})

	type projectCurve struct {
		InProject
		SeriesQuestion
	}
	getSeries(s, reading("project-s-curve", "progress", project+"/s-curve",
		"Planned and earned value of a project over time, and the SPI: the series of an S-curve."),
		func(ctx context.Context, models *projections.Models, in *projectCurve, at projections.Point) (projections.SCurve, []projections.CurvePoint, error) {
			curve, err := models.SCurve(ctx, in.Agreement, in.Project, at)
			return curve, curve.Items, err
		})

	type trendQuestion struct {
		InProject
		ListQuestion
	}
	getList(s, reading("trend", "progress", project+"/trend",
		"Every move of each milestone's dates, by the date on which it was made: the lines of a milestone trend analysis."),
		func(ctx context.Context, models *projections.Models, in *trendQuestion, at projections.Point) ([]projections.Trend, string, error) {
			return models.Trend(ctx, in.Agreement, in.Project, at, in.page())
		})

	type impactQuestion struct {
		InMilestone
		Forecast string `query:"forecast" required:"true" format:"date" doc:"The date on which the milestone would be met." example:"2019-06-30"`
		SeriesQuestion
	}
	getSeries(s, reading("impact", "progress", project+"/milestones/{milestone}/impact",
		"What follows along the dependencies if the milestone is met on a date. Nothing is recorded."),
		func(ctx context.Context, models *projections.Models, in *impactQuestion, at projections.Point) (answer projections.Impact, items []projections.Impacted, err error) {
			forecast, err := domain.ParseDate(in.Forecast)
			if err != nil {
				return answer, nil, newProblem(CodeInvalidParameter, "forecast", "Want "+err.Error()+".")
			}
			answer, err = models.Impact(ctx, in.Agreement, in.Project, in.Milestone, forecast, at)
			return answer, answer.Items, err
		})

	type dueQuestion struct {
		Agreement domain.Key `query:"agreement" doc:"Only of this agreement." example:"wuxi-2017"`
		Until     string     `query:"until" format:"date" doc:"Only what is due by this date; all when absent." example:"2019-06-30"`
		ListQuestion
	}
	getList(s, reading("due", "progress", "/v1/due",
		"The milestones that are neither met nor cancelled, in projects that go on, by their agreed dates: what is overdue first."),
		func(ctx context.Context, models *projections.Models, in *dueQuestion, at projections.Point) ([]projections.DueMilestone, string, error) {
			var until domain.Date
			if in.Until != "" {
				var err error
				if until, err = domain.ParseDate(in.Until); err != nil {
					return nil, "", newProblem(CodeInvalidParameter, "until", "Want "+err.Error()+".")
				}
			}
			return models.Due(ctx, in.Agreement, at, until, in.page())
		})

	getSeries(s, reading("portfolio", "progress", "/v1/portfolio",
		"How many projects and milestones there are of all agreements, by state, colour and area."),
		func(ctx context.Context, models *projections.Models, _ *SeriesQuestion, at projections.Point) (projections.Portfolio, []projections.PortfolioCount, error) {
			portfolio, err := models.Portfolio(ctx, "", at)
			return portfolio, portfolio.Items, err
		})

	type portfolioQuestion struct {
		InAgreement
		SeriesQuestion
	}
	getSeries(s, reading("agreement-portfolio", "progress", agreement+"/portfolio",
		"How many projects and milestones an agreement has, by state, colour and area."),
		func(ctx context.Context, models *projections.Models, in *portfolioQuestion, at projections.Point) (projections.Portfolio, []projections.PortfolioCount, error) {
			portfolio, err := models.Portfolio(ctx, in.Agreement, at)
			return portfolio, portfolio.Items, err
		})

	type paceQuestion struct {
		InAgreement
		Question
	}
	getItem(s, reading("pace", "progress", agreement+"/pace",
		"Days from an agreement's taking effect to the first project start, the first milestone met and the first verified result."),
		func(ctx context.Context, models *projections.Models, in *paceQuestion, at projections.Point) (projections.Pace, uint64, error) {
			pace, err := models.Pace(ctx, in.Agreement, at)
			return pace, pace.Version, err
		})
}

// getSeries serves a list of T that comes whole, with a head; read gives the
// answer and the items in it.
func getSeries[I interface {
	asks
	page() projections.Page
}, B, T any](s *server, op huma.Operation, read func(context.Context, *projections.Models, *I, projections.Point) (answer B, items []T, err error)) {
	getListing[I, B, T](s, op, func(ctx context.Context, in *I) (listing, error) {
		models, at, err := s.point(ctx, *in, projections.Page{})
		if err != nil {
			return listing{}, err
		}
		answer, items, err := read(ctx, models, in, at)
		return listing{answer, items, "", at}, err
	})
}
