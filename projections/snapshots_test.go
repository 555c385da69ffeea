package projections_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

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
	none(models(t, dir, at("2024-06-15")))
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
			dir := t.TempDir()
			m := models(t, dir, at("2024-06-15"))
			_, err := m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			require.NoError(t, m.Close())
			edit(t, dir, sql)
			m = models(t, dir, at("2024-06-15"))
			got, later := present(t, m, log, project)
			require.Len(t, later, int(l.versions[project]))
			require.Equal(t, l.world[project], got.State)
			// and the projector goes on from the events, too
			stop := follow(t, m, log)
			reach(t, m, l.seq)
			require.NoError(t, stop())
		})
	}
}

// A snapshot that agrees with itself, but not with the log, is what a replay names.
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
	state = bytes.Replace(state, []byte(`"en":"`), []byte(`"en":"Not `), 1)
	sum := projections.SnapshotSum(eventstore.Subject("test", "framework", "project", "iot-base"), is.Seq, is.Version, state)
	edit(t, dir, "UPDATE snapshot SET state = ?, sum = ? WHERE seq = ?", state, sum[:], int64(is.Seq))

	r := replayed(t, models(t, dir, at("2024-06-15")), log)
	require.Equal(t, &projections.Difference{
		Code: projections.DiffersTables, Seq: is.Seq, Agreement: "framework", Entity: "project/iot-base",
		What: "table snapshot: it is not the state that the log gives",
	}, r.Difference)
}

// A file of a program that had no snapshots serves, and has them from then on.
func TestAFileWithoutSnapshotsIsGivenSome(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	l.report(10)
	dir := t.TempDir()
	m := models(t, dir, at("2024-06-15"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	execute(t, dir, "DROP TABLE snapshot;")

	m = models(t, dir, at("2024-06-15"))
	stop := follow(t, m, log)
	l.report(1)
	reach(t, m, l.seq)
	require.NoError(t, stop())

	_, later := present(t, m, log, domain.Ref{Agreement: "framework", Kind: "project", Key: "iot-base"})
	require.Empty(t, later)
}
