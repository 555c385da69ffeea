package ocds_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

const example = "ocds-213czf-example-ppp-1"

// What OCDS calls milestones, transactions and amendments says after the way
// through the ledger what it said before. Times of day are those of the ledger,
// and titles have no space around them.
func TestTheCorpusPackageIsExportedAsItWasPublished(t *testing.T) {
	raw := corpus(t, "ppp-record-package.json")
	r := newRig(t, "2026-01-02T10:00:00+08:00")
	_, err := r.imports(raw)
	require.NoError(t, err)
	pkg, err := r.export(example, "")
	require.NoError(t, err)
	got := recordOf(t, pkg)
	got.valid(t)

	var published struct{ Records []record }
	require.NoError(t, json.Unmarshal(raw, &published))
	want := published.Records[0]
	require.Equal(t, want.OCID, got.OCID)
	require.Len(t, got.Releases, 1) // it was recorded in one day
	require.Equal(t, []any{"award", "contract", "implementation"}, got.Releases[0]["tag"])
	ours, theirs := at(t, got.Compiled, "contracts", "1"), at(t, want.Compiled, "contracts", "1")
	for _, c := range []struct {
		path  []string
		names []string
		count int
	}{
		{[]string{"milestones"}, []string{"id", "title", "status", "dueDate", "dateMet"}, 1},
		{[]string{"implementation", "milestones"}, []string{"id", "title", "type", "status", "dueDate", "dateMet"}, 7},
		{[]string{"implementation", "transactions"}, []string{
			"id", "date", "value.amount", "value.currency", "payer.id", "payee.id", "payee.name", "relatedImplementationMilestone.id", "relatedImplementationMilestone.title",
		}, 11},
		{[]string{"amendments"}, []string{"id", "date", "rationale", "description"}, 1},
		{[]string{"signatories"}, []string{"id", "name"}, 4},
		{[]string{"agreedMetrics"}, []string{"id", "title"}, 1},
		{[]string{"agreedMetrics", "coverageNational", "observations"}, []string{"id", "period.startDate", "period.endDate", "unit.id", "unit.name", "unit.scheme"}, 6},
		{[]string{"implementation", "metrics", "coverageNational", "observations"}, []string{"id", "period.startDate", "period.endDate", "unit.id", "unit.name", "unit.scheme"}, 13},
		{[]string{"implementation", "documents"}, []string{"id", "documentType", "title", "description", "url", "datePublished", "format", "language", "author"}, 1},
	} {
		was := facts(t, at(t, theirs, c.path...), c.names...)
		require.Len(t, was, c.count, c.path)
		require.ElementsMatch(t, was, facts(t, at(t, ours, c.path...), c.names...), c.path)
	}
	contract := []string{"id", "awardID", "title", "status", "dateSigned", "period.startDate", "period.endDate", "value"}
	require.Equal(t, facts(t, []any{theirs}, contract...), facts(t, []any{ours}, contract...))
	for _, id := range []string{"1", "2"} { // beside which the signed texts are listed, as the ledger has them
		require.Equal(t, at(t, theirs, "documents", id), at(t, ours, "documents", id))
	}

	// measures keep ten digits behind the point
	for _, o := range at(t, theirs, "implementation", "metrics", "coverageNational", "observations").([]any) {
		o := o.(map[string]any)
		was, err := strconv.ParseFloat(o["measure"].(string), 64)
		require.NoError(t, err)
		is, err := strconv.ParseFloat(at(t, ours, "implementation", "metrics", "coverageNational", "observations", o["id"].(string), "measure").(string), 64)
		require.NoError(t, err)
		require.InDelta(t, was, is, 5e-11)
	}
}

// What was exported can be imported elsewhere, and is exported from there as
// it was.
func TestAnExportCanBeImportedAgain(t *testing.T) {
	r := newRig(t, "2026-01-02T10:00:00+08:00")
	_, err := r.imports(corpus(t, "ppp-record-package.json"))
	require.NoError(t, err)
	pkg, err := r.export(example, "")
	require.NoError(t, err)
	raw, err := json.Marshal(pkg)
	require.NoError(t, err)

	elsewhere := newRig(t, "2026-01-03T10:00:00+08:00")
	_, err = elsewhere.imports(raw)
	require.NoError(t, err)
	again, err := elsewhere.export(example, "")
	require.NoError(t, err)
	was, is := recordOf(t, pkg), recordOf(t, again)
	is.valid(t)
	contract, same := at(t, was.Compiled, "contracts", "1").(map[string]any), at(t, is.Compiled, "contracts", "1").(map[string]any)
	for name, v := range contract {
		switch name {
		case "documents": // each ledger has signed a text of its own
		case "amendments":
			names := []string{"id", "date", "rationale", "description"}
			require.Equal(t, facts(t, v, names...), facts(t, same[name], names...))
		case "implementation":
			for _, list := range []string{"milestones", "transactions", "metrics"} {
				names := []string{"id", "title", "status", "dueDate", "dateMet", "date", "value", "payer", "payee", "observations"}
				require.Equal(t, facts(t, v.(map[string]any)[list], names...), facts(t, same[name].(map[string]any)[list], names...), list)
			}
		default:
			require.Equal(t, v, same[name], name)
		}
	}
}
