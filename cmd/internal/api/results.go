package api

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

type InFund struct {
	InAgreement
	Fund domain.Key `path:"fund" doc:"Key of the fund." example:"iot-fund"`
}

type InIndicator struct {
	InAgreement
	Indicator domain.Key `path:"indicator" doc:"Key of the indicator." example:"jobs"`
}

// results serves what the money did and what came of it: funds, indicators,
// and their sums by group.
func (s *server) results() {
	const agreement = "/v1/agreements/{agreement}"
	s.funds()

	below(s, "list-indicators", "indicators", "indicators", "The indicators of an agreement, in the order in which they were defined.", (*projections.Models).Indicators)
	const indicator = agreement + "/indicators/{indicator}"
	type indicatorQuestion struct {
		InIndicator
		Question
	}
	getItem(s, reading("get-indicator", "indicators", indicator, "One indicator."),
		func(ctx context.Context, models *projections.Models, in *indicatorQuestion, at projections.Point) (projections.Indicator, uint64, error) {
			item, err := models.Indicator(ctx, in.Agreement, in.Indicator, at)
			return item, item.Version, err
		})
	type periodsQuestion struct {
		InIndicator
		ListQuestion
	}
	getList(s, reading("list-periods", "indicators", indicator+"/periods", "The periods of an indicator, with their targets and actuals, in the order in which they were first spoken of."),
		func(ctx context.Context, models *projections.Models, in *periodsQuestion, at projections.Point) ([]projections.IndicatorPeriod, string, error) {
			return models.Periods(ctx, in.Agreement, in.Indicator, at, in.page())
		})

	type resultsQuestion struct {
		InAgreement
		By string `query:"by" enum:"period,area,project,beneficiary" default:"period" doc:"By what to group: an indicator counts under its own area, or under those of its project."`
		ListQuestion
	}
	getList(s, reading("results", "indicators", agreement+"/results",
		"The results of an agreement by group: indicators that may be summed, of one unit, level and period, are summed; the others are listed one by one."),
		func(ctx context.Context, models *projections.Models, in *resultsQuestion, at projections.Point) ([]projections.Result, string, error) {
			return models.Results(ctx, in.Agreement, in.By, at, in.page())
		})

	type fundingQuestion struct {
		InAgreement
		By string `query:"by" enum:"party,project" default:"party" doc:"By what to group: by project there are no pledges and commitments, which are to a fund."`
		ListQuestion
	}
	getList(s, reading("funding", "funds", agreement+"/funding", "The way of the money: pledged, committed, disbursed, spent, by party or project and currency."),
		func(ctx context.Context, models *projections.Models, in *fundingQuestion, at projections.Point) ([]projections.Funding, string, error) {
			return models.Funding(ctx, in.Agreement, in.By, at, in.page())
		})

	below(s, "balance", "agreements", "balance",
		"For each party: what it owes and is owed, what it has put in, and which results it benefits from.", (*projections.Models).Balance)
}

// funds serves the funds of agreements and, below each, what was moved.
func (s *server) funds() {
	const fund = "/v1/agreements/{agreement}/funds/{fund}"
	below(s, "list-funds", "funds", "funds", "The funds of an agreement, in the order in which they were proposed.", (*projections.Models).Funds)
	type fundQuestion struct {
		InFund
		Question
	}
	getItem(s, reading("get-fund", "funds", fund, "One fund, with what was moved in it summed up."),
		func(ctx context.Context, models *projections.Models, in *fundQuestion, at projections.Point) (projections.Fund, uint64, error) {
			item, err := models.Fund(ctx, in.Agreement, in.Fund, at)
			return item, item.Version, err
		})
	inFund(s, "pledges", "What parties mean to put into a fund, in the order in which it was recorded.", (*projections.Models).Pledges)
	inFund(s, "commitments", "What parties are bound to put into a fund, in the order in which it was committed.", (*projections.Models).Commitments)
	inFund(s, "disbursements", "What a fund paid out, in the order of recording.", (*projections.Models).Disbursements)
	inFund(s, "expenditures", "What was spent of a fund's disbursements, in the order of recording.", (*projections.Models).Expenditures)
}

// inFund serves a list of what is in a fund.
func inFund[T any](s *server, name, summary string, read func(*projections.Models, context.Context, domain.Key, domain.Key, projections.Point, projections.Page) ([]T, string, error)) {
	type question struct {
		InFund
		ListQuestion
	}
	getList(s, reading("list-"+name, "funds", "/v1/agreements/{agreement}/funds/{fund}/"+name, summary),
		func(ctx context.Context, models *projections.Models, in *question, at projections.Point) ([]T, string, error) {
			return read(models, ctx, in.Agreement, in.Fund, at, in.page())
		})
}
