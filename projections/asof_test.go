package projections_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/projections"
)

func TestResolve(t *testing.T) {
	// given events at given times, of which the third's clock ran backwards,
	// in a ledger whose day begins eight hours before UTC's
	l, log := inMemory(t)
	for i, at := range []string{"2024-06-10T08:00:00Z", "2024-06-10T15:59:59.5Z", "2024-06-10T12:00:00Z", "2024-06-10T16:00:00Z", "2024-06-12T08:00:00Z"} {
		var err error
		l.clock, err = time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		l.do(party.Register{Party: domain.Key("party-" + string(rune('a'+i))), Title: text("Party"), Kind: "academic"})
	}
	now := func() time.Time { return time.Date(2024, 6, 13, 2, 0, 0, 0, time.UTC) }
	m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", Now: now, Location: time.FixedZone("CST", 8*3600)})
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	for _, c := range []struct {
		name string
		asOf projections.AsOf
		seq  uint64
		day  string
		code string
	}{
		{name: "now", asOf: "", seq: 5, day: "2024-06-13"},
		{name: "the instant of an event", asOf: "2024-06-10T08:00:00Z", seq: 1, day: "2024-06-10"},
		{name: "between events", asOf: "2024-06-10T10:00:00Z", seq: 1, day: "2024-06-10"},
		{name: "an instant with an offset", asOf: "2024-06-10T18:00:00+08:00", seq: 1, day: "2024-06-10"},
		{name: "a clock that ran backwards does not reorder", asOf: "2024-06-10T12:00:00Z", seq: 1, day: "2024-06-10"},
		{name: "what came with it", asOf: "2024-06-10T15:59:59.6Z", seq: 3, day: "2024-06-10"},
		{name: "a date ends in the ledger's zone", asOf: "2024-06-10", seq: 3, day: "2024-06-10"},
		{name: "a day without events", asOf: "2024-06-11", seq: 4, day: "2024-06-11"},
		{name: "today", asOf: "2024-06-13", seq: 5, day: "2024-06-13"},
		{name: "a sequence", asOf: "seq:4", seq: 4, day: "2024-06-11"},
		{name: "the last sequence", asOf: "seq:5", seq: 5, day: "2024-06-12"},
		{name: "before everything", asOf: "seq:0", seq: 0, day: "2024-06-13"},
		{name: "an instant before the first", asOf: "2024-06-10T07:59:59Z", code: projections.CodeAsOfBeforeFirst},
		{name: "a date before the first", asOf: "2024-06-09", code: projections.CodeAsOfBeforeFirst},
		{name: "a sequence to come", asOf: "seq:6", code: projections.CodeAsOfInFuture},
		{name: "an instant to come", asOf: "2024-06-13T02:00:01Z", code: projections.CodeAsOfInFuture},
		{name: "a date to come", asOf: "2024-06-14", code: projections.CodeAsOfInFuture},
		{name: "a date that does not exist", asOf: "2024-02-30", code: projections.CodeInvalidAsOf},
		{name: "an instant that does not exist", asOf: "2024-02-30T00:00:00Z", code: projections.CodeInvalidAsOf},
		{name: "an instant without a zone", asOf: "2024-06-10T08:00:00", code: projections.CodeInvalidAsOf},
		{name: "a sequence that is none", asOf: "seq:-1", code: projections.CodeInvalidAsOf},
		{name: "a word", asOf: "yesterday", code: projections.CodeInvalidAsOf},
	} {
		t.Run(c.name, func(t *testing.T) {
			// when
			p, err := m.Resolve(t.Context(), c.asOf)
			// then
			if c.code != "" {
				var refused *projections.AsOfError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, [2]string{c.code, "as_of"}, [2]string{refused.Code, refused.Field}, refused.Message)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.seq, p.Seq)
			assert.Equal(t, c.day, p.Day.String())
		})
	}
	t.Run("ledger time is the latest so far", func(t *testing.T) {
		p, err := m.Resolve(t.Context(), "seq:3")
		require.NoError(t, err)
		assert.Equal(t, `{"seq":3,"at":"2024-06-10T15:59:59.500000Z"}`, toJSON(t, p))
	})
	t.Run("a range from the beginning to now", func(t *testing.T) {
		from, to, err := m.ResolveRange(t.Context(), "", "", projections.Page{})
		require.NoError(t, err)
		assert.Equal(t, `{"seq":0,"at":null}`, toJSON(t, from))
		assert.EqualValues(t, 5, to.Seq)
	})
	t.Run("a range may begin before the first event", func(t *testing.T) {
		from, _, err := m.ResolveRange(t.Context(), "1990-01-01", "", projections.Page{})
		require.NoError(t, err)
		assert.Zero(t, from.Seq)
	})
	t.Run("a range does not run backwards", func(t *testing.T) {
		for from, to := range map[projections.AsOf]projections.AsOf{
			"seq:4":                "seq:3",
			"2024-06-12":           "2024-06-10",
			"2024-06-13":           "2024-06-12", // nothing was recorded between them
			"2024-06-12T12:00:01Z": "2024-06-12T12:00:00Z",
			"2024-06-11":           "2024-06-11T00:00:00Z",
			"1991-01-01":           "1990-01-01",
		} {
			_, _, err := m.ResolveRange(t.Context(), from, to, projections.Page{})
			var refused *projections.AsOfError
			require.ErrorAs(t, err, &refused, from)
			assert.Equal(t, [2]string{projections.CodeInvalidRange, "from"}, [2]string{refused.Code, refused.Field}, from)
		}
	})
	t.Run("a range may be empty", func(t *testing.T) {
		for from, to := range map[projections.AsOf]projections.AsOf{
			"seq:4": "seq:4", "2024-06-12": "2024-06-12", "2024-06-13": "", "2024-06-12T08:00:00Z": "seq:5", "2024-06-11T23:00:00+08:00": "2024-06-11",
		} {
			f, to, err := m.ResolveRange(t.Context(), from, to, projections.Page{})
			require.NoError(t, err, from)
			assert.Equal(t, f.Seq, to.Seq, from)
		}
	})
}

func TestAnEmptyLedgerAnswers(t *testing.T) {
	// given
	_, log := inMemory(t)
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, 0)
	// when
	p, err := m.Resolve(t.Context(), "")
	// then
	require.NoError(t, err)
	assert.Zero(t, p.Seq)
	items, _, err := m.Agreements(t.Context(), p, projections.Page{})
	require.NoError(t, err)
	assert.Empty(t, items)
	require.NoError(t, m.VerifyTables(t.Context()))
}

func TestNeverAShortAnswer(t *testing.T) {
	l, log := inMemory(t)
	l.story()

	t.Run("before there are read models", func(t *testing.T) {
		// given
		m := models(t, t.TempDir(), nil)
		// when
		_, _, err := m.Agreements(t.Context(), projections.Point{Seq: 1}, projections.Page{})
		// then
		var behind *projections.BehindError
		require.ErrorAs(t, err, &behind)
		assert.Equal(t, projections.BehindError{Asked: 1}, *behind)
		assert.False(t, m.Position().Ready)
	})
	t.Run("when they have not come so far in time", func(t *testing.T) {
		// given
		m := models(t, t.TempDir(), nil)
		follow(t, m, log)
		reach(t, m, l.seq)
		// when
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := m.Wait(ctx, l.seq+1)
		// then
		var behind *projections.BehindError
		require.ErrorAs(t, err, &behind)
		assert.Equal(t, projections.BehindError{Asked: l.seq + 1, Reached: l.seq}, *behind)
		_, err = m.Party(t.Context(), "wuxi", projections.Point{Seq: l.seq + 1})
		require.ErrorAs(t, err, &behind)
	})
	t.Run("who waits reads his own write", func(t *testing.T) {
		// given
		l, store := stored(t)
		m := models(t, t.TempDir(), nil)
		follow(t, m, store)
		for i := range 20 {
			// when
			key := domain.Key("party-" + string(rune('a'+i)))
			reach(t, m, l.do(party.Register{Party: key, Title: text("Party"), Kind: "academic"}))
			// then
			_, err := m.Party(t.Context(), key, projections.Point{Seq: l.seq})
			require.NoError(t, err)
		}
	})
}

// An instant means the last event whose ledger time is not after it, in logs of any
// length and while they grow.
func TestAnInstantMeansTheLastEventNotAfterIt(t *testing.T) {
	domaintest.Check(t, 5, func(t *rapid.T) {
		// given events of which many have the same time, some at clocks that ran backwards
		l, log := inMemory(t)
		steps := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, time.Microsecond, time.Hour, -time.Minute}), 100, 300).Draw(t, "steps")
		var times []time.Time // ledger times, from event 1 on
		for i, step := range steps {
			l.clock = l.clock.Add(step)
			l.do(party.Register{Party: domain.Key(fmt.Sprintf("party-%d", i)), Title: text("Party"), Kind: "academic"})
			times = append(times, l.clock)
			if i > 0 && times[i-1].After(l.clock) {
				times[i] = times[i-1]
			}
		}
		m, done := scratch(t)
		defer done()
		for reached := 0; reached < len(times); {
			reached = min(reached+99, len(times))
			followTo(t, m, log, uint64(reached))
			for range 20 {
				at := times[rapid.IntRange(0, reached-1).Draw(t, "event")].Add(rapid.SampledFrom([]time.Duration{0, time.Microsecond, 30 * time.Minute}).Draw(t, "after"))
				// when
				p, err := m.Resolve(context.Background(), projections.AsOf(at.Format(time.RFC3339Nano)))
				// then
				require.NoError(t, err)
				want := 0
				for want < reached && !times[want].After(at) {
					want++
				}
				require.Equal(t, uint64(want), p.Seq)
				require.Equal(t, times[want-1], p.At)
			}
		}
	})
}

// In a view, which has not got every event, an instant means the last sequence before
// the first event that the view has and that is after it.
func TestAnInstantInAViewMeansWhatItsSequencesSay(t *testing.T) {
	domaintest.Check(t, 10, func(t *rapid.T) {
		// given
		l, log := inMemory(t)
		l.inTwoAgreements()
		l.wander(t, 60)
		m, done := viewOf(t, log, viewed(t))
		defer done()
		var times []time.Time // after each sequence, zero before the first event of the view
		for seq := range l.seq + 1 {
			p, err := m.Resolve(context.Background(), projections.AsOf(fmt.Sprintf("seq:%d", seq)))
			require.NoError(t, err)
			times = append(times, p.At)
		}
		for _, at := range times[1:] {
			at = at.Add(rapid.SampledFrom([]time.Duration{-time.Microsecond, 0, time.Microsecond}).Draw(t, "after"))
			// when
			p, err := m.Resolve(context.Background(), projections.AsOf(at.Format(time.RFC3339Nano)))
			// then
			want := len(times) - 1
			for want >= 0 && times[want].After(at) {
				want--
			}
			if times[max(want, 0)].IsZero() {
				requireAsOf(t, err, projections.CodeAsOfBeforeFirst)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, uint64(want), p.Seq, "as of %s", at)
			require.Equal(t, times[want], p.At)
		}
	})
}

func requireAsOf(t tb, err error, code string) {
	t.Helper()
	var refused *projections.AsOfError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, code, refused.Code)
}
