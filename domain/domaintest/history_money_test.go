package domaintest_test

import (
	"math/big"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// fraction is a decimal reckoned with otherwise than the domain does.
func fraction(d domain.Decimal) *big.Rat {
	r := new(big.Rat)
	if d != "" {
		r.SetString(string(d))
	}
	return r
}

// Invariant 6: of each commitment no more is disbursed than it is, of each
// disbursement no more spent; and amounts have a currency.
func checkBooks(t *rapid.T, s *fund.State) {
	disbursed, spent := map[domain.Key]*big.Rat{}, map[domain.Key]*big.Rat{}
	add := func(sums map[domain.Key]*big.Rat, key domain.Key, amount domain.Decimal) {
		if sums[key] == nil {
			sums[key] = new(big.Rat)
		}
		sums[key].Add(sums[key], fraction(amount))
	}
	for _, d := range s.Disbursements.All() {
		add(disbursed, d.Commitment, d.Amount)
	}
	for _, e := range s.Expenditures.All() {
		add(spent, e.Disbursement, e.Amount)
	}
	for key, sum := range disbursed {
		c, _ := s.Commitments.Get(key)
		assert.LessOrEqual(t, sum.Cmp(fraction(c.Amount)), 0, "6: %s disbursed of commitment %s of %s", sum, key, c.Amount)
	}
	for key, sum := range spent {
		d, _ := s.Disbursements.Get(key)
		assert.LessOrEqual(t, sum.Cmp(fraction(d.Amount)), 0, "6: %s spent of disbursement %s of %s", sum, key, d.Amount)
	}
	if s.Pledges.Len()+s.Commitments.Len() > 0 {
		assert.True(t, s.Currency.Valid(), "6: one currency")
	}
}

// Invariant 7, at the moment at which an actual is reported.
func checkLocked(t *rapid.T, w World, s Step, e indicator.ActualReported) {
	was, _ := w[e.Ref()].(*indicator.State)
	if p, _ := was.Periods.Get(domain.Key(e.Period)); p.Locked {
		assert.NotEmpty(t, s.Meta.Corrects, "7: a locked period takes only a correction")
		assert.NotEmpty(t, s.Meta.Reason, "7: with a reason")
	}
}

// Invariant 8: progress is the quotient, to four digits, or there is none; no
// baseline counts as 0.
func checkProgress(t *rapid.T, s *indicator.State) {
	for key, p := range s.Periods.All() {
		progress, ok := s.Progress(indicator.ReportingPeriod(key))
		whole := new(big.Rat).Sub(fraction(p.Target), fraction(s.Baseline))
		if p.Target == "" || p.Actual == "" || whole.Sign() == 0 {
			assert.False(t, ok, "8: undefined")
			continue
		}
		assert.True(t, ok, "8: defined")
		exact := new(big.Rat).Sub(fraction(p.Actual), fraction(s.Baseline))
		exact.Quo(exact, whole)
		off := exact.Sub(exact, fraction(progress))
		assert.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(1, 20_000)), 0, "8: (actual - baseline) / (target - baseline)")
	}
}
