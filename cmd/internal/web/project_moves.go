package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// dateMove is an event that moved dates of a milestone: who, when, why, and what
// shows it.
type dateMove struct {
	projections.TrendMove
	Milestone domain.Key
	Title     domain.Text
	Dates     []movedDate
	Note      string
	Evidence  []domain.Hash
}

// PartyKey is the party for which it was moved, by its key.
func (m dateMove) PartyKey() domain.Key { return domain.Key(m.Party) }

// movedDate is one of the dates; From or To is 0 where there is none.
type movedDate struct {
	Field    string
	From, To domain.Date
}

// Days is by how many days it moved; nil where it came or went.
func (d movedDate) Days() *int { return daysBetween(d.From, d.To) }

// dateMoves lists the moves of the milestones' dates, the last first. That they were
// scheduled, and taken into the first baseline, is no move.
func dateMoves(trends []projections.Trend) (moves []dateMove) {
	for _, t := range trends {
		for i := 1; i < len(t.Series); i++ {
			was, is := t.Series[i-1], t.Series[i]
			m := dateMove{TrendMove: is, Milestone: t.Milestone, Title: t.Title}
			for _, d := range []movedDate{
				{"forecast", was.Forecast, is.Forecast}, {"due", was.Due, is.Due}, {"baseline", was.Baseline, is.Baseline}, {"met_on", was.MetOn, is.MetOn},
			} {
				if d.From != d.To && (d.Field != "baseline" || d.From != 0) {
					m.Dates = append(m.Dates, d)
				}
			}
			if len(m.Dates) > 0 {
				moves = append(moves, m)
			}
		}
	}
	slices.SortStableFunc(moves, func(a, b dateMove) int { return cmp.Or(cmp.Compare(b.MadeOn, a.MadeOn), cmp.Compare(b.Seq, a.Seq)) })
	return moves
}

// explain finds the notes of moves, and what shows them: the files that their events
// name, and of a milestone that was met those of the claim.
func (a *projectAnswer) explain(ctx context.Context, moves []dateMove) error {
	seqs, claims := make([]uint64, len(moves)), make([]uint64, len(moves))
	for i, m := range moves {
		seqs[i] = m.Seq
		if m.MetOn == 0 || !slices.ContainsFunc(m.Dates, func(d movedDate) bool { return d.Field == "met_on" }) {
			continue
		}
		var err error
		if claims[i], err = a.claimBefore(ctx, m); err != nil {
			return err
		}
	}
	events, err := a.site.said(ctx, slices.DeleteFunc(append(seqs, claims...), func(seq uint64) bool { return seq == 0 }))
	if err != nil {
		return err
	}
	of := map[uint64]said{}
	for _, e := range events {
		of[e.Seq] = e
	}
	for i := range moves {
		moves[i].Note = of[moves[i].Seq].Note
		moves[i].Evidence = slices.Concat(of[claims[i]].Evidence, of[moves[i].Seq].Evidence)
	}
	return nil
}

// claimBefore finds the claim that was confirmed when a milestone was met: the last
// one before that. It is 0 where none is known.
func (a *projectAnswer) claimBefore(ctx context.Context, m dateMove) (claim uint64, err error) {
	found, err := a.models.Changes(ctx, projections.ChangeQuery{
		To: a.At, Agreement: a.Agreement, Project: a.Of.Project, Milestone: m.Milestone, Field: "claimed_on", Page: projections.Page{Limit: projections.MaxLimit},
	})
	for _, c := range found.Changes {
		if c.Seq < m.Seq && c.Op != "remove" {
			claim = c.Seq
		}
	}
	return claim, err
}
