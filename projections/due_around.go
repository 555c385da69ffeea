package projections

import (
	"context"
	"fmt"
	"math"

	"github.com/milepost-ledger/milepost/domain"
)

// DueAround is what Due lists on both sides of the day of the point: how much is
// overdue and the first of it, and the first of what is not.
type DueAround struct {
	Late    int // overdue in all
	Overdue []DueMilestone
	Coming  []DueMilestone
}

// DueAround answers for an agreement, or for all with "", with at most so many that
// are overdue, and so many that are not. It refuses with not-found. What is overdue
// and not shown is counted in memory.
func (m *Models) DueAround(ctx context.Context, of domain.Key, at Point, overdue, coming int) (answer DueAround, err error) {
	err = m.read(ctx, at, func(q *query) error {
		e, err := q.dueOf(of)
		if err != nil {
			return err
		}
		var late, ahead []dueSpan
		err = q.line.dueAt(q, e.id, math.MaxInt32, func(s *dueSpan) bool {
			switch {
			case past(s.due, at.Day):
				answer.Late++
				if len(late) < overdue {
					late = append(late, *s)
				}
			case len(ahead) == coming:
				return false
			default:
				ahead = append(ahead, *s)
			}
			return true
		})
		if err == nil {
			answer.Overdue, err = q.due(late)
		}
		if err == nil {
			answer.Coming, err = q.due(ahead)
		}
		if err != nil {
			return fmt.Errorf("look at what is due: %w", err)
		}
		return nil
	})
	return answer, err
}
