package catalogue_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
)

var update = flag.Bool("update", false, "add golden files of event types that have none; none is ever rewritten")

func goldenFile(eventType string) string {
	return filepath.Join("testdata", "golden", eventType+".json")
}

// What was stored once is read for ever: each file is an event as some version
// stored it. A change that fails this test breaks every ledger there is.
func TestGoldenEvents(t *testing.T) {
	for _, e := range samples {
		if _, err := os.Stat(goldenFile(e.Type())); *update && os.IsNotExist(err) {
			require.NoError(t, os.WriteFile(goldenFile(e.Type()), append(envelope(e), '\n'), 0o644))
		}
	}
	for _, eventType := range catalogue.EventTypes() {
		t.Run(eventType.Type, func(t *testing.T) {
			raw, err := os.ReadFile(goldenFile(eventType.Type))
			require.NoError(t, err, "give it a sample and run go test ./domain/catalogue -update")
			raw = bytes.TrimSuffix(raw, []byte{'\n'})

			env, e, err := catalogue.Decode(raw)
			require.NoError(t, err)
			assert.Equal(t, eventType.Type, e.Type())
			assert.Equal(t, string(env.Data), string(domain.EncodeEvent(e)), "the same data when written again")
			assert.Equal(t, string(raw), string(env.Append(nil)), "the same bytes when written again")
			a, ok := catalogue.Aggregate(env.Ref.Kind)
			require.True(t, ok)
			assert.NotNil(t, a.Evolve(nil, e))
			var told int
			a.Diff(nil, a.Evolve(nil, e), func(domain.Change) { told++ })
			assert.NotZero(t, told, "it says something about its aggregate")
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	require.NoError(t, err)
	for _, f := range files {
		_, _, err := catalogue.Decode(read(t, f.Name()))
		assert.NoError(t, err, "%s: a type once stored stays readable", f.Name())
	}
}

func read(t *testing.T, name string) []byte {
	raw, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	require.NoError(t, err)
	return raw
}

// envelope stores an event with every attribute filled.
func envelope(e domain.Event) []byte {
	env := domain.Envelope{
		ID: "018f3c5e-7b1a-7000-8000-00000000c0de", Source: "/ledgers/main", Type: e.Type(), Version: 7,
		Time:  time.Date(2024, 6, 15, 9, 30, 0, 123456000, time.UTC),
		Actor: "li.wei", Party: "wuxi", Effective: domain.MustDate("2024-06-14"), Reason: "other", Note: "大雨 & \"flood\"",
		Corrects: "018f3c5e-7b1a-7000-8000-00000000beef", Evidence: []domain.Hash{document, document}, CommandID: "idempotency-key-1",
		CommandHash: "0123456789abcdef0123456789abcdef", Correlation: "c-1", Causation: "c-2", Data: domain.EncodeEvent(e),
	}
	env.Ref, _ = domaintest.Locate(domain.Ref{Kind: "party", Key: "cethik"}, e)
	return env.Append(nil)
}

// An event whose actor is not who was authenticated says both; the events before
// there were principals, as those above, say the actor alone.
func TestTheGoldenEventOfAPrincipal(t *testing.T) {
	raw := bytes.TrimSuffix(read(t, "milepost.party.registered.v1.principal.json"), []byte{'\n'})
	env, _, err := catalogue.Decode(raw)
	require.NoError(t, err)
	assert.Equal(t, [2]string{"li.wei", "importer"}, [2]string{env.Actor, env.Principal})
	assert.Equal(t, string(raw), string(env.Append(nil)))
	env.Principal = ""
	assert.Equal(t, string(read(t, "milepost.party.registered.v1.json")), string(env.Append(nil))+"\n", "the rest is as it was")
}

// The statements in the log prove each rotation for ever, whatever wrote them.
func TestGoldenRotationsAreProven(t *testing.T) {
	_, e, err := catalogue.Decode(read(t, "milepost.party.witness-rotated.v1.json"))
	require.NoError(t, err)
	witness := e.(party.WitnessRotated)
	assert.NoError(t, domain.VerifyRotation(witness.Old, witness.Key, string(witness.Statement)))
	_, e, err = catalogue.Decode(read(t, "milepost.keyring.key-rotated.v1.json"))
	require.NoError(t, err)
	ledger := e.(keyring.KeyRotated)
	assert.NoError(t, domain.VerifyRotation(ledger.Old, ledger.Key, string(ledger.Statement)))
}

func TestEachEventTypeHasOneFullSample(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range samples {
		assert.False(t, seen[e.Type()], "%s twice", e.Type())
		seen[e.Type()] = true
		v := reflect.ValueOf(e)
		for _, f := range reflect.VisibleFields(v.Type()) {
			assert.False(t, v.FieldByIndex(f.Index).IsZero(), "%s: fill %s", e.Type(), f.Name)
		}
	}
	for _, eventType := range catalogue.EventTypes() {
		assert.True(t, seen[eventType.Type], "%s has no sample", eventType.Type)
	}
}

func TestWhatIsLedgerWideIsUnderNoAgreement(t *testing.T) {
	for _, e := range samples {
		ref, _ := domaintest.Locate(domain.Ref{Kind: party.Kind, Key: "cethik"}, e)
		assert.Equal(t, ref.Agreement == "", catalogue.LedgerWide(ref.Kind), ref)
	}
}

func TestTheListingIsWellFormed(t *testing.T) {
	names, types := map[string]bool{}, map[string]bool{}
	for _, a := range catalogue.Aggregates {
		assert.NotEmpty(t, a.Doc)
		for _, c := range a.Commands {
			assert.False(t, names[c.Name], "%s twice", c.Name)
			names[c.Name] = true
			assert.Regexp(t, `^[a-z]+(-[a-z]+)+$`, c.Name)
			assert.Regexp(t, `^[A-Z].*\.$`, c.Doc, c.Name)
			found, of, err := catalogue.Command(c.Name)
			require.NoError(t, err)
			assert.Equal(t, [2]string{c.Name, a.Kind}, [2]string{found.Name, of.Kind})
			for _, f := range c.Fields {
				assert.Regexp(t, `^[a-z]+(_[a-z]+)*$`, f.Name)
				assert.Regexp(t, `^[A-Z].*\.$`, f.Doc, "%s %s", c.Name, f.Name)
				for _, m := range domain.MetaFields() {
					assert.NotEqual(t, m.Name, f.Name, "%s: every command may carry that", c.Name)
				}
				assert.NotEqual(t, "command", f.Name, "an import line names the command so")
			}
		}
		for _, e := range a.Events {
			assert.False(t, types[e.Type], "%s twice", e.Type)
			types[e.Type] = true
			assert.Regexp(t, `^milepost\.`+a.Kind+`\.[a-z]+(-[a-z]+)*\.v[1-9]$`, e.Type)
			assert.Regexp(t, `^[A-Z].*\.$`, e.Doc, e.Type)
		}
	}
	assert.NotEmpty(t, names)
}

func TestDecodeSaysWhatItDoesNotKnow(t *testing.T) {
	raw := string(envelope(samples[0]))
	_, _, err := catalogue.Decode([]byte(strings.Replace(raw, ".v1", ".v9", 1)))
	var unknown *catalogue.UnknownEventError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "milepost.party.registered.v9", unknown.Type)
	_, _, err = catalogue.Decode([]byte(strings.Replace(raw, `"party":"cethik"`, `"party":7`, 1)))
	assert.ErrorContains(t, err, "milepost.party.registered.v1")
	for _, bad := range []string{``, `{}`, `[]`, `{"id":"1","type":"t","subject":"x","time":"2024-01-01T00:00:00Z"}`, `{"id":"1","type":"t","subject":"a/b","time":"yesterday"}`} {
		_, _, err := catalogue.Decode([]byte(bad))
		assert.Error(t, err, bad)
	}
}
