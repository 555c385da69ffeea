package projections_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// marked has every title in the events of a ledger begin with a word of its own,
// so that it can be looked for.
func (l *ledger) marked() {
	write := l.write
	l.write = func(subject string, data []byte, expect uint64) uint64 {
		said := strings.ReplaceAll(string(data), `"title":{"en":"`, `"title":{"en":"`+mark(l.seq+1)+` `)
		return write(subject, []byte(said), expect)
	}
}

func mark(seq uint64) string { return fmt.Sprintf("Titled%dx", seq) }

// viewed draws a view of what wander writes.
func viewed(t *rapid.T) projections.View {
	v := projections.View{Internal: rapid.Bool().Draw(t, "internal")}
	if rapid.IntRange(0, 4).Draw(t, "scope") == 0 {
		v.Agreements = rapid.SampledFrom([][]domain.Key{{}, {"framework"}, {"second"}, {"second", "framework"}}).Draw(t, "agreements")
	}
	for _, r := range []projections.Restriction{
		{Agreement: "framework", Project: "iot-base"}, {Agreement: "framework", Project: "town"}, {Agreement: "second", Project: "town"},
		{Agreement: "framework", Area: "iot"}, {Agreement: "framework", Area: "sensors"}, {Agreement: "framework", Area: "chips"},
	} {
		if rapid.IntRange(0, 3).Draw(t, "restricted") == 0 {
			v.Restricted = append(v.Restricted, r)
		}
	}
	// Who sees what is internal is cleared for everything: the two together are
	// TestWhoMayDoWhatIsInternal's.
	v.Internal = v.Internal && v.Restricted == nil
	return v
}

// viewOf makes the read models of a view of a log in one go.
func viewOf(t tb, log *memory, view projections.View) (m *projections.Models, done func()) {
	t.Helper()
	return followedView(t, log, view, func() uint64 { last, _ := log.Last(context.Background()); return last })
}

// followedView makes the read models of a view that is stopped, closed and opened
// again at each of the sequences that next gives, until the log's last.
func followedView(t tb, log *memory, view projections.View, next func() uint64) (m *projections.Models, done func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "view-")
	require.NoError(t, err)
	last, _ := log.Last(context.Background())
	for {
		at := next()
		m, err = projections.Open(context.Background(), projections.Options{Dir: dir, Ledger: "test", View: &view, CacheParts: 4})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		ended := make(chan error, 1)
		go func() { ended <- m.Follow(ctx, log.until(at)) }()
		require.NoError(t, m.Wait(ctx, at))
		cancel()
		require.NoError(t, <-ended)
		if at == last {
			return m, func() {
				require.NoError(t, m.Close())
				require.NoError(t, os.RemoveAll(dir))
			}
		}
		require.NoError(t, m.Close())
	}
}

// without is a log whose ledger never had some events: the sequences, and the
// versions of aggregates, are counted anew. number counts what is left up to a
// sequence of the log.
func without(t tb, log *memory, gone map[uint64]bool) (rest *memory, number func(uint64) uint64) {
	t.Helper()
	records, _ := log.all()
	rest = &memory{grown: make(chan struct{})}
	numbers, versions := []uint64{0}, map[string]uint64{}
	for _, r := range records {
		if !gone[r.Seq] {
			env, err := domain.DecodeEnvelope(r.Data)
			require.NoError(t, err)
			versions[r.Subject]++
			env.Version = versions[r.Subject]
			rest.append(r.Subject, env.Append(nil), 0)
		}
		numbers = append(numbers, uint64(len(rest.records)))
	}
	return rest, func(seq uint64) uint64 { return numbers[seq] }
}

var (
	sequences = regexp.MustCompile(`"(seq|since_seq|corrects_seq)":(\d+)`)
	versions  = regexp.MustCompile(`"version":\d+`)
)

// answers are everything with the events and the changes, and sequences counted
// by number.
func answers(t tb, m *projections.Models, at projections.Point, number func(uint64) uint64) map[string]string {
	t.Helper()
	all, ctx := everything(t, m, at), context.Background()
	if at.Seq > 0 {
		events, _, err := m.Events(ctx, projections.EventQuery{To: at.Seq, Page: projections.Page{Limit: 1000}})
		require.NoError(t, err)
		b, _ := json.Marshal(events)
		all["events"] = string(b)
	}
	changes, err := m.Changes(ctx, projections.ChangeQuery{To: at, Page: projections.Page{Limit: 1000}})
	require.NoError(t, err)
	b, _ := json.Marshal(changes.Changes)
	all["changes"] = string(b)
	for name, answer := range all {
		answer = versions.ReplaceAllString(answer, `"version":0`)
		all[name] = sequences.ReplaceAllStringFunc(answer, func(s string) string {
			found := sequences.FindStringSubmatch(s)
			seq, _ := strconv.ParseUint(found[2], 10, 64)
			return fmt.Sprintf("%q:%d", found[1], number(seq))
		})
	}
	return all
}

func itself(seq uint64) uint64 { return seq }

// cells is every text in the file of a view, with nothing left out.
func cells(t tb, m *projections.Models) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.Dir(), "read-v*.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadWrite)
	require.NoError(t, err)
	defer conn.Close()
	var tables []string
	var b strings.Builder
	require.NoError(t, sqlitex.Execute(conn, "SELECT name FROM sqlite_schema WHERE type = 'table'", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		tables = append(tables, s.ColumnText(0))
		return nil
	}}))
	require.Contains(t, tables, "word")
	for _, table := range tables {
		require.NoError(t, sqlitex.Execute(conn, "SELECT * FROM "+table, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			for i := range s.ColumnCount() {
				b.WriteString(s.ColumnText(i) + "\n")
			}
			return nil
		}}))
	}
	require.NoError(t, sqlitex.Execute(conn, "PRAGMA wal_checkpoint(TRUNCATE)", nil))
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	return b.String() + string(raw)
}

// A view is what read models of a ledger that never had the withheld events would
// be; nothing of these is in its file; and one that followed the log, closed and
// opened again on the way, is one that was made in one go.
func TestAViewIsALedgerWithoutWhatItWithholds(t *testing.T) {
	reached := map[string]int{}
	domaintest.Check(t, 10, func(t *rapid.T) { // each makes four read models
		// given a random history and a random view of it
		l, log := inMemory(t)
		l.marked()
		l.wander(t, 60)
		view := viewed(t)
		gone := withheldOf(t, view, log.records)
		if len(gone) > 0 {
			reached["something is withheld"]++
		}
		// when a view follows it from a random place on
		at := uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "loaded"))
		m, done := followedView(t, log, view, func() (next uint64) {
			next, at = at, min(l.seq, at+uint64(rapid.IntRange(1, 40).Draw(t, "chunk")))
			return next
		})
		defer done()
		// then it has the events that it should have, and no others
		for seq := uint64(1); seq <= l.seq; seq++ {
			seen, err := m.SeesEvent(context.Background(), seq)
			require.NoError(t, err)
			require.Equal(t, !gone[seq], seen, "event %d: %s", seq, log.records[seq-1].Data)
		}
		// and it is one that was made in one go
		once, done := viewOf(t, log, view)
		defer done()
		require.Equal(t, once.Position().Digest, m.Position().Digest)
		// and it answers as read models of the rest
		rest, number := without(t, log, gone)
		plain, done := fresh(t, rest)
		defer done()
		for range 2 {
			seq := uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "as of"))
			day := day("2024-05-01") + domain.Date(rapid.IntRange(0, 300).Draw(t, "day"))
			is := answers(t, m, projections.Point{Seq: seq, Day: day}, number)
			should := answers(t, plain, projections.Point{Seq: number(seq), Day: day}, itself)
			require.Equal(t, should, is)
			requireEffective(t, m, plain, seq, number)
		}
		// and nothing of what it withholds is in its file
		dump := cells(t, m)
		for seq := range gone {
			if strings.Contains(string(log.records[seq-1].Data), mark(seq)) {
				require.NotContains(t, dump, mark(seq))
				require.True(t, m.Names("it was called "+mark(seq)+" One by some") || !hasTitle(log.records[seq-1], view), "event %d: %s", seq, log.records[seq-1].Data)
				reached["a title is withheld"]++
			}
		}
	})
	for _, what := range []string{"something is withheld", "a title is withheld"} {
		domaintest.Reached(t, reached[what], what)
	}
}

// hasTitle reports whether an event in the scope of a view has its one title.
func hasTitle(r eventstore.Record, view projections.View) bool {
	env, _ := domain.DecodeEnvelope(r.Data)
	inScope := env.Ref.Agreement != "" && (view.Agreements == nil || strings.Contains(fmt.Sprint(view.Agreements), string(env.Ref.Agreement)))
	return inScope && strings.Contains(string(r.Data), mark(r.Seq)+` One"`)
}

// requireEffective compares the second axis of every agreement.
func requireEffective(t *rapid.T, m, plain *projections.Models, seq uint64, number func(uint64) uint64) {
	t.Helper()
	ctx := context.Background()
	agreements, _, err := m.Agreements(ctx, projections.Point{Seq: seq}, projections.Page{})
	require.NoError(t, err)
	for _, a := range agreements {
		by := day("2024-05-01") + domain.Date(rapid.IntRange(0, 90).Draw(t, "by"))
		of := func(m *projections.Models, seq uint64, number func(uint64) uint64) map[string]string {
			all := map[string]string{}
			at := projections.Point{Seq: seq, Day: by, Effective: by, Agreement: a.Agreement}
			everythingUnder(ctx, m, a.Agreement, at, func(what string, v any, err error) {
				b, _ := json.Marshal(v)
				all[what] = string(b) + fmt.Sprint(err)
			})
			for name, answer := range all {
				answer = versions.ReplaceAllString(answer, `"version":0`)
				all[name] = sequences.ReplaceAllStringFunc(answer, func(s string) string {
					found := sequences.FindStringSubmatch(s)
					seq, _ := strconv.ParseUint(found[2], 10, 64)
					return fmt.Sprintf("%q:%d", found[1], number(seq))
				})
			}
			return all
		}
		require.Equal(t, of(plain, number(seq), itself), of(m, seq, number))
	}
}
