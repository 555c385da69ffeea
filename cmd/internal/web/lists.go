package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// atMost bounds how much of a list a page looks through.
const atMost = 2000

// toEnd reads a list to its end, or as far as a page looks.
func toEnd[T any](read func(projections.Page) ([]T, string, error)) (all []T, err error) {
	page := projections.Page{Limit: projections.MaxLimit}
	for len(all) < atMost {
		items, next, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" {
			break
		}
		page.Cursor = next
	}
	return all, nil
}

// every reads a list of the ledger to its end: every(ctx, at, models.Parties).
func every[T any](ctx context.Context, at projections.Point, list func(context.Context, projections.Point, projections.Page) ([]T, string, error)) ([]T, error) {
	return toEnd(func(page projections.Page) ([]T, string, error) { return list(ctx, at, page) })
}

// everyOf reads a list of an agreement: everyOf(ctx, agreement, at, models.Projects).
func everyOf[T any](ctx context.Context, agreement domain.Key, at projections.Point,
	list func(context.Context, domain.Key, projections.Point, projections.Page) ([]T, string, error)) ([]T, error) {
	return toEnd(func(page projections.Page) ([]T, string, error) { return list(ctx, agreement, at, page) })
}

// everyIn reads a list of something in an agreement, such as the milestones of a
// project or the way of the money by party.
func everyIn[T any, Of ~string](ctx context.Context, agreement domain.Key, of Of, at projections.Point,
	list func(context.Context, domain.Key, Of, projections.Point, projections.Page) ([]T, string, error)) ([]T, error) {
	return toEnd(func(page projections.Page) ([]T, string, error) { return list(ctx, agreement, of, at, page) })
}
