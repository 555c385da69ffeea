package catalogue_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// unmarshalled is an event of the type of zero, as encoding/json reads it.
func unmarshalled(zero domain.Event, data []byte) (domain.Event, error) {
	to := reflect.New(reflect.TypeOf(zero))
	err := json.Unmarshal(data, to.Interface())
	return to.Elem().Interface().(domain.Event), err
}

func requireReadAlike(t *testing.T, of domain.EventType, data []byte) {
	t.Helper()
	zero, _ := of.Decode([]byte("{}"))
	want, wrong := unmarshalled(zero, data)
	got, err := of.Decode(data)
	require.Equal(t, wrong, err, "%s: %s", of.Type, data)
	if err == nil {
		require.Equal(t, want, got, "%s: %s", of.Type, data)
	}
}

// FuzzEventData holds the reading of events against encoding/json.
func FuzzEventData(f *testing.F) {
	types := catalogue.EventTypes()
	for i, of := range types {
		raw, err := os.ReadFile(goldenFile(of.Type))
		require.NoError(f, err)
		env, err := domain.DecodeEnvelope([]byte(strings.TrimSpace(string(raw))))
		require.NoError(f, err)
		f.Add(uint(i), []byte(env.Data))
	}
	for i := range types {
		for _, data := range []string{
			`{}`, ``, `{`, `[]`, `null`, `{"agreement":"a"}`, `{"agreement":"a",}`, `{"agreement":"a"}}`, `{"agreement":"a" }`, `{"agreement":"A"}`, `{"agreement":7}`,
			`{"agreement":"a","agreement":"b"}`, `{"project":"p","agreement":"a"}`, `{"Agreement":"a"}`, `{"unknown":"a"}`, `{"agreement":"\u0061"}`, `{"agreement":"é"}`,
			`{"agreement":null}`, `{"percent":50}`, `{"percent":050}`, `{"percent":-1}`, `{"percent":5e1}`, `{"percent":"50"}`, `{"percent":9223372036854775808}`,
			`{"percent":1000000000000000000}`, `{"percent":5`, `{"forecast":"2027-01-01"}`, `{"forecast":"2027-02-30"}`, `{"forecast":""}`, `{"forecast":20270101}`,
			"{\"agreement\":\"a\x01\"}", "{\"agreement\":\"\xff\"}",
			`{"title":{"en":"A","zh":"甲"}}`, `{"title":{"en":"A","en":"B"}}`, `{"title":{"EN":"A"}}`, `{"title":{"en":""}}`, `{"title":{"e":"A"}}`, `{"title":{}}`,
			`{"title":{"en":"A"`, `{"title":{"en":"A",}}`, `{"title":{"en" :"A"}}`, `{"title":{"en":"A"]}`, `{"title":["A"]}`, "{\"title\":{\"en\":\"\xff\"}}", "{\"title\":\"\u2028\"}",
			`{"areas":["a","b"]}`, `{"areas":["a","a"]}`, `{"areas":[]}`, `{"areas":["a",]}`, `{"areas":["A"]}`, `{"areas":["a"`, `{"areas":["a"}`, `{"areas":["a",null]}`,
			`{"areas":[["a"]]}`, `{"areas":[{"en":"a"}]}`, `{"areas":[1]}`, `{"areas":{"en":"a"}}`, `{"document":["a"]}`,
		} {
			f.Add(uint(i), []byte(data))
		}
	}
	f.Fuzz(func(t *testing.T, i uint, data []byte) { requireReadAlike(t, types[i%uint(len(types))], data) })
}

// Most events that there are take the fast way, which allocates less.
func TestPlainEventsAreReadFast(t *testing.T) {
	for name, data := range map[string]string{
		"milepost.project.milestone-reforecast.v1": `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"2027-06-30"}`,
		"milepost.project.proposed.v1":             `{"agreement":"wuxi-2017","project":"iot-base","title":{"en":"IoT base","zh":"物联网基地"},"kind":"town","areas":["iot","sensors"]}`,
	} {
		of, err := catalogue.EventType(name)
		require.NoError(t, err)
		requireReadAlike(t, of, []byte(data))
		read := func(data string) float64 {
			return testing.AllocsPerRun(100, func() {
				_, err := of.Decode([]byte(data))
				assert.NoError(t, err)
			})
		}
		assert.Less(t, read(data), read(strings.Replace(data, ",", " ,", 1)), name)
	}
}
