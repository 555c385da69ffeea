package indicator_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

func TestPeriodsAreDays(t *testing.T) {
	for name, days := range map[string][2]string{
		"2018":                   {"2018-01-01", "2018-12-31"},
		"9999":                   {"9999-01-01", "9999-12-31"},
		"2018-h1":                {"2018-01-01", "2018-06-30"},
		"2018-h2":                {"2018-07-01", "2018-12-31"},
		"2018-q1":                {"2018-01-01", "2018-03-31"},
		"2018-q3":                {"2018-07-01", "2018-09-30"},
		"2018-q4":                {"2018-10-01", "2018-12-31"},
		"2024-02":                {"2024-02-01", "2024-02-29"},
		"2018-12":                {"2018-12-01", "2018-12-31"},
		"2018-03-01--2018-08-31": {"2018-03-01", "2018-08-31"},
		"2018-03-01--2018-03-01": {"2018-03-01", "2018-03-01"},
		"2017-03-01--2018-02-28": {"2017-03-01", "2018-02-28"},
	} {
		p := indicator.ReportingPeriod(name)
		start, end := p.Span()
		assert.Equal(t, days, [2]string{start.String(), end.String()}, name)
		assert.True(t, p.Valid(), name)
		assert.True(t, domain.Key(name).Valid(), "%s is a key", name)
		assert.Regexp(t, indicator.PeriodPattern, name)
		assert.Equal(t, p, indicator.PeriodOf(start, end))
	}
}

// Days that have a name of their own have no other.
func TestAPeriodHasOneName(t *testing.T) {
	for written, name := range map[string]indicator.ReportingPeriod{
		"2018-01-01--2018-12-31": "2018",
		"2018-01-01--2018-06-30": "2018-h1",
		"2018-10-01--2018-12-31": "2018-q4",
		"2024-02-01--2024-02-29": "2024-02",
		"2024-02-01--2024-02-28": "2024-02-01--2024-02-28",
	} {
		p, err := indicator.ParsePeriod(written)
		require.NoError(t, err)
		assert.Equal(t, name, p)
		assert.Equal(t, written == string(name), indicator.ReportingPeriod(written).Valid())
		var read indicator.ReportingPeriod
		require.NoError(t, json.Unmarshal(domain.EncodeValue(written), &read))
		assert.Equal(t, name, read)
	}
	rapid.Check(t, func(t *rapid.T) {
		first := domain.MustDate("2018-01-01")
		start := first + domain.Date(rapid.IntRange(0, 800).Draw(t, "start"))
		end := start + domain.Date(rapid.IntRange(0, 800).Draw(t, "days"))
		p := indicator.PeriodOf(start, end)
		require.True(t, p.Valid(), p)
		s, e := p.Span()
		assert.Equal(t, [2]domain.Date{start, end}, [2]domain.Date{s, e})
	})
	assert.Empty(t, indicator.PeriodOf(5, 4))
	assert.Empty(t, indicator.PeriodOf(0, 4))
}

func TestWhatIsNoPeriod(t *testing.T) {
	for _, bad := range []string{
		"", "18", "0000", "2018-", "2018-h3", "2018-h0", "2018-q0", "2018-q5", "2018-q", "2018-qq", "2018-13", "2018-00", "2018-1", "2018-H1", "2018-05-01",
		"2018-02-29--2018-03-01", "2018-03-02--2018-03-01", "2018-03-01/2018-03-31", "2018--2019", "2018-01-01--", "2018-01-01---2018-02-02", "20180", "2018\n", "二〇一八",
	} {
		_, err := indicator.ParsePeriod(bad)
		assert.Error(t, err, bad)
		assert.False(t, indicator.ReportingPeriod(bad).Valid(), bad)
		start, end := indicator.ReportingPeriod(bad).Span()
		assert.Zero(t, [2]domain.Date{start, end}, bad)
	}
	for _, bad := range []string{`2018`, `true`, `["2018"]`, `{}`, `"2018-h9"`} {
		p := indicator.ReportingPeriod("2017")
		assert.ErrorContains(t, json.Unmarshal([]byte(bad), &p), "want a period: 2018, 2018-h1", bad)
		assert.Equal(t, indicator.ReportingPeriod("2017"), p, bad)
	}
	for _, none := range []string{`""`, `null`} {
		p := indicator.ReportingPeriod("2017")
		require.NoError(t, json.Unmarshal([]byte(none), &p))
		assert.Empty(t, p)
	}
}

// Whatever is taken as a period has one name, the form of a key, and days.
func FuzzParsePeriod(f *testing.F) {
	for _, seed := range []string{"2018", "2018-h1", "2018-q4", "2018-05", "2018-03-01--2018-08-31", "2018-01-01--2018-12-31", "0001", "2018--", "-", "9999-12-31--9999-12-31"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := indicator.ParsePeriod(s)
		if err != nil {
			return
		}
		start, end := p.Span()
		if !p.Valid() || !domain.Key(p).Valid() || start == 0 || start > end || indicator.PeriodOf(start, end) != p {
			t.Fatalf("%q: %q, %s to %s", s, p, start, end)
		}
	})
}
