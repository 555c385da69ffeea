package words

import "github.com/milepost-ledger/milepost/domain"

// unit is what large numbers are counted by.
type unit struct {
	of   domain.Decimal
	name string
}

// Units from the largest on: thousands of thousands, or as Chinese counts ten
// thousands.
var (
	millions     = []unit{{"1000000000", " bn"}, {"1000000", " m"}}
	tenThousands = []unit{{"100000000", "亿"}, {"10000", "万"}}
)

// Short writes a large number in the unit that it is counted by, to two digits behind
// the point: for axes, and beside bars.
func (l *Language) Short(d domain.Decimal) string {
	units, size := millions, d
	if l == Chinese {
		units = tenThousands
	}
	if d.Sign() < 0 {
		size = domain.Decimal("0").Sub(d)
	}
	for _, u := range units {
		if q, ok := d.Per(u.of, 2); ok && size.Cmp(u.of) >= 0 {
			return l.Number(q) + u.name
		}
	}
	return l.Number(d)
}
