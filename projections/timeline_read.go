package projections

import (
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// reached is how far a timeline has read the tables, whose rows are in the order
// in which they were written.
type reached struct {
	seq                        uint64
	entity, project, milestone int64 // the last rows
}

// counted is an entity: what it is below, and for a project or a milestone what it
// counts as. The milestones of a project are a list, for they are of its areas, and
// none is due when it has ended.
type counted struct {
	parent      uint32
	first, next uint32 // milestone of it, and of the same project
	is          countedAs
	due         domain.Date // of a milestone that is still to be met
	span        uint32      // one more than that of a milestone which is due; 0 for none
	ended       bool        // a project that is closed or cancelled
}

// at counts what an agreement's entity has, or all for 0, at the point of a
// question, once it has read that far. The counts are by class.
func (l *timeline) at(q *query, of int64) (counts []colours, classes []class, err error) {
	if err := l.readOn(q); err != nil {
		return nil, nil, err
	}
	defer l.mu.RUnlock()
	t := &l.whole
	if of != 0 {
		if t = l.of[of]; t == nil {
			t = &tally{}
		}
	}
	return t.count(l, q.at.Seq, q.at.Day), l.classes, nil
}

// readOn reads the rows that are new, where they matter to a question. Without an error
// it returns with mu held for reading: what has been read may be thrown away by who
// reads on and fails.
func (l *timeline) readOn(q *query) error {
	for {
		l.mu.RLock()
		if l.read.seq >= q.at.Seq {
			return nil
		}
		l.mu.RUnlock()
		if err := l.readMore(q); err != nil {
			return fmt.Errorf("read projects and milestones: %w", err)
		}
	}
}

func (l *timeline) readMore(q *query) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read.seq >= q.at.Seq { // by who had the lock before
		return nil
	}
	err := l.readRows(q)
	if err != nil { // what is half read is worth nothing
		l.read, l.seen, l.classes, l.classOf, l.steps, l.whole, l.of = reached{}, nil, nil, nil, nil, tally{}, nil
		l.spans, l.due, l.dueOf = nil, dueList{}, nil
	}
	return err
}

// readRows reads all rows that the question's transaction sees.
func (l *timeline) readRows(q *query) error {
	if l.of == nil {
		l.classes, l.classOf, l.of, l.dueOf = []class{{}}, map[class]int32{}, map[int64]*tally{}, map[int64]*dueList{}
	}
	now, err := readPosition(q.conn)
	if err == nil {
		err = l.readEntities(q)
	}
	if err == nil {
		err = l.readStates(q)
	}
	if err != nil {
		return err
	}
	projects, err := openNewRows(q, newProjects, l.read.project)
	if err != nil {
		return err
	}
	defer projects.stmt.Reset()
	milestones, err := openNewRows(q, newMilestones, l.read.milestone)
	if err != nil {
		return err
	}
	defer milestones.stmt.Reset()
	for err == nil && (projects.more || milestones.more) {
		if projects.more && (!milestones.more || projects.seq <= milestones.seq) {
			l.read.project = projects.row()
			l.setProject(projects)
			err = projects.next()
		} else {
			l.read.milestone = milestones.row()
			l.setMilestone(milestones)
			err = milestones.next()
		}
	}
	l.read.seq = now.seq
	return err
}

// readEntities learns what new projects and milestones are below.
func (l *timeline) readEntities(q *query) error {
	return each(q.conn, "SELECT id, parent, kind = ? FROM entity WHERE id > ? ORDER BY id", []any{milestoneTable.name, l.read.entity}, func(stmt *sqlite.Stmt) (bool, error) {
		id, parent := stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		for int64(len(l.seen)) <= id {
			l.seen = append(l.seen, counted{})
		}
		e := &l.seen[id]
		if e.parent = uint32(parent); stmt.ColumnBool(2) {
			of := &l.seen[parent]
			e.next, of.first = of.first, uint32(id)
		}
		l.read.entity = id
		return true, nil
	})
}

// readStates learns the words for the states on which it depends what is due.
func (l *timeline) readStates(q *query) (err error) {
	for state, to := range map[string]*int64{
		project.Scheduled: &l.toMeet[0], project.Claimed: &l.toMeet[1], project.StatusClosed: &l.ended[0], project.StatusCancelled: &l.ended[1],
	} {
		if *to == 0 && err == nil {
			*to, _, err = selectInt(q.conn, "SELECT id FROM word WHERE text = ?", state)
		}
	}
	return err
}

// setProject takes in the row of a project. Its milestones are of its areas, too, and
// are due no longer when it ends.
func (l *timeline) setProject(r *newRows) {
	id := r.entity()
	c := r.class()
	c.areas = r.stmt.ColumnInt64(3)
	of := &l.seen[id]
	under := int64(of.parent)
	moved, ended := l.classes[of.is.class].areas != c.areas, c.state != 0 && slices.Contains(l.ended[:], c.state)
	turned := of.ended != ended
	of.ended = ended
	l.set(id, under, r, c)
	if !moved && !turned {
		return
	}
	for m := of.first; m != 0; m = l.seen[m].next {
		is := l.seen[m].is
		if class := l.classes[is.class]; is.class != 0 && class.areas != c.areas {
			class.areas = c.areas
			is.class = l.class(class)
			l.step(int64(m), under, r.seq, is)
		}
		if turned {
			l.setDue(int64(m), r.seq)
		}
	}
}

// setMilestone takes in the row of a milestone.
func (l *timeline) setMilestone(r *newRows) {
	id := r.entity()
	under := &l.seen[l.seen[id].parent]
	c := r.class()
	c.milestone, c.areas = true, l.classes[under.is.class].areas
	l.set(id, int64(under.parent), r, c)
	due := domain.Date(0)
	if c.state != 0 && slices.Contains(l.toMeet[:], c.state) {
		due = domain.Date(r.stmt.ColumnInt64(8))
	}
	if m := &l.seen[id]; m.due != due {
		m.due = due
		l.setDue(id, r.seq)
	}
}

// set takes in the row at hand.
func (l *timeline) set(id, agreement int64, r *newRows, of class) {
	is := countedAs{class: l.class(of), amber: domain.Date(r.stmt.ColumnInt64(5)), red: domain.Date(r.stmt.ColumnInt64(6))}
	is.amber = earlier(is.amber, is.red)
	l.step(id, agreement, r.seq, is)
}

// step has an entity count as something else from an event on.
func (l *timeline) step(id, agreement int64, seq uint64, is countedAs) {
	e := &l.seen[id]
	if e.is == is {
		return
	}
	of := l.of[agreement]
	if of == nil {
		of = &tally{}
		l.of[agreement] = of
	}
	step := uint32(len(l.steps))
	l.steps = append(l.steps, countStep{seq, e.is, is})
	e.is = is
	l.whole.add(l, step)
	of.add(l, step)
}

// class finds the number of a class.
func (l *timeline) class(c class) int32 {
	n, ok := l.classOf[c]
	if !ok {
		n = int32(len(l.classes))
		l.classes = append(l.classes, c)
		l.classOf[c] = n
	}
	return n
}

// newRows is a walk over the rows of projects or of milestones that are new, in
// the order of the log.
type newRows struct {
	stmt *sqlite.Stmt
	more bool   // there is a row at hand
	seq  uint64 // of its event
}

// The columns are the same of both, so that both are read alike.
const (
	newProjects = `SELECT rowid, entity, from_seq, areas, state, amber_on, red_on, milestones > 0, NULL
	FROM project WHERE rowid > ? ORDER BY rowid`
	newMilestones = `SELECT rowid, entity, from_seq, NULL, state, amber_on, red_on, coalesce(state, 0) IS NOT (SELECT id FROM word WHERE text = '` + project.Dropped + `'), due
	FROM milestone WHERE rowid > ? ORDER BY rowid`
)

func openNewRows(q *query, query string, after int64) (r *newRows, err error) {
	r = &newRows{}
	if r.stmt, err = q.conn.Prepare(query); err != nil {
		return nil, err
	}
	r.stmt.BindInt64(1, after)
	return r, r.next()
}

func (r *newRows) next() (err error) {
	if r.more, err = r.stmt.Step(); r.more {
		r.seq = uint64(r.stmt.ColumnInt64(2))
	}
	return err
}

func (r *newRows) row() int64    { return r.stmt.ColumnInt64(0) }
func (r *newRows) entity() int64 { return r.stmt.ColumnInt64(1) }
func (r *newRows) class() class {
	return class{state: r.stmt.ColumnInt64(4), coloured: r.stmt.ColumnBool(7)}
}
