package domain

import (
	"fmt"
	"strings"
)

// Currency is an ISO 4217 code, "CNY".
type Currency string

// minorUnits lists the codes of ISO 4217 by how many digits their amounts have
// behind the point; funds codes, metals and testing codes are left out.
var minorUnits = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK " +
		"DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
		"LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON " +
		"RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES " +
		"WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}

var placesOf = func() map[Currency]int {
	all := map[Currency]int{}
	for places, codes := range minorUnits {
		for code := range strings.FieldsSeq(codes) {
			all[Currency(code)] = places
		}
	}
	return all
}()

// Valid reports whether c is a currency of ISO 4217.
func (c Currency) Valid() bool {
	_, ok := placesOf[c]
	return ok
}

// Places returns how many digits amounts in c have behind the point at most.
func (c Currency) Places() int { return placesOf[c] }

// UnmarshalJSON refuses what is no currency; "" is none.
func (c *Currency) UnmarshalJSON(b []byte) error {
	s, err := unquote(b)
	if err != nil || s != "" && !Currency(s).Valid() {
		return &FormatError{Want: `a currency of ISO 4217, such as "CNY"`, Got: strings.Trim(string(b), `"`)}
	}
	*c = Currency(s)
	return nil
}

// FieldSpec describes currencies to the catalogue.
func (Currency) FieldSpec() Field {
	return Field{Type: "string", Format: "iso4217", Pattern: "^[A-Z]{3}$"}
}

// Money is an amount in a currency, as OCDS writes a Value.
type Money struct {
	Amount   Decimal  `json:"amount" required:"true" doc:"The amount, exact."`
	Currency Currency `json:"currency" required:"true" doc:"ISO 4217 code."`
}

func (m Money) String() string { return fmt.Sprintf("%s %s", m.Amount, m.Currency) }

// Codes of refusals of an amount.
const (
	CodeInvalidAmount  = "invalid-amount"  // not more than nothing, or finer than the currency's smallest unit
	CodeOtherCurrency  = "other-currency"  // not the currency that the rest is in
	CodeAmountExceeded = "amount-exceeded" // more than there is to draw on
)

// RequireAmount refuses an amount without a currency, one that is not more than
// 0, and one that has more digits behind the point than its currency.
func RequireAmount(field string, m Money) error {
	if !m.Currency.Valid() {
		return Refuse(CodeMissingField, field+".currency", "%q is no currency of ISO 4217; say which the amount is in", m.Currency)
	}
	return RequireAmountIn(field+".amount", m.Amount, m.Currency)
}

// RequireAmountIn is RequireAmount for an amount, named field, whose currency
// is known from elsewhere.
func RequireAmountIn(field string, amount Decimal, currency Currency) error {
	m := Money{amount, currency}
	switch {
	case amount == "":
		return Refuse(CodeMissingField, field, "give the amount, such as \"1250000.50\"")
	case amount.Sign() <= 0:
		return Refuse(CodeInvalidAmount, field, "%s is not more than 0; give what is more", m)
	case amount.Places() > currency.Places():
		return Refuse(CodeInvalidAmount, field, "%s has %d digits behind the point, and %s has %d; round it", m, amount.Places(), currency, currency.Places())
	}
	return nil
}

// RequireCurrency refuses an amount in another currency than the rest is in.
func RequireCurrency(field string, m Money, want Currency) error {
	if m.Currency != want {
		return Refuse(CodeOtherCurrency, field+".currency", "%s is in another currency; this is kept in %s: convert it first", m, want)
	}
	return nil
}
