package projections_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// eventID is the id of event seq in a ledger of the tests.
func eventID(seq uint64) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", seq) }

// allChanges reads every page of an answer.
func allChanges(t tb, m *projections.Models, q projections.ChangeQuery) (all []projections.Change) {
	t.Helper()
	for {
		answer, err := m.Changes(context.Background(), q)
		require.NoError(t, err)
		require.Equal(t, answer.Next == "", answer.Complete)
		if q.Page.Limit > 0 {
			require.LessOrEqual(t, len(answer.Changes), q.Page.Limit)
		}
		all = append(all, answer.Changes...)
		if q.Page.Cursor = answer.Next; answer.Complete {
			return all
		}
	}
}

// corrected is the story with what came after: a report that was entered late,
// and the reforecast put right, for a reason of its own.
func (l *ledger) corrected() (before uint64) {
	before = l.story()
	l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60}, domain.Meta{Effective: day("2024-06-08"), Actor: "wang.fang"})
	l.do(project.Reforecast{MilestoneID: milestone("build"), Forecast: day("2025-05-01")}, domain.Meta{Reason: "other", Note: "a flood"})
	l.do(project.Reforecast{MilestoneID: milestone("build"), Forecast: day("2025-04-15")}, domain.Meta{Reason: "correction", Corrects: eventID(l.seq), ActingFor: domaintest.City})
	l.do(party.Change{Party: domaintest.City, Title: text("City")})
	return before
}

func TestChanges(t *testing.T) {
	// given
	l, m, before := told(t)
	from, to := projections.Point{Seq: before}, projections.Point{Seq: l.seq}

	t.Run("who, what, when, old and new, why", func(t *testing.T) {
		// when
		answer, err := m.Changes(t.Context(), projections.ChangeQuery{From: from, To: projections.Point{Seq: before + 1}, Agreement: "framework"})
		// then
		require.NoError(t, err)
		assert.JSONEq(t, fmt.Sprintf(`{
			"from": {"seq": %d, "at": null}, "to": {"seq": %d, "at": null}, "complete": true, "next": "",
			"changes": [{
				"seq": %d, "event_id": "01900000-0000-7000-8000-0000000000%d", "type": "milepost.project.milestone-reforecast.v1", "agreement": "framework",
				"entity": "project/iot-base/milestone/design", "field": "forecast", "op": "replace", "old": "2024-09-30", "new": "2024-10-20", "moves": 1,
				"effective": "2024-06-10", "recorded_at": "2024-06-10T08:00:00Z", "actor": "wang.fang", "party": "cethik", "reason": "supplier-delay",
				"note": "the steel is late", "corrects": "", "corrects_seq": null}]}`,
			before, before+1, before+1, before+1), toJSON(t, answer))
	})
	t.Run("of what does not exist", func(t *testing.T) {
		for _, q := range []projections.ChangeQuery{{Actor: "nobody"}, {Agreement: "framework", Project: "nothing"}} {
			q.To = to
			answer, err := m.Changes(t.Context(), q)
			require.NoError(t, err)
			assert.Equal(t, []projections.Change{}, answer.Changes)
			assert.True(t, answer.Complete)
		}
		// an agreement of which nobody ever spoke is a slip of the pen
		_, err := m.Changes(t.Context(), projections.ChangeQuery{Agreement: "nothing", To: to})
		requireRefused(t, err, domain.CodeNotFound)
	})
}

// Every condition, and several together, give what a search through all
// changes gives.
func TestChangesThatMeetConditions(t *testing.T) {
	// given
	l, log := inMemory(t)
	before := l.corrected()
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	to := projections.Point{Seq: l.seq}
	type question = projections.ChangeQuery
	type change = projections.Change
	of := func(path string) func(c change) bool {
		return func(c change) bool { return c.Entity == path || strings.HasPrefix(c.Entity, path+"/") }
	}
	for name, c := range map[string]struct {
		q    question
		want func(c change) bool
	}{
		"of everything":      {question{}, func(change) bool { return true }},
		"of an agreement":    {question{Agreement: "framework"}, func(c change) bool { return c.Agreement == "framework" }},
		"of a project":       {question{Agreement: "framework", Project: "iot-base"}, of("project/iot-base")},
		"of a milestone":     {question{Agreement: "framework", Project: "iot-base", Milestone: "build"}, of("project/iot-base/milestone/build")},
		"of an aggregate":    {question{Agreement: "framework", Entity: "project/iot-base"}, of("project/iot-base")},
		"of its own fields":  {question{Agreement: "framework", Entity: "project/iot-base", Own: true}, func(c change) bool { return c.Entity == "project/iot-base" }},
		"of a part":          {question{Agreement: "framework", Entity: "project/iot-base/milestone/design"}, of("project/iot-base/milestone/design")},
		"of a party":         {question{Entity: "party/wuxi"}, of("party/wuxi")},
		"of an agreement's":  {question{Agreement: "framework", Entity: "agreement/framework"}, of("agreement/framework")},
		"of a part, twice":   {question{Agreement: "framework", Project: "iot-base", Entity: "project/iot-base/milestone/build"}, of("project/iot-base/milestone/build")},
		"of a field":         {question{Field: "title"}, func(c change) bool { return c.Field == "title" }},
		"of a part's field":  {question{Agreement: "framework", Entity: "project/iot-base/milestone/build", Field: "forecast"}, func(c change) bool { return c.Field == "forecast" && strings.HasSuffix(c.Entity, "build") }},
		"of parts' fields":   {question{Agreement: "framework", Entity: "project/iot-base", Field: "state"}, func(c change) bool { return c.Field == "state" && strings.HasPrefix(c.Entity, "project/") }},
		"of its own field":   {question{Agreement: "framework", Entity: "project/iot-base", Own: true, Field: "state"}, func(c change) bool { return c.Field == "state" && c.Entity == "project/iot-base" }},
		"by an actor":        {question{Actor: "wang.fang"}, func(c change) bool { return c.Actor == "wang.fang" }},
		"by an actor in one": {question{Agreement: "framework", Actor: "li.wei"}, func(c change) bool { return c.Agreement == "framework" && c.Actor == "li.wei" }},
		"for a party":        {question{Party: domaintest.Group}, func(c change) bool { return c.Party == "cethik" }},
		"by a type of event": {question{Type: "milepost.project.progress-reported.v1"}, func(c change) bool { return c.Type == "milepost.project.progress-reported.v1" }},
		"for a reason":       {question{Reason: "supplier-delay"}, func(c change) bool { return c.Reason == "supplier-delay" }},
		"backdated":          {question{Backdated: true}, func(c change) bool { return c.Effective < domain.DateOf(c.RecordedAt, epoch.Location()) }},
		"corrections":        {question{Corrections: true}, func(c change) bool { return c.Corrects != "" }},
		"all at once": {question{
			Agreement: "framework", Entity: "project/iot-base/milestone/build", Field: "forecast", Actor: "li.wei", Party: domaintest.City,
			Type: "milepost.project.milestone-reforecast.v1", Reason: "correction", Corrections: true,
		}, func(c change) bool { return c.Corrects != "" }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []projections.Point{{}, {Seq: before}} {
				// given what meets it of all changes of the range
				var want []change
				for _, c0 := range allChanges(t, m, question{From: from, To: to}) {
					if c.want(c0) {
						want = append(want, c0)
					}
				}
				// when asked for it in pages of two
				q := c.q
				q.From, q.To, q.Page.Limit = from, to, 2
				got := allChanges(t, m, q)
				// then
				if from.Seq == 0 {
					assert.NotEmpty(t, got)
				}
				assert.Equal(t, want, got)
			}
		})
	}
	t.Run("a correction says which event it puts right", func(t *testing.T) {
		got := allChanges(t, m, question{To: to, Corrections: true})
		require.Len(t, got, 1)
		require.NotNil(t, got[0].CorrectsSeq)
		assert.Equal(t, eventID(l.seq-2), got[0].Corrects)
		assert.Equal(t, l.seq-2, *got[0].CorrectsSeq)
	})
	t.Run("a note says what the reason other does not", func(t *testing.T) {
		got := allChanges(t, m, question{To: to, Reason: "other"})
		require.Len(t, got, 1)
		assert.Equal(t, "a flood", got[0].Note)
	})
}

// What holds from before the day on which it was recorded is judged by the
// ledger's time zone.
func TestBackdatedIsJudgedInTheLedgersTimeZone(t *testing.T) {
	for zone, want := range map[string]int{"UTC": 0, "Asia/Shanghai": 1} {
		t.Run(zone, func(t *testing.T) {
			// given an event of 23:30 UTC, when it is the day after in Shanghai
			l, log := inMemory(t)
			l.clock = epoch.Add(15*time.Hour + 30*time.Minute)
			l.do(party.Register{Party: "wuxi", Title: text("Wuxi"), Kind: "other"}, domain.Meta{Effective: day("2024-06-10")})
			location, err := time.LoadLocation(zone)
			require.NoError(t, err)
			m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", Location: location})
			require.NoError(t, err)
			defer m.Close()
			_, err = m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			// then
			got := allChanges(t, m, projections.ChangeQuery{To: projections.Point{Seq: 1}, Field: "kind", Backdated: true})
			assert.Len(t, got, want)
		})
	}
}

func TestNetChanges(t *testing.T) {
	// given
	l, log := inMemory(t)
	before := l.corrected()
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	build := projections.ChangeQuery{
		From: projections.Point{Seq: before}, To: projections.Point{Seq: l.seq}, Net: true, Agreement: "framework", Entity: "project/iot-base/milestone/build",
	}
	t.Run("a field is one line, by the last event that moved it", func(t *testing.T) {
		got := allChanges(t, m, build)
		require.Len(t, got, 2)
		percent, forecast := got[0], got[1] // by their first move
		assert.Equal(t, [4]string{"percent", "0", "60", "replace"}, [4]string{percent.Field, string(percent.Old), string(percent.New), percent.Op})
		assert.Equal(t, [3]string{"forecast", `"2025-03-31"`, `"2025-04-15"`}, [3]string{forecast.Field, string(forecast.Old), string(forecast.New)})
		assert.Equal(t, [2]int{2, 2}, [2]int{percent.Moves, forecast.Moves})
		assert.Equal(t, [2]uint64{l.seq - 3, l.seq - 1}, [2]uint64{percent.Seq, forecast.Seq})
		assert.Equal(t, [3]string{eventID(l.seq - 1), "correction", eventID(l.seq - 2)}, [3]string{forecast.EventID, forecast.Reason, forecast.Corrects})
	})
	t.Run("its values are those at the ends, whoever else moved it", func(t *testing.T) {
		q := build
		q.Reason = "other"
		got := allChanges(t, m, q)
		require.Len(t, got, 1)
		assert.Equal(t, [2]string{`"2025-03-31"`, `"2025-04-15"`}, [2]string{string(got[0].Old), string(got[0].New)})
		assert.Equal(t, 1, got[0].Moves)
	})
	t.Run("what came back is left out", func(t *testing.T) {
		l.do(project.Reforecast{MilestoneID: milestone("build"), Forecast: day("2025-03-31")}, domain.Meta{Reason: "accelerated"})
		m, done := fresh(t, log)
		defer done()
		q := build
		q.To.Seq = l.seq
		for _, c := range allChanges(t, m, q) {
			assert.NotEqual(t, "forecast", c.Field)
		}
	})
	t.Run("pages put together are the whole", func(t *testing.T) {
		q := projections.ChangeQuery{To: build.To, Net: true}
		want := allChanges(t, m, q)
		q.Page.Limit = 3
		assert.Equal(t, want, allChanges(t, m, q))
		assert.Greater(t, len(want), 3)
	})
}

func TestChangesSinceAMeeting(t *testing.T) {
	// given two mechanisms of one kind, whose meetings are recorded in another
	// order than they were held in, and one that never met
	l, log := inMemory(t)
	l.story()
	members := []domain.Key{domaintest.City, domaintest.Group}
	for mechanism, kind := range map[domain.Key]string{"steering": "coordination", "experts": "coordination", "consultation": "consultation"} {
		l.do(agreement.EstablishMechanism{ID: framework, Mechanism: mechanism, Kind: kind, Title: text("M"), Cadence: "quarterly", Members: members})
	}
	schedule := func(key, mechanism domain.Key) {
		l.do(meeting.Schedule{Agreement: "framework", Meeting: key, Mechanism: mechanism, Title: text("Meeting " + string(key)), On: day("2024-06-10")})
	}
	schedule("first", "steering")
	schedule("late", "steering")
	schedule("early", "steering")
	schedule("others", "experts")
	schedule("again", "experts")
	schedule("to-come", "consultation")
	held := map[string]uint64{}
	for _, h := range []struct{ key, on string }{{"late", "2024-06-08"}, {"early", "2024-06-03"}, {"others", "2024-06-09"}, {"again", "2024-06-09"}, {"first", "2024-06-01"}} {
		held[h.key] = l.do(meeting.Hold{ID: meeting.ID{Agreement: "framework", Meeting: domain.Key(h.key)}, On: day(h.on), Attendees: []meeting.Attendee{{Party: domaintest.City, Name: "Li Wei"}}})
		l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 50 + len(held)})
	}
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	to := projections.Point{Seq: l.seq}
	for which, want := range map[domain.Key]string{
		"early": "early", "late": "late", // a meeting
		"steering":     "late",  // a mechanism
		"coordination": "again", // a kind: of one day the one recorded later
	} {
		t.Run(string(which), func(t *testing.T) {
			// when
			answer, err := m.Changes(t.Context(), projections.ChangeQuery{To: to, Agreement: "framework", SinceMeeting: which})
			// then
			require.NoError(t, err)
			assert.Equal(t, domain.Key(want), answer.Since.Meeting)
			assert.Equal(t, text("Meeting "+want), answer.Since.Title)
			assert.Equal(t, held[want], answer.From.Seq)
			assert.False(t, answer.From.At.IsZero())
			assert.Equal(t, allChanges(t, m, projections.ChangeQuery{From: answer.From, To: to, Agreement: "framework"}), answer.Changes)
		})
	}
	t.Run("as of the end, what was held later had not been held", func(t *testing.T) {
		answer, err := m.Changes(t.Context(), projections.ChangeQuery{To: projections.Point{Seq: held["others"] - 1}, Agreement: "framework", SinceMeeting: "coordination"})
		require.NoError(t, err)
		assert.Equal(t, domain.Key("late"), answer.Since.Meeting)
		assert.Equal(t, domain.Key("steering"), answer.Since.Mechanism)
		assert.Equal(t, day("2024-06-08"), answer.Since.On)
	})
	for name, c := range map[string]struct {
		since, until domain.Key
		from         uint64
		want         [2]string // meetings
	}{
		"a meeting":                            {until: "late", want: [2]string{"", "late"}},
		"the last of a mechanism":              {until: "steering", want: [2]string{"", "late"}},
		"the last of a kind":                   {until: "coordination", want: [2]string{"", "again"}},
		"from a point":                         {from: held["late"], until: "first", want: [2]string{"", "first"}},
		"between two meetings":                 {since: "late", until: "others", want: [2]string{"late", "others"}},
		"a meeting and itself":                 {since: "late", until: "late", want: [2]string{"late", "late"}},
		"of a kind, the last two":              {since: "coordination", until: "coordination", want: [2]string{"others", "again"}},
		"the last of a mechanism before":       {since: "steering", until: "others", want: [2]string{"late", "others"}},
		"held on a later day, recorded before": {since: "steering", until: "first", want: [2]string{"late", "first"}},
	} {
		t.Run("until "+name, func(t *testing.T) {
			// when
			q := projections.ChangeQuery{From: projections.Point{Seq: c.from}, To: to, Agreement: "framework", SinceMeeting: c.since, UntilMeeting: c.until}
			answer, err := m.Changes(t.Context(), q)
			// then
			require.NoError(t, err)
			assert.Equal(t, domain.Key(c.want[1]), answer.Until.Meeting)
			assert.Equal(t, held[c.want[1]], answer.To.Seq)
			assert.False(t, answer.To.At.IsZero())
			if c.want[0] == "" {
				assert.Nil(t, answer.Since)
				assert.Equal(t, c.from, answer.From.Seq)
			} else {
				assert.Equal(t, domain.Key(c.want[0]), answer.Since.Meeting)
				assert.Equal(t, held[c.want[0]], answer.From.Seq)
			}
			for _, net := range []bool{false, true} {
				q.Net, q.Page.Limit = net, 7
				want := allChanges(t, m, projections.ChangeQuery{From: answer.From, To: projections.Point{Seq: answer.To.Seq}, Agreement: "framework", Net: net})
				assert.Equal(t, want, allChanges(t, m, q))
				assert.Equal(t, c.want[0] == c.want[1], len(want) == 0)
			}
		})
	}
	t.Run("a cursor is good until the same meeting only", func(t *testing.T) {
		q := projections.ChangeQuery{To: to, Agreement: "framework", UntilMeeting: "late", Page: projections.Page{Limit: 1}}
		answer, err := m.Changes(t.Context(), q)
		require.NoError(t, err)
		q.UntilMeeting, q.Page.Cursor = "first", answer.Next
		_, err = m.Changes(t.Context(), q)
		requireRefused(t, err, projections.CodeInvalidCursor)
	})
	for name, q := range map[string]projections.ChangeQuery{
		"the meeting since which": {SinceMeeting: "others", UntilMeeting: "late"},
		"the point from which":    {From: projections.Point{Seq: held["late"] + 1}, UntilMeeting: "late"},
	} {
		t.Run("it lies before "+name, func(t *testing.T) {
			q.To, q.Agreement = to, "framework"
			_, err := m.Changes(t.Context(), q)
			var refused *projections.AsOfError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, []string{projections.CodeInvalidRange, "until_meeting"}, []string{refused.Code, refused.Field})
		})
	}
	for name, c := range map[string]struct {
		q     projections.ChangeQuery
		code  string
		field string
	}{
		"no agreement of an end":   {projections.ChangeQuery{UntilMeeting: "early"}, domain.CodeMissingField, "agreement"},
		"an unknown end":           {projections.ChangeQuery{Agreement: "framework", UntilMeeting: "nothing"}, domain.CodeNotFound, "until_meeting"},
		"an end that is to come":   {projections.ChangeQuery{Agreement: "framework", UntilMeeting: "consultation"}, projections.CodeMeetingNotHeld, "until_meeting"},
		"none held before the end": {projections.ChangeQuery{Agreement: "framework", SinceMeeting: "experts", UntilMeeting: "late"}, projections.CodeMeetingNotHeld, "since_meeting"},
		"no agreement":             {projections.ChangeQuery{SinceMeeting: "early"}, domain.CodeMissingField, "agreement"},
		"an unknown agreement":     {projections.ChangeQuery{Agreement: "nothing", SinceMeeting: "early"}, domain.CodeNotFound, "agreement"},
		"an unknown meeting":       {projections.ChangeQuery{Agreement: "framework", SinceMeeting: "nothing"}, domain.CodeNotFound, "since_meeting"},
		"not held yet":             {projections.ChangeQuery{Agreement: "framework", SinceMeeting: "to-come"}, projections.CodeMeetingNotHeld, "since_meeting"},
		"none held yet":            {projections.ChangeQuery{Agreement: "framework", SinceMeeting: "consultation"}, projections.CodeMeetingNotHeld, "since_meeting"},
	} {
		t.Run(name, func(t *testing.T) {
			c.q.To = to
			_, err := m.Changes(t.Context(), c.q)
			requireRefused(t, err, c.code)
			assert.Equal(t, c.field, err.(*domain.Rejected).Field)
		})
	}
}

func TestChangesRefuseWhatMakesNoSense(t *testing.T) {
	l, m, _ := told(t)
	to := projections.Point{Seq: l.seq}
	type question = projections.ChangeQuery
	for name, c := range map[string]struct {
		q     question
		code  string
		field string
	}{
		"a project needs its agreement":      {question{Project: "iot-base"}, domain.CodeMissingField, "agreement"},
		"a milestone needs its project":      {question{Agreement: "framework", Milestone: "design"}, domain.CodeMissingField, "agreement"},
		"an entity needs its agreement":      {question{Entity: "project/iot-base"}, domain.CodeMissingField, "agreement"},
		"whose own fields":                   {question{Own: true}, domain.CodeMissingField, "entity"},
		"a kind alone":                       {question{Agreement: "framework", Entity: "project"}, projections.CodeInvalidEntity, "entity"},
		"an unknown kind":                    {question{Agreement: "framework", Entity: "projekt/iot-base"}, projections.CodeInvalidEntity, "entity"},
		"a part without a key":               {question{Agreement: "framework", Entity: "project/iot-base/milestone"}, projections.CodeInvalidEntity, "entity"},
		"a path too long":                    {question{Agreement: "framework", Entity: "project/iot-base/milestone/design/x/y"}, projections.CodeInvalidEntity, "entity"},
		"no key":                             {question{Agreement: "framework", Entity: "project/IoT base"}, projections.CodeInvalidEntity, "entity"},
		"a slash at the end":                 {question{Agreement: "framework", Entity: "project/iot-base/"}, projections.CodeInvalidEntity, "entity"},
		"a party under an agreement":         {question{Agreement: "framework", Entity: "party/wuxi"}, projections.CodeContradiction, "entity"},
		"another agreement":                  {question{Agreement: "framework", Entity: "agreement/other"}, projections.CodeContradiction, "entity"},
		"another project":                    {question{Agreement: "framework", Project: "iot-base", Entity: "project/iot-basement"}, projections.CodeContradiction, "entity"},
		"a project wider than its milestone": {question{Agreement: "framework", Project: "iot-base", Milestone: "design", Entity: "project/iot-base"}, projections.CodeContradiction, "entity"},
	} {
		t.Run(name, func(t *testing.T) {
			c.q.To = to
			_, err := m.Changes(t.Context(), c.q)
			requireRefused(t, err, c.code)
			assert.Equal(t, c.field, err.(*domain.Rejected).Field)
		})
	}
	t.Run("a cursor is of one question", func(t *testing.T) {
		asked := question{To: to, Agreement: "framework", Page: projections.Page{Limit: 2}}
		answer, err := m.Changes(t.Context(), asked)
		require.NoError(t, err)
		asked.Page.Cursor = answer.Next
		for name, change := range map[string]func(q *question){
			"mode": func(q *question) { q.Net = true }, "agreement": func(q *question) { q.Agreement = "" },
			"entity": func(q *question) { q.Entity = "project/iot-base" }, "field": func(q *question) { q.Field = "title" },
			"actor": func(q *question) { q.Actor = "li.wei" }, "party": func(q *question) { q.Party = "wuxi" },
			"type": func(q *question) { q.Type = "t" }, "reason": func(q *question) { q.Reason = "r" },
			"backdated": func(q *question) { q.Backdated = true }, "corrections": func(q *question) { q.Corrections = true },
			"from": func(q *question) { q.From.Seq = 1 }, "to": func(q *question) { q.To.Seq-- },
		} {
			other := asked
			change(&other)
			_, err := m.Changes(t.Context(), other)
			var r *domain.Rejected
			require.ErrorAs(t, err, &r, name)
			assert.Equal(t, projections.CodeInvalidCursor, r.Code, name)
		}
		own := question{To: to, Agreement: "framework", Entity: "project/iot-base", Page: projections.Page{Limit: 2}}
		answer, err = m.Changes(t.Context(), own)
		require.NoError(t, err)
		own.Own, own.Page.Cursor = true, answer.Next
		_, err = m.Changes(t.Context(), own)
		requireRefused(t, err, projections.CodeInvalidCursor)
	})
}
