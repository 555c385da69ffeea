package projections_test

import (
	"fmt"
	"math"
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
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

func replaceOnce(s, old, new string) string { return strings.Replace(s, old, new, 1) }

// told makes read models of a story.
func told(t *testing.T) (l *ledger, m *projections.Models, before uint64) {
	t.Helper()
	l, log := inMemory(t)
	before = l.story()
	m = models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	return l, m, before
}

func requireRefused(t testing.TB, err error, code string) {
	t.Helper()
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	require.Equal(t, code, r.Code)
}

func TestPagesNeverRepeatOrSkip(t *testing.T) {
	// given 25 parties, and more to come
	l, log := inMemory(t)
	register := func(i int) {
		l.do(party.Register{Party: domain.Key(fmt.Sprintf("party-%03d", i)), Title: text("Party"), Kind: "academic"})
	}
	for i := range 25 {
		register(i)
	}
	m := models(t, t.TempDir(), at("2024-06-11"))
	follow(t, m, log)
	reach(t, m, l.seq)
	for _, asOf := range []projections.AsOf{"", "2024-06-11"} { // today means now
		t.Run("as of "+string(asOf), func(t *testing.T) {
			before := int(l.seq)
			// when the list is read in pages while others are registered
			var got []string
			page := projections.Page{Limit: 10}
			for {
				p, err := m.ResolvePage(t.Context(), asOf, page)
				require.NoError(t, err)
				assert.Equal(t, "2024-06-11", p.Day.String())
				items, next, err := m.Parties(t.Context(), p, page)
				require.NoError(t, err)
				for _, item := range items {
					got = append(got, string(item.Party))
				}
				if page.Cursor = next; next == "" {
					break
				}
				register(int(l.seq))
				reach(t, m, l.seq)
			}
			// then it is the list as of the first page
			require.Len(t, got, before)
			for i, key := range got {
				assert.Equal(t, fmt.Sprintf("party-%03d", i), key)
			}
		})
	}
	t.Run("a page that ends with the list has no next", func(t *testing.T) {
		items, next, err := m.Parties(t.Context(), projections.Point{Seq: 25}, projections.Page{Limit: 25})
		require.NoError(t, err)
		assert.Len(t, items, 25)
		assert.Empty(t, next)
	})
	t.Run("foreign cursors are refused", func(t *testing.T) {
		now := projections.Point{Seq: 25}
		_, cursor, err := m.Parties(t.Context(), now, projections.Page{Limit: 10})
		require.NoError(t, err)
		require.NotEmpty(t, cursor)
		_, _, err = m.Agreements(t.Context(), now, projections.Page{Cursor: cursor})
		requireRefused(t, err, projections.CodeInvalidCursor)
		_, err = m.Changes(t.Context(), projections.ChangeQuery{To: now, Page: projections.Page{Cursor: cursor}})
		requireRefused(t, err, projections.CodeInvalidCursor)
		_, _, err = m.Parties(t.Context(), projections.Point{Seq: 24}, projections.Page{Cursor: cursor})
		requireRefused(t, err, projections.CodeInvalidCursor)
		for _, bad := range []string{"x", "AAAA", cursor + "AA", "öö"} {
			_, _, err = m.Parties(t.Context(), now, projections.Page{Cursor: bad})
			requireRefused(t, err, projections.CodeInvalidCursor)
		}
	})
	t.Run("a cursor of a longer log is refused", func(t *testing.T) {
		other, log := inMemory(t)
		other.do(party.Register{Party: "wuxi", Title: text("Wuxi"), Kind: "academic"})
		short := models(t, t.TempDir(), at("2024-06-11"))
		follow(t, short, log)
		reach(t, short, 1)
		_, cursor, err := m.Parties(t.Context(), projections.Point{Seq: 25}, projections.Page{Limit: 10})
		require.NoError(t, err)
		_, err = short.ResolvePage(t.Context(), "", projections.Page{Cursor: cursor})
		requireRefused(t, err, projections.CodeInvalidCursor)
	})
	t.Run("limits", func(t *testing.T) {
		for _, limit := range []int{-1, projections.MaxLimit + 1} {
			_, _, err := m.Parties(t.Context(), projections.Point{}, projections.Page{Limit: limit})
			requireRefused(t, err, projections.CodeInvalidLimit)
		}
	})
}

func TestEvents(t *testing.T) {
	// given
	l, m, before := told(t)
	list := func(q projections.EventQuery) (all []projections.EventItem) {
		t.Helper()
		q.Page.Limit = 3
		for {
			items, next, err := m.Events(t.Context(), q)
			require.NoError(t, err)
			all = append(all, items...)
			if q.Page.Cursor = next; next == "" {
				return all
			}
		}
	}
	// then every event is there once, in order
	all := list(projections.EventQuery{})
	require.Len(t, all, int(l.seq))
	for i, e := range all {
		assert.EqualValues(t, i+1, e.Seq)
	}
	assert.JSONEq(t, fmt.Sprintf(`{"seq": %d, "event_id": "01900000-0000-7000-8000-0000000000%d", "type": "milepost.project.milestone-reforecast.v1",
		"agreement": "framework", "aggregate": "project/iot-base", "version": 7, "actor": "wang.fang", "party": "cethik", "effective": "2024-06-10",
		"recorded_at": "2024-06-10T08:00:00Z", "reason": "supplier-delay", "note": "the steel is late", "corrects": "", "corrects_seq": null, "command_id": "command-01900000-0000-7000-8000-0000000000%d"}`,
		before+1, before+1, before+1), toJSON(t, all[before]))
	// and each filter gives its part
	for name, c := range map[string]struct {
		q    projections.EventQuery
		want func(e projections.EventItem) bool
	}{
		"agreement": {projections.EventQuery{Agreement: "framework"}, func(e projections.EventItem) bool { return e.Agreement == "framework" }},
		"kind":      {projections.EventQuery{Kind: "party"}, func(e projections.EventItem) bool { return strings.HasPrefix(e.Aggregate, "party/") }},
		"aggregate": {projections.EventQuery{Agreement: "framework", Kind: "project", Key: "iot-base"}, func(e projections.EventItem) bool { return e.Aggregate == "project/iot-base" }},
		"type":      {projections.EventQuery{Type: "milepost.agreement.signed.v1"}, func(e projections.EventItem) bool { return e.Type == "milepost.agreement.signed.v1" }},
		"actor":     {projections.EventQuery{Actor: "wang.fang"}, func(e projections.EventItem) bool { return e.Actor == "wang.fang" }},
		"party":     {projections.EventQuery{Party: "cethik"}, func(e projections.EventItem) bool { return e.Party == "cethik" }},
		"range":     {projections.EventQuery{After: 3, To: 9}, func(e projections.EventItem) bool { return e.Seq > 3 && e.Seq <= 9 }},
	} {
		t.Run(name, func(t *testing.T) {
			var want []projections.EventItem
			for _, e := range all {
				if c.want(e) {
					want = append(want, e)
				}
			}
			got := list(c.q)
			assert.NotEmpty(t, got)
			assert.Equal(t, want, got)
		})
	}
	t.Run("after what no log reaches", func(t *testing.T) {
		for _, after := range []uint64{l.seq, 1<<47 - 2, 1<<47 - 1, 1<<48 - 1, 1 << 63, math.MaxUint64} {
			items, next, err := m.Events(t.Context(), projections.EventQuery{After: after})
			require.NoError(t, err)
			assert.Empty(t, items, after)
			assert.Empty(t, next, after)
		}
	})
	t.Run("of a command", func(t *testing.T) {
		seq, ok, err := m.FindCommand(t.Context(), all[4].CommandID)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.EqualValues(t, 5, seq)
		_, ok, err = m.FindCommand(t.Context(), "unheard of")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

func TestColoursFollowTheDay(t *testing.T) {
	// given a milestone due on 30 September, with the tolerances of 14 and 30 days
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-09-30", 1)
	untouched := l.seq
	l.do(project.SetTolerance{ID: base, Amber: 1, Red: 2})
	l.do(project.Cancel{ID: base}, domain.Meta{Reason: "no more"})
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		day     string
		rag     string
		overdue bool
		seq     uint64
	}{
		{"2024-09-30", "green", false, untouched},
		{"2024-10-01", "green", true, untouched},
		{"2024-10-14", "green", true, untouched},
		{"2024-10-15", "amber", true, untouched},
		{"2024-10-30", "amber", true, untouched},
		{"2024-10-31", "red", true, untouched},
		{"2024-10-01", "green", true, untouched + 1},
		{"2024-10-02", "amber", true, untouched + 1},
		{"2024-10-03", "red", true, untouched + 1},
	} {
		t.Run(c.day, func(t *testing.T) {
			// when
			at := projections.Point{Seq: c.seq, Day: day(c.day)}
			i, err := m.Milestone(t.Context(), "framework", "iot-base", "design", at)
			require.NoError(t, err)
			p, err := m.Project(t.Context(), "framework", "iot-base", at)
			require.NoError(t, err)
			a, err := m.Agreement(t.Context(), "framework", at)
			require.NoError(t, err)
			// then the milestone, its project and its agreement say the same
			assert.Equal(t, [3]string{c.rag, c.rag, c.rag}, [3]string{i.RAG, p.RAG, a.RAG})
			assert.Equal(t, c.overdue, i.Overdue)
		})
	}
	t.Run("a cancelled project counts no more", func(t *testing.T) {
		a, err := m.Agreement(t.Context(), "framework", projections.Point{Seq: l.seq, Day: day("2025-01-01")})
		require.NoError(t, err)
		assert.Equal(t, [2]any{"", 0}, [2]any{a.RAG, a.Projects})
		assert.Nil(t, a.Percent)
	})
}

// Who opens the file finds texts and dates, by entity and sequence.
func TestViewsReadByHand(t *testing.T) {
	// given
	l, log := inMemory(t)
	before := l.story()
	dir := t.TempDir()
	m := models(t, dir, nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	require.NoError(t, err)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadOnly)
	require.NoError(t, err)
	defer conn.Close()
	rows := func(query string) (rows []string) {
		require.NoError(t, sqlitex.Execute(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			cells := make([]string, stmt.ColumnCount())
			for i := range cells {
				cells[i] = stmt.ColumnText(i)
			}
			rows = append(rows, strings.Join(cells, "|"))
			return nil
		}}))
		return rows
	}
	// then
	design := "agreement = 'framework' AND path = 'project/iot-base/milestone/design'"
	assert.Equal(t, []string{`met|2024-10-20|2024-06-09|["wuxi","cethik"]`}, rows("SELECT state, forecast, met_on, confirmed_by FROM milestone_now WHERE "+design))
	history := rows("SELECT from_seq, to_seq, forecast FROM milestone_history WHERE " + design + " ORDER BY from_seq LIMIT 3")
	assert.Equal(t, fmt.Sprintf("%d|%d|2024-09-30", before, before+1), history[1])
	assert.Contains(t, history[2], "2024-10-20")
	assert.Equal(t, []string{`project/iot-base/milestone/design|forecast|"2024-09-30"|"2024-10-20"`},
		rows(fmt.Sprintf("SELECT entity, field, old, new FROM change_read WHERE id >> 16 = %d", before+1)))
	assert.Equal(t, []string{"project/iot-base|wang.fang|2024-06-10T08:00:00.000Z"}, rows(fmt.Sprintf("SELECT aggregate, actor, recorded_at FROM event_read WHERE seq = %d", before+1)))
	for _, table := range []string{"party", "agreement", "project", "milestone", "agreement_progress"} {
		assert.NotEmpty(t, rows("SELECT * FROM "+table+"_now"), table)
	}
}

func TestSignaturesThatBecameVoidDoNotCount(t *testing.T) {
	// given a draft that one party signed, and that was then revised
	l, log := inMemory(t)
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		l.do(party.Register{Party: p, Title: text("Party"), Kind: "academic"})
	}
	l.do(agreement.Draft{Agreement: "framework", Kind: "framework", Title: text("F"), Document: domaintest.Text1, Parties: []domain.Key{domaintest.City, domaintest.Group}})
	l.do(agreement.OpenConsultation{ID: framework})
	signed := l.do(agreement.Sign{ID: framework, Party: domaintest.City, Signatory: "A", Date: day("2024-06-01"), Document: domaintest.Text1})
	revised := l.do(agreement.Revise{ID: framework, Document: domaintest.Text2})
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	for seq, want := range map[uint64][]domain.Key{signed: {domaintest.City}, revised: {}} {
		// when
		a, err := m.Agreement(t.Context(), "framework", projections.Point{Seq: seq})
		// then
		require.NoError(t, err)
		assert.Equal(t, want, a.Signed)
	}
}
