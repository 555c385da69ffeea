package ledger_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

const threeParties = "\xef\xbb\xbf" + `{"command":"register-party","party":"wuxi","title":"Wuxi","kind":"local-government"}
{"command":"register-party","party":"cethik","title":{"en":"CETHIK","zh":"中电海康"},"kind":"state-owned-enterprise"}

{"command":"change-party","party":"wuxi","title":"City of Wuxi"}
{"command":"change-party","party":"wuxi","title":"Wuxi"}
{"command":"change-party","party":"wuxi","title":"City of Wuxi"}
`

func importText(t *testing.T, l *ledger.Ledger, text string) (ledger.Summary, error) {
	t.Helper()
	return l.Import(t.Context(), ledger.Lines(strings.NewReader(text)), nil)
}

func TestImportingAgainAddsNothing(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)

	sum, err := importText(t, l, threeParties)
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 6, Commands: 5, Events: 5, FirstSeq: 1, LastSeq: 5}, sum)

	for name, l := range map[string]*ledger.Ledger{"at once": l, "after a restart": newLedger(store)} {
		sum, err = importText(t, l, threeParties)
		require.NoError(t, err, name)
		require.Equal(t, ledger.Summary{Lines: 6, Skipped: 5}, sum, name)
	}
	// and a file that goes on after the same lines adds only what is new
	sum, err = importText(t, l, threeParties+`{"command":"change-party","party":"wuxi","title":"Wuxi"}`)
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 7, Commands: 1, Events: 1, FirstSeq: 6, LastSeq: 6, Skipped: 5}, sum)
	require.Len(t, audit(t, store), 6)
}

func TestTheFirstRefusedLineStopsAnImport(t *testing.T) {
	good := `{"command":"register-party","party":"wuxi","title":"Wuxi","kind":"other"}` + "\n"
	after := "\n" + `{"command":"register-party","party":"later","title":"Later","kind":"other"}`
	for _, c := range []struct{ name, line, code, field string }{
		{"refused by a rule", `{"command":"register-party","party":"wuxi","title":"Again","kind":"other"}`, domain.CodeAlreadyExists, "party"},
		{"not JSON", `{"command":`, domain.CodeMalformed, ""},
		{"no command", `{"party":"wuxi"}`, domain.CodeMissingField, "command"},
		{"unknown command", `{"command":"register-partie","party":"wuxi"}`, domain.CodeUnknownCommand, "command"},
		{"unknown field", `{"command":"change-party","party":"wuxi","tittle":"W"}`, domain.CodeUnknownField, "tittle"},
		{"a field twice", `{"command":"change-party","party":"wuxi","party":"wuxi"}`, domain.CodeInvalidValue, "party"},
		{"too long", `{"command":"change-party","party":"wuxi","title":"` + strings.Repeat("x", ledger.MaxLine) + `"}`, ledger.CodeLineTooLong, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := openStore(t)
			sum, err := importText(t, newLedger(store), good+c.line+after)
			var line *ledger.LineError
			require.ErrorAs(t, err, &line)
			require.Equal(t, 2, line.Line)
			requireCode(t, err, c.code, c.field)
			require.Equal(t, ledger.Summary{Lines: 1, Commands: 1, Events: 1, FirstSeq: 1, LastSeq: 1}, sum)
			require.Len(t, audit(t, store), 1)
		})
	}
}

func TestAnImportedKeyHoldsAgainstOtherCommands(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	_, err := importText(t, l, `{"command":"register-party","party":"wuxi","title":"Wuxi","kind":"other","idempotency_key":"k"}`)
	require.NoError(t, err)
	_, err = l.Execute(t.Context(), withKey(register("cethik"), "k"))
	requireCode(t, err, domain.CodeKeyReused, "idempotency_key")
}
