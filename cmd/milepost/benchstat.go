package main

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
)

// side measures one of two for a round and returns its rate per second.
type side func() (float64, error)

// inTurn measures sides in turn, so that a machine that gets slower meanwhile
// slows down all of them, and returns the rates of each, one a round. Who goes
// first changes from round to round.
func inTurn(rounds int, sides ...side) ([][]float64, error) {
	rates := make([][]float64, len(sides))
	for round := range rounds {
		for i := range sides {
			i = (i + round) % len(sides)
			rate, err := sides[i]()
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	return rates, nil
}

// compare makes a measurement of the rates of ours and of raw JetStream, round
// by round.
func compare(ours, raw []float64) measurement {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / raw[i]
	}
	return measurement{Ours: ptr(median(ours)), Raw: ptr(median(raw)), Ratio: ptr(median(ratios))}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func ptr[T any](v T) *T { return &v }

// cells are the measurement's name and numbers.
func (m measurement) cells() []string {
	number := func(v *float64, digits int) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', digits, 64)
	}
	return []string{m.Name, number(m.Ours, 0), number(m.Raw, 0), number(m.Ratio, 2), number(m.Visible, 0), number(m.P50, 3), number(m.P99, 3), number(m.RawP50, 3), number(m.RawP99, 3), number(m.Growth, 2), number(m.Seconds, 2), number(m.MiB, 0)}
}

func writeBenchCSV(w io.Writer, results []measurement) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"name", "ours_per_s", "raw_per_s", "ratio", "visible_per_s", "p50_ms", "p99_ms", "raw_p50_ms", "raw_p99_ms", "growth", "seconds", "mib"}) // Error has the first error
	for _, m := range results {
		_ = out.Write(m.cells())
	}
	out.Flush()
	return out.Error()
}
