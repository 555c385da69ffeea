package main

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func TestWhatMayBeListenedOn(t *testing.T) {
	near := []string{"127.0.0.1:0", "127.1.2.3:80", "[::1]:8080", "localhost:8080"}
	far := []string{":8080", "0.0.0.0:80", "[::]:80", "192.168.1.4:80", "example.org:80", "localhost.example.org:80"}
	for _, address := range near {
		assert.NoError(t, (&listening{address: address}).check(), address)
	}
	for _, address := range far {
		err := (&listening{address: address}).check()
		require.ErrorContains(t, err, "--tls-cert", address)
		assert.False(t, errors.As(err, new(*usageError)), "refused, not misspelt")
		assert.NoError(t, (&listening{address: address, cert: "c", key: "k"}).check())
		assert.NoError(t, (&listening{address: address, proxied: "ledger.example.org"}).check())
	}
	for _, misspelt := range []*listening{
		{address: "8080"}, {address: ":80", cert: "c"}, {address: ":80", key: "k"},
		{address: ":80", proxied: "https://ledger.example.org"}, {address: ":80", proxied: "yes"},
	} {
		assert.ErrorAs(t, misspelt.check(), new(*usageError))
	}
}

func TestFormatOfAnImport(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a.jsonl", `whatever`, "jsonl"},
		{"a.NDJSON", ``, "jsonl"},
		{"-", `{"command":"register-party","party":"a"}` + "\n{", "jsonl"},
		{"-", "\xef\xbb\xbf\n  " + `{"command":"register-party"}`, "jsonl"},
		{"a.json", `{"uri":"x","releases":[]}`, "ocds"},
		{"a.json", "{\n  \"uri\": \"x\"", "ocds"},
		{"-", ``, "ocds"},
	} {
		got := detectFormat(c.name, bufio.NewReader(strings.NewReader(c.content)))
		assert.Equal(t, c.want, got, "%s: %s", c.name, c.content)
	}
}

func TestALockedDirectorySaysWhoHasIt(t *testing.T) {
	// Given a directory whose holder left a note
	dir := t.TempDir()
	h := holder{PID: 4711, Ledger: "main", Address: "http://127.0.0.1:9", Since: time.Now()}
	require.NoError(t, h.write(dir))

	// When it is found locked, then the error names the holder.
	err := explainLock(&eventstore.LockedError{Dir: dir})
	assert.ErrorContains(t, err, "process 4711")
	assert.ErrorContains(t, err, "http://127.0.0.1:9")

	// And without a note, it still says what to do.
	assert.ErrorContains(t, explainLock(&eventstore.LockedError{Dir: t.TempDir()}), "--data")
	// And other errors stay what they are.
	other := errors.New("other")
	assert.Equal(t, other, explainLock(other))
}

func TestMediansOfRoundsInTurn(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))

	// Given a machine that gets slower with every measurement, when two equal
	// sides are measured in turn
	speed := 100.0
	slower := func() (float64, error) { speed *= 0.99; return speed, nil }
	rates, err := inTurn(6, slower, slower)

	// Then each has its turn in every round, and their ratio is close to 1.
	require.NoError(t, err)
	require.Len(t, rates[0], 6)
	require.Len(t, rates[1], 6)
	assert.InDelta(t, 1, *compare(rates[0], rates[1]).Ratio, 0.02)
	assert.InDelta(t, 0.5, *compare([]float64{1, 2, 90}, []float64{2, 4, 100}).Ratio, 0.001)
}

func TestMissedTargetsAreNamed(t *testing.T) {
	results := []measurement{
		{Name: "append-1", Ratio: ptr(0.89)}, {Name: "append-64", Ratio: ptr(3.6)}, {Name: "rebuild", Ratio: ptr(0.1)},
		{Name: "what-changed", P50: ptr(1.2)}, {Name: "restart", Seconds: ptr(1.9)},
	}
	assert.Equal(t, []string{"append-1", "rebuild", "what-changed"}, missedTargets(results))
}
