package chart

import (
	"math"
	"strconv"

	"github.com/milepost-ledger/milepost/domain"
)

// amount is d as a coordinate, not for sums; not every decimal is one.
func amount(d domain.Decimal) (float64, bool) {
	if d == "" || !d.Valid() {
		return 0, false
	}
	v, _ := strconv.ParseFloat(string(d), 64)
	return clamp(v, -1e100, 1e100), true
}

// round are at most n+2 round numbers at equal distances from below low to above
// high.
func round(low, high float64, n int) []float64 {
	if high <= low {
		high = low + 1
	}
	raw := (high - low) / float64(n)
	ten := math.Pow(10, math.Floor(math.Log10(raw)))
	step := ten * 10
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m == 2.5 && ten < 10 {
			continue // no halves of a tenth
		}
		if ten*m >= raw*0.999 {
			step = ten * m
			break
		}
	}
	var values []float64
	for i := math.Floor(low/step + 1e-9); ; i++ {
		values = append(values, i*step)
		if i*step >= high-step*1e-9 || len(values) > n+1 {
			return values
		}
	}
}

// numbers are ticks at values, which are no coordinates yet.
func (f Frame) numbers(values []float64) []tick {
	ticks := make([]tick, len(values))
	for i, v := range values {
		ticks[i] = tick{v, f.number(decimal(v))}
	}
	return ticks
}

// decimal is a round number as a decimal, without what floats add to it.
func decimal(v float64) domain.Decimal {
	s := strconv.FormatFloat(v, 'g', 12, 64)
	v, _ = strconv.ParseFloat(s, 64)
	if v == 0 {
		return "0" // and not -0
	}
	s = strconv.FormatFloat(v, 'f', -1, 64)
	if d, err := domain.ParseDecimal(s); err == nil {
		return d
	}
	return domain.Decimal(s)
}
