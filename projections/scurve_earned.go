package projections

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// earnedStep is what an event says of a milestone's percent complete from a date on.
// Steps are in the order in which their events were recorded.
type earnedStep struct {
	from    domain.Date
	met     bool // it is about whether the milestone is met, not about percent
	percent int  // reported; or 100 for met, 0 for no longer met
}

// stepsOf reads the steps of a milestone from its changes. A report holds from
// its effective date on, and so does a reopening; a date met holds from itself.
func (q *query) stepsOf(milestone int64, fields fieldWords) (steps []earnedStep, err error) {
	err = q.changesOf(milestone, fields, func(stmt *sqlite.Stmt, field, value string) error {
		s := earnedStep{from: domain.Date(stmt.ColumnInt64(changeEffective)), met: field == "met_on"}
		switch {
		case !s.met:
			if err := json.Unmarshal([]byte(value), &s.percent); err != nil {
				return fmt.Errorf("percent %q: %w", value, err)
			}
		case value != "":
			if err := json.Unmarshal([]byte(value), &s.from); err != nil {
				return err
			}
			s.percent = 100
		}
		steps = append(steps, s)
		return nil
	})
	return steps, err
}

// gains yields each date on which percent complete changes, in order, and by
// how much.
//
// As of a date, of the steps from then or before, the one recorded last tells
// the percent reported, and likewise whether the milestone is met. So what was
// recorded earlier and takes hold later has nothing to say any more.
func gains(steps []earnedStep) iter.Seq2[domain.Date, int] {
	type numbered struct {
		earnedStep
		n int
	}
	byDate := make([]numbered, len(steps))
	for i, s := range steps {
		byDate[i] = numbered{s, i}
	}
	slices.SortStableFunc(byDate, func(a, b numbered) int { return cmp.Compare(a.from, b.from) })
	return func(yield func(domain.Date, int) bool) {
		reported, met := numbered{n: -1}, numbered{n: -1} // those recorded last so far
		before := 0
		for i, s := range byDate {
			last := &reported
			if s.met {
				last = &met
			}
			if s.n > last.n {
				*last = s
			}
			if i+1 < len(byDate) && byDate[i+1].from == s.from {
				continue
			}
			now := max(reported.percent, met.percent)
			if now != before && !yield(s.from, now-before) {
				return
			}
			before = now
		}
	}
}
