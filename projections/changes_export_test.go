package projections

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"
)

// Visited lets a test count the rows that an answer cost.
func (c *Changes) Visited() int { return c.visited }

// Plans are how SQLite walks the lists of a question about changes.
func (m *Models) Plans(ctx context.Context, cq ChangeQuery) (plans []string, err error) {
	if err := cq.settle(); err != nil {
		return nil, err
	}
	err = m.read(ctx, cq.To, func(q *query) (err error) {
		c := conditions{q: q, form: changeForm}
		defer func() { err = errors.Join(err, c.close()) }()
		cq.ask(&c)
		err = c.walk(func(*sqlite.Stmt) (bool, error) { return false, nil })
		for _, e := range c.entries {
			err = errors.Join(err, each(q.conn, "EXPLAIN QUERY PLAN "+e.sql, nil, func(stmt *sqlite.Stmt) (bool, error) {
				plans = append(plans, stmt.ColumnText(3))
				return true, nil
			}))
		}
		return err
	})
	return plans, err
}
