package projections

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// query is one question, answered within one read transaction: everything it
// sees is of one moment of the file, and of the point at.
type query struct {
	conn  *sqlite.Conn
	words wordReader
	paths *textCache
	at    Point
}

// found is an entity that a query came upon.
type found struct {
	id   int64
	path string
}

// read answers a question as of a point. Read models that have not reached the
// point answer with a *BehindError.
func (m *Models) read(ctx context.Context, at Point, f func(*query) error) error {
	file, err := m.acquire(at.Seq)
	if err != nil {
		return err
	}
	defer file.inUse.Done()
	return file.read(ctx, func(conn *sqlite.Conn) error {
		return f(&query{conn: conn, words: wordReader{conn, &file.words}, paths: &file.paths, at: at})
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

// one finds the row of an aggregate, or of a part of it, or refuses with
// not-found.
func one[T any](q *query, t *table[T], ref domain.Ref, part string, row *T) (e found, err error) {
	e.path = ref.Path()
	kind, key := ref.Kind, ref.Key
	if part != "" {
		e.path += "/" + part
		kind, key = t.name, keyOf(part)
	}
	id, ok, err := selectInt(q.conn, selectEntity, string(ref.Agreement), e.path)
	if err != nil {
		return e, fmt.Errorf("find %s: %w", e.path, err)
	}
	if e.id = id; ok {
		ok, err = asOf(q, t, id, row)
	}
	if err != nil {
		return e, fmt.Errorf("read %s: %w", e.path, err)
	}
	if !ok {
		return e, domain.NotFound(kind, kind, key)
	}
	return e, nil
}

// listing is what a list asks for: the entities of a kind with one parent.
type listing struct {
	parent int64 // 0 for those of the whole ledger
	kind   string
	page   Page
	at     Point
}

// list reads a page of rows in the order in which their entities came.
func list[T any](q *query, t *table[T], l listing, finish func(*T, found) error) (items []T, next string, err error) {
	p, err := l.page.open(l.at, "list", t.name, fmt.Sprint(l.parent))
	if err != nil {
		return nil, "", err
	}
	items = []T{}
	var entities []found
	last := p.after
	err = each(q.conn, t.listSQL, []any{q.at.Seq, l.parent, l.kind, p.after, q.at.Seq}, func(stmt *sqlite.Stmt) (bool, error) {
		if len(items) == p.limit {
			next = p.cursor(last)
			return false, nil
		}
		var row T
		last = stmt.ColumnInt64(0)
		if _, err := t.scan(stmt, 2, &row, q.words); err != nil {
			return false, err
		}
		items = append(items, row)
		entities = append(entities, found{last, stmt.ColumnText(1)})
		return true, nil
	})
	for i := range items {
		if err == nil {
			err = finish(&items[i], entities[i])
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", t.name, err)
	}
	return items, next, nil
}

// version is the version of an aggregate at the point: that of its last event.
func (q *query) version(aggregate int64) (uint64, error) {
	v, _, err := selectInt(q.conn, "SELECT version FROM event WHERE aggregate = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", aggregate, q.at.Seq)
	return uint64(v), err
}

// path finds the path of an entity.
func (q *query) path(entity int64) (string, error) {
	return q.paths.get(q.conn, "SELECT path FROM entity WHERE id = ?", entity)
}
