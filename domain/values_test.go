package domain_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

func TestDatesAreDays(t *testing.T) {
	assert.Equal(t, domain.Date(1), domain.MustDate("0001-01-01"))
	assert.Equal(t, domain.Date(29+1), domain.MustDate("2024-03-01")-domain.MustDate("2024-01-31"))
	for _, bad := range []string{"2025-02-29", "2025-2-28", "0000-01-01", "2025-00-01", "2025-01-00", "2025-01-32", "25-01-01", "2025/01/01", "+025-01-01"} {
		_, err := domain.ParseDate(bad)
		assert.Error(t, err, bad)
	}
	// Late in the evening in one zone it is tomorrow in another.
	shanghai := time.FixedZone("", 8*3600)
	instant := time.Date(2024, 6, 15, 20, 0, 0, 0, time.UTC)
	assert.Equal(t, domain.MustDate("2024-06-16"), domain.DateOf(instant, shanghai))
	assert.Equal(t, domain.MustDate("2024-06-15"), domain.DateOf(instant, time.UTC))
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Date(rapid.IntRange(1, 3652059).Draw(t, "date")) // up to 9999-12-31
		again, err := domain.ParseDate(d.String())
		require.NoError(t, err)
		assert.Equal(t, d, again)
		assert.Equal(t, d, domain.DateOf(d.Time(shanghai), shanghai))
		var read domain.Date
		require.NoError(t, json.Unmarshal(domain.EncodeValue(d), &read))
		assert.Equal(t, d, read)
	})
}

func TestKeysAndHashes(t *testing.T) {
	for _, good := range []domain.Key{"a", "0", "iot-base", "018f3c5e-7b1a-7000-8000-00000000c0de"} {
		assert.True(t, good.Valid(), good)
	}
	for _, bad := range []domain.Key{"", "-a", "A", "a.b", "a*", "a>", "a b", "物", "a\n"} {
		assert.False(t, bad.Valid(), bad)
	}
	assert.Equal(t, domain.Key("a"), domain.Key("a").Or("b"))
	assert.Equal(t, domain.Key("b"), domain.Key("").Or("b"))
	assert.Error(t, domain.Distinct("x", []domain.Key{"a", "b", "a"}))
	assert.NoError(t, domain.Distinct("x", []domain.Key{"a", "b"}))
}

func TestTextInALanguage(t *testing.T) {
	text := domain.Text{"en": "Base", "zh": "基地"}
	assert.Equal(t, "基地", text.In("fr", "zh"))
	assert.Equal(t, "Base", text.In("fr"))
	assert.Equal(t, "Basis", domain.Text{"de": "Basis", "nl": "Basis 2"}.In("fr"))
	assert.Empty(t, domain.Text{}.In("en"))
	var plain domain.Text
	require.NoError(t, json.Unmarshal([]byte(`"Base"`), &plain))
	assert.Equal(t, domain.Text{"en": "Base"}, plain)
}

func TestAListIsAValue(t *testing.T) {
	var none domain.List[int]
	one := none.With("a", 1)
	two := one.With("b", 2)
	fork := one.With("c", 3) // must not write where two keeps b
	three := two.With("a", 10)
	read := func(l domain.List[int]) (keys []domain.Key, values []int) {
		for k, v := range l.All() {
			keys, values = append(keys, k), append(values, v)
		}
		return keys, values
	}
	for _, c := range []struct {
		l      domain.List[int]
		keys   []domain.Key
		values []int
	}{
		{none, nil, nil}, {one, []domain.Key{"a"}, []int{1}}, {two, []domain.Key{"a", "b"}, []int{1, 2}},
		{fork, []domain.Key{"a", "c"}, []int{1, 3}}, {three, []domain.Key{"a", "b"}, []int{10, 2}},
	} {
		keys, values := read(c.l)
		assert.Equal(t, c.keys, keys)
		assert.Equal(t, c.values, values)
		assert.Equal(t, len(c.keys), c.l.Len())
	}
	long := two.With("c", 3) // has room to spare
	long.With("d", 4)
	fourth := long.With("d", 5)
	long.With("d", 6)
	d, _ := fourth.Get("d")
	assert.Equal(t, 5, d)
	_, ok := one.Get("b")
	assert.False(t, ok)
	assert.True(t, two.Has("b"))
}

type part struct {
	Due  domain.Date `json:"due"`
	Done bool        `json:"done"`
	Note string      `json:"note" diff:"-"`
}

type whole struct {
	Title domain.Text       `json:"title"`
	Count int               `json:"count"`
	Keys  []domain.Key      `json:"keys"`
	Term  domain.Period     `json:"term"`
	Parts domain.List[part] `part:"step"`
}

func TestDiff(t *testing.T) {
	changes := func(before, after *whole) []domain.Change {
		var all []domain.Change
		domain.Diff(before, after, func(c domain.Change) { all = append(all, c) })
		return all
	}
	a := &whole{Title: domain.Text{"en": "A"}, Keys: []domain.Key{"k"}, Parts: domain.List[part]{}.With("one", part{Due: 5, Note: "x"})}
	b := *a
	b.Count, b.Term.End, b.Keys = 3, 9, []domain.Key{"k", "l"}
	b.Parts = b.Parts.With("one", part{Due: 5, Done: true, Note: "y"}).With("two", part{Due: 7})

	assert.Equal(t, []domain.Change{
		{Field: "count", Before: 0, After: 3},
		{Field: "keys", Before: []domain.Key{"k"}, After: []domain.Key{"k", "l"}},
		{Field: "term.end", After: domain.Date(9)},
		{Part: "step/one", Field: "done", Before: false, After: true},
		{Part: "step/two", Field: "due", After: domain.Date(7)},
	}, changes(a, &b))
	assert.Empty(t, changes(a, a))
	same := *a
	same.Keys, same.Title = []domain.Key{"k"}, domain.Text{"en": "A"}
	assert.Empty(t, changes(a, &same), "equal in value is no change")
	assert.Len(t, changes(nil, &b), 7)
	assert.Len(t, changes(&b, nil), 7)
	assert.Empty(t, changes(nil, nil))
	b.Parts = b.Parts.With("one", part{Due: 5, Done: true, Note: "z"})
	c := b
	assert.Empty(t, changes(&b, &c), "what is kept out stays out")
}

func TestADayBeginsWhereTheClocksSkipMidnight(t *testing.T) {
	for zone, day := range map[string]string{"America/Santiago": "2025-09-07", "America/Havana": "2025-03-09"} {
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		first := domain.MustDate(day).Time(loc)
		require.Equal(t, day, domain.DateOf(first, loc).String(), zone)
		require.Equal(t, domain.MustDate(day)-1, domain.DateOf(first.Add(-time.Microsecond), loc), zone)
	}
}
