package projections

import (
	"context"
	"encoding/json"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Trend is how the dates of a milestone moved up to a point: the line that a
// milestone trend analysis (MTA) draws of it, each forecast over the date on
// which it was made. A line that rises is a milestone that slips.
type Trend struct {
	Milestone     domain.Key  `json:"milestone" sql:"-"`
	Title         domain.Text `json:"title"`
	State         string      `json:"state"`
	Baseline      domain.Date `json:"baseline"`
	Due           domain.Date `json:"due"`
	FirstForecast domain.Date `json:"first_forecast" sql:"-"`
	Forecast      domain.Date `json:"forecast"`
	MetOn         domain.Date `json:"met_on"`
	SlipDays      *int        `json:"slip_days"`          // after the baseline; null without one
	Drift         int         `json:"drift_days" sql:"-"` // from the first forecast to the last, or to the date met
	Trend         string      `json:"trend" sql:"-"`      // later, earlier or steady, as drift_days says
	Project       domain.Key  `json:"project" sql:"-"`
	Agreement     domain.Key  `json:"agreement" sql:"-"`
	Series        []TrendMove `json:"series" sql:"-"` // in the order in which they are folded: as they were recorded, or took effect
}

// Trends of a milestone: its last forecast, or the date met, against its first.
const (
	TrendLater   = "later"
	TrendEarlier = "earlier"
	TrendSteady  = "steady"
)

// TrendMove is an event that moved a date of a milestone, with the dates as
// they were after it. The first is that which scheduled the milestone, and one
// that has met_on is its end, unless it was reopened.
type TrendMove struct {
	Seq      uint64      `json:"seq"`
	MadeOn   domain.Date `json:"made_on"` // from which it held: the day it was made, also where it was recorded later
	Forecast domain.Date `json:"forecast"`
	Due      domain.Date `json:"due"`
	Baseline domain.Date `json:"baseline"`
	MetOn    domain.Date `json:"met_on"`
	Reason   string      `json:"reason"`
	Actor    string      `json:"actor"`
	Party    string      `json:"party"`
	Type     string      `json:"type"`        // of the event
	Recorded domain.Date `json:"recorded_on"` // civil date of its ledger time, in the ledger's time zone
}

// trendTable reads from the table of milestones what a trend shows of them.
var trendTable = newTable[Trend](orderMilestone, milestoneTable.name, versionLead...)

// Trend lists the milestones of a project with every move of their dates, in
// the order in which they were scheduled, or refuses with not-found.
func (m *Models) Trend(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Trend, string, error) {
	var fields fieldWords
	return listOf(ctx, m, trendTable, project.Ref(of, key), at, page, func(q *query, t *Trend, e found) (err error) {
		t.Agreement, t.Project, t.Milestone = e.agreement, e.of(), keyOf(e.path)
		if fields == (fieldWords{}) {
			if fields, err = q.fieldWords("forecast", "due", "baseline", "met_on"); err != nil {
				return err
			}
		}
		if t.Series, err = q.movesOf(e.id, fields, m.location); err == nil {
			t.judge()
		}
		return err
	})
}

// judge compares the last forecast, or the date met, with the first.
func (t *Trend) judge() {
	last := t.Forecast
	if t.MetOn != 0 {
		last = t.MetOn
	}
	if len(t.Series) > 0 {
		t.FirstForecast = t.Series[0].Forecast
		t.Drift = int(last - t.FirstForecast)
	}
	switch {
	case t.Drift > 0:
		t.Trend = TrendLater
	case t.Drift < 0:
		t.Trend = TrendEarlier
	default:
		t.Trend = TrendSteady
	}
}

// movesOf reads the moves of a milestone's dates from its changes.
func (q *query) movesOf(milestone int64, fields fieldWords, zone *time.Location) (series []TrendMove, err error) {
	series = []TrendMove{}
	var now TrendMove
	err = q.changesOf(milestone, fields, func(stmt *sqlite.Stmt, field, value string) (err error) {
		if seq := q.logged(uint64(stmt.ColumnInt64(changeID) >> changeBits)); seq != now.Seq {
			if now, err = q.move(stmt, now, zone); err != nil {
				return err
			}
			now.Seq = seq
			series = append(series, now)
		}
		date := domain.Date(0)
		if value != "" {
			if err := json.Unmarshal([]byte(value), &date); err != nil {
				return err
			}
		}
		switch field {
		case "forecast":
			now.Forecast = date
		case "due":
			now.Due = date
		case "baseline":
			now.Baseline = date
		case "met_on":
			now.MetOn = date
		}
		series[len(series)-1] = now
		return nil
	})
	return series, err
}

// move begins the move of another event, with the dates as they were.
func (q *query) move(stmt *sqlite.Stmt, was TrendMove, zone *time.Location) (now TrendMove, err error) {
	now = was
	now.MadeOn = domain.Date(stmt.ColumnInt64(changeEffective))
	now.Recorded = domain.DateOf(time.UnixMicro(stmt.ColumnInt64(changeAt)), zone)
	for column, to := range map[int]*string{changeType: &now.Type, changeReason: &now.Reason, changeActor: &now.Actor, changeParty: &now.Party} {
		if *to, err = q.wordAt(stmt, column); err != nil {
			return now, err
		}
	}
	return now, nil
}
