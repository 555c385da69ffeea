package projections_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/projections"
)

// Commands that come one after the other are beside each other in the index, and whoever
// chooses ids cannot have many of them in one place.
func TestCommandHash(t *testing.T) {
	last := int64(-1)
	for range 1000 {
		id := uuid.Must(uuid.NewV7()).String()
		hash := projections.CommandHash(id)
		require.GreaterOrEqual(t, hash>>15, last, id)
		last = hash >> 15
	}
	require.Less(t, projections.CommandHash("01a22858-0000-7000-8000-000000000000"), projections.CommandHash("01a22859-0000-7000-8000-000000000000"))
	alike := map[int64]bool{}
	for range 1000 {
		alike[projections.CommandHash("01a22858-0000-7000"+uuid.NewString()[18:])] = true
	}
	require.Greater(t, len(alike), 900)
	for _, id := range []string{"another key", uuid.NewString()} {
		require.Equal(t, projections.TextHash(id), projections.CommandHash(id))
	}
}

// Rows of a former program have another hash of the same ids.
func TestCommandsInRowsOfAFormerProgramAreFound(t *testing.T) {
	l, log := inMemory(t)
	ref := domain.Ref{Kind: "party", Key: "wuxi"}
	id := uuid.Must(uuid.NewV7()).String()
	seq := l.record(ref, party.Registered{Party: "wuxi", Title: domain.Text{"en": "Wuxi"}, Kind: "city"}, domain.Meta{IdempotencyKey: id})
	dir := t.TempDir()
	found := func() {
		m := models(t, dir, nil)
		stop := follow(t, m, log)
		reach(t, m, l.seq)
		for _, find := range []func() (uint64, bool, error){
			func() (uint64, bool, error) { return m.FindCommand(t.Context(), id) },
			func() (uint64, bool, error) { return m.FindCommandOf(t.Context(), ref, id) },
		} {
			at, ok, err := find()
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, seq, at)
		}
		require.NoError(t, stop())
		require.NoError(t, m.Close())
	}
	found()
	edit(t, dir, "UPDATE event SET command_hash = ? WHERE command_hash = ?", projections.TextHash(id), projections.CommandHash(id))
	found()
}

// An aggregate may have as many events as the ledger.
func TestACommandOfAnAggregateIsFoundByItsId(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	dir := t.TempDir()
	m := models(t, dir, nil)
	stop := follow(t, m, log)
	reach(t, m, l.seq)
	require.NoError(t, stop())
	require.NoError(t, m.Close())
	conn := onlyFile(t, dir)
	defer func() { require.NoError(t, conn.Close()) }()
	var plan []string
	require.NoError(t, sqlitex.Execute(conn, "EXPLAIN QUERY PLAN "+projections.SelectCommandOf, &sqlitex.ExecOptions{
		Args: []any{1, 2, "k", 3},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			plan = append(plan, stmt.GetText("detail"))
			return nil
		},
	}))
	require.Contains(t, plan[0], "USING INDEX event_command")
}
