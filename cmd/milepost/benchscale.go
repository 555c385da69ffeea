package main

import (
	"context"
	"fmt"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// What is measured here must not depend on how long the history is: the same
// question, with an answer of the same size, is asked of ledgers of several
// sizes in turn.

const scaleAsked = 400 // questions of each kind to each ledger

// sized is how a question did on a ledger of a size.
type sized struct {
	Events uint64  `json:"events"`
	P50    float64 `json:"p50_ms"`
}

// scaled is a ledger of one size, with agreements in it that are of one size
// everywhere, and whose events are spread over its whole log.
type scaled struct {
	*node
	events uint64
	quiet  []domain.Key
	now    projections.Point
	half   projections.Point // in the middle of the log
	begin  time.Time         // ledger time when some milestones were scheduled
}

// ask asks one question about an agreement, and says how much came.
type ask func(ctx context.Context, s *scaled, of domain.Key) (items int, err error)

func askChanges(ctx context.Context, s *scaled, of domain.Key) (int, error) {
	answer, err := s.models.Changes(ctx, projections.ChangeQuery{To: s.now, Agreement: of, Page: projections.Page{Limit: changesWanted}})
	return len(answer.Changes), err
}

func askBlame(ctx context.Context, s *scaled, of domain.Key) (int, error) {
	answer, err := s.models.Changes(ctx, projections.ChangeQuery{
		To: s.now, Agreement: of, Entity: "project/project-0/milestone/milestone-0", Field: "forecast", Page: projections.Page{Limit: blameWanted},
	})
	return len(answer.Changes), err
}

func askAsOf(ctx context.Context, s *scaled, of domain.Key) (int, error) {
	if _, err := s.models.Agreement(ctx, of, s.half); err != nil {
		return 0, err
	}
	milestones, _, err := s.models.Milestones(ctx, of, "project-0", s.half, projections.Page{})
	return len(milestones), err
}

const blameWanted = 50

func (b *bench) changes(ctx context.Context) (measurement, error) {
	return b.scale(ctx, "changes", changesWanted, askChanges)
}

func (b *bench) blame(ctx context.Context) (measurement, error) {
	return b.scale(ctx, "blame", blameWanted, askBlame)
}

func (b *bench) asOf(ctx context.Context) (measurement, error) {
	return b.scale(ctx, "as-of", 1, askAsOf)
}

// scale asks a question of ledgers of all sizes in turn.
func (b *bench) scale(ctx context.Context, name string, want int, question ask) (m measurement, err error) {
	if err := b.growth(ctx); err != nil {
		return m, err
	}
	questions := make([]func() error, len(b.scaled))
	for i, s := range b.scaled {
		questions[i] = s.asking(ctx, want, question)
	}
	p50, err := b.timed(name, questions...)
	if err != nil {
		return m, err
	}
	return b.grown(p50), nil
}

// asking asks a question of one quiet agreement after the other.
func (s *scaled) asking(ctx context.Context, want int, question ask) func() error {
	asked := 0
	return func() error {
		items, err := question(ctx, s, s.quiet[asked%len(s.quiet)])
		if err == nil && items != want {
			err = fmt.Errorf("%d items came, want %d", items, want)
		}
		asked++
		return err
	}
}

// timed asks questions in turn and returns the p50 of each in milliseconds. What is
// asked for the first times fills caches and does not count.
func (b *bench) timed(name string, questions ...func() error) (p50 []float64, err error) {
	bar := b.app.bar(name, int64(scaleAsked*len(questions)), false)
	defer bar.finish()
	sides := make([]side, len(questions))
	for i, question := range questions {
		sides[i] = bar.step(func() (float64, error) {
			start := time.Now()
			err := question()
			return float64(time.Since(start).Nanoseconds()) / 1e6, err
		})
	}
	took, err := inTurn(scaleAsked, sides...)
	for _, ms := range took {
		p50 = append(p50, median(ms[scaledQuiet:]))
	}
	return p50, err
}

// grown is a measurement of the p50 of each ledger.
func (b *bench) grown(p50 []float64) (m measurement) {
	for i, s := range b.scaled {
		m.Sizes = append(m.Sizes, sized{s.events, p50[i]})
	}
	last := p50[len(b.scaled)-1]
	m.P50, m.Ours, m.Growth = &last, ptr(1e3/last), ptr(last/p50[0])
	return m
}

// growth makes the ledgers, once. Their read models are made from the log when
// that is full, as by rebuild.
func (b *bench) growth(ctx context.Context) error {
	for i := len(b.scaled); i < len(b.sizes); i++ {
		s, err := b.grow(ctx, b.sizes[i])
		if err != nil {
			return fmt.Errorf("a ledger of %d events: %w", b.sizes[i], err)
		}
		b.scaled = append(b.scaled, s)
	}
	return nil
}

func (b *bench) grow(ctx context.Context, events int) (*scaled, error) {
	n, err := b.node(ctx, fmt.Sprintf("size-%d", events))
	if err != nil {
		return nil, err
	}
	s := &scaled{node: n}
	n.halt()
	w := newWorkload(events)
	w.quiet = w.quiet[:1] // of the same size everywhere, so as many
	for i := 1; i < scaledQuiet; i++ {
		w.quiet = append(w.quiet, domain.Key(fmt.Sprintf("quiet-%d", i)))
	}
	s.quiet = w.quiet
	bar := b.app.bar(fmt.Sprintf("make %d events", events), int64(events), false)
	defer bar.finish()
	for done := 0; done < events; {
		text := w.chunk(done, min(20_000, events-done), events)
		sum, err := n.importText(ctx, text)
		if err != nil {
			return s, err
		}
		done += sum.Events
		bar.set(int64(done), int64(events))
	}
	if _, err := n.models.Rebuild(ctx, n.store, nil); err != nil {
		return s, err
	}
	n.run(ctx)
	if err := n.catchUp(ctx); err != nil {
		return s, err
	}
	if s.now, err = n.models.Resolve(ctx, ""); err != nil {
		return s, err
	}
	s.events = s.now.Seq
	if s.half, err = n.models.Resolve(ctx, projections.AsOf(fmt.Sprintf("seq:%d", s.now.Seq/2))); err != nil {
		return s, err
	}
	begin, err := n.models.Resolve(ctx, "seq:100")
	s.begin = begin.At
	return s, err
}

const scaledQuiet = 4
