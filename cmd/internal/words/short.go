package words

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// Short writes a large number in the unit that it is counted by, rounded to two
// digits behind the point: for axes, and beside bars.
func (l *Language) Short(d domain.Decimal) string {
	size := d
	if d.Sign() < 0 {
		size = domain.Decimal("0").Sub(d)
	}
	for _, s := range l.scales {
		unit := domain.Decimal("1" + strings.Repeat("0", s.zeros))
		q, ok := d.Per(unit, 2)
		switch {
		case !ok || size.Cmp(unit) < 0:
			continue
		case l == Chinese:
			return l.Number(q) + s.name
		}
		return l.Number(q) + " " + s.name
	}
	return l.Number(d)
}
