package words

import (
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// Date writes a civil date; none is "".
func (l *Language) Date(d domain.Date) string {
	if d == 0 {
		return ""
	}
	return d.Time(time.UTC).Format(l.dateLayout())
}

// Time writes an instant to the minute, in the place that it is in.
func (l *Language) Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(l.dateLayout() + " 15:04")
}

func (l *Language) dateLayout() string {
	if l == Chinese {
		return "2006年1月2日"
	}
	return "2 Jan 2006"
}

// Days says how long a span of days is; one that goes back has a minus.
func (l *Language) Days(n int) string {
	text := l.Count(max(n, -n), "%d day", "%d days")
	if n < 0 {
		return minus + text
	}
	return text
}

const minus = "−"

// Number writes an exact decimal with its digits in groups; none is "".
func (l *Language) Number(d domain.Decimal) string {
	whole, fraction, _ := strings.Cut(string(d), ".")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = minus, rest
	}
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + b.String() + fraction
}

// Share writes a percentage; none is "".
func (l *Language) Share(percent domain.Decimal) string {
	switch {
	case percent == "":
		return ""
	case l == Chinese:
		return l.Number(percent) + "%"
	}
	return l.Number(percent) + " %"
}

// Money writes an amount with its currency, every digit of it; none is "".
func (l *Language) Money(amount domain.Decimal, currency domain.Currency) string {
	if amount == "" {
		return ""
	}
	return string(currency) + " " + l.Number(amount)
}

// scale is a large number by which amounts are counted: 10 to the power of zeros.
type scale struct {
	zeros int
	name  string
}

// Amount is Money for a headline, in the large units of the language where that
// leaves nothing out: 10,000,000,000 yuan are "CNY 10 billion", and "100亿元". What
// takes more than two digits behind the point is written as Money.
func (l *Language) Amount(amount domain.Decimal, currency domain.Currency) string {
	for _, s := range l.scales {
		n, ok := shifted(string(amount), s.zeros)
		switch {
		case !ok:
			continue
		case l == Chinese && currency == "CNY":
			return l.Number(n) + s.name + "元"
		case l == Chinese:
			return string(currency) + " " + l.Number(n) + s.name
		}
		return string(currency) + " " + l.Number(n) + " " + s.name
	}
	return l.Money(amount, currency)
}

// shifted moves the point of a whole number, where at least a digit stays before it
// and at most two follow it.
func shifted(amount string, places int) (domain.Decimal, bool) {
	sign := ""
	if rest, negative := strings.CutPrefix(amount, "-"); negative {
		sign, amount = "-", rest
	}
	if strings.Contains(amount, ".") || len(amount) <= places {
		return "", false
	}
	whole, fraction := amount[:len(amount)-places], strings.TrimRight(amount[len(amount)-places:], "0")
	if len(fraction) > 2 {
		return "", false
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return domain.Decimal(sign + whole + fraction), true
}
