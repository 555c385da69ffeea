package projections_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// rebuilt makes read models of a log and closes them.
func rebuilt(t *testing.T, log projections.Log, now func() time.Time) (dir string) {
	t.Helper()
	dir = t.TempDir()
	m := models(t, dir, now)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	return dir
}

// present is the aggregate as a ledger has it that begins with its past.
func present(t tb, m *projections.Models, log *memory, ref domain.Ref) (now domain.Snapshot, later []uint64) {
	t.Helper()
	kind, ok := catalogue.Aggregate(ref.Kind)
	require.True(t, ok)
	now, later, upTo, err := m.Past(context.Background(), ref)
	require.NoError(t, err)
	require.Equal(t, m.Position().Seq, upTo)
	for _, seq := range later {
		require.Greater(t, seq, now.Seq)
		rec, err := log.Get(context.Background(), seq)
		require.NoError(t, err)
		env, event, err := catalogue.Decode(rec.Data)
		require.NoError(t, err)
		require.Equal(t, now.Version+1, env.Version)
		now = domain.Snapshot{State: kind.Evolve(now.State, event), Seq: seq, Version: env.Version}
	}
	return now, later
}

// seen has read models see that they are of log, as they do when they follow it.
func seen(t tb, m *projections.Models, log *memory) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Follow(ctx, log) }()
	require.Eventually(t, func() bool {
		_, _, upTo, err := m.Past(ctx, domain.Ref{Kind: "party", Key: "wuxi"})
		return err == nil && upTo > 0
	}, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

// Whatever is remembered of aggregates, and whenever it was let go, written, read or made
// again, a snapshot and the events after it give the state that all events give.
func TestASnapshotAndWhatCameLaterGiveTheState(t *testing.T) {
	check(t, func(t *rapid.T) {
		l, log := inMemory(t)
		l.wander(t, 20)
		opts := projections.Options{Ledger: "test", Now: at("2024-06-15"), CacheParts: rapid.SampledFrom([]int{1, 20, 1 << 18}).Draw(t, "cache")}
		dir, err := os.MkdirTemp("", "read-models-")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		opts.Dir = dir
		m, err := projections.Open(context.Background(), opts)
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		for range 3 {
			l.ask(t, anything, 20)
			switch rapid.IntRange(0, 2).Draw(t, "then") {
			case 0:
				followTo(t, m, log, l.seq)
				_, err := m.Rebuild(context.Background(), log, nil)
				require.NoError(t, err)
			case 1:
				followTo(t, m, log, l.seq)
				require.NoError(t, m.Close())
				m, err = projections.Open(context.Background(), opts)
				require.NoError(t, err)
				seen(t, m, log)
			default:
				followTo(t, m, log, l.seq)
			}
			for ref, state := range l.world {
				got, _ := present(t, m, log, ref)
				require.Equal(t, state, got.State, ref)
				require.Equal(t, l.versions[ref], got.Version, ref)
			}
		}
	})
}

// The first command on an aggregate reads no events of it, however many there are,
// once the server has had a moment, was stopped, or has made its read models.
func TestASnapshotIsOfTheLastEventWhenAllIsQuiet(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	l.report(40)
	project := domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"}
	dir := t.TempDir()
	none := func(m *projections.Models) {
		t.Helper()
		got, later := present(t, m, log, project)
		require.Empty(t, later)
		require.Equal(t, l.world[project], got.State)
	}

	m := models(t, dir, at("2024-06-15"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	none(m)

	stop := follow(t, m, log)
	l.report(1)
	reach(t, m, l.seq)
	none(m)

	l.report(400) // a crowd: there is one of it at the latest when it stops
	reach(t, m, l.seq)
	require.NoError(t, stop())
	require.NoError(t, m.Close())
	m = models(t, dir, at("2024-06-15"))
	seen(t, m, log)
	none(m)
}

// What is not what was written is not believed: the events are read instead. So are they
// where a program with other states wrote it.
func TestASnapshotThatIsNotWhatWasWrittenIsNotBelieved(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	l.report(10)
	project := domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"}
	for name, sql := range map[string]string{
		"the state":       `UPDATE snapshot SET state = CAST(replace(CAST(state AS TEXT), '"en":"', '"en":"Not ') AS BLOB)`,
		"the sequence":    `UPDATE snapshot SET seq = seq + 1`,
		"the version":     `UPDATE snapshot SET version = version + 1`,
		"the sum":         `UPDATE snapshot SET sum = zeroblob(32)`,
		"another program": `UPDATE meta SET value = 'others' WHERE name = 'states'`,
		"no sum":          `UPDATE snapshot SET sum = x''`,
		"another's":       `UPDATE snapshot SET (seq, version, sum, state) = (SELECT seq, version, sum, state FROM snapshot ORDER BY entity LIMIT 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := rebuilt(t, log, at("2024-06-15"))
			edit(t, dir, sql)
			m := models(t, dir, at("2024-06-15"))
			seen(t, m, log)
			got, later := present(t, m, log, project)
			require.Len(t, later, int(l.versions[project]))
			require.Equal(t, l.world[project], got.State)
			// and the projector goes on from the events, too
			stop := follow(t, m, log)
			l.report(1)
			reach(t, m, l.seq)
			require.NoError(t, stop())
			now, _ := present(t, m, log, project)
			require.Equal(t, l.world[project], now.State)
		})
	}
}

// A snapshot that agrees with itself, but not with the log, is what a replay names,
// whatever event it says that it is of.
func TestReplayNamesASnapshotThatTheLogDoesNotGive(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	project := domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"}
	kind, _ := catalogue.Aggregate("project")
	dir := t.TempDir()
	m := models(t, dir, at("2024-06-15"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.True(t, replayed(t, m, log).Identical)
	is, _ := present(t, m, log, project)
	require.NoError(t, m.Close())
	state, err := kind.Encode(is.State)
	require.NoError(t, err)
	forged := bytes.Replace(state, []byte(`"en":"`), []byte(`"en":"Not `), 1)
	require.NotEqual(t, state, forged)

	for _, c := range []struct {
		name         string
		seq, version uint64
		what         string
	}{
		{"of its last event", is.Seq, is.Version, "it is not the state that the log gives"},
		{"of another's event", 1, 1, "it is of no event of this aggregate"},
		{"of no event", 0, 0, "it is not what was written"},
		{"of an event to come", l.seq + 1, is.Version, "it is not what was written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, dir)
			sum := projections.SnapshotSum(eventstore.Subject("test", "framework", "project", "iot-base"), c.seq, c.version, 1, forged)
			edit(t, dir, "UPDATE snapshot SET state = ?, sum = ?, weight = 1, seq = ?, version = ? WHERE seq = ?", forged, sum[:], int64(c.seq), int64(c.version), int64(is.Seq))
			r := replayed(t, models(t, dir, at("2024-06-15")), log)
			require.Equal(t, &projections.Difference{
				Code: projections.DiffersTables, Seq: c.seq, Agreement: "framework", Entity: "project/iot-base", What: "table snapshot: " + c.what,
			}, r.Difference)
		})
	}
}

// What was written of a state is what the rows that follow are made of.
func TestRowsAfterASnapshotAreThoseOfTheLog(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	id := amendment.ID{Agreement: "framework", Amendment: "research"}
	meta := domain.Meta{Actor: "li.wei"}
	l.record(id.Ref(), amendment.AmendmentProposed{
		ID: id, Title: text("R&D"), Rationale: text("<more>"), Document: domaintest.Text2, ReasonCode: "scope-change", On: day("2024-06-10"), Parties: []domain.Key{"wuxi", "cethik"},
		Changes: []domain.Clause{domain.Clause(`{"command":"add-area","area":"rd","title":{"en":"R&D <and> ` + "\u2028" + `more"}}`)},
	}, meta)
	dir := rebuilt(t, log, nil)

	l.record(id.Ref(), amendment.Signed{ID: id, Party: "wuxi", Signatory: "Li Wei", Date: day("2024-06-11"), Document: domaintest.Text2}, meta)
	m := models(t, dir, nil)
	stop := follow(t, m, log)
	reach(t, m, l.seq)
	require.NoError(t, stop())
	r := replayed(t, m, log)
	require.True(t, r.Identical, r.Difference)
}

// Read models that are of another log, or ahead of theirs, say nothing of its past.
func TestThereIsNoPastOfAnotherLog(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	dir := rebuilt(t, log, nil)
	says := func(m *projections.Models) bool {
		s, later, upTo, err := m.Past(t.Context(), domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"})
		require.NoError(t, err)
		require.Equal(t, upTo > 0, s.Seq > 0)
		require.Empty(t, later)
		return upTo > 0
	}

	m := models(t, dir, nil)
	require.False(t, says(m), "it was not seen yet")
	var foreign *projections.ForeignLogError
	require.ErrorAs(t, m.Follow(t.Context(), log.until(l.seq-1)), &foreign)
	require.False(t, says(m))

	stop := follow(t, m, log)
	require.Eventually(t, func() bool { return says(m) }, 10*time.Second, time.Millisecond)
	require.NoError(t, stop())
}

// The states that events make are those that they made when this version of states
// began: a program that makes others of them must not believe former snapshots, and says
// so by the next stateVersion. What is there only grows, with types of events.
func TestStatesAreThoseOfTheirVersion(t *testing.T) {
	golden := filepath.Join("testdata", fmt.Sprintf("states-%d.txt", projections.StateVersion))
	held, _ := os.ReadFile(golden) // none is there of a new version
	was := map[string]string{}
	for line := range strings.Lines(string(held)) {
		name, sum, _ := strings.Cut(strings.TrimSpace(line), " ")
		was[name] = sum
	}
	var missing strings.Builder
	for _, e := range catalogue.EventTypes() {
		stored, err := os.ReadFile(filepath.Join("..", "domain", "catalogue", "testdata", "golden", e.Type+".json"))
		require.NoError(t, err)
		env, event, err := catalogue.Decode(bytes.TrimSpace(stored))
		require.NoError(t, err)
		kind, _ := catalogue.Aggregate(env.Ref.Kind)
		once := kind.Evolve(nil, event)
		state, err := kind.Encode(kind.Evolve(once, event))
		require.NoError(t, err)
		is := fmt.Sprintf("%x", sha256.Sum256(state))[:16]
		if was[e.Type] == "" {
			fmt.Fprintln(&missing, e.Type, is)
			continue
		}
		require.Equal(t, was[e.Type], is, "%s makes another state than it did: raise stateVersion", e.Type)
	}
	require.Empty(t, missing.String(), "add these lines to %s", golden)
}

// A file of a program that had no snapshots serves, and has them from then on.
func TestAFileWithoutSnapshotsIsGivenSome(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	l.report(10)
	dir := rebuilt(t, log, at("2024-06-15"))
	execute(t, dir, "DROP TABLE snapshot; DELETE FROM meta WHERE name = 'states';")

	m := models(t, dir, at("2024-06-15"))
	stop := follow(t, m, log)
	l.report(1)
	reach(t, m, l.seq)
	require.NoError(t, stop())

	_, later := present(t, m, log, domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"})
	require.Empty(t, later)
}

// A page of which SQLite can make nothing is a difference, and no failure to replay.
func TestReplayNamesAPageThatCannotBeRead(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	dir := rebuilt(t, log, nil)
	var page int64
	query(t, dir, "SELECT rootpage FROM sqlite_schema WHERE name = 'snapshot'", func(stmt *sqlite.Stmt) error {
		page = stmt.ColumnInt64(0)
		return nil
	})
	file, err := filepath.Glob(filepath.Join(dir, "*.db"))
	require.NoError(t, err)
	f, err := os.OpenFile(file[0], os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 100), (page-1)*4096)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	r := replayed(t, models(t, dir, nil), log)
	require.False(t, r.Identical)
	require.Equal(t, projections.DiffersTables, r.Difference.Code)
	require.Contains(t, r.Difference.What, "cannot be read")
}
