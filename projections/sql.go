package projections

import (
	"fmt"

	"zombiezen.com/go/sqlite"
)

// bind binds values to the parameters of stmt from the first on.
func bind(stmt *sqlite.Stmt, args []any) {
	for i, a := range args {
		switch v := a.(type) {
		case int64:
			stmt.BindInt64(i+1, v)
		case int:
			stmt.BindInt64(i+1, int64(v))
		case uint64:
			stmt.BindInt64(i+1, int64(v))
		case string:
			stmt.BindText(i+1, v)
		case []byte:
			stmt.BindBytes(i+1, v)
		default:
			panic(fmt.Sprintf("projections: cannot bind a %T", a))
		}
	}
}

// each runs a query and calls f for each of its rows, until f says no. Rows
// come as they are found, so a query that is left early costs no more than one
// with a limit; and a limit that is bound would make SQLite prepare the query
// anew each time.
func each(conn *sqlite.Conn, query string, args []any, f func(*sqlite.Stmt) (more bool, err error)) (err error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	defer func() {
		if e := stmt.Reset(); err == nil {
			err = e
		}
	}()
	bind(stmt, args)
	for {
		found, err := stmt.Step()
		if err != nil || !found {
			return err
		}
		if more, err := f(stmt); err != nil || !more {
			return err
		}
	}
}

// selectInt returns the first column of the first row.
func selectInt(conn *sqlite.Conn, query string, args ...any) (n int64, found bool, err error) {
	err = each(conn, query, args, func(stmt *sqlite.Stmt) (bool, error) {
		n, found = stmt.ColumnInt64(0), true
		return false, nil
	})
	return n, found, err
}

// insert runs a statement that gives no rows.
func insert(conn *sqlite.Conn, query string, args ...any) error {
	return each(conn, query, args, func(*sqlite.Stmt) (bool, error) { return false, nil })
}
