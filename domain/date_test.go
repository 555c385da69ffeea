package domain

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is computed by hand for speed is what the standard library says.
func TestDatesAreThoseOfTheStandardLibrary(t *testing.T) {
	for day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, 1) {
		y, m, d := day.Date()
		if civil(y, int(m), d) != NewDate(y, m, d) || d > daysIn(int(m), y) {
			t.Fatal(day)
		}
		if next := day.AddDate(0, 0, 1); next.Day() == 1 && d != daysIn(int(m), y) {
			t.Fatal(day)
		}
	}
}

func TestParseTimeIsTimeParse(t *testing.T) {
	for _, s := range []string{
		"2026-11-29T21:22:10.123456Z", "2024-02-29T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z",
		"2023-02-29T00:00:00.000000Z", "2024-01-01T24:00:00.000000Z", "2024-01-01T00:60:00.000000Z", "2024-01-01T00:00:60.000000Z",
		"0000-01-01T00:00:00.000000Z", "2024-01-01T00:00:00,000000Z", "2024-01-01 00:00:00.000000Z", "2024-01-01T00:00:00.00000aZ", "",
	} {
		want, err := time.Parse(TimeFormat, s)
		got, again := parseTime(s)
		require.Equal(t, err == nil, again == nil, s)
		require.Equal(t, want, got, s)
	}
}
