package web

import (
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// coded are fields whose values are codes, and ofParties those whose values are
// keys of parties.
var (
	coded     = []string{"state", "kind", "level", "measure", "outcome", "role", "cadence", "reason_code", "reason", "type", "rag"}
	ofParties = []string{
		"party", "parties", "signed", "members", "lead", "owner", "manager", "debtor", "beneficiary", "reporter", "verifier", "proposed_by",
		"claimed_by", "confirmed_by", "confirming", "recipient", "contributor", "payer",
	}
)

// Told shows the value of a field as Value does, but codes by what they mean,
// parties by their names, and the first digits of a hash.
func (v *visit) Told(field string, raw json.RawMessage) template.HTML {
	var words []string
	var word string
	if json.Unmarshal(raw, &word) == nil && word != "" {
		words = []string{word}
	} else if json.Unmarshal(raw, &words) != nil || len(words) == 0 {
		return v.Value(raw)
	}
	var tell func(word string) string
	switch {
	case slices.Contains(coded, field):
		tell = v.Label
	case slices.Contains(ofParties, field):
		tell = func(word string) string { return v.PartyName(domain.Key(word)) }
	case slices.ContainsFunc(words, func(word string) bool { return len(word) != 64 }):
		return v.Value(raw)
	default:
		tell = func(word string) string { return word[:12] + "…" }
	}
	for i, word := range words {
		words[i] = template.HTMLEscapeString(tell(word))
	}
	return template.HTML(strings.Join(words, ", "))
}
