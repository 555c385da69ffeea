package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/milepost-ledger/milepost/projections"
)

// portfolio measures the counts of all projects and milestones as of now, in
// ledgers of all sizes, and in the largest as of instants at random in its past.
func (b *bench) portfolio(ctx context.Context) (m measurement, err error) {
	if err := b.growth(ctx); err != nil {
		return m, err
	}
	ask := func(s *scaled, asOf func() projections.AsOf) func() error {
		return func() error {
			at, err := s.models.Resolve(ctx, asOf())
			if err != nil {
				return err
			}
			answer, err := s.models.Portfolio(ctx, "", at)
			if err == nil && answer.Items[0].Milestones == 0 {
				err = fmt.Errorf("no milestone was counted as of %v", at)
			}
			return err
		}
	}
	var questions []func() error
	for _, s := range b.scaled {
		questions = append(questions, ask(s, func() projections.AsOf { return "" }))
	}
	largest := b.scaled[len(b.scaled)-1]
	random := rand.New(rand.NewPCG(2017, 2022))
	p50, err := b.timed("portfolio", append(questions, ask(largest, func() projections.AsOf {
		at := largest.begin.Add(time.Duration(random.Int64N(int64(largest.now.At.Sub(largest.begin)))))
		return projections.AsOf(at.Format(time.RFC3339Nano))
	}))...)
	if err != nil {
		return m, err
	}
	m = b.grown(p50)
	m.Ratio = ptr(p50[len(b.scaled)] / *m.P50)
	return m, nil
}

// changesOverHTTP measures the same 100 changes as changes, as a client over HTTP
// gets them that keeps its connection.
func (b *bench) changesOverHTTP(ctx context.Context) (m measurement, err error) {
	if err := b.growth(ctx); err != nil {
		return m, err
	}
	return m, b.allServed(ctx, func(ctx context.Context, clients []*client) error {
		questions := make([]func() error, len(clients))
		for i, c := range clients {
			s, asked := b.scaled[i], 0
			questions[i] = func() error {
				asked++
				_, err := c.get(ctx, path("v1", "changes"), url.Values{
					"agreement": {string(s.quiet[asked%len(s.quiet)])}, "limit": {strconv.Itoa(changesWanted)},
				})
				return err
			}
		}
		p50, err := b.timed("changes-http", questions...)
		if err == nil {
			m = b.grown(p50)
		}
		return err
	})
}

// allServed serves the ledgers of all sizes while f runs.
func (b *bench) allServed(ctx context.Context, f func(ctx context.Context, clients []*client) error) error {
	serve := f
	for i := len(b.scaled) - 1; i >= 0; i-- {
		next := serve
		serve = func(ctx context.Context, clients []*client) error {
			return b.app.served(ctx, b.scaled[i].node, func(ctx context.Context, c *client) error {
				return next(ctx, append(clients, c))
			})
		}
	}
	return serve(ctx, nil)
}
