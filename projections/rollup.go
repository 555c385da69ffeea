package projections

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// progressRow is the progress of an agreement: the sums over its projects, the
// first days on which one of them is amber or red, and on which one has something
// due. Cancelled projects do not count.
type progressRow struct {
	Projects      int         `json:"projects"`
	Milestones    int         `json:"milestones"`
	MilestonesMet int         `json:"milestones_met"`
	Weight        int         `json:"weight"`
	Earned        int         `json:"earned"`
	AmberOn       domain.Date `json:"amber_on"`
	RedOn         domain.Date `json:"red_on"`
	NextDue       domain.Date `json:"next_due"`
}

var progressTable = newTable[progressRow](orderProgress, "agreement_progress", versionLead...)

// share is what one project gives to its agreement's progress.
func share(p *Project) progressRow {
	if p == nil || p.State == project.StatusCancelled {
		return progressRow{}
	}
	return progressRow{1, p.Milestones, p.MilestonesMet, p.Weight, p.Earned, p.AmberOn, p.RedOn, p.NextDue}
}

// rollup is the progress of one agreement while events come, kept up by what
// changes: an event costs the same under one project or a thousand, but when
// the project that was the worst gets better, or the first that has something due
// meets it.
type rollup struct {
	sum    progressRow
	shares map[int64]progressRow // by project entity
}

// set puts a project's share in the place of its last, and reports whether the
// sum changed.
func (r *rollup) set(project int64, now progressRow) bool {
	was, before := r.shares[project], r.sum
	if was == now {
		return false
	}
	r.shares[project] = now
	s := &r.sum
	s.Projects += now.Projects - was.Projects
	s.Milestones += now.Milestones - was.Milestones
	s.MilestonesMet += now.MilestonesMet - was.MilestonesMet
	s.Weight += now.Weight - was.Weight
	s.Earned += now.Earned - was.Earned
	first := func(day, of domain.Date) bool { return of != 0 && of == day }
	if first(s.AmberOn, was.AmberOn) || first(s.RedOn, was.RedOn) || first(s.NextDue, was.NextDue) {
		s.AmberOn, s.RedOn, s.NextDue = 0, 0, 0
		for _, x := range r.shares {
			s.firstDays(&x)
		}
	} else {
		s.firstDays(&now)
	}
	return *s != before
}

// firstDays takes from a share the days that are earlier.
func (s *progressRow) firstDays(x *progressRow) {
	s.AmberOn, s.RedOn, s.NextDue = earlier(s.AmberOn, x.AmberOn), earlier(s.RedOn, x.RedOn), earlier(s.NextDue, x.NextDue)
}

// rollups are those of the agreements that were last written to.
type rollups struct {
	of    map[int64]*rollup // by agreement entity
	whole bool              // of holds every agreement: the load of a new file
}

// maxRollup bounds the projects remembered by a projector that follows, about.
const maxRollup = 1 << 16

func newRollups(whole bool) *rollups { return &rollups{of: map[int64]*rollup{}, whole: whole} }

// bound forgets the roll-ups when they are of too many projects. It is called
// between batches only, when the tables have every row.
func (rs *rollups) bound() {
	projects := 0
	for _, r := range rs.of {
		projects += len(r.shares)
	}
	if projects > maxRollup && !rs.whole {
		clear(rs.of)
	}
}

// rollup returns the roll-up of an agreement as of the last event.
func (p *projector) rollup(agreement int64) (*rollup, error) {
	rs := p.rollups
	if r, ok := rs.of[agreement]; ok {
		return r, nil
	}
	r := &rollup{shares: map[int64]progressRow{}}
	if !rs.whole {
		w := wordReader{conn: p.conn, cache: &textCache{}}
		err := each(p.conn, selectShares, []any{agreement, project.Kind}, func(stmt *sqlite.Stmt) (bool, error) {
			var row Project
			if _, err := projectTable.scan(stmt, 1, &row, w); err != nil {
				return false, err
			}
			r.set(stmt.ColumnInt64(0), share(&row))
			return true, nil
		})
		if err != nil {
			return nil, fmt.Errorf("roll up agreement %d: %w", agreement, err)
		}
	}
	rs.of[agreement] = r
	return r, nil
}

var selectShares = "SELECT e.id, " + projectTable.fields + ` FROM entity e JOIN project v ON v.rowid =
	(SELECT rowid FROM project WHERE entity = e.id ORDER BY from_seq DESC LIMIT 1) WHERE e.parent = ? AND e.kind = ?`
