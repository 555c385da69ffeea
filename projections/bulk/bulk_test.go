package bulk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/projections/bulk"
)

const schema = `PRAGMA page_size = 512;
CREATE TABLE thing (id INTEGER PRIMARY KEY, n INTEGER, s TEXT, b BLOB);
CREATE INDEX thing_n ON thing (n);
CREATE INDEX thing_n_id ON thing (n, id);
CREATE UNIQUE INDEX thing_s ON thing (s);
CREATE UNIQUE INDEX thing_all ON thing (id, s, n);
CREATE VIEW all_things AS SELECT * FROM thing;`

// thing is a row of the table.
type thing struct {
	id   int64
	n    *int64
	s, b string
}

// made is a file with the schema, at path.
func made(t require.TestingT, path string) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	require.NoError(t, err)
	for _, sql := range strings.Split(schema, ";\n") {
		require.NoError(t, sqlitex.ExecuteTransient(conn, sql, nil))
	}
	require.NoError(t, conn.Close())
}

func rootsOf(t require.TestingT, path string) map[string]uint32 {
	roots := map[string]uint32{}
	query(t, path, "SELECT name, rootpage FROM sqlite_schema", func(stmt *sqlite.Stmt) { roots[stmt.ColumnText(0)] = uint32(stmt.ColumnInt64(1)) })
	return roots
}

func query(t require.TestingT, path, sql string, row func(*sqlite.Stmt)) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = OFF", nil))
	require.NoError(t, sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		row(stmt)
		return nil
	}}))
}

func fill(t require.TestingT, path string, things []thing) error {
	roots := rootsOf(t, path)
	f, err := bulk.Open(path)
	require.NoError(t, err)
	table := f.Table(roots["thing"])
	ofN, ofBoth := f.Index(roots["thing_n"], 1, false), f.Index(roots["thing_n_id"], 2, false)
	ofS, ofAll := f.Index(roots["thing_s"], 1, true), f.Index(roots["thing_all"], 3, true)
	for _, x := range things {
		id, n, text := number(x.id), bulk.Value{}, bulk.Value{Type: bulk.Text, Text: x.s}
		if x.n != nil {
			n = number(*x.n)
		}
		require.NoError(t, table.Add(x.id, []bulk.Value{{}, n, text, {Type: bulk.Blob, Text: x.b}}))
		ofN.Add([]bulk.Value{n}, x.id)
		ofS.Add([]bulk.Value{text}, x.id)
		ofAll.Add([]bulk.Value{id, text, n}, x.id)
	}
	for _, x := range slices.Backward(things) { // the entries of an index come in any order
		n := bulk.Value{}
		if x.n != nil {
			n = number(*x.n)
		}
		ofBoth.Add([]bulk.Value{n, number(x.id)}, x.id)
	}
	for _, part := range []interface{ Close() error }{table, ofN, ofBoth, ofS, ofAll} {
		if err := part.Close(); err != nil {
			require.NoError(t, f.Abort())
			return err
		}
	}
	return f.Close()
}

func number(n int64) bulk.Value { return bulk.Value{Type: bulk.Int, Int: n} }

// things draws rows of all sizes: numbers of every width, texts that fit, fill and
// overflow a page.
func things(t *rapid.T) []thing {
	numbers := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64Range(-200, 200), rapid.Int64Range(-1<<17, 1<<17), rapid.Int64Range(-1<<33, 1<<33),
		rapid.Int64Range(math.MinInt64, math.MaxInt64), rapid.SampledFrom([]int64{127, 128, -128, -129, 1<<23 - 1, 1 << 23, -1 << 23, 1<<47 - 1, 1 << 47, -1 << 47}))
	sizes := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(80, 140), rapid.IntRange(380, 600), rapid.IntRange(900, 3000))
	list := make([]thing, rapid.IntRange(0, 400).Draw(t, "rows"))
	id := rapid.Int64Range(-300, 300).Draw(t, "first")
	for i := range list {
		x := &list[i]
		x.id = id
		id += rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(1, 1<<40)).Draw(t, "step")
		if n := numbers.Draw(t, "n"); rapid.IntRange(0, 9).Draw(t, "null") > 0 {
			x.n = &n
		}
		x.s = strings.Repeat("字", rapid.IntRange(0, 3).Draw(t, "words")) + rapid.StringN(0, 3, -1).Draw(t, "text") + strings.Repeat("x", sizes.Draw(t, "size")) + string(rune('A'+i%26)) + string(rune(0x4e00+i))
		x.b = strings.Repeat("\x00\xff", sizes.Draw(t, "blob")/2)
	}
	return list
}

func TestSQLiteReadsWhatWasWritten(t *testing.T) {
	dir, n := t.TempDir(), 0
	domaintest.Check(t, 60, func(t *rapid.T) {
		// given an empty schema
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		made(t, path)
		want := things(t)
		// when
		require.NoError(t, fill(t, path, want))
		// then the file is whole, and every index has what its table has
		query(t, path, "PRAGMA integrity_check", func(stmt *sqlite.Stmt) { assert.Equal(t, "ok", stmt.ColumnText(0)) })
		// and the rows are those that were given
		i := 0
		query(t, path, "SELECT id, n, s, b, typeof(n) FROM thing ORDER BY id", func(stmt *sqlite.Stmt) {
			x := want[i]
			i++
			require.Equal(t, x.id, stmt.ColumnInt64(0))
			require.Equal(t, x.s, stmt.ColumnText(2))
			b := make([]byte, stmt.ColumnLen(3))
			stmt.ColumnBytes(3, b)
			require.Equal(t, x.b, string(b))
			if x.n == nil {
				require.Equal(t, "null", stmt.ColumnText(4))
				return
			}
			require.Equal(t, *x.n, stmt.ColumnInt64(1))
		})
		require.Len(t, want, i)
		// and SQLite goes on from there
		for _, sql := range []string{"UPDATE thing SET n = id", "INSERT INTO thing (n, s) SELECT n, s || 'more' FROM thing", "DELETE FROM thing WHERE n % 2 = 0"} {
			query(t, path, sql, func(*sqlite.Stmt) {})
		}
		query(t, path, "PRAGMA integrity_check", func(stmt *sqlite.Stmt) { assert.Equal(t, "ok", stmt.ColumnText(0)) })
	})
}

// So many rows that their indexes are merged of several runs, and have branches of
// branches.
func TestManyRows(t *testing.T) {
	// given
	path := filepath.Join(t.TempDir(), "bulk.db")
	made(t, path)
	random := rand.New(rand.NewPCG(1, 2))
	list := make([]thing, 50_000)
	for i := range list {
		n := random.Int64N(5000) - 2500
		list[i] = thing{id: int64(3 * i), n: &n, s: fmt.Sprintf("%d of %d", random.Int64(), i)}
	}
	// when
	require.NoError(t, fill(t, path, list))
	// then
	query(t, path, "PRAGMA integrity_check", func(stmt *sqlite.Stmt) { assert.Equal(t, "ok", stmt.ColumnText(0)) })
	query(t, path, "SELECT count(*), sum(n) FROM thing INDEXED BY thing_n WHERE n >= 0", func(stmt *sqlite.Stmt) {
		count, sum := int64(0), int64(0)
		for _, x := range list {
			if *x.n >= 0 {
				count, sum = count+1, sum+*x.n
			}
		}
		assert.Equal(t, count, stmt.ColumnInt64(0))
		assert.Equal(t, sum, stmt.ColumnInt64(1))
	})
}

func TestWhatIsNotInOrderIsRefused(t *testing.T) {
	// given
	path := filepath.Join(t.TempDir(), "bulk.db")
	made(t, path)
	f, err := bulk.Open(path)
	require.NoError(t, err)
	table := f.Table(rootsOf(t, path)["thing"])
	require.NoError(t, table.Add(7, make([]bulk.Value, 4)))
	// when, then
	assert.ErrorContains(t, table.Add(7, make([]bulk.Value, 4)), "row 7 comes after row 7")
	assert.ErrorContains(t, table.Add(-1, make([]bulk.Value, 4)), "row -1 comes after row 7")
	require.NoError(t, f.Abort())
}

func TestAUniqueIndexHasEachKeyOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bulk.db")
	made(t, path)
	assert.ErrorIs(t, fill(t, path, []thing{{id: 1, s: "same"}, {id: 2, s: "other"}, {id: 3, s: "same"}}), bulk.ErrNotUnique)
}

func TestAFileOfAnotherFormIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bulk.db")
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	require.NoError(t, err)
	for _, sql := range []string{"PRAGMA encoding = 'UTF-16le'", "CREATE TABLE thing (id INTEGER PRIMARY KEY)"} {
		require.NoError(t, sqlitex.ExecuteTransient(conn, sql, nil))
	}
	require.NoError(t, conn.Close())
	_, err = bulk.Open(path)
	assert.ErrorContains(t, err, "not supported")
}
