package projections

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// query is one question, answered within one read transaction: everything it
// sees is of one moment of the file, and of the point at.
type query struct {
	conn  *sqlite.Conn
	words wordReader
	paths *textCache
	at    Point      // its Seq counts in the file at hand
	asked Point      // the same as it was asked
	axis  *effective // that the file is of; nil where it has the sequences of the log
	line  *timeline
	// visited counts the rows that walks of posting lists came to, for tests: it
	// is what a question costs.
	visited int
}

// found is an entity that a query came upon.
type found struct {
	id        int64
	agreement domain.Key
	path      string
}

// of returns the key of the aggregate that it is a part of, or is.
func (e found) of() domain.Key {
	_, path, _ := strings.Cut(e.path, "/")
	key, _, _ := strings.Cut(path, "/")
	return domain.Key(key)
}

// read answers a question as of a point. Read models that have not reached the
// point answer with a *BehindError.
func (m *Models) read(ctx context.Context, at Point, f func(*query) error) error {
	if m.opts.Asked != nil {
		defer m.opts.Asked(ctx)()
	}
	if at.Effective != 0 {
		return m.readEffective(ctx, at, f)
	}
	file, err := m.acquire(at.Seq)
	if err != nil {
		return err
	}
	defer file.inUse.Done()
	return file.read(ctx, func(conn *sqlite.Conn) error {
		return f(&query{conn: conn, words: wordReader{conn, &file.words}, paths: &file.paths, line: &file.timeline, at: at, asked: at})
	})
}

// asOf finds the version of an entity's row that holds at the point.
func asOf[T any](q *query, t *table[T], entity int64, row *T) (ok bool, err error) {
	err = each(q.conn, t.versionSQL, []any{entity, q.at.Seq}, func(stmt *sqlite.Stmt) (bool, error) {
		ok = true
		_, err := t.scan(stmt, 0, row, q.words)
		return false, err
	})
	return ok, err
}

// itemOf answers with the row of an aggregate, or refuses with not-found.
// finish fills in what is not in the row.
func itemOf[T any](ctx context.Context, m *Models, t *table[T], ref domain.Ref, at Point, finish func(*query, *T, found) error) (item T, err error) {
	return find(ctx, m, t, ref, ref.Path(), ref.Key, at, finish)
}

// partItem is itemOf for a part of an aggregate.
func partItem[T any](ctx context.Context, m *Models, t *table[T], ref domain.Ref, key domain.Key, at Point, finish func(*query, *T, found) error) (item T, err error) {
	return find(ctx, m, t, ref, ref.Path()+"/"+t.name+"/"+string(key), key, at, finish)
}

func find[T any](ctx context.Context, m *Models, t *table[T], ref domain.Ref, path string, key domain.Key, at Point, finish func(*query, *T, found) error) (item T, err error) {
	err = m.read(ctx, at, func(q *query) error {
		e, ok, err := q.entity(ref.Agreement, path)
		if ok && err == nil {
			ok, err = asOf(q, t, e.id, &item)
		}
		switch {
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		case !ok:
			return domain.NotFound(t.name, t.name, key)
		}
		return finish(q, &item, e)
	})
	return item, err
}

// listOf answers with a page of the rows of the entities of a kind that are
// below an aggregate, or for no aggregate with those of the whole ledger, in
// the order in which they came. It refuses with not-found.
func listOf[T any](ctx context.Context, m *Models, t *table[T], under domain.Ref, at Point, page Page, finish func(*query, *T, found) error) (items []T, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		var parent found
		if under != (domain.Ref{}) {
			parent, err = q.aggregate(under)
		} else {
			err = q.covers("")
		}
		if err != nil {
			return err
		}
		items, next, err = list(q, t, t.listSQL, []any{parent.id, t.name}, page, finish)
		return err
	})
	return items, next, err
}

// listBelow is listOf for the parts of all aggregates of a kind under an
// agreement.
func listBelow[T any](ctx context.Context, m *Models, t *table[T], under domain.Ref, kind string, at Point, page Page, finish func(*query, *T, found) error) (items []T, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		parent, err := q.aggregate(under)
		if err != nil {
			return err
		}
		items, next, err = list(q, t, t.belowSQL, []any{parent.id, kind, t.name}, page, finish)
		return err
	})
	return items, next, err
}

// list reads a page of rows with a query of table.go, of the entities that
// which selects.
func list[T any](q *query, t *table[T], query string, which []any, page Page, finish func(*query, *T, found) error) (items []T, next string, err error) {
	p, err := page.open(q.asked, "list", t.name, fmt.Sprint(which...))
	if err != nil {
		return nil, "", err
	}
	items, last, more, err := collect(q, t, query, which, p.after, p.limit, finish)
	if more {
		next = p.cursor(last)
	}
	return items, next, err
}

// all reads the rows that list would, to the end.
func all[T any](q *query, t *table[T], query string, which []any, finish func(*query, *T, found) error) ([]T, error) {
	items, _, _, err := collect(q, t, query, which, 0, math.MaxInt, finish)
	return items, err
}

// collect reads at most limit rows of entities after one of them. It returns
// the last of them, and whether there are more.
func collect[T any](q *query, t *table[T], query string, which []any, after int64, limit int, finish func(*query, *T, found) error) (items []T, last int64, more bool, err error) {
	items = []T{}
	var entities []found
	err = each(q.conn, query, slices.Concat(which, []any{after, q.at.Seq, q.at.Seq}), func(stmt *sqlite.Stmt) (bool, error) {
		if len(items) == limit {
			more = true
			return false, nil
		}
		var row T
		if _, err := t.scan(stmt, 3, &row, q.words); err != nil {
			return false, err
		}
		items = append(items, row)
		last = stmt.ColumnInt64(0)
		entities = append(entities, found{last, domain.Key(stmt.ColumnText(1)), stmt.ColumnText(2)})
		return true, nil
	})
	for i := range items {
		if err == nil {
			err = finish(q, &items[i], entities[i])
		}
	}
	if err != nil {
		return nil, 0, false, fmt.Errorf("list %s: %w", t.name, err)
	}
	return items, last, more, nil
}

// entity finds an entity by its path within an agreement.
func (q *query) entity(of domain.Key, path string) (e found, ok bool, err error) {
	if err := q.covers(of); err != nil {
		return e, false, err
	}
	e = found{agreement: of, path: path}
	e.id, ok, err = selectInt(q.conn, selectEntity, string(of), path)
	return e, ok, err
}

// aggregate finds an aggregate that had an event by the point, or refuses with
// not-found.
func (q *query) aggregate(ref domain.Ref) (found, error) {
	e, ok, err := q.entity(ref.Agreement, ref.Path())
	if ok && err == nil {
		var version uint64
		version, err = q.version(e.id)
		ok = version > 0
	}
	if err == nil && !ok {
		err = domain.NotFound(ref.Kind, ref.Kind, ref.Key)
	}
	return e, err
}

// version is the version of an aggregate at the point: that of its last event.
func (q *query) version(aggregate int64) (uint64, error) {
	v, _, err := selectInt(q.conn, "SELECT version FROM event WHERE aggregate = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", aggregate, q.at.Seq)
	return uint64(v), err
}

// latest is the version of an aggregate after everything in the file.
func (q *query) latest(aggregate int64) (uint64, error) {
	v, _, err := selectInt(q.conn, "SELECT version FROM event WHERE aggregate = ? ORDER BY seq DESC LIMIT 1", aggregate)
	return uint64(v), err
}

// path finds the path of an entity.
func (q *query) path(entity int64) (string, error) {
	return q.paths.get(q.conn, "SELECT path FROM entity WHERE id = ?", entity)
}
