package domain_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

func TestCurrencies(t *testing.T) {
	for currency, places := range map[domain.Currency]int{"CNY": 2, "JPY": 0, "KWD": 3, "USD": 2, "ISK": 0} {
		assert.True(t, currency.Valid(), currency)
		assert.Equal(t, places, currency.Places(), currency)
	}
	for _, bad := range []string{"cny", "RMB", "XAU", "XXX", "CN", "CNYY", " CNY"} {
		assert.False(t, domain.Currency(bad).Valid(), bad)
		c := domain.Currency("CNY")
		assert.ErrorContains(t, json.Unmarshal(domain.EncodeValue(bad), &c), "ISO 4217", bad)
		assert.Equal(t, domain.Currency("CNY"), c)
	}
	assert.False(t, domain.Currency("").Valid())
}

func TestRequireAmount(t *testing.T) {
	refused := func(m domain.Money) (code, field string) {
		var r *domain.Rejected
		require.ErrorAs(t, domain.RequireAmount("value", m), &r, m.String())
		assert.NotEmpty(t, r.Message)
		return r.Code, r.Field
	}
	for _, good := range []domain.Money{{"0.01", "CNY"}, {"1", "JPY"}, {"0.001", "KWD"}, {"99999999999999999999.99", "USD"}} {
		assert.NoError(t, domain.RequireAmount("value", good))
	}
	for _, c := range []struct {
		m           domain.Money
		code, field string
	}{
		{domain.Money{Amount: "0", Currency: "CNY"}, domain.CodeInvalidAmount, "value.amount"},
		{domain.Money{Amount: "-5", Currency: "CNY"}, domain.CodeInvalidAmount, "value.amount"},
		{domain.Money{Amount: "0.001", Currency: "CNY"}, domain.CodeInvalidAmount, "value.amount"},
		{domain.Money{Amount: "0.5", Currency: "JPY"}, domain.CodeInvalidAmount, "value.amount"},
		{domain.Money{Amount: "0.0001", Currency: "KWD"}, domain.CodeInvalidAmount, "value.amount"},
		{domain.Money{Currency: "CNY"}, domain.CodeMissingField, "value.amount"},
		{domain.Money{Amount: "5"}, domain.CodeMissingField, "value.currency"},
		{domain.Money{}, domain.CodeMissingField, "value.currency"},
	} {
		code, field := refused(c.m)
		assert.Equal(t, [2]string{c.code, c.field}, [2]string{code, field}, c.m)
	}
	var r *domain.Rejected
	require.ErrorAs(t, domain.RequireCurrency("value", domain.Money{Amount: "1", Currency: "USD"}, "CNY"), &r)
	assert.Equal(t, [2]string{domain.CodeOtherCurrency, "value.currency"}, [2]string{r.Code, r.Field})
	assert.NoError(t, domain.RequireCurrency("value", domain.Money{Amount: "1", Currency: "CNY"}, "CNY"))
	assert.Equal(t, "1250000.5 CNY", domain.Money{Amount: "1250000.5", Currency: "CNY"}.String())
}
