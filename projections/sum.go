package projections

import (
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// sum adds up amounts, exactly. A fund is summed up at each of its events, so
// amounts of the usual size are added as two whole numbers.
type sum struct {
	whole, fraction int64          // the fraction in units of 1e-10, the finest that a Decimal has
	rest            domain.Decimal // of amounts with more digits
}

const (
	fractionUnits = 10_000_000_000
	fractionSize  = 10
	// maxWhole is how many digits before the point are added as whole numbers:
	// millions of such amounts cannot overflow.
	maxWhole = 12
)

func (s *sum) add(d domain.Decimal) {
	digits := strings.TrimPrefix(string(d), "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(whole) > maxWhole || len(fraction) > fractionSize {
		s.rest = s.rest.Add(d)
		return
	}
	w, f := int64(0), int64(0)
	for i := range len(whole) {
		w = w*10 + int64(whole[i]-'0')
	}
	for i := range fractionSize {
		f *= 10
		if i < len(fraction) {
			f += int64(fraction[i] - '0')
		}
	}
	if len(digits) < len(d) {
		w, f = -w, -f
	}
	s.whole, s.fraction = s.whole+w, s.fraction+f
}

// decimal is the sum; that of nothing is 0.
func (s *sum) decimal() domain.Decimal {
	w, f := s.whole+s.fraction/fractionUnits, s.fraction%fractionUnits
	switch { // the two of one sign
	case w > 0 && f < 0:
		w, f = w-1, f+fractionUnits
	case w < 0 && f > 0:
		w, f = w+1, f-fractionUnits
	}
	text := fmt.Sprint(w)
	if f != 0 {
		if f < 0 && w == 0 {
			text = "-0"
		}
		text += "." + strings.TrimRight(fmt.Sprintf("%010d", max(f, -f)), "0")
	}
	if s.rest != "" {
		return s.rest.Add(domain.Decimal(text))
	}
	return domain.Decimal(text)
}

// sumOfAll sums up an amount of each part that counts.
func sumOfAll[T any](list domain.List[T], amount func(T) (d domain.Decimal, counts bool)) domain.Decimal {
	var s sum
	for _, part := range list.All() {
		if d, counts := amount(part); counts {
			s.add(d)
		}
	}
	return s.decimal()
}
