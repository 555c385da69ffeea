package projections

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

// A sum is what adding one by one gives, whatever the sizes and signs.
func TestSumIsExact(t *testing.T) {
	amounts := rapid.Custom(func(t *rapid.T) domain.Decimal {
		return domain.MustDecimal(rapid.OneOf(
			rapid.StringMatching(`-?[0-9]{1,3}(\.[0-9]{1,2})?`), rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,10})?`), rapid.Just("0"),
		).Draw(t, "amount"))
	})
	rapid.Check(t, func(t *rapid.T) {
		var s sum
		want := domain.Decimal("0")
		for _, d := range rapid.SliceOfN(amounts, 0, 12).Draw(t, "amounts") {
			s.add(d)
			want = want.Add(d)
			assert.Equal(t, want, s.decimal())
		}
	})
}
