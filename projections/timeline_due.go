package projections

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/milepost-ledger/milepost/domain"
)

// dueSpan is a milestone that is due on a day from an event on, until another: that
// it is met, cancelled, or due on another day, or that its project ends.
type dueSpan struct {
	due                           domain.Date
	agreement, project, milestone uint32 // entities
	from, to                      uint64
}

// stillDue is the end of a span that has none.
const stillDue = math.MaxUint64

// compare is the order in which what is due is listed.
func (s *dueSpan) compare(o *dueSpan) int {
	return cmp.Or(cmp.Compare(s.due, o.due), cmp.Compare(s.agreement, o.agreement), cmp.Compare(s.project, o.project),
		cmp.Compare(s.milestone, o.milestone), cmp.Compare(s.from, o.from))
}

// dueList has the spans of the whole ledger, or of one agreement, in their order
// and in blocks. A block says of its spans what lets a question pass it over:
// what was met long ago, or not begun, costs nothing.
type dueList struct {
	blocks []*dueBlock
}

type dueBlock struct {
	spans []uint32 // of the timeline
	since uint64   // the first of them began
	until uint64   // the last of them ended, of those that did
	open  int      // those that did not
}

// A block that has grown to so many spans is parted in two.
const dueInBlock = 256

// add adds a span.
func (t *dueList) add(l *timeline, span uint32) {
	if len(t.blocks) == 0 {
		t.blocks = []*dueBlock{{since: math.MaxUint64}}
	}
	i := t.find(l, span)
	b := t.blocks[i]
	at, _ := slices.BinarySearchFunc(b.spans, span, l.compareSpans)
	b.spans = slices.Insert(b.spans, at, span)
	b.count(&l.spans[span])
	if len(b.spans) == dueInBlock {
		half := dueInBlock / 2
		t.blocks = slices.Replace(t.blocks, i, i+1, newDueBlock(l, b.spans[:half]), newDueBlock(l, b.spans[half:]))
	}
}

// end notes that a span which had no end has one.
func (t *dueList) end(l *timeline, span uint32) {
	b := t.blocks[t.find(l, span)]
	b.open--
	b.until = max(b.until, l.spans[span].to)
}

// find finds the block in which a span has its place.
func (t *dueList) find(l *timeline, span uint32) int {
	after := sort.Search(len(t.blocks), func(i int) bool {
		first := t.blocks[i].spans
		return len(first) > 0 && l.compareSpans(first[0], span) > 0
	})
	return max(after-1, 0)
}

func (l *timeline) compareSpans(a, b uint32) int { return l.spans[a].compare(&l.spans[b]) }

func newDueBlock(l *timeline, spans []uint32) *dueBlock {
	b := &dueBlock{spans: append(make([]uint32, 0, dueInBlock), spans...), since: math.MaxUint64}
	for _, span := range spans {
		b.count(&l.spans[span])
	}
	return b
}

// count counts one of the spans of a block.
func (b *dueBlock) count(s *dueSpan) {
	b.since = min(b.since, s.from)
	if s.to == stillDue {
		b.open++
	} else {
		b.until = max(b.until, s.to)
	}
}

// walk calls f with each span after event seq that is due by a day, until it says
// no.
func (t *dueList) walk(l *timeline, seq uint64, by domain.Date, f func(*dueSpan) (more bool)) {
	for _, b := range t.blocks {
		if b.since > seq || b.open == 0 && b.until <= seq {
			continue
		}
		for _, span := range b.spans {
			s := &l.spans[span]
			if s.due > by {
				return
			}
			if s.from <= seq && seq < s.to && !f(s) {
				return
			}
		}
	}
}

// setDue takes in that a milestone, or the project that it is of, is another after
// an event.
func (l *timeline) setDue(id int64, seq uint64) {
	m := &l.seen[id]
	project := &l.seen[m.parent]
	due := m.due
	if project.ended {
		due = 0
	}
	of := l.dueOf[int64(project.parent)]
	if m.span != 0 {
		s := &l.spans[m.span-1]
		if s.due == due {
			return
		}
		s.to = seq
		l.due.end(l, m.span-1)
		of.end(l, m.span-1)
		m.span = 0
	}
	if due == 0 {
		return
	}
	if of == nil {
		of = &dueList{}
		l.dueOf[int64(project.parent)] = of
	}
	span := uint32(len(l.spans))
	l.spans = append(l.spans, dueSpan{due, project.parent, m.parent, uint32(id), seq, stillDue})
	m.span = span + 1
	l.due.add(l, span)
	of.add(l, span)
}

// dueAt calls f with what an agreement's entity has that is due by a day, or all for
// 0, at the point of a question, until it says no.
func (l *timeline) dueAt(q *query, of int64, by domain.Date, f func(*dueSpan) (more bool)) error {
	if err := l.readOn(q); err != nil {
		return err
	}
	defer l.mu.RUnlock()
	t := &l.due
	if of != 0 {
		if t = l.dueOf[of]; t == nil {
			return nil
		}
	}
	t.walk(l, q.at.Seq, by, f)
	return nil
}
