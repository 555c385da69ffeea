package projections_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// dated is an event with the date from which it holds.
type dated struct {
	seq   uint64
	env   domain.Envelope
	event domain.Event
	at    time.Time // its ledger time
}

// effectiveBy sorts the events up to a sequence that are effective by a date as
// the second axis does, with nothing of the code under test.
func effectiveBy(t tb, log *memory, seq uint64, date domain.Date) (events []dated) {
	t.Helper()
	records, _ := log.all()
	var now time.Time
	for _, rec := range records[:seq] {
		env, e, err := catalogue.Decode(rec.Data)
		require.NoError(t, err)
		if env.Time.After(now) {
			now = env.Time
		}
		if env.Effective <= date {
			events = append(events, dated{rec.Seq, env, e, now})
		}
	}
	slices.SortFunc(events, func(a, b dated) int {
		return cmp.Or(cmp.Compare(a.env.Effective, b.env.Effective), cmp.Compare(a.seq, b.seq))
	})
	return events
}

// recorded makes a log in which events were recorded in just that order.
func recorded(t tb, events []dated) *memory {
	t.Helper()
	l, log := inMemory(t)
	for _, d := range events {
		l.versions[d.env.Ref]++
		env := d.env
		env.Version = l.versions[env.Ref]
		l.clock = env.Time
		l.put(env.Ref, env)
	}
	return log
}

// refusedOr puts answers and refusals alike.
func refusedOr(t tb, all map[string]string) func(string, any, error) {
	return func(name string, v any, err error) {
		t.Helper()
		if refused := (*domain.Rejected)(nil); errors.As(err, &refused) {
			all[name] = "refused: " + refused.Message
			return
		}
		require.NoError(t, err)
		b, err := json.Marshal(v)
		require.NoError(t, err)
		all[name] = string(b)
	}
}

// What is answered as effective by a date is what would be answered if the
// events known at the point, and effective by that date, were all there are,
// and had been recorded in the order of their effective dates.
func TestTheEffectiveAxisEqualsALogInThatOrder(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history with effective dates before and after those of
		// recording
		l, log := inMemory(t)
		l.wander(t, 60)
		m, done := live(t, log)
		defer done()
		ctx := context.Background()
		for range 3 {
			seq := l.seq - uint64(rapid.IntRange(0, int(l.seq)-1).Draw(t, "before the end"))
			all := effectiveBy(t, log, l.seq, day("9999-12-31"))
			date := all[rapid.IntRange(0, len(all)-1).Draw(t, "effective")].env.Effective + domain.Date(rapid.SampledFrom([]int{0, 0, -1, 1, 1000}).Draw(t, "days after"))
			// when the events are recorded in the order of their effective dates
			events := effectiveBy(t, log, seq, date)
			naive, done := fresh(t, recorded(t, events))
			for _, of := range []domain.Key{"framework", "second"} {
				want, got := map[string]string{}, map[string]string{}
				put := refusedOr(t, want)
				everythingUnder(ctx, naive, of, projections.Point{Seq: uint64(len(events)), Day: date}, func(name string, v any, err error) {
					if trend, ok := v.([]projections.Trend); ok { // the one answer that tells of the log
						for _, x := range trend {
							for i := range x.Series {
								e := events[x.Series[i].Seq-1]
								x.Series[i].Seq, x.Series[i].Recorded = e.seq, domain.DateOf(e.at, time.UTC)
							}
						}
					}
					put(name, v, err)
				})
				// then the answers are the same
				everythingUnder(ctx, m, of, projections.Point{Seq: seq, Day: date, Effective: date, Agreement: of}, refusedOr(t, got))
				require.Equal(t, want, got)
			}
			requireFolded(t, m, events, projections.Point{Seq: seq, Day: date, Effective: date, Agreement: "framework"})
			done()
		}
	})
}

// requireFolded requires that the milestones of a project are what the domain
// folds of the events in their order.
func requireFolded(t tb, m *projections.Models, events []dated, at projections.Point) {
	t.Helper()
	ref := project.Ref("framework", "iot-base")
	kind, _ := catalogue.Aggregate(ref.Kind)
	var state any
	for _, d := range events {
		if d.env.Ref == ref {
			state = kind.Evolve(state, d.event)
		}
	}
	milestones, _, err := m.Milestones(context.Background(), "framework", "iot-base", at, projections.Page{})
	if state == nil {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	s := state.(*project.State)
	require.Len(t, milestones, s.Milestones.Len())
	for _, got := range milestones {
		want, ok := s.Milestones.Get(got.Milestone)
		require.True(t, ok)
		require.Equal(t,
			[]any{want.State, want.Due, want.Forecast, want.Baseline, want.MetOn, want.Moves, want.Weight, want.PercentComplete(), want.ClaimedBy},
			[]any{got.State, got.Due, got.Forecast, got.Baseline, got.MetOn, got.Moves, got.Weight, got.Percent, got.ClaimedBy}, got.Milestone)
	}
}
