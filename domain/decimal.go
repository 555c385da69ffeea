package domain

import (
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal is an exact decimal number in its one canonical form, "-12.5": no
// exponent, no leading or trailing zeros. So equal numbers are equal texts, in
// the log and in every answer, and nothing is ever rounded through a float.
// "" is no number, and counts as 0 in sums.
type Decimal string

// DecimalPattern is what is taken as a Decimal: up to 20 digits before the
// point and 10 behind it.
const DecimalPattern = `^-?[0-9]{1,20}(\.[0-9]{1,10})?$`

var decimalForm = regexp.MustCompile(DecimalPattern)

// ParseDecimal returns the canonical form of s.
func ParseDecimal(s string) (Decimal, error) {
	if !decimalForm.MatchString(s) {
		return "", &FormatError{Want: `a decimal number such as "1250000.50": digits and a point, no exponent, at most 20 digits before the point and 10 behind it`, Got: s}
	}
	number, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	number, fraction = strings.TrimLeft(number, "0"), strings.TrimRight(fraction, "0")
	if number == "" {
		number = "0"
	}
	if fraction != "" {
		number += "." + fraction
	}
	if s[0] == '-' && number != "0" {
		number = "-" + number
	}
	return Decimal(number), nil
}

// MustDecimal is ParseDecimal for numbers in the code.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Valid reports whether d is a number in canonical form.
func (d Decimal) Valid() bool {
	canonical, err := ParseDecimal(string(d))
	return err == nil && canonical == d
}

// UnmarshalJSON takes a string or a number, whose digits are read as they are
// written; "" and null are no number.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		var err error
		if s, err = unquote(b); err != nil {
			return err
		}
	}
	if s == "" || string(b) == "null" {
		*d = ""
		return nil
	}
	parsed, err := ParseDecimal(s)
	if err == nil {
		*d = parsed
	}
	return err
}

// FieldSpec describes decimals to the catalogue.
func (Decimal) FieldSpec() Field {
	return Field{Type: "string", Format: "decimal", Pattern: DecimalPattern}
}

// number is d for reckoning.
func (d Decimal) number() decimal.Decimal {
	n, _ := decimal.NewFromString(string(d)) // "" is 0, and anything else has the form
	return n
}

// Add returns d + e.
func (d Decimal) Add(e Decimal) Decimal { return Decimal(d.number().Add(e.number()).String()) }

// Sub returns d - e.
func (d Decimal) Sub(e Decimal) Decimal { return Decimal(d.number().Sub(e.number()).String()) }

// Cmp returns -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int { return d.number().Cmp(e.number()) }

// Sign returns -1, 0 or 1 as d is less than, equal to or greater than 0.
func (d Decimal) Sign() int { return d.number().Sign() }

// Places returns how many digits d has behind the point.
func (d Decimal) Places() int {
	_, fraction, _ := strings.Cut(string(d), ".")
	return len(fraction)
}

// Per returns d / e to the given digits behind the point, halves rounded away
// from zero. It is not ok where e is 0.
func (d Decimal) Per(e Decimal, places int32) (quotient Decimal, ok bool) {
	if e.Sign() == 0 {
		return "", false
	}
	return Decimal(d.number().DivRound(e.number(), places).String()), true
}
