package domain_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

func TestADecimalHasOneForm(t *testing.T) {
	for written, want := range map[string]domain.Decimal{
		"0": "0", "-0": "0", "-0.00": "0", "007": "7", "1250000.50": "1250000.5", "0.10": "0.1", "-12.5": "-12.5", "10": "10", "100.0": "100",
		"99999999999999999999.9999999999": "99999999999999999999.9999999999",
	} {
		got, err := domain.ParseDecimal(written)
		require.NoError(t, err, written)
		assert.Equal(t, want, got)
		assert.True(t, got.Valid())
		assert.Equal(t, written == string(want), domain.Decimal(written).Valid(), written)
	}
	for _, bad := range []string{
		"", "-", ".", ".5", "5.", "+1", "--1", "1e3", "1E3", "1,000", "1 000", " 1", "1 ", "1\n", "0x1", "1_000", "Inf", "NaN", "١", "1.2.3",
		"123456789012345678901", "0.12345678901",
	} {
		_, err := domain.ParseDecimal(bad)
		assert.ErrorContains(t, err, "want a decimal number", bad)
		assert.False(t, domain.Decimal(bad).Valid(), bad)
	}
	assert.Panics(t, func() { domain.MustDecimal("1e3") })
}

func TestADecimalInJSON(t *testing.T) {
	for written, want := range map[string]domain.Decimal{
		`"1250000.50"`: "1250000.5", `1250000.50`: "1250000.5", `9007199254740993`: "9007199254740993", `-0`: "0", `""`: "", `null`: "", `"\u0031"`: "1",
	} {
		d := domain.Decimal("7")
		require.NoError(t, json.Unmarshal([]byte(written), &d), written)
		assert.Equal(t, want, d, written)
	}
	for _, bad := range []string{`1e3`, `1.5e-3`, `"1e3"`, `"null"`, `"x"`, `true`, `[]`, `{}`, `"\"1\""`} {
		d := domain.Decimal("7")
		assert.Error(t, json.Unmarshal([]byte(bad), &d), bad)
		assert.Equal(t, domain.Decimal("7"), d, "%s leaves it as it was", bad)
	}
}

// decimals draws a number and what it is as a fraction.
var decimals = rapid.Custom(func(t *rapid.T) domain.Decimal {
	s := rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,10})?`).Draw(t, "decimal")
	return domain.MustDecimal(s)
})

func rat(d domain.Decimal) *big.Rat {
	if d == "" {
		d = "0"
	}
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		panic("no number: " + d)
	}
	return r
}

// The arithmetic is that of fractions, to the last digit, and its results are
// in the one form.
func TestDecimalsReckonExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.OneOf(decimals, rapid.Just(domain.Decimal(""))).Draw(t, "a"), decimals.Draw(t, "b")
		for _, got := range []struct {
			d    domain.Decimal
			want *big.Rat
		}{{a.Add(b), new(big.Rat).Add(rat(a), rat(b))}, {a.Sub(b), new(big.Rat).Sub(rat(a), rat(b))}, {b.Sub(b), new(big.Rat)}} {
			assert.Zero(t, got.want.Cmp(rat(got.d)), "%s", got.d)
			assert.True(t, got.d.Valid(), "%q", got.d)
		}
		assert.Equal(t, rat(a).Cmp(rat(b)), a.Cmp(b))
		assert.Equal(t, rat(a).Sign(), a.Sign())
		assert.Equal(t, a.Cmp(b) == 0, a.Add("0") == b.Add("0"), "equal numbers are equal texts")

		places := rapid.Int32Range(0, 8).Draw(t, "places")
		got, ok := a.Per(b, places)
		require.Equal(t, b.Sign() != 0, ok)
		if ok {
			want := domain.MustDecimal(cut(new(big.Rat).Quo(rat(a), rat(b)).FloatString(int(places))))
			assert.Equal(t, want, domain.MustDecimal(cut(string(got))))
			assert.LessOrEqual(t, got.Places(), int(places))
		} else {
			assert.Empty(t, got)
		}
	})
}

// cut is the last 20 digits of a number before the point, as many as are parsed.
func cut(s string) string {
	whole, fraction, found := strings.Cut(s, ".")
	if sign := strings.HasPrefix(whole, "-"); sign && len(whole) > 21 {
		whole = "-" + whole[len(whole)-20:]
	} else if !sign && len(whole) > 20 {
		whole = whole[len(whole)-20:]
	}
	if found {
		return whole + "." + fraction
	}
	return whole
}

func TestManyTenthsAreNotLost(t *testing.T) {
	sum := domain.Decimal("")
	for range 1000 {
		sum = sum.Add("0.1")
	}
	assert.Equal(t, domain.Decimal("100"), sum)
	assert.Equal(t, 0, sum.Places())
	assert.Equal(t, 10, domain.Decimal("-1.0000000001").Places())
}

// Whatever is taken as a decimal has one form, means the same number as what
// was written, and comes through JSON as it is.
func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0.0", "007.70", "1e3", "-99999999999999999999.9999999999", ".5", "5.", "+1", "1_0", "٣", "0x1p4", "1\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := domain.ParseDecimal(s)
		if err != nil {
			if domain.Decimal(s).Valid() {
				t.Fatalf("%q is valid and not parsed", s)
			}
			return
		}
		again, err := domain.ParseDecimal(string(d))
		if err != nil || again != d || !d.Valid() {
			t.Fatalf("%q became %q, and that %q: %v", s, d, again, err)
		}
		written, ok := new(big.Rat).SetString(s)
		if !ok || written.Cmp(rat(d)) != 0 || written.Sign() != d.Sign() {
			t.Fatalf("%q became %q", s, d)
		}
		if d.Add("0") != d || d.Cmp(d) != 0 {
			t.Fatalf("%q reckons as %q", d, d.Add("0"))
		}
		var read domain.Decimal
		if err := json.Unmarshal(fmt.Appendf(nil, "%q", d), &read); err != nil || read != d {
			t.Fatalf("%q was read as %q: %v", d, read, err)
		}
	})
}
