package projections_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/projections"
)

// noSecrets withholds the area secrets of the framework.
var noSecrets = projections.View{Restricted: []projections.Restriction{{Agreement: "framework", Area: "secrets"}}}

var harbour = project.ID{Agreement: "framework", Project: "harbour-tunnel"}

// secretive is a real ledger with an agreement in effect, the project iot-base
// under way, and beside it an area secrets with the project harbour-tunnel in it.
func secretive(t *testing.T) (*ledger, *projections.Models, projections.Log) {
	t.Helper()
	l, store := stored(t)
	l.given(domaintest.Funded()...)
	l.given(domaintest.Measured()[len(domaintest.Running()):]...)
	l.do(agreement.AddArea{ID: framework, Area: "secrets", Title: text("What nobody knows")})
	l.do(agreement.AddArea{ID: framework, Area: "tunnels", Parent: "secrets", Title: text("Below ground")})
	l.do(project.Propose{Agreement: "framework", Project: "harbour-tunnel", Title: text("Tunnel under the harbour"), Kind: "town", Areas: []domain.Key{"tunnels"}})
	l.do(project.Schedule{ID: harbour, Milestone: "breakthrough", Title: text("Breakthrough at last"), Due: day("2025-01-01"), Confirming: []domain.Key{domaintest.City}})
	l.do(agreement.EstablishMechanism{
		ID: framework, Mechanism: "coordination", Kind: "coordination", Title: text("Coordination"), Cadence: "quarterly",
		Members: []domain.Key{domaintest.City, domaintest.Group},
	})
	m := models(t, t.TempDir(), nil)
	follow(t, m, store)
	reach(t, m, l.seq)
	return l, m, store
}

func viewsOf(t *testing.T, m *projections.Models, log projections.Log, opts projections.ViewsOptions) *projections.Views {
	t.Helper()
	v := projections.NewViews(m, log, opts)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// open opens a view that is in use until the test ends.
func open(t *testing.T, v *projections.Views, view projections.View) *projections.Models {
	t.Helper()
	m, err := v.Of(t.Context(), view)
	require.NoError(t, err)
	return m
}

func projectsIn(t *testing.T, m *projections.Models) (keys []domain.Key) {
	t.Helper()
	projects, _, err := m.Projects(t.Context(), "framework", projections.Point{Seq: m.Position().Seq}, projections.Page{})
	require.NoError(t, err)
	for _, p := range projects {
		keys = append(keys, p.Project)
	}
	return keys
}

func TestAViewHasOneName(t *testing.T) {
	a, b := projections.Restriction{Agreement: "a", Project: "p"}, projections.Restriction{Agreement: "a", Area: "q"}
	views := []projections.View{
		{}, {Internal: true}, {Agreements: []domain.Key{}}, {Agreements: []domain.Key{"a"}}, {Agreements: []domain.Key{"a", "b"}},
		{Restricted: []projections.Restriction{a}}, {Restricted: []projections.Restriction{b}}, {Restricted: []projections.Restriction{a, b}},
		{Restricted: []projections.Restriction{{Agreement: "a"}}},
	}
	names := map[string]bool{}
	for _, v := range views {
		names[v.Name()] = true
		assert.Regexp(t, "^[0-9a-f]{32}$", v.Name())
		assert.Equal(t, v.Internal && v.Agreements == nil && v.Restricted == nil, v.Whole())
	}
	assert.Len(t, names, len(views))
	// the order does not count, nor what is said twice or of what is out of scope
	same := projections.View{Agreements: []domain.Key{"b", "a", "b"}, Restricted: []projections.Restriction{b, a, b, {Agreement: "c", Project: "p"}}}
	assert.Equal(t, projections.View{Agreements: []domain.Key{"a", "b"}, Restricted: []projections.Restriction{{"a", "p", "q"}}}.Name(), same.Name())
}

func TestAViewIsFollowedWhileItIsUsed(t *testing.T) {
	// given a view of a ledger that goes on
	l, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	m := open(t, v, noSecrets)
	assert.Equal(t, []domain.Key{"iot-base"}, projectsIn(t, m))
	assert.Equal(t, []domain.Key{"iot-base", "harbour-tunnel"}, projectsIn(t, main))
	// when what it shows and what it does not goes on
	l.do(project.Schedule{ID: harbour, Milestone: "lining", Title: text("Lined"), Due: day("2025-01-02"), Confirming: []domain.Key{domaintest.City}})
	hidden := l.seq
	l.do(project.ReportProgress{MilestoneID: project.MilestoneID{Agreement: "framework", Project: "iot-base", Milestone: "site"}, Percent: 40})
	reach(t, m, l.seq)
	// then it has the one, and counts the other
	for seq, want := range map[uint64]bool{hidden: false, l.seq: true, l.seq + 1: false} {
		seen, err := m.SeesEvent(t.Context(), seq)
		require.NoError(t, err)
		assert.Equal(t, want, seen, seq)
	}
	for ref, want := range map[domain.Ref]bool{
		harbour.Ref(): false, domaintest.Base.Ref(): true, framework.Ref(): true, agreement.Ref("nothing"): false,
		restriction.Ref("framework"): false, {Kind: "party", Key: domaintest.City}: true,
	} {
		seen, err := m.Sees(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, want, seen, ref)
	}
	// and a point at an event that it has not is that of the one before
	at, err := m.Resolve(t.Context(), projections.AsOf(fmt.Sprintf("seq:%d", hidden)))
	require.NoError(t, err)
	assert.Equal(t, hidden, at.Seq)
	_, err = m.Project(t.Context(), "framework", "harbour-tunnel", at)
	refused(t, err, domain.CodeNotFound)
	// and everybody who asks gets the same
	again, err := v.Of(t.Context(), projections.View{Restricted: append(noSecrets.Restricted, noSecrets.Restricted...)})
	require.NoError(t, err)
	assert.Same(t, m, again)
	whole, err := v.Of(t.Context(), projections.View{Internal: true})
	require.NoError(t, err)
	assert.Same(t, main, whole)
	// and nothing that is of the whole log
	_, err = m.Rebuild(t.Context(), log, nil)
	assert.ErrorContains(t, err, "whole ledger")
	assert.ErrorContains(t, m.VerifyTables(t.Context()), "whole ledger")
}

func refused(t *testing.T, err error, code string) *domain.Rejected {
	t.Helper()
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	assert.Equal(t, code, r.Code)
	return r
}

// A lifted restriction is another view, which has everything.
func TestLiftingGivesEverythingBack(t *testing.T) {
	_, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	restricted := open(t, v, noSecrets)
	lifted := open(t, v, projections.View{})
	at := projections.Point{Seq: main.Position().Seq, Day: day("2024-06-15")}
	assert.Equal(t, everything(t, main, at), everything(t, lifted, at))
	assert.NotEqual(t, everything(t, main, at), everything(t, restricted, at))
}

// What a view has shown and is restricted then is withheld from the beginning;
// until it is, nothing is answered.
func TestAProjectMovesIntoARestrictedArea(t *testing.T) {
	for name, restart := range map[string]bool{"while it is followed": false, "while it is closed": true} {
		t.Run(name, func(t *testing.T) {
			// given a view that shows a project, a fund that pays it and its indicator
			l, main, log := secretive(t)
			dir := t.TempDir()
			v := projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
			t.Cleanup(func() { assert.NoError(t, v.Close()) })
			l.do(project.Propose{Agreement: "framework", Project: "quiet-town", Title: text("A quiet town"), Kind: "town", Areas: []domain.Key{"iot"}})
			l.do(indicator.Define{
				Agreement: "framework", Indicator: "quiet", Title: text("Quiet"), Level: "output", Measure: "unit", Unit: "dB", Project: "quiet-town",
				Beneficiary: domaintest.City, Reporter: domaintest.Group,
			})
			l.do(meeting.Schedule{Agreement: "framework", Meeting: "m-1", Mechanism: "coordination", Title: text("Spring"), On: day("2024-06-10")})
			l.do(meeting.Hold{ID: meeting.ID{Agreement: "framework", Meeting: "m-1"}, On: day("2024-06-10"), Attendees: []meeting.Attendee{{Name: "Li Wei", Party: domaintest.City}}})
			l.do(meeting.RecordDecision{ID: meeting.ID{Agreement: "framework", Meeting: "m-1"}, Decision: "hush", Title: text("Hush"), Affects: []string{"project/quiet-town"}})
			shown := l.seq
			reach(t, main, l.seq)
			m := open(t, v, noSecrets)
			assert.Equal(t, []domain.Key{"iot-base", "quiet-town"}, projectsIn(t, m))
			// when the project comes into a restricted area
			if restart {
				require.NoError(t, v.Close())
			}
			l.do(project.ChangeScope{ID: project.ID{Agreement: "framework", Project: "quiet-town"}, Areas: []domain.Key{"tunnels"}})
			reach(t, main, l.seq)
			if restart {
				v = projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
				m = open(t, v, noSecrets)
			}
			reach(t, m, l.seq)
			// then it and all that tells of it was never there
			assert.Equal(t, []domain.Key{"iot-base"}, projectsIn(t, m))
			for seq := shown - 6; seq <= l.seq; seq++ {
				seen, err := m.SeesEvent(t.Context(), seq)
				require.NoError(t, err)
				ref := l.events[seq-1].ref
				assert.Equal(t, ref.Kind == meeting.Kind && seq < shown-1 || l.events[seq-1].event.Type() == "milepost.agreement.meeting-scheduled.v1", seen, "%d: %s %s", seq, ref, l.events[seq-1].event.Type())
			}
			dump := cells(t, m)
			for _, secret := range []string{"quiet-town", "A quiet town", "hush", "Hush", "dB"} {
				assert.NotContains(t, dump, secret)
			}
			// and its file, which is another, stays so when it is opened again
			require.NoError(t, v.Close())
			v = projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
			m = open(t, v, noSecrets)
			l.do(project.Approve{ID: project.ID{Agreement: "framework", Project: "quiet-town"}})
			reach(t, m, l.seq)
			assert.Equal(t, []domain.Key{"iot-base"}, projectsIn(t, m))
		})
	}
}

// From the moment at which it comes upon what it should not have shown until it
// is made anew a view answers nothing; a question under way is of before.
func TestAViewThatIsNoLongerTrueDoesNotAnswer(t *testing.T) {
	l, log := inMemory(t)
	l.given(domaintest.Running()...)
	l.do(agreement.AddArea{ID: framework, Area: "secrets", Title: text("Secrets")})
	before := l.seq
	l.do(project.ChangeScope{ID: domaintest.Base, Areas: []domain.Key{"secrets"}})
	view := noSecrets
	m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", View: &view})
	require.NoError(t, err)
	defer func() { assert.NoError(t, m.Close()) }()
	stop := follow(t, m, log.until(before))
	reach(t, m, before)
	require.NoError(t, stop())
	_, err = m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: before})
	require.NoError(t, err)
	// when the log goes on, and the new file cannot be made yet
	held := &heldLog{memory: log, asked: make(chan struct{}), hold: make(chan struct{})}
	follow(t, m, held)
	<-held.asked
	// then nothing is answered, of the past neither
	var behind *projections.BehindError
	_, err = m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: before})
	require.ErrorAs(t, err, &behind)
	_, err = m.Sees(t.Context(), domaintest.Base.Ref())
	require.ErrorAs(t, err, &behind)
	assert.True(t, m.Names("anything"))
	left, err := filepath.Glob(filepath.Join(m.Dir(), "read-v*.db"))
	require.NoError(t, err)
	assert.Empty(t, left)
	// and when it is made, not of that project
	close(held.hold)
	reach(t, m, l.seq)
	_, err = m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: before})
	refused(t, err, domain.CodeNotFound)
}

// heldLog does not tell its last sequence a second time until it may.
type heldLog struct {
	*memory
	calls       int
	asked, hold chan struct{}
}

func (h *heldLog) Last(ctx context.Context) (uint64, error) {
	if h.calls++; h.calls == 2 { // the first checks that it is the log
		close(h.asked)
		<-h.hold
	}
	return h.memory.Last(ctx)
}

func TestAViewOfAnotherLogIsMadeAnew(t *testing.T) {
	// given a view of one log
	dir, view := t.TempDir(), projections.View{Agreements: []domain.Key{}}
	openView := func() *projections.Models {
		m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", View: &view})
		require.NoError(t, err)
		return m
	}
	l, log := inMemory(t)
	l.given(domaintest.Parties()...)
	m := openView()
	stop := follow(t, m, log)
	reach(t, m, l.seq)
	require.NoError(t, stop())
	require.NoError(t, m.Close())
	// when it follows another
	other, otherLog := inMemory(t)
	other.idPrefix = "01900001"
	other.given(domaintest.Running()...)
	m = openView()
	defer func() { assert.NoError(t, m.Close()) }()
	stop = follow(t, m, otherLog)
	reach(t, m, other.seq)
	// then it is of that
	seen, err := m.SeesEvent(t.Context(), other.seq)
	require.NoError(t, err)
	assert.False(t, seen)
	parties, _, err := m.Parties(t.Context(), projections.Point{Seq: other.seq}, projections.Page{})
	require.NoError(t, err)
	assert.Len(t, parties, 3)
	require.NoError(t, stop())
}

func TestViewsAreClosedWhenNobodyUsesThem(t *testing.T) {
	_, main, log := secretive(t)
	views := []projections.View{noSecrets, {}, {Agreements: []domain.Key{"framework"}}}
	t.Run("those used least recently when there are too many", func(t *testing.T) {
		v := viewsOf(t, main, log, projections.ViewsOptions{Dir: t.TempDir(), Open: 2})
		use := func(view projections.View) (m *projections.Models, done func()) {
			ctx, cancel := context.WithCancel(t.Context())
			m, err := v.Of(ctx, view)
			require.NoError(t, err)
			return m, func() {
				using := v.InUse()
				cancel()
				require.Eventually(t, func() bool { return v.InUse() < using }, 10*time.Second, time.Millisecond)
			}
		}
		first, done := use(views[0])
		done()
		second, done := use(views[1])
		done()
		again, done := use(views[0])
		assert.Same(t, first, again)
		done()
		// the third takes the place of the second, which was used before the first
		third, doneThird := use(views[2])
		require.Eventually(t, func() bool { return second.Wait(t.Context(), 0) == projections.ErrClosed }, 10*time.Second, time.Millisecond)
		assert.NoError(t, first.Wait(t.Context(), 0))
		// what is in use stays, and what was closed is opened again
		_, doneFirst := use(views[0])
		_, doneSecond := use(views[1])
		assert.NotEmpty(t, projectsIn(t, third))
		require.Eventually(t, func() bool { return v.OpenViews() == 3 }, 10*time.Second, time.Millisecond)
		doneSecond()
		require.Eventually(t, func() bool { return v.OpenViews() == 2 }, 10*time.Second, time.Millisecond)
		doneFirst()
		doneThird()
	})
	t.Run("all when they were not used for long", func(t *testing.T) {
		v := viewsOf(t, main, log, projections.ViewsOptions{Dir: t.TempDir(), Idle: time.Millisecond})
		ctx, done := context.WithCancel(t.Context())
		m, err := v.Of(ctx, noSecrets)
		require.NoError(t, err)
		done()
		require.Eventually(t, func() bool { return v.OpenViews() == 0 }, 10*time.Second, time.Millisecond)
		assert.ErrorIs(t, m.Wait(t.Context(), 0), projections.ErrClosed)
		assert.Equal(t, []domain.Key{"iot-base"}, projectsIn(t, open(t, v, noSecrets)))
	})
	t.Run("and their files removed when they were not open for longer", func(t *testing.T) {
		dir := t.TempDir()
		v := projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
		open(t, v, noSecrets)
		open(t, v, views[2])
		require.NoError(t, v.Close())
		old := time.Now().Add(-31 * 24 * time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(dir, "views", noSecrets.Name()), old, old))
		viewsOf(t, main, log, projections.ViewsOptions{Dir: dir})
		left, err := os.ReadDir(filepath.Join(dir, "views"))
		require.NoError(t, err)
		require.Len(t, left, 1)
		assert.Equal(t, views[2].Name(), left[0].Name())
		_, err = v.Of(t.Context(), noSecrets)
		assert.ErrorIs(t, err, projections.ErrClosed)
	})
}

// Questions go on while views are opened, closed and opened again.
func TestManyAskOfFewViews(t *testing.T) {
	_, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{Open: 1, Idle: time.Nanosecond})
	var asking sync.WaitGroup
	for i := range 8 {
		view := []projections.View{noSecrets, {}, {Agreements: []domain.Key{"framework"}}}[i%3]
		asking.Go(func() {
			for range 10 {
				ctx, done := context.WithCancel(context.Background())
				m, err := v.Of(ctx, view)
				if assert.NoError(t, err) {
					_, _, err = m.Projects(ctx, "framework", projections.Point{Seq: m.Position().Seq}, projections.Page{})
					assert.NoError(t, err)
					_, err = m.Agreement(ctx, "framework", projections.Point{Seq: m.Position().Seq})
					assert.NoError(t, err)
				}
				done()
			}
		})
	}
	asking.Wait()
}

// A damaged file of a view is made again.
func TestADamagedViewIsMadeAgain(t *testing.T) {
	_, main, log := secretive(t)
	dir := t.TempDir()
	v := projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
	open(t, v, noSecrets)
	require.NoError(t, v.Close())
	files, err := filepath.Glob(filepath.Join(dir, "views", noSecrets.Name(), "*.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.WriteFile(files[0], []byte(strings.Repeat("no database", 1000)), 0o600))
	v = viewsOf(t, main, log, projections.ViewsOptions{Dir: dir})
	assert.Equal(t, []domain.Key{"iot-base"}, projectsIn(t, open(t, v, noSecrets)))
}

// Whoever can read a file needs to ask for no right, so no file is for others; one
// that was made so before neither.
func TestFilesAreTheirOwnersAlone(t *testing.T) {
	_, main, log := secretive(t)
	dir := t.TempDir()
	v := projections.NewViews(main, log, projections.ViewsOptions{Dir: dir})
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "views", noSecrets.Name(), "*"))
		require.NoError(t, err)
		for _, file := range found {
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.EqualValues(t, 0o600, info.Mode().Perm(), file)
		}
		return found
	}
	open(t, v, noSecrets)
	require.Len(t, files(), 3, "the file, and what SQLite puts beside it")
	require.NoError(t, v.Close())
	left := files()
	require.Len(t, left, 1)
	require.NoError(t, os.Chmod(left[0], 0o644))
	open(t, viewsOf(t, main, log, projections.ViewsOptions{Dir: dir}), noSecrets)
	require.Len(t, files(), 3)
}

func TestWaitingForAViewEndsWithTheContext(t *testing.T) {
	_, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	ctx, done := context.WithCancel(t.Context())
	done()
	_, err := v.Of(ctx, noSecrets)
	assert.True(t, errors.Is(err, context.Canceled), err)
}
