package projections

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// file is one SQLite file of read models, complete and indexed: one connection
// that writes, owned by who holds Models.work, and some that read.
type file struct {
	path      string
	write     *sqlite.Conn
	readers   *sqlitex.Pool
	words     textCache
	paths     textCache // of entities
	timeline  timeline
	times     times
	projector *projector               // nil until the next event
	withheld  atomic.Pointer[withheld] // by a view; nil in the file of the whole ledger
	inUse     sync.WaitGroup           // questions under way
	former    string                   // why it is to be made anew; "" when this program made it
}

// A file of generation g is read-v<schema>-<g>.db. It gets that name only when
// it is complete; until then it ends in .load and is worth nothing.
func fileName(dir string, generation int) string {
	return filepath.Join(dir, baseName(schemaVersion, generation))
}

func baseName(schema, generation int) string {
	return fmt.Sprintf("read-v%d-%06d.db", schema, generation)
}

const loading = ".load"

// newest finds the newest complete file of this schema, and removes what is worth
// nothing: loads that were interrupted and, where there is one, every other file.
// Those of other schemas are left as long as they are all that there is: the program
// that made them can serve them.
func newest(dir string) (path string, generation int, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "read-v*.db*"))
	if err != nil {
		return "", 0, err
	}
	var complete []string // of another schema
	for _, name := range names {
		var v, g int
		n, _ := fmt.Sscanf(filepath.Base(name), "read-v%d-%06d.db", &v, &g)
		switch {
		case n != 2 || filepath.Base(name) != baseName(v, g):
		case v != schemaVersion:
			complete = append(complete, name)
		case g > generation:
			path, generation = name, g
		}
	}
	if path != "" {
		complete = []string{path}
	}
	return path, generation, removeOthers(dir, complete...)
}

// removeOthers removes the files of read models, and what belongs to them, but for
// those to keep.
func removeOthers(dir string, keep ...string) error {
	names, err := filepath.Glob(filepath.Join(dir, "read-v*.db*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.Contains(keep, strings.TrimSuffix(strings.TrimSuffix(name, "-wal"), "-shm")) {
			continue
		}
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// Remove removes the read models in dir, so that the next Open and Follow make
// them again from the log. Nobody may have them open.
func Remove(dir string) error {
	if err := removeOthers(dir); err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	return nil
}

// ownersAlone is the mode of the files, and so of what SQLite puts beside them: the
// read models have what the log has, and rights are asked for by the server alone.
const ownersAlone = 0o600

// readers is how many questions are answered at a time.
const readers = 8

// openFile opens a complete file, of the view of m if it has one.
func (m *Models) openFile(path string) (_ *file, err error) {
	f := &file{path: path}
	defer func() {
		if err != nil {
			_ = f.close()
			err = fmt.Errorf("open %s: %w", filepath.Base(path), err)
		}
	}()
	if err := os.Chmod(path, ownersAlone); err != nil { // an earlier version made it for all to read
		return nil, err
	}
	if f.write, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil {
		return nil, err
	}
	// The log is the truth: after a power cut the last transactions may be
	// gone, and are made again. The file is never corrupt.
	if err := settings(f.write, "journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 16384", "cache_size = -65536"); err != nil {
		return nil, err
	}
	if err := readySnapshots(f.write); err != nil { // a file of a former program has none
		return nil, err
	}
	if m.opts.View != nil {
		known, err := readWithheld(f.write, *m.opts.View, false)
		if err != nil {
			return nil, err
		}
		f.withheld.Store(known)
	}
	f.readers, err = openReaders(path, readers, 8192)
	return f, err
}

// openReaders opens connections that read, each with a cache of so many KiB.
func openReaders(path string, n, cache int) (*sqlitex.Pool, error) {
	return sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadOnly, PoolSize: n,
		PrepareConn: func(conn *sqlite.Conn) error {
			return settings(conn, fmt.Sprintf("cache_size = -%d", cache), "query_only = ON")
		},
	})
}

// judge finds out what the file is to this program. It can be asked, and go on, where
// it has every table and index of this schema as it is declared; it was made by
// another version all the same where former says so.
func (f *file) judge(ledger string, view bool) (former string, canBeAsked bool, err error) {
	meta := map[string]string{}
	err = each(f.write, "SELECT name, value FROM meta", nil, func(stmt *sqlite.Stmt) (bool, error) {
		meta[stmt.ColumnText(0)] = stmt.ColumnText(1)
		return true, nil
	})
	if err != nil {
		return "", false, err
	}
	if got := meta["ledger"]; got != ledger {
		return "", false, fmt.Errorf("projections: %s belongs to ledger %q, not to %q", f.path, got, ledger)
	}
	has := map[string]bool{}
	err = each(f.write, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", nil, func(stmt *sqlite.Stmt) (bool, error) {
		has[stmt.ColumnText(0)] = true
		return true, nil
	})
	if err != nil {
		return "", false, err
	}
	for statement := range strings.SplitSeq(createTables(view)+createIndexes(), ";\n") {
		if statement != "" && !has[statement] {
			return "they are of another schema", false, nil
		}
	}
	if projection := cmp.Or(meta["projection"], "0"); projection != strconv.Itoa(projectionVersion) {
		return fmt.Sprintf("they are of version %d.%s, and this program makes %d.%d", schemaVersion, projection, schemaVersion, projectionVersion), true, nil
	}
	if meta["schema"] != fingerprint() {
		return "they are of another schema, which can be asked", true, nil
	}
	return "", true, nil
}

// read runs f within one read transaction. When ctx ends meanwhile, that is the
// error.
func (f *file) read(ctx context.Context, do func(*sqlite.Conn) error) (err error) {
	defer func() {
		if ended := ctx.Err(); err != nil && ended != nil {
			err = ended // SQLite says only that it was interrupted
		}
	}()
	conn, err := f.readers.Take(ctx)
	if err != nil {
		return err
	}
	defer f.readers.Put(conn)
	if err := insert(conn, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		conn.SetInterrupt(nil) // the transaction ends whatever became of ctx
		if e := insert(conn, "ROLLBACK"); err == nil {
			err = e
		}
	}()
	return do(conn)
}

// close waits for the questions under way, and closes the file.
func (f *file) close() (err error) {
	f.inUse.Wait()
	if f.readers != nil {
		err = f.readers.Close()
	}
	if f.write != nil {
		if e := f.write.Close(); err == nil {
			err = e
		}
	}
	return err
}

// remove closes a file that was replaced, and deletes it.
func (f *file) remove() error {
	err := f.close()
	if e := f.unlink(); err == nil {
		err = e
	}
	return err
}

// unlink deletes the file, which who has it open still has.
func (f *file) unlink() (err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if e := os.Remove(f.path + suffix); e != nil && !os.IsNotExist(e) && err == nil {
			err = e
		}
	}
	return err
}
