package words

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
)

func TestTheLanguageIsTheOneChosenElseTheBrowsers(t *testing.T) {
	for _, c := range []struct {
		chosen, accept string
		want           *Language
	}{
		{"", "", English}, {"", "fr", English}, {"", "zh-CN,en;q=0.5", Chinese}, {"", "en,zh;q=0.5", English},
		{"", "zh", Chinese}, {"", "%%", English}, {"zh-Hans", "en", Chinese}, {"en", "zh", English}, {"tlh", "zh", Chinese},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.chosen != "" {
			r.AddCookie(&http.Cookie{Name: Cookie, Value: c.chosen})
		}
		assert.Same(t, c.want, FromRequest(r), c)
	}
}

func TestSaying(t *testing.T) {
	assert.Equal(t, "It shows what was known at event 12,345.", English.Say("It shows what was known at event %d.", 12345))
	assert.Equal(t, "显示的是第 12,345 号事件时已知的情况。", Chinese.Say("It shows what was known at event %d.", 12345))
	assert.Equal(t, "Nobody translated 100 %.", Chinese.Say("Nobody translated 100 %."), "what has no Chinese is said in English, as it stands")
}

func TestCounting(t *testing.T) {
	for n, want := range map[int][2]string{
		0: {"0 days", "0 天"}, 1: {"1 day", "1 天"}, 2: {"2 days", "2 天"}, 1200: {"1,200 days", "1,200 天"}, -1: {"−1 day", "−1 天"}, -45: {"−45 days", "−45 天"},
	} {
		assert.Equal(t, want, [2]string{English.Days(n), Chinese.Days(n)})
	}
}

func TestLabels(t *testing.T) {
	assert.Equal(t, "Fulfilment claimed", English.Label("fulfilment-claimed"))
	assert.Equal(t, "Met on", English.Label("met_on"))
	assert.Equal(t, "已申报履行", Chinese.Label("fulfilment-claimed"))
	assert.Empty(t, Chinese.Label(""))
	assert.Equal(t, [2]string{"Assess TRL", "评估技术成熟度"}, [2]string{English.Label("assess-trl"), Chinese.Label("assess-trl")})
	assert.Equal(t, "State-owned enterprise", English.Label("state-owned-enterprise"))
	for _, own := range []string{"re-planned, by Mr Li", "施工-延期", "É", "-"} {
		assert.Equal(t, own, English.Label(own), "no code")
	}

	// What a field is called depends on the command where its name says too little.
	assert.Equal(t, [2]string{"Depends on", "前置里程碑"}, [2]string{English.FieldLabel("add-dependency", "on"), Chinese.FieldLabel("add-dependency", "on")})
	assert.Equal(t, [2]string{"Forecast", "预测日期"}, [2]string{English.FieldLabel("reforecast-milestone", "forecast"), Chinese.FieldLabel("reforecast-milestone", "forecast")})

	assert.Equal(t, [2]string{"Term · End", "期限 · 末日"}, [2]string{English.FieldName("term.end"), Chinese.FieldName("term.end")})
	for event, want := range map[string][2]string{
		"milepost.project.milestone-reforecast.v1": {"Milestone reforecast", "预测日期已更新"},
		"milepost.party.registered.v1":             {"Party registered", "参与方已登记"},
		"milepost.amendment.took-effect.v1":        {"Amendment took effect", "修订已生效"},
		"another":                                  {"another", "another"},
	} {
		assert.Equal(t, want, [2]string{English.EventName(event), Chinese.EventName(event)})
	}
}

func TestProblemsAreExplained(t *testing.T) {
	assert.Contains(t, Chinese.Problem(domain.CodeStaleVersion), "请查看最新内容")
	assert.Empty(t, English.Problem(domain.CodeStaleVersion), "the detail is English")
	assert.Empty(t, Chinese.Problem("no-such-code"))
}

func TestDates(t *testing.T) {
	day, err := domain.ParseDate("2018-06-30")
	assert.NoError(t, err)
	assert.Equal(t, "30 Jun 2018", English.Date(day))
	assert.Equal(t, "2018年6月30日", Chinese.Date(day))
	assert.Empty(t, English.Date(0))
	at := time.Date(2018, 6, 3, 9, 5, 59, 0, time.UTC)
	assert.Equal(t, "3 Jun 2018 09:05", English.Time(at))
	assert.Equal(t, "2018年6月3日 09:05", Chinese.Time(at))
	assert.Empty(t, Chinese.Time(time.Time{}))
}

func TestNumbers(t *testing.T) {
	for d, want := range map[domain.Decimal]string{
		"": "", "0": "0", "999": "999", "1000": "1,000", "-1234567.0001": "−1,234,567.0001", "12345678901234567890.1234567891": "12,345,678,901,234,567,890.1234567891",
	} {
		assert.Equal(t, want, English.Number(d))
		assert.Equal(t, want, Chinese.Number(d))
	}
	assert.Equal(t, [2]string{"62.5 %", "62.5%"}, [2]string{English.Share("62.5"), Chinese.Share("62.5")})
	assert.Empty(t, English.Share(""))
}

// The short form of an amount leaves nothing out.
func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		amount   domain.Decimal
		currency domain.Currency
		en, zh   string
	}{
		{"10000000000", "CNY", "CNY 10 billion", "100亿元"},
		{"150000000", "CNY", "CNY 150 million", "1.5亿元"},
		{"123456700", "CNY", "CNY 123,456,700", "12,345.67万元"},
		{"125000", "CNY", "CNY 125,000", "12.5万元"},
		{"10000", "CNY", "CNY 10,000", "1万元"},
		{"9999", "CNY", "CNY 9,999", "CNY 9,999"},
		{"10001", "CNY", "CNY 10,001", "CNY 10,001"},
		{"10000000000.01", "CNY", "CNY 10,000,000,000.01", "CNY 10,000,000,000.01"},
		{"-2500000", "CNY", "CNY −2.5 million", "−250万元"},
		{"2500000", "USD", "USD 2.5 million", "USD 250万"},
		{"0", "CNY", "CNY 0", "CNY 0"},
		{"", "CNY", "", ""},
	} {
		assert.Equal(t, c.en, English.Amount(c.amount, c.currency))
		assert.Equal(t, c.zh, Chinese.Amount(c.amount, c.currency))
	}
	assert.Equal(t, "CNY 1,250,000.5", Chinese.Money("1250000.5", "CNY"))
}

func TestTextsFallBackAcrossLanguages(t *testing.T) {
	both := domain.Text{"en": "Base", "zh": "基地"}
	for _, c := range []struct {
		l         *Language
		text      domain.Text
		want, tag string
	}{
		{English, both, "Base", "en"}, {Chinese, both, "基地", "zh-Hans"},
		{Chinese, domain.Text{"en": "Base"}, "Base", "en"}, {English, domain.Text{"zh": "基地"}, "基地", "zh"},
	} {
		text, tag := c.l.Text(c.text)
		assert.Equal(t, c.want, text)
		assert.Equal(t, c.tag, tag)
	}
}

func TestTranslationsArePairs(t *testing.T) {
	for block, ok := range map[string]bool{"": true, "# only a comment": true, "one\n一": true, "# c\none\n一\n": true, "one": false, "one\n一\ntwo": false} {
		_, _, err := pair(block)
		assert.Equal(t, ok, err == nil, block)
	}
}
