package domain

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func anEnvelope() Envelope {
	return Envelope{
		ID: "0190b2a0-0000-7000-8000-000000000001", Source: "/ledgers/main", Ref: Ref{"wuxi-2017", "project", "iot-base"},
		Type: "milepost.project.started.v1", Time: time.Date(2026, 11, 22, 8, 0, 0, 123000, time.UTC), Version: 7, Actor: "项目办公室", Principal: "import",
		Party: "wuxi", Effective: MustDate("2026-11-01"), Reason: "other", Note: "n", Corrects: "0190b2a0-0000-7000-8000-000000000002",
		Evidence: []Hash{"aa", "bb"}, CommandID: "c", CommandHash: "h", Correlation: "r", Causation: "s", Data: json.RawMessage(`{"a":[1,{"b":"}"}]}`),
	}
}

func TestTheCanonicalFormIsReadFast(t *testing.T) {
	full := anEnvelope()
	least := Envelope{ID: "i", Ref: Ref{Kind: "party", Key: "p"}, Type: "t", Time: full.Time, Version: 1, Data: json.RawMessage(`{}`)}
	for _, want := range []Envelope{full, least} {
		got, ok := readCanonical(want.Append(nil))
		require.True(t, ok)
		require.Equal(t, want, got)
	}

	escaped := full
	escaped.Actor = "say \"x\""
	_, ok := readCanonical(escaped.Append(nil))
	require.False(t, ok)
	got, err := DecodeEnvelope(escaped.Append(nil))
	require.NoError(t, err)
	require.Equal(t, escaped, got)
}

// FuzzCanonical holds the fast reader against the one that takes any JSON.
func FuzzCanonical(f *testing.F) {
	full := anEnvelope()
	f.Add(full.Append(nil))
	f.Add([]byte(`{"specversion":"1.0","id":"i","type":"t","subject":"a/b","time":"2026-11-22T08:00:00.000000Z","version":1,"data":{}}`))
	f.Add([]byte(`{"specversion":"1.0","id":"i","type":"t","subject":"a/b","time":"2026-11-22T08:00:00.000000Z","version":1,"data":{},"id":"j"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fast, ok := readCanonical(raw)
		if !ok {
			return
		}
		slow, err := readEnvelope(raw)
		require.NoError(t, err)
		require.Equal(t, slow, fast)
	})
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	full := anEnvelope()
	raw := full.Append(nil)
	for b.Loop() {
		if _, err := DecodeEnvelope(raw); err != nil {
			b.Fatal(err)
		}
	}
}
