package domain_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
)

func TestEDTFBounds(t *testing.T) {
	for s, want := range map[string][2]string{
		"2017-02-28":            {"2017-02-28", "2017-02-28"},
		"2017-02":               {"2017-02-01", "2017-02-28"},
		"2016-02":               {"2016-02-01", "2016-02-29"},
		"2017":                  {"2017-01-01", "2017-12-31"},
		"199X":                  {"1990-01-01", "1999-12-31"},
		"19XX":                  {"1900-01-01", "1999-12-31"},
		"2017-XX":               {"2017-01-01", "2017-12-31"},
		"2017-XX-XX":            {"2017-01-01", "2017-12-31"},
		"2017-04-XX":            {"2017-04-01", "2017-04-30"},
		"2017?":                 {"2017-01-01", "2017-12-31"},
		"2017-02~":              {"2017-02-01", "2017-02-28"},
		"2017-02-28%":           {"2017-02-28", "2017-02-28"},
		"199X~":                 {"1990-01-01", "1999-12-31"},
		"2017-21":               {"2017-03-01", "2017-05-31"},
		"2017-22":               {"2017-06-01", "2017-08-31"},
		"2017-23":               {"2017-09-01", "2017-11-30"},
		"2017-24":               {"2017-12-01", "2018-02-28"},
		"1990/2017":             {"1990-01-01", "2017-12-31"},
		"199X/2017-02-28":       {"1990-01-01", "2017-02-28"},
		"2017-02/2017":          {"2017-02-01", "2017-12-31"},
		"../2017":               {"", "2017-12-31"},
		"/2017":                 {"", "2017-12-31"},
		"1995/..":               {"1995-01-01", ""},
		"1995~/":                {"1995-01-01", ""},
		"2004-06-11%/2004-06-~": {},
		"":                      {}, "..": {}, "/": {}, "../..": {}, "2017/2016": {}, "2017/2018/2019": {}, "17": {}, "02017": {},
		"0000": {}, "000X": {}, "1XXX": {}, "XXXX": {}, "19X7": {}, "199x": {}, "199X-02": {}, "2017-2": {}, "2017-13": {}, "2017-20": {},
		"2017-25": {}, "2017-00": {}, "2017-02-29": {}, "2017-02-30": {}, "2017-21-01": {}, "2017-XX-01": {}, "2017-02-3X": {}, "2017-": {},
		"2017-02-": {}, "?": {}, "2017??": {}, "2017-02-28-01": {}, "2017-02-28T10:00:00": {}, "in 2017": {}, "-017": {}, "２０１７": {},
	} {
		earliest, latest := domain.EDTF(s).Bounds()
		assert.Equal(t, want, [2]string{earliest.String(), latest.String()}, s)
		assert.Equal(t, want != [2]string{}, domain.EDTF(s).Valid(), s)
		var read domain.EDTF
		err := json.Unmarshal(domain.EncodeValue(s), &read)
		assert.Equal(t, domain.EDTF(s).Valid() || s == "", err == nil, s)
	}
	assert.Error(t, json.Unmarshal([]byte("2017"), new(domain.EDTF)), "a number is no date")
}

func FuzzEDTF(f *testing.F) {
	for _, s := range []string{"2017-02-28", "199X", "2017-24~", "../2017", "1995/", "2017-XX-XX", "0001/9999-12-31", "2017-02-30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := domain.EDTF(s)
		earliest, latest := e.Bounds()
		if !e.Valid() {
			assert.Zero(t, earliest)
			assert.Zero(t, latest)
			return
		}
		assert.False(t, earliest == 0 && latest == 0, "it says something")
		assert.True(t, earliest == 0 || latest == 0 || earliest <= latest)
		for _, d := range []domain.Date{earliest, latest} {
			if again, _ := domain.EDTF(d.String()).Bounds(); d != 0 && d < domain.NewDate(10000, 1, 1) {
				assert.Equal(t, d, again, "a bound is a day")
			}
		}
	})
}
