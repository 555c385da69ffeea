package ocds

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func parse(t require.TestingT, text string) (o object) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&o))
	return o
}

func text(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// The examples of the merging specification, one for each rule.
func TestMergingFollowsTheSpecification(t *testing.T) {
	for _, c := range []struct{ name, first, second, want, history string }{
		{"a literal is replaced", `"a":1`, `"a":2`, `"a":2`, `"a":[1,2]`},
		{"what is not said stays", `"a":1,"b":2`, `"a":1`, `"a":1,"b":2`, `"a":[1],"b":[2]`},
		{"null takes away", `"a":1,"b":2`, `"a":null`, `"b":2`, `"a":[1,null],"b":[2]`},
		{"objects are merged", `"v":{"amount":1,"currency":"CNY"}`, `"v":{"amount":2}`, `"v":{"amount":2,"currency":"CNY"}`, `"v":{"amount":[1,2],"currency":["CNY"]}`},
		{"an empty object says nothing", `"v":{"amount":1}`, `"v":{},"w":{}`, `"v":{"amount":1}`, `"v":{"amount":[1]}`},
		{"an empty array says nothing", `"l":[{"id":"1"}]`, `"l":[],"m":[]`, `"l":[{"id":"1"}]`, `"l":[{"id":"1"}]`},
		{"items are merged by id", `"l":[{"id":"1","a":1},{"id":2,"a":1}]`, `"l":[{"id":"2","a":3},{"id":"4","a":null}]`, `"l":[{"id":"1","a":1},{"id":"2","a":3},{"id":"4"}]`,
			`"l":[{"id":"1","a":[1]},{"id":"2","a":[1,3]},{"id":"4","a":[null]}]`},
		{"an array of literals is one value", `"l":["a","b"]`, `"l":["b"]`, `"l":["b"]`, `"l":[["a","b"],["b"]]`},
		{"so is one of objects without ids", `"l":[{"a":1}]`, `"l":[{"b":1}]`, `"l":[{"b":1}]`, `"l":[[{"a":1}],[{"b":1}]]`},
		{"and one that the schema calls whole", `"additionalIdentifiers":[{"id":"1","a":1}]`, `"additionalIdentifiers":[{"id":"1"}]`, `"additionalIdentifiers":[{"id":"1"}]`, `"additionalIdentifiers":[[{"id":"1","a":1}],[{"id":"1"}]]`},
		{"an id that is no item's has a history", `"buyer":{"id":"1"}`, `"buyer":{"id":"2"}`, `"buyer":{"id":"2"}`, `"buyer":{"id":["1","2"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			releases := []object{
				parse(t, `{"ocid":"o","id":"r1","date":"2020-01-01","tag":["contract"],`+c.first+`}`),
				parse(t, `{"ocid":"o","id":"r2","date":"2020-01-02","tag":["contractUpdate"],`+c.second+`}`),
			}
			require.JSONEq(t, `{"ocid":"o","id":"o-2020-01-02","date":"2020-01-02","tag":["compiled"],`+c.want+`}`, text(t, compiled(releases)))
			got := versions(releases)
			require.Equal(t, "o", got["ocid"])
			delete(got, "ocid")
			require.JSONEq(t, `{`+c.history+`}`, text(t, bare(got)))
		})
	}
	release := object{"ocid": "o", "id": "r1", "date": "2020-01-01", "tag": []any{"contract"}, "a": "b"}
	require.JSONEq(t, `{"ocid":"o","a":[{"releaseID":"r1","releaseDate":"2020-01-01","releaseTag":["contract"],"value":"b"}]}`, text(t, versions([]object{release})))
}

// bare is a versioned release with only the values of its histories.
func bare(v any) any {
	switch v := v.(type) {
	case history:
		values := []any{}
		for _, h := range v {
			values = append(values, h.Value)
		}
		return values
	case object:
		out := object{}
		for name, of := range v {
			out[name] = bare(of)
		}
		return out
	case []any:
		out := []any{}
		for _, of := range v {
			out = append(out, bare(of))
		}
		return out
	}
	return v
}

func corpusFile(t *testing.T, name string) string {
	t.Helper()
	corpus := os.Getenv("MILEPOST_CORPUS")
	if corpus == "" {
		t.Skip("MILEPOST_CORPUS is not set: it names the folder with ocds/" + name)
	}
	return filepath.Join(corpus, "ocds", name)
}

// publisher is the record that the publisher of the corpus made.
func publisher(t *testing.T) (releases []object, compiledRelease, versionedRelease object) {
	t.Helper()
	raw, err := os.ReadFile(corpusFile(t, "ppp-record-package.json"))
	require.NoError(t, err)
	record := parse(t, string(raw))["records"].([]any)[0].(object)
	for _, rel := range record["releases"].([]any) {
		releases = append(releases, rel.(object))
	}
	return releases, record["compiledRelease"].(object), record["versionedRelease"].(object)
}

func TestThePublishersReleasesMergeToItsOwnRecord(t *testing.T) {
	releases, compiledRelease, versionedRelease := publisher(t)
	require.True(t, text(t, compiledRelease) == text(t, compiled(releases)))

	// Its versioned release says ["senior"] where its release says "senior".
	finance := versionedRelease["contracts"].([]any)[0].(object)["finance"].([]any)[0].(object)
	finance["repaymentPriority"].([]any)[0].(object)["value"] = "senior"
	require.True(t, text(t, versionedRelease) == text(t, parse(t, text(t, versions(releases)))))
}

// drawn is an object with literals, an object, an array of literals and items.
func drawn(t *rapid.T, deep int) object {
	o := object{}
	literal := rapid.SampledFrom([]any{"a", "b", json.Number("1"), true})
	for _, name := range []string{"l1", "l2"} {
		if rapid.Bool().Draw(t, name) {
			o[name] = literal.Draw(t, name)
		}
	}
	if rapid.Bool().Draw(t, "texts") {
		o["texts"] = []any{literal.Draw(t, "text")}
	}
	if deep > 0 {
		o["object"] = drawn(t, deep-1)
		items := []any{}
		for _, id := range []string{"1", "2", "3"} {
			item := drawn(t, deep-1)
			item["id"] = id
			items = append(items, item)
		}
		o["items"] = items
	}
	return o
}

// pruned is v without what says nothing, which merging cannot tell apart.
func pruned(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, of := range v {
			if p := pruned(of); p != nil {
				out[name] = p
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case []any:
		out := []any{}
		for _, of := range v {
			if p := pruned(of); p != nil {
				out = append(out, p)
			}
		}
		return out
	}
	return v
}

func TestWhatDeltasSayMergesToTheLastState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var last object
		var releases []object
		for range rapid.IntRange(1, 5).Draw(t, "states") {
			now := drawn(t, 2)
			releases = append(releases, delta(last, now))
			last = now
		}
		got := compiled(releases)
		delete(got, "id")
		delete(got, "tag")
		delete(got, "date")
		require.Equal(t, pruned(last), pruned(got))
		require.Empty(t, delta(last, last))
	})
}
