package chart_test

import (
	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
)

func day(s string) domain.Date {
	if s == "" {
		return 0
	}
	return domain.MustDate(s)
}

func frame(id, title string) chart.Frame {
	return chart.Frame{ID: id, Title: title, Description: "Illustrative.", Empty: "Nothing is scheduled yet."}
}

var ragWords = chart.RAGWords{Green: "green", Amber: "amber", Red: "red"}

// The charts of the golden files: the IoT base of the demo ledger, and what is
// under way.
var samples = []struct {
	name  string
	chart interface{ HTML() html }
}{
	{"gantt-met", chart.Gantt{
		Frame: frame("gantt", "Schedule of the IoT base"), AsOf: day("2026-11-29"), Words: ganttWords,
		Rows: []chart.GanttRow{
			{Key: "site", Title: "Site handed over", Note: "met, 8 days early", Href: "/m/site", Baseline: day("2017-06-30"), Due: day("2017-06-30"), Forecast: day("2017-06-30"), MetOn: day("2017-06-22"), RAG: chart.Green},
			{Key: "design", Title: "Design approved", Note: "met, 41 days late", Href: "/m/design", Baseline: day("2017-09-30"), Due: day("2017-09-30"), Forecast: day("2017-11-15"), MetOn: day("2017-11-10"), RAG: chart.Amber, DependsOn: []string{"site"}},
			{Key: "structure", Title: "Main structure complete", Note: "met, 101 days late", Href: "/m/structure", Baseline: day("2018-06-30"), Due: day("2018-06-30"), Forecast: day("2018-10-15"), MetOn: day("2018-10-09"), RAG: chart.Red, DependsOn: []string{"design"}, Changed: true},
			{Key: "first-tenants", Title: "First enterprises move in", Note: "met, 77 days late", Href: "/m/first-tenants", Baseline: day("2018-12-31"), Due: day("2019-03-31"), Forecast: day("2019-03-31"), MetOn: day("2019-03-18"), RAG: chart.Red, DependsOn: []string{"structure"}},
			{Key: "acceptance", Title: "Base accepted", Note: "met, 82 days late", Baseline: day("2019-06-30"), Due: day("2019-06-30"), Forecast: day("2019-09-30"), MetOn: day("2019-09-20"), RAG: chart.Red, DependsOn: []string{"structure"}},
		}}},
	{"gantt-under-way", chart.Gantt{
		Frame: frame("gantt-2", "科技成果转化平台进度"), AsOf: day("2026-11-29"), Words: ganttWords,
		Rows: []chart.GanttRow{
			{Key: "a", Title: "成果转化平台上线并完成首批科技成果登记与评估工作的验收", Baseline: day("2024-12-31"), Due: day("2024-12-31"), MetOn: day("2024-12-20"), RAG: chart.Green},
			{Key: "b", Title: "First 50 technologies transferred to enterprises of the city", Baseline: day("2025-12-31"), Due: day("2026-03-31"), MetOn: day("2026-03-28"), RAG: chart.Amber, DependsOn: []string{"a"}},
			{Key: "c", Title: "验收", Baseline: day("2026-12-31"), Due: day("2026-12-31"), Forecast: day("2027-05-31"), RAG: chart.Red, DependsOn: []string{"a", "b"}},
			{Key: "d", Title: "Handover", Baseline: day("2027-06-30"), Due: day("2027-06-30"), Forecast: day("2027-06-30"), DependsOn: []string{"c"}},
			{Key: "e", Title: "Nothing agreed yet"},
		}}},
	{"s-curve", chart.SCurve{
		Frame: frame("curve", "Planned and earned value"), DataDate: day("2018-11-15"), Words: curveWords,
		Points: []chart.CurvePoint{
			{Date: day("2017-06-22"), Planned: "0", Earned: "10"}, {Date: day("2017-06-30"), Planned: "10", Earned: "10"},
			{Date: day("2017-09-30"), Planned: "25", Earned: "10"}, {Date: day("2017-11-10"), Planned: "25", Earned: "25"},
			{Date: day("2018-03-31"), Planned: "25", Earned: "39"}, {Date: day("2018-06-30"), Planned: "60", Earned: "39"},
			{Date: day("2018-10-09"), Planned: "60", Earned: "60"}, {Date: day("2018-11-15"), Planned: "60", Earned: "60"},
			{Date: day("2018-12-31"), Planned: "80"}, {Date: day("2019-06-30"), Planned: "100"},
		}}},
	{"trend-met", chart.Trend{
		Frame: frame("trend", "Milestone trend analysis of the IoT base"), AsOf: day("2026-11-29"), Words: trendWords,
		Lines: []chart.TrendLine{
			{Title: "Site handed over", Href: "/m/site", MetOn: day("2017-06-22"), Moves: moves("2017-03-20", "2017-06-30", "2017-04-01", "2017-06-30", "2017-06-25", "2017-06-30")},
			{Title: "Design approved", MetOn: day("2017-11-10"), Moves: moves("2017-03-20", "2017-09-30", "2017-09-12", "2017-11-15")},
			{Title: "Main structure complete", MetOn: day("2018-10-09"), Moves: moves("2017-03-20", "2018-06-30", "2017-11-20", "2018-08-31", "2018-05-14", "2018-10-15")},
			{Title: "First enterprises move in", MetOn: day("2019-03-18"), Moves: moves("2017-03-20", "2018-12-31", "2018-06-10", "2019-03-31")},
			{Title: "Base accepted", MetOn: day("2019-09-20"), Moves: moves("2017-03-20", "2019-06-30", "2019-02-18", "2019-09-30")},
		}}},
	{"trend-under-way", chart.Trend{
		Frame: frame("trend-2", "Milestone trend analysis, under way"), AsOf: day("2026-11-29"), Words: trendWords,
		Lines: []chart.TrendLine{
			{Title: "验收", Moves: moves("2026-01-10", "2026-12-31", "2026-05-10", "2027-02-28", "2026-10-02", "2027-05-31")},
			{Title: "First 50 technologies transferred to enterprises", Moves: moves("2026-01-10", "2026-12-31")},
			{Title: "Overdue and nobody said so", Moves: moves("2026-01-10", "2026-09-30")},
			{Title: "Training", Moves: moves("2026-02-10", "2027-05-25", "2026-08-15", "2027-05-28")},
			{Title: "Documentation", Moves: moves("2026-03-10", "2027-05-31")},
			{Title: "Handover", Moves: moves("2026-01-10", "2027-06-30", "2026-06-30", "2027-03-31", "2026-09-15", "2027-05-30")},
		}}},
	{"bars-results", chart.Bars{
		Frame:  frame("results", "Enterprises served, by year"),
		Series: []chart.BarSeries{{Name: "Actual"}, {Name: "Target", Mark: true}},
		Groups: []chart.BarGroup{
			{Label: "2017 H2", Values: []domain.Decimal{"214", "200"}}, {Label: "2018", Values: []domain.Decimal{"285.5", "300"}},
			{Label: "2019", Href: "/r/2019", Values: []domain.Decimal{"471.25", "450"}}, {Label: "2020", Values: []domain.Decimal{"", "500"}},
		}}},
	{"bars-funds", chart.Bars{
		Frame:  frame("funds", "Funds by party, in CNY"),
		Series: []chart.BarSeries{{Name: "Pledged"}, {Name: "Committed"}, {Name: "Disbursed"}, {Name: "Spent"}},
		Groups: []chart.BarGroup{
			{Label: "CETHIK Group", Values: []domain.Decimal{"600000000", "400000000", "155000000", "121500000"}},
			{Label: "无锡市人民政府", Values: []domain.Decimal{"400000000", "300000000", "100000000.5", "90299999.5"}},
		}}},
	{"timeline", chart.Timeline{
		Frame: frame("timeline", "The cooperation so far"), AsOf: day("2026-11-29"), Words: timelineWords,
		Items: []chart.TimelineItem{
			{Title: "Cooperation in microelectronics and electronics research", When: "1990s", Kind: chart.OfPrior, From: day("1990-01-01"), To: day("1999-12-31"), Faded: true},
			{Title: "Preparation of the framework agreement", When: "Feb 2017", Kind: chart.OfPrior, From: day("2017-02-01"), To: day("2017-02-28"), Faded: true},
			{Title: "Framework agreement in effect", When: "28 Feb 2017", Href: "/a/2017", Kind: chart.OfAgreement, From: day("2017-02-28"), To: day("2022-11-02")},
			{Title: "IoT base starts", When: "10 Apr 2017", Kind: chart.OfProject, From: day("2017-04-10")},
			{Title: "IC design platform starts", When: "1 Mar 2018", Kind: chart.OfProject, From: day("2018-03-01")},
			{Title: "First verified result", When: "15 Jan 2018", Kind: chart.OfResult, From: day("2018-01-15")},
			{Title: "Site visit to the IoT town", When: "11 Sep 2018", Kind: chart.OfMeeting, From: day("2018-09-11")},
			{Title: "深化战略合作框架协议", When: "2022年11月2日", Kind: chart.OfAgreement, From: day("2022-11-02"), To: day("2028-02-27")},
			{Title: "Transformation platform starts", When: "1 Mar 2023", Kind: chart.OfProject, From: day("2023-03-01")},
		}}},
	{"progress", chart.Progress{ID: "p1", Title: "82% complete, red", Percent: "82", Text: "82%", RAG: chart.Red}},
	{"spark", chart.Spark{ID: "s1", Title: "Forecast moved later twice", Values: []domain.Decimal{"0", "0", "40", "", "101"}, RAG: chart.Amber}},
	{"nothing", chart.Gantt{Frame: frame("none", "Schedule")}},
}

var (
	ganttWords = chart.GanttWords{Baseline: "Baseline", Due: "Agreed", Forecast: "Forecast", Met: "Met", Slip: "Slip", Dependency: "Waits for",
		AsOf: "As of", Changed: "Changed", RAG: ragWords}
	curveWords    = chart.SCurveWords{Planned: "Planned", Earned: "Earned", DataDate: "As of", Percent: "% of weight"}
	trendWords    = chart.TrendWords{MadeOn: "Forecast made on →", Forecast: "Forecast for ↑", Met: "Met", Diagonal: "Met on the day forecast", AsOf: "As of"}
	timelineWords = chart.TimelineWords{Prior: "Before the agreement", Agreement: "Agreement", Project: "Project starts", Result: "Result", Meeting: "Meeting", AsOf: "As of"}
)

func moves(dates ...string) (moves []chart.TrendMove) {
	for i := 0; i < len(dates); i += 2 {
		moves = append(moves, chart.TrendMove{MadeOn: day(dates[i]), Forecast: day(dates[i+1])})
	}
	return moves
}
