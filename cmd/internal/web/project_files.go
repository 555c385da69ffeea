package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// fewEvents is of how many events, the last ones, a page shows which files they name,
// unless all are asked for.
const fewEvents = 100

// namedFiles is an event that names files as evidence.
type namedFiles struct {
	said
	Title domain.Text // of the milestone; nil where the event is about none
}

// files finds the events of the project that name files, the last first. Which do, only
// the log knows.
func (a *projectAnswer) files(ctx context.Context, milestones []projections.Milestone) error {
	seqs, _, err := a.models.History(ctx, project.Ref(a.Agreement, a.Of.Project))
	if err != nil {
		return err
	}
	seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { return seq > a.At.Seq })
	if a.FilesOf = len(seqs); !a.asksForAll("evidence") && len(seqs) > fewEvents {
		a.FilesOf, seqs = fewEvents, seqs[len(seqs)-fewEvents:]
		a.MoreFiles = true
	}
	events, err := a.site.said(ctx, seqs)
	if err != nil {
		return err
	}
	a.Evidence = withFiles(events, milestones, a.At)
	return nil
}

// withFiles are those of events that name files, the last first, and that hold at a
// point.
func withFiles(events []said, milestones []projections.Milestone, at projections.Point) (files []namedFiles) {
	titles := map[domain.Key]domain.Text{}
	for _, m := range milestones {
		titles[m.Milestone] = m.Title
	}
	for _, e := range slices.Backward(events) {
		if len(e.Evidence) > 0 && (at.Effective == 0 || e.Effective <= at.Effective) {
			files = append(files, namedFiles{e, titles[e.Milestone]})
		}
	}
	return files
}
