package projections

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Every key in an event is of a kind that mentions are looked for, or of what is
// never withheld. A new field has to be put with the one or the other, or what it
// names would be shown.
func TestEveryKeyInAnEventIsOfAKnownKind(t *testing.T) {
	never := map[string]bool{ // parties, principals, and the ledger's own
		"party": true, "parties": true, "lead": true, "debtor": true, "beneficiary": true, "reporter": true, "verifier": true, "owner": true,
		"manager": true, "members": true, "confirming": true, "voided": true, "principal": true, "subscriber": true, "webhook": true,
		// agreements, whose keys who may read one that names them sees
		"agreement": true, "renews": true, "by": true,
		"parent": true, // of a party or an agreement; that of an area is read as one
	}
	kinds := map[string]bool{}
	for _, a := range catalogue.Aggregates {
		kinds[a.Kind] = true
		for _, part := range partKinds()[a.Kind] {
			kinds[part] = true
		}
	}
	require.True(t, kinds["milestone"] && kinds["area"] && kinds["decision"], "%v", kinds)
	for _, e := range catalogue.EventTypes() {
		for _, f := range e.Fields {
			key := f.Pattern == domain.KeyPattern || f.Items != nil && f.Items.Pattern == domain.KeyPattern
			if key && !never[f.Name] {
				assert.True(t, kinds[kindNamed(f.Name)], "%s in %s: what does it name?", f.Name, e.Type)
			}
		}
	}
}

func TestMentionsAreFoundHoweverDeep(t *testing.T) {
	w := newWithheld(View{Restricted: []Restriction{{Agreement: "a", Project: "p"}, {Agreement: "a", Area: "r"}, {Agreement: "b", Project: "q"}}})
	for _, e := range []withheldEntity{{"a", "project/p"}, {"a", "agreement/a/area/r"}, {"b", "project/q"}, {"a", "fund/f/disbursement/d"}, {"a", "decision/x"}} {
		w.add(e.id(), e.key())
	}
	project, wide := domain.Ref{Agreement: "a", Kind: "project", Key: "other"}, domain.Ref{Kind: "access", Key: "li"}
	for data, want := range map[string][2]bool{ // in a project of a, in what belongs to the ledger
		`{"project":"p"}`:                                     {true, true},
		`{"Project":"p"}`:                                     {true, true},
		`{"project":"\u0070"}`:                                {true, true},
		`{"projects":["o","p"]}`:                              {true, true},
		`{"areas":["r"]}`:                                     {true, true},
		`{"area":"s","parent":"r"}`:                           {true, true},
		`{"agreement":"a","parent":"r"}`:                      {false, false},
		`{"changes":[{"command":"x"},{"deep":{"area":"r"}}]}`: {true, true},
		`{"affects":["mechanism/m","project/p/milestone/k"]}`: {true, true},
		`{"title":{"en":"for project/p, that is"}}`:           {true, true},
		`{"title":{"en":"p"},"lead":"p","area":"p"}`:          {false, false},
		`{"title":{"en":"project/pp or xproject/p"}}`:         {false, false},
		`{"project":"q"}`:                                     {false, true},
		`{"agreement":"b","project":"q"}`:                     {true, true},
		`{"agreement":"b","project":"p"}`:                     {true, false},
		`{"fund":"f","disbursement":"d"}`:                     {true, true},
		`{"fund":"g","disbursement":"d"}`:                     {false, false},
		`{"decision":"x"}`:                                    {true, true},
		`{"affects":["meeting/m/decision/x"]}`:                {true, true},
		`{"cleared":["area/r"]}`:                              {true, true},
	} {
		for i, ref := range []domain.Ref{project, wide} {
			said, ok := readSaid([]byte(data))
			require.True(t, ok)
			found := w.mayName([]byte(data)) && len(w.mentionsIn(ref, said.pairs)) > 0
			assert.Equal(t, want[i], found, "%s of %s", data, ref)
		}
	}
	_, ok := readSaid([]byte(`{"project":`))
	assert.False(t, ok)
}

func TestWordsOfATitle(t *testing.T) {
	assert.Equal(t, []string{"Tunnel", "under", "3", "港", "口", "e\u0301te"}, wordsOf(" Tunnel, under-3 (港口) e\u0301te"))
}
