package projections_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/projections"
)

// A row that was edited is found in whatever table it is, with what it is about.
func TestReplayNamesTheRowThatWasEdited(t *testing.T) {
	domaintest.Exhausting(t)
	// given the file of a history that has rows of every kind
	l, log := inMemory(t)
	l.everyKind()
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	for _, table := range tables(t, dir) {
		t.Run(table, func(t *testing.T) {
			// when a value in its last row is changed
			dir := copied(t, dir)
			seq, of, entity := spoil(t, dir, table)
			// then that is what the replay names
			r := replayed(t, models(t, dir, nil), log)
			require.NotNil(t, r.Difference)
			assert.Equal(t, projections.DiffersTables, r.Difference.Code)
			assert.Equal(t, seq, r.Difference.Seq, r.Difference)
			assert.Equal(t, of, string(r.Difference.Agreement), r.Difference)
			assert.Equal(t, entity, r.Difference.Entity, r.Difference)
			assert.Contains(t, r.Difference.What, "table "+table+": ")
		})
	}
}

// everyKind lets so much happen that every table has rows.
func (l *ledger) everyKind() {
	for range 300 {
		l.record(agreement.ID{Agreement: "another"}.Ref(), agreement.Suspended{}, domain.Meta{Actor: "li.wei"})
	}
	l.given(domaintest.Funded()...)
	l.given(domaintest.Measured()[len(domaintest.Running()):]...)
	iotFund, first := fund.ID{Agreement: framework.Agreement, Fund: "iot-fund"}, meeting.ID{Agreement: framework.Agreement, Meeting: "first"}
	l.given(
		fund.FundsDisbursed{ID: iotFund, Disbursement: "d-1", Commitment: "c-1", Project: base.Project, Value: domaintest.CNY("5"), On: day("2024-06-10")},
		fund.ExpenditureRecorded{ID: iotFund, Expenditure: "e-1", Disbursement: "d-1", Title: text("Sensors"), Value: domaintest.CNY("5"), On: day("2024-06-10")},
		meeting.MeetingScheduled{ID: first, Mechanism: "coordination", Title: text("First"), On: day("2024-06-10"), Members: []domain.Key{domaintest.City}},
		meeting.DecisionRecorded{ID: first, Decision: "d-1", Title: text("Go on")},
		meeting.ActionAssigned{ID: first, Action: "survey", Title: text("Survey"), Owner: domaintest.City, Due: day("2024-07-10")},
	)
	meta := domain.Meta{Actor: "li.wei", Reason: "supplier-delay", Note: "a note", Evidence: []domain.Hash{domaintest.File}}
	for seed := range 4000 {
		_, _ = l.try(anything.Example(seed), meta)
	}
}

// query runs SQL on the file in dir.
func query(t testing.TB, dir, sql string, row func(*sqlite.Stmt) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadOnly)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: row}))
}

// tables lists those of a file that an event writes rows to.
func tables(t testing.TB, dir string) (names []string) {
	query(t, dir, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('meta', 'position', 'word')", func(stmt *sqlite.Stmt) error {
		names = append(names, stmt.ColumnText(0))
		return nil
	})
	return names
}

func copied(t testing.TB, dir string) string {
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// spoil changes a value in the last row of a table, and says what the row was
// about.
func spoil(t testing.TB, dir, table string) (seq uint64, agreement, path string) {
	t.Helper()
	column, kind := "", ""
	query(t, dir, "SELECT name, type FROM pragma_table_info('"+table+"')", func(stmt *sqlite.Stmt) error {
		if column != "actor" { // of an event; of the others the last
			column, kind = stmt.ColumnText(0), stmt.ColumnText(1)
		}
		return nil
	})
	about := map[string]string{
		"entity":   "SELECT first_seq, agreement, path FROM entity v",
		"snapshot": "SELECT v.seq, e.agreement, e.path FROM snapshot v JOIN entity e ON e.id = v.entity",
		"event":    "SELECT v.seq, e.agreement, e.path FROM event v JOIN entity e ON e.id = v.aggregate",
		"change":   "SELECT v.id >> 16, e.agreement, e.path FROM change v JOIN entity e ON e.id = v.entity",
		"tile":     "SELECT v.id >> 4, iif(w.text = '-', '', w.text), iif(w.text = '-', '', 'agreement/' || w.text) FROM tile v JOIN word w ON w.id = v.tree",
	}[table]
	if about == "" {
		about = "SELECT v.from_seq, e.agreement, e.path FROM " + table + " v JOIN entity e ON e.id = v.entity"
	}
	query(t, dir, about+" ORDER BY v.rowid DESC LIMIT 1", func(stmt *sqlite.Stmt) error {
		seq, agreement, path = uint64(stmt.ColumnInt64(0)), stmt.ColumnText(1), stmt.ColumnText(2)
		return nil
	})
	require.NotZero(t, seq, "the history has no row in %s", table)
	value := map[string]string{"INTEGER": "coalesce(%s, 0) + 1", "TEXT": "%s || ' 1'", "BLOB": "zeroblob(length(%s))"}[kind]
	edit(t, dir, "UPDATE "+table+" SET "+column+" = "+strings.ReplaceAll(value, "%s", column)+" WHERE rowid = (SELECT max(rowid) FROM "+table+")")
	return seq, agreement, path
}

func TestReplayNamesALeafThatWasEdited(t *testing.T) {
	// given
	l, log := inMemory(t)
	n := l.story() + 1
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	edit(t, dir, "UPDATE event SET leaf = randomblob(32) WHERE seq = ?", n)
	m = models(t, dir, nil)
	// when the tables are read, too
	r := replayed(t, m, log)
	// then it is their fault
	require.NotNil(t, r.Difference)
	assert.Equal(t, projections.Difference{
		Code: projections.DiffersTables, Seq: n, Agreement: "framework", Entity: "project/iot-base", What: r.Difference.What,
	}, *r.Difference)
	assert.Contains(t, r.Difference.What, "table event: leaf is ")
	// and from the log alone nobody can tell whose
	r, err = m.Replay(t.Context(), log, projections.ReplayOptions{LogOnly: true})
	require.NoError(t, err)
	require.NotNil(t, r.Difference)
	assert.Equal(t, projections.DiffersHash, r.Difference.Code)
	assert.Equal(t, n, r.Difference.Seq)
}
