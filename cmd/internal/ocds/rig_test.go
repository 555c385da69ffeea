package ocds_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a ledger with its log and a clock that a test moves.
type rig struct {
	t      *testing.T
	store  *eventstore.Store
	ledger *ledger.Ledger
	now    time.Time
	zone   *time.Location
}

func newRig(t *testing.T, now string) *rig {
	t.Helper()
	r := &rig{t: t, zone: time.FixedZone("", 8*3600)}
	r.at(now)
	var err error
	r.store, err = eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.store.Close()) })
	r.ledger = ledger.New(r.store, ledger.Options{Name: "main", Location: r.zone, Now: func() time.Time { return r.now }})
	return r
}

// at sets the clock.
func (r *rig) at(now string) {
	var err error
	r.now, err = time.Parse(time.RFC3339, now)
	require.NoError(r.t, err)
}

// do carries out commands, written as lines of an import.
func (r *rig) do(lines ...string) {
	r.t.Helper()
	_, err := r.ledger.Import(r.t.Context(), ledger.Lines(bytes.NewReader([]byte(join(lines)))), nil)
	require.NoError(r.t, err)
}

func join(lines []string) string {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}

func (r *rig) imports(raw []byte) (ledger.Summary, error) {
	r.t.Helper()
	items, err := ocds.Commands(bytes.NewReader(raw), keepIn(r.t, r.store))
	require.NoError(r.t, err)
	return r.ledger.Import(r.t.Context(), items, nil)
}

// export exports an agreement from read models that are made of the log.
func (r *rig) export(key domain.Key, asOf projections.AsOf) (*ocds.Package, error) {
	r.t.Helper()
	models, err := projections.Open(r.t.Context(), projections.Options{Dir: r.t.TempDir(), Ledger: "main", Location: r.zone, Now: func() time.Time { return r.now }})
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, models.Close()) }()
	_, err = models.Rebuild(r.t.Context(), r.store, nil)
	require.NoError(r.t, err)
	at, err := models.Resolve(r.t.Context(), asOf)
	require.NoError(r.t, err)
	return ocds.Export{
		Ledger: "main", Agreement: key, At: at, Zone: r.zone, URI: "http://localhost/ocds", Evidence: "http://localhost/v1/evidence/", Publisher: "Test",
	}.Package(r.t.Context(), models, r.store)
}

func corpus(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("MILEPOST_CORPUS")
	if dir == "" {
		t.Skip("MILEPOST_CORPUS is not set: it names the folder with ocds/" + name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "ocds", name))
	require.NoError(t, err)
	return raw
}

// schema is that of OCDS 1.1.5, from the corpus.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(corpus(t, "release-schema-1.1.5.json")))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("release-schema.json", doc))
	s, err := c.Compile("release-schema.json")
	require.NoError(t, err)
	return s
}

// record is the one record of an exported package, as JSON.
type record struct {
	OCID      string           `json:"ocid"`
	Releases  []map[string]any `json:"releases"`
	Compiled  map[string]any   `json:"compiledRelease"`
	Versioned map[string]any   `json:"versionedRelease"`
}

func recordOf(t *testing.T, p *ocds.Package) (r record) {
	t.Helper()
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	var whole struct {
		URI, Version, PublishedDate string
		Extensions                  []string
		Publisher                   struct{ Name string }
		Records                     []record
	}
	require.NoError(t, json.Unmarshal(raw, &whole))
	require.Equal(t, "1.1", whole.Version)
	require.NotEmpty(t, whole.URI)
	require.NotEmpty(t, whole.Publisher.Name)
	require.NotEmpty(t, whole.Extensions)
	_, err = time.Parse(time.RFC3339, whole.PublishedDate)
	require.NoError(t, err)
	require.Len(t, whole.Records, 1)
	return whole.Records[0]
}

// valid checks a record against the schema, and the versioned release against
// what the specification of merging says of one.
func (r record) valid(t *testing.T) {
	t.Helper()
	s := schema(t)
	tags := map[string]any{}
	dates := []string{}
	for _, rel := range r.Releases {
		require.NoError(t, s.Validate(rel), rel["id"])
		require.Equal(t, r.OCID, rel["ocid"])
		require.NotContains(t, tags, rel["id"], "ids of releases are unique")
		tags[rel["id"].(string)] = rel["tag"]
		dates = append(dates, rel["date"].(string))
	}
	require.True(t, slices.IsSorted(dates), dates)
	require.NoError(t, s.Validate(r.Compiled))
	require.Equal(t, []any{"compiled"}, r.Compiled["tag"])
	require.Equal(t, r.OCID, r.Versioned["ocid"])
	require.Equal(t, r.content(), newest(t, r.Versioned, tags, false))
}

// content is the compiled release without what is about itself.
func (r record) content() map[string]any {
	c := maps.Clone(r.Compiled)
	delete(c, "id")
	delete(c, "date")
	delete(c, "tag")
	return c
}

// newest checks the histories of a versioned release and returns their last
// values.
func newest(t *testing.T, v any, tags map[string]any, item bool) any {
	t.Helper()
	out := map[string]any{}
	for name, v := range v.(map[string]any) {
		switch v := v.(type) {
		case map[string]any:
			out[name] = newest(t, v, tags, false)
		case string:
			require.True(t, name == "ocid" || item && name == "id", "%s has no history", name)
			out[name] = v
		case []any:
			first := v[0].(map[string]any)
			if _, history := first["releaseTag"]; !history {
				items := []any{}
				for _, i := range v {
					items = append(items, newest(t, i, tags, true))
				}
				out[name] = items
				continue
			}
			dates := []string{}
			for i, h := range v {
				h := h.(map[string]any)
				require.Len(t, h, 4, name)
				require.Equal(t, tags[h["releaseID"].(string)], h["releaseTag"])
				dates = append(dates, h["releaseDate"].(string))
				if i > 0 {
					require.NotEqual(t, v[i-1].(map[string]any)["value"], h["value"], name)
				}
				if out[name] = h["value"]; h["value"] == nil {
					delete(out, name)
				}
			}
			require.True(t, slices.IsSorted(dates), dates)
		default:
			t.Fatalf("%s is %T", name, v)
		}
	}
	return out
}

// at walks down by names of members, and by the ids of items.
func at(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i := slices.IndexFunc(in, func(o any) bool { return o.(map[string]any)["id"] == step })
			require.GreaterOrEqual(t, i, 0, "%s in %v", step, path)
			v = in[i]
		default:
			require.Fail(t, "nothing there", "%s in %v", step, path)
		}
	}
	return v
}

// facts picks members of each item of a list, dates as civil dates.
func facts(t *testing.T, list any, names ...string) (all []map[string]any) {
	t.Helper()
	for _, o := range list.([]any) {
		fact := map[string]any{}
		for _, name := range names {
			var v any = o
			for step := range strings.SplitSeq(name, ".") {
				in, _ := v.(map[string]any)
				v = in[step]
			}
			if s, ok := v.(string); ok {
				v = strings.TrimSpace(s)
				if _, err := time.Parse(time.RFC3339, s); err == nil {
					v = s[:len("2006-01-02")]
				}
			}
			fact[name] = v
		}
		all = append(all, fact)
	}
	return all
}
