package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// sample has a field of each type that commands have.
type sample struct {
	Key       domain.Key    `json:"key"`
	Title     domain.Text   `json:"title"`
	Due       domain.Date   `json:"due"`
	Weight    *int          `json:"weight"`
	Sure      bool          `json:"sure"`
	ActingFor []domain.Key  `json:"acting_for"`
	Term      domain.Period `json:"term"`
	Steps     []struct {
		Name string `json:"name"`
	} `json:"steps"`
}

// typed makes the body that the flags of sample come to.
func typed(args ...string) (string, error) {
	body := map[string]any{}
	set := pflag.NewFlagSet("sample", pflag.ContinueOnError)
	addFieldFlags(set, domain.FieldsOf[sample](), "", func() map[string]any { return body })
	err := set.Parse(args)
	b, _ := json.Marshal(body) // of maps, strings and numbers
	return string(b), err
}

func TestFlagsMakeTheBody(t *testing.T) {
	for _, c := range []struct {
		name string
		args string
		want string
	}{
		{"a plain title is English", "--title Base", `{"title":{"en":"Base"}}`},
		{"a title by language", "--title Base --title zh=基地", `{"title":{"en":"Base","zh":"基地"}}`},
		{"a title that has an equals sign", "--title en=E=mc2", `{"title":{"en":"E=mc2"}}`},
		{"a title that starts with no language", "--title E=mc2", `{"title":{"en":"E=mc2"}}`},
		{"a title as JSON", `--title {"en":"Base"}`, `{"title":{"en":"Base"}}`},
		{"a list with commas and again", "--acting-for a,b --acting-for c", `{"acting_for":["a","b","c"]}`},
		{"a list as JSON", `--acting-for ["a","b"]`, `{"acting_for":["a","b"]}`},
		{"zero is given", "--weight 0", `{"weight":0}`},
		{"a flag without a value", "--sure", `{"sure":true}`},
		{"an object by its fields", "--term.start 2026-01-01 --term.end 2027-01-01", `{"term":{"end":"2027-01-01","start":"2026-01-01"}}`},
		{"an object as JSON, with one more field", `--term {"start":"2026-01-01"} --term.end 2027-01-01`, `{"term":{"end":"2027-01-01","start":"2026-01-01"}}`},
		{"objects in a list", `--steps {"name":"a"} --steps {"name":"b"}`, `{"steps":[{"name":"a"},{"name":"b"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := typed(strings.Fields(c.args)...)
			require.NoError(t, err)
			assert.JSONEq(t, c.want, body)
		})
	}
}

func TestFlagsRefuse(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--weight ten", "want a whole number"},
		{"--sure=perhaps", "want true or false"},
		{"--due 2026-01-01 --due 2026-01-02", "given twice"},
		{"--title zh=a --title zh=b", "zh is given twice"},
		{"--term 2026", "want a JSON object"},
		{"--steps a", "want a JSON object"},
		{`--acting-for ["a"`, "want a JSON array"},
		{"--nosuch 1", "unknown flag: --nosuch"},
	} {
		t.Run(c.args, func(t *testing.T) {
			_, err := typed(strings.Fields(c.args)...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Every command has a flag for each of its fields, none of which hides a flag
// that all verbs have, and values to choose from are offered.
func TestEveryCommandIsAVerb(t *testing.T) {
	a := &app{env: func(string) string { return "" }}
	root := newRoot(a)
	for _, command := range catalogue.Commands() {
		t.Run(command.Name, func(t *testing.T) {
			verb, rest, err := root.Find([]string{"do", command.Name})
			require.NoError(t, err)
			require.Empty(t, rest)
			require.Equal(t, command.Name, verb.Name())
			for _, f := range append(command.Fields, domain.MetaFields()...) {
				flag := verb.LocalFlags().Lookup(flagName(f.Name))
				require.NotNil(t, flag, f.Name)
				assert.Nil(t, root.PersistentFlags().Lookup(flag.Name), "--%s hides the flag of all verbs", flag.Name)
				if len(f.Enum) > 0 {
					assert.Equal(t, f.Enum, completed(t, verb, flag.Name))
				}
			}
		})
	}
}

func completed(t *testing.T, verb *cobra.Command, flag string) []string {
	t.Helper()
	f, ok := verb.GetFlagCompletionFunc(flag)
	require.True(t, ok, "--%s completes nothing", flag)
	values, _ := f(verb, nil, "")
	return values
}
