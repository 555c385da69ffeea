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
	seq     uint64
	subject string
	env     domain.Envelope
	event   domain.Event
	at      time.Time // its ledger time
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
			events = append(events, dated{rec.Seq, rec.Subject, env, e, now})
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
	_, log := inMemory(t)
	versions := map[domain.Ref]uint64{}
	for _, d := range events {
		env := d.env
		versions[env.Ref]++
		env.Version = versions[env.Ref]
		log.append(d.subject, env.Append(nil), 0)
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
	t.Parallel()
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

// What changed between two dates on the effective axis is what would have
// changed between two sequences of a log in that order; so net changes are the
// difference of what is effective by the two dates.
func TestChangesOnTheEffectiveAxis(t *testing.T) {
	t.Parallel()
	const of = domain.Key("framework")
	check(t, func(t *rapid.T) {
		// given a random history, and one that was recorded in the order of its
		// effective dates
		l, log := inMemory(t)
		l.wander(t, 60)
		m, done := live(t, log)
		defer done()
		seq := l.seq - uint64(rapid.IntRange(0, 20).Draw(t, "before the end"))
		events := effectiveBy(t, log, seq, day("9999-12-31"))
		naive, doneNaive := fresh(t, recorded(t, events))
		defer doneNaive()
		pos := func(date domain.Date) (n uint64) {
			for _, e := range events {
				if e.env.Effective <= date {
					n++
				}
			}
			return n
		}
		for range 3 {
			var dates [2]domain.Date
			for i := range dates {
				dates[i] = events[rapid.IntRange(0, len(events)-1).Draw(t, "date")].env.Effective + domain.Date(rapid.SampledFrom([]int{0, 0, -1, 1000}).Draw(t, "days after"))
			}
			from, to := min(dates[0], dates[1]), max(dates[0], dates[1])
			ask := projections.ChangeQuery{
				Agreement: of, Net: rapid.Bool().Draw(t, "net"), Page: projections.Page{Limit: rapid.IntRange(1, 50).Draw(t, "limit")},
				Project:     rapid.SampledFrom([]domain.Key{"", "iot-base"}).Draw(t, "project"),
				Field:       rapid.SampledFrom([]string{"", "", "forecast", "state", "percent"}).Draw(t, "field"),
				Actor:       rapid.SampledFrom([]string{"", "", "li.wei"}).Draw(t, "actor"),
				Backdated:   rapid.IntRange(0, 3).Draw(t, "backdated") == 3,
				Corrections: rapid.IntRange(0, 3).Draw(t, "corrections") == 3,
			}
			want, got := ask, ask
			want.From, want.To = projections.Point{Seq: pos(from)}, projections.Point{Seq: pos(to)}
			got.From = projections.Point{Seq: seq, Effective: from, Agreement: of}
			got.To = projections.Point{Seq: seq, Effective: to, Agreement: of}
			// when both are asked what changed
			expected := allChanges(t, naive, want)
			for i := range expected {
				c := &expected[i]
				c.Seq = events[c.Seq-1].seq
				if c.CorrectsSeq != nil { // an event of the whole ledger, as the ledger would not let it be corrected
					require.Empty(t, events[*c.CorrectsSeq-1].env.Ref.Agreement)
					c.CorrectsSeq = nil
				}
			}
			// then they say the same, but for the sequences, which are the log's
			require.Equal(t, expected, allChanges(t, m, got))
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
