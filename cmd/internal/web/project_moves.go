package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
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
func (d movedDate) Days() *int {
	if d.From == 0 || d.To == 0 {
		return nil
	}
	days := int(d.To - d.From)
	return &days
}

// dateMoves lists the moves of the milestones' dates, the last first. That they were
// scheduled, and taken into the first baseline, is no move. What shows that one was met
// are the files of the claim as well.
func dateMoves(trends []projections.Trend, told []api.Told) (moves []dateMove) {
	bySeq, claims := map[uint64]api.Told{}, map[domain.Key][]api.Told{}
	for _, e := range told {
		bySeq[e.Seq] = e
		if eventCode(e.Type) == "achievement-claimed" {
			claims[e.Milestone] = append(claims[e.Milestone], e)
		}
	}
	for _, t := range trends {
		for i := 1; i < len(t.Series); i++ {
			was, is := t.Series[i-1], t.Series[i]
			m := dateMove{TrendMove: is, Milestone: t.Milestone, Title: t.Title, Note: bySeq[is.Seq].Note, Evidence: bySeq[is.Seq].Evidence}
			for _, d := range []movedDate{
				{"forecast", was.Forecast, is.Forecast}, {"due", was.Due, is.Due}, {"baseline", was.Baseline, is.Baseline}, {"met_on", was.MetOn, is.MetOn},
			} {
				if d.From != d.To && (d.Field != "baseline" || d.From != 0) {
					m.Dates = append(m.Dates, d)
				}
			}
			if is.MetOn != 0 && is.MetOn != was.MetOn {
				m.Evidence = append(lastBefore(claims[t.Milestone], is.Seq).Evidence, m.Evidence...)
			}
			if len(m.Dates) > 0 {
				moves = append(moves, m)
			}
		}
	}
	slices.SortStableFunc(moves, func(a, b dateMove) int { return cmp.Or(cmp.Compare(b.MadeOn, a.MadeOn), cmp.Compare(b.Seq, a.Seq)) })
	return moves
}

// lastBefore is the claim that an event confirms: the last one before it.
func lastBefore(claims []api.Told, seq uint64) (claim api.Told) {
	for _, c := range claims {
		if c.Seq < seq {
			claim = c
		}
	}
	claim.Evidence = slices.Clone(claim.Evidence)
	return claim
}

// namedFile is a file that an event names as evidence.
type namedFile struct {
	api.Told
	Hash  domain.Hash
	Event string      // what happened, a code
	Title domain.Text // of the milestone; nil where the event is about none
}

// Short is the beginning of the hash, by which people tell files apart.
func (f namedFile) Short() string { return short(f.Hash) }

func short(h domain.Hash) string { return string(h[:min(len(h), 12)]) }

// namedFiles lists the files that events name, the last first.
func namedFiles(told []api.Told, milestones []projections.Milestone) (files []namedFile) {
	titles := map[domain.Key]domain.Text{}
	for _, m := range milestones {
		titles[m.Milestone] = m.Title
	}
	for _, e := range slices.Backward(told) {
		for _, hash := range e.Evidence {
			files = append(files, namedFile{e, hash, eventCode(e.Type), titles[e.Milestone]})
		}
	}
	return files
}

// eventCode is what a type of event says: "achievement-claimed" of
// "milepost.project.achievement-claimed.v1".
func eventCode(eventType string) string {
	parts := strings.Split(eventType, ".")
	if len(parts) < 3 {
		return eventType
	}
	return parts[2]
}
