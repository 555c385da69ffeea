package indicator_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// record is what the events alone say of one period.
type record struct {
	target, actual       domain.Decimal
	reporter, verifiedBy domain.Key // of the actual as it stands; "" while it waits
	locked               bool
}

func (r *record) hear(e domain.Event) {
	switch e := e.(type) {
	case indicator.TargetSet:
		r.target = e.Value
	case indicator.ActualReported:
		r.actual, r.reporter, r.verifiedBy = e.Value, e.Party, ""
	case indicator.ActualVerified:
		r.verifiedBy = e.Party
	case indicator.PeriodLocked:
		r.locked = true
	}
}

// Invariants 7 and 8, and that nobody verifies what it reported, whatever is
// accepted in whatever order, reckoned a second time from the events alone.
func TestResultsInEveryHistory(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w, records, first := World{}, map[domain.Key]map[indicator.ReportingPeriod]*record{}, map[domain.Key]domain.Date{}
		hear := func(e domain.Event) *record {
			if e, ok := e.(indicator.ActualVerified); ok {
				if was := first[e.Indicator]; was == 0 || e.On < was {
					first[e.Indicator] = e.On
				}
			}
			id, ok := periodOf(e)
			if !ok {
				return nil
			}
			if records[id.Indicator] == nil {
				records[id.Indicator] = map[indicator.ReportingPeriod]*record{}
			}
			if records[id.Indicator][id.Period] == nil {
				records[id.Indicator][id.Period] = &record{}
			}
			r := records[id.Indicator][id.Period]
			before := *r
			r.hear(e)
			return &before
		}
		given := rapid.SampledFrom([]func() []domain.Event{Measured, locked, Running}).Draw(t, "given")()
		w.Evolve(domain.Ref{}, given...)
		for _, e := range given {
			hear(e)
		}
		for range 100 {
			cmd := Indicators.Draw(t, "command")
			meta := domain.Meta{
				Reason:    rapid.SampledFrom([]string{"", "miscounted"}).Draw(t, "reason"),
				Corrects:  rapid.SampledFrom([]string{"", correcting.Corrects}).Draw(t, "corrects"),
				Effective: Today - domain.Date(rapid.IntRange(0, 400).Draw(t, "effective")),
			}
			events, err := w.Ask(cmd, meta, Today)
			var refused *domain.Rejected
			if errors.As(err, &refused) {
				continue
			}
			require.NoError(t, err)
			w.Evolve(cmd.Ref(), events...)
			for _, e := range events {
				before := hear(e)
				seen[e.Type()]++
				switch e := e.(type) {
				case indicator.TargetSet, indicator.ActualReported:
					if before.locked {
						assert.NotEmpty(t, meta.Corrects, "7: a locked period is corrected, not changed")
						assert.NotEmpty(t, meta.Reason, "7: for a reason")
						seen["corrected"]++
					}
				case indicator.ActualVerified:
					assert.NotEqual(t, before.reporter, e.Party, "nobody verifies what it reported")
					assert.NotEmpty(t, before.reporter, "there is something to verify")
				case indicator.PeriodLocked:
					assert.NotEmpty(t, before.verifiedBy, "only what is verified is locked")
				}
			}
			s := w[cmd.Ref()].(*indicator.State)
			assert.Equal(t, first[s.Indicator], s.FirstVerifiedOn)
			assert.Len(t, records[s.Indicator], s.Periods.Len())
			for name, r := range records[s.Indicator] {
				p, _ := s.Periods.Get(domain.Key(name))
				assert.Equal(t, [5]any{r.target, r.actual, r.locked, r.verifiedBy != "", p.VerifiedOn != 0},
					[5]any{p.Target, p.Actual, p.Locked, p.State == indicator.Verified, p.State == indicator.Verified}, name)
				progress, ok := s.Progress(name)
				assert.Equal(t, naive(s.Baseline, r.target, r.actual), string(progress), "8: %s", name)
				assert.Equal(t, progress != "", ok)
			}
		}
	})
	for _, what := range []string{"corrected", indicator.ActualVerified{}.Type(), indicator.ActualReturned{}.Type(), indicator.PeriodLocked{}.Type()} {
		Reached(t, seen[what], what)
	}
}

func periodOf(e domain.Event) (indicator.PeriodID, bool) {
	switch e := e.(type) {
	case indicator.TargetSet:
		return e.PeriodID, true
	case indicator.ActualReported:
		return e.PeriodID, true
	case indicator.ActualVerified:
		return e.PeriodID, true
	case indicator.ActualReturned:
		return e.PeriodID, true
	case indicator.PeriodLocked:
		return e.PeriodID, true
	}
	return indicator.PeriodID{}, false
}

// naive is the progress in fractions, written with four digits at most.
func naive(baseline, target, actual domain.Decimal) string {
	if target == "" || actual == "" {
		return ""
	}
	if baseline == "" {
		baseline = "0"
	}
	rat := func(d domain.Decimal) *big.Rat {
		r, _ := new(big.Rat).SetString(string(d))
		return r
	}
	whole := new(big.Rat).Sub(rat(target), rat(baseline))
	if whole.Sign() == 0 {
		return ""
	}
	done := new(big.Rat).Sub(rat(actual), rat(baseline))
	d, err := domain.ParseDecimal(done.Quo(done, whole).FloatString(indicator.ProgressPlaces))
	if err != nil {
		panic(err)
	}
	return string(d)
}
