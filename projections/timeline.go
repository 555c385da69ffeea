package projections

import (
	"slices"
	"sort"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
)

// timeline counts the projects and milestones of a file as of any point, in time
// that does not grow with the log or with what it counts. It has every change of
// what they count as, in the order of the log, and marks between: what they came
// to up to there. An answer is that of the last mark before its point, and the
// changes from there on. It lists what is due, too, see dueList.
//
// It is made from the tables when it is first asked, and read on when it is asked
// again, so writing costs nothing for it, and it cannot be other than they are.
type timeline struct {
	mu      sync.RWMutex
	read    reached
	seen    []counted // by entity
	classes []class   // the first is of what is not there
	classOf map[class]int32
	steps   []countStep
	whole   tally
	of      map[int64]*tally // by agreement entity

	toMeet [2]int64 // states in which a milestone may be due
	ended  [2]int64 // and in which a project has none that is
	spans  []dueSpan
	due    dueList
	dueOf  map[int64]*dueList // by agreement entity
}

// class is what is counted together, its texts by their ids.
type class struct {
	milestone bool // else projects
	coloured  bool // some are not: cancelled milestones, and projects without any
	state     int64
	areas     int64 // of the project; 0 for none
}

// countedAs is what a project or a milestone counts as: its class, and from which days
// on in amber or worse, and in red; 0 for never.
type countedAs struct {
	class      int32
	amber, red domain.Date
}

// countStep is an event that had something count as something else.
type countStep struct {
	seq     uint64
	was, is countedAs
}

// tally has the steps of the whole ledger, or of one agreement.
type tally struct {
	steps []uint32 // of the timeline
	marks []mark
}

// mark is what came of the first steps of a tally.
type mark struct {
	steps   int
	size    int        // turns in it
	classes []turnings // by class
}

// turnings say of a class how many it has, and from each day on how many of these
// are amber or worse, and red.
type turnings struct {
	n          int
	amber, red []turn
}

type turn struct {
	day domain.Date
	n   int // up to this day
}

// colours are how many of a class are green, amber and red.
type colours [3]int

// A mark has as many steps after it as turns in it, but some at least: so marks
// take no more room than steps, and most answers the time of some.
const stepsBetween = 1024

// add adds a step, and a mark when it is time for one.
func (t *tally) add(l *timeline, step uint32) {
	t.steps = append(t.steps, step)
	last := t.last(len(t.steps))
	if len(t.steps)-last.steps >= max(stepsBetween, last.size) {
		t.marks = append(t.marks, t.mark(l, last))
	}
}

// last is the last mark within the first n steps.
func (t *tally) last(n int) *mark {
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].steps > n })
	if i == 0 {
		return &mark{}
	}
	return &t.marks[i-1]
}

// mark takes a mark on to the end.
func (t *tally) mark(l *timeline, last *mark) mark {
	next := mark{steps: len(t.steps), classes: make([]turnings, len(l.classes))}
	amber, red := make([]map[domain.Date]int, len(l.classes)), make([]map[domain.Date]int, len(l.classes))
	turns := func(of []turn) map[domain.Date]int {
		on, before := make(map[domain.Date]int, len(of)), 0
		for _, x := range of {
			on[x.day], before = x.n-before, x.n
		}
		return on
	}
	for i := range next.classes {
		var of turnings
		if i < len(last.classes) {
			of = last.classes[i]
		}
		next.classes[i].n, amber[i], red[i] = of.n, turns(of.amber), turns(of.red)
	}
	add := func(s countedAs, n int) {
		next.classes[s.class].n += n
		if s.amber != 0 {
			amber[s.class][s.amber] += n
		}
		if s.red != 0 {
			red[s.class][s.red] += n
		}
	}
	for _, i := range t.steps[last.steps:] {
		add(l.steps[i].was, -1)
		add(l.steps[i].is, 1)
	}
	for i := range next.classes {
		of := &next.classes[i]
		of.amber, of.red = inOrder(amber[i]), inOrder(red[i])
		next.size += len(of.amber) + len(of.red)
	}
	return next
}

// inOrder sorts what turns on each day, and sums it up.
func inOrder(on map[domain.Date]int) []turn {
	var turns []turn
	for day, n := range on {
		if n != 0 {
			turns = append(turns, turn{day, n})
		}
	}
	slices.SortFunc(turns, func(a, b turn) int { return int(a.day - b.day) })
	for i := 1; i < len(turns); i++ {
		turns[i].n += turns[i-1].n
	}
	return slices.Clip(turns)
}

// upTo is how many have turned by a day.
func upTo(turns []turn, day domain.Date) int {
	i := sort.Search(len(turns), func(i int) bool { return turns[i].day > day })
	if i == 0 {
		return 0
	}
	return turns[i-1].n
}

// count counts what is in each class after event seq, on a day.
func (t *tally) count(l *timeline, seq uint64, day domain.Date) []colours {
	counts := make([]colours, len(l.classes))
	n := sort.Search(len(t.steps), func(i int) bool { return l.steps[t.steps[i]].seq > seq })
	last := t.last(n)
	for i, of := range last.classes {
		late, red := upTo(of.amber, day), upTo(of.red, day)
		counts[i] = colours{of.n - late, late - red, red}
	}
	for _, i := range t.steps[last.steps:n] {
		s := &l.steps[i]
		counts[s.was.class][colourOn(day, s.was.amber, s.was.red)]--
		counts[s.is.class][colourOn(day, s.is.amber, s.is.red)]++
	}
	return counts
}
