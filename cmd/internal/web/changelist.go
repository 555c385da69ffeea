package web

import (
	"context"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// changeList is changes as a table, by what changed.
type changeList struct {
	*visit
	Caption  string
	Old, New string // heads of the columns of values; "" for before and after
	Groups   []changeGroup
}

// changeGroup is the changes of one entity, in the order in which they came.
type changeGroup struct {
	Entity  entity
	Raw     string // its path, with its agreement
	Changes []changeRow
}

// changeRow is a change with what its event has beside.
type changeRow struct {
	projections.Change
	For      domain.Key // the party for which it was
	Righted  uint64     // the sequence of the event that it corrects; 0 where that is not seen
	Evidence []domain.Hash
}

// changeList puts changes together by what changed, in the order of the first of
// each, and finds the evidence of their events.
func (s *site) changeList(ctx context.Context, v *visit, changes []projections.Change) (changeList, error) {
	list := changeList{visit: v}
	seqs := make([]uint64, len(changes))
	for i, c := range changes {
		seqs[i] = c.Seq
	}
	events, err := s.said(ctx, seqs)
	if err != nil {
		return list, err
	}
	evidence, place := evidenceOf(events), map[entityKey]int{}
	for _, c := range changes {
		key := entityKey{domain.Key(c.Agreement), c.Entity}
		i, ok := place[key]
		if !ok {
			i = len(list.Groups)
			place[key] = i
			raw := c.Entity
			if c.Agreement != "" && !strings.HasPrefix(c.Entity, "agreement/") {
				raw = c.Agreement + ":" + c.Entity
			}
			list.Groups = append(list.Groups, changeGroup{Entity: v.Entity(c.Agreement, c.Entity), Raw: raw})
		}
		row := changeRow{Change: c, For: domain.Key(c.Party), Evidence: evidence[c.Seq]}
		if c.CorrectsSeq != nil {
			row.Righted = *c.CorrectsSeq
		}
		list.Groups[i].Changes = append(list.Groups[i].Changes, row)
	}
	return list, nil
}

// Fields whose values are codes that have words, and keys of parties.
var (
	codeFields  = []string{"state", "kind", "level", "measure", "outcome", "role", "reason_code", "type", "cadence"}
	partyFields = []string{"party", "parties", "members", "confirming", "confirmed_by", "claimed_by", "proposed_by", "lead", "manager", "owner",
		"debtor", "beneficiary", "reporter", "verifier", "signed"}
)

// FieldValue shows what a field has: codes in words, parties by their names, hashes
// by their beginning, and else as Value does.
func (v *visit) FieldValue(field string, raw json.RawMessage) template.HTML {
	var values []string
	var one string
	switch {
	case field == "percent" && len(raw) > 0 && string(raw) != "null":
		return v.Value(raw) + " %"
	case json.Unmarshal(raw, &one) == nil && one != "":
		values = []string{one}
	case json.Unmarshal(raw, &values) != nil || len(values) == 0:
		return v.Value(raw)
	}
	var shown []string
	for _, value := range values {
		switch {
		case slices.Contains(codeFields, field):
			shown = append(shown, template.HTMLEscapeString(v.Label(value)))
		case slices.Contains(partyFields, field) && domain.Key(value).Valid():
			shown = append(shown, string(v.Party(domain.Key(value))))
		case field == "affects" && v.Agreement != "":
			shown = append(shown, string(v.EntityIn(value).Name()))
		case domain.Hash(value).Valid():
			shown = append(shown, string(v.Hash(domain.Hash(value))))
		default:
			return v.Value(raw)
		}
	}
	return template.HTML(strings.Join(shown, ", "))
}

// Hash shows the beginning of a hash; all of it is its title.
func (v *visit) Hash(hash domain.Hash) template.HTML {
	text := template.HTMLEscapeString(string(hash))
	short := text
	if hash.Valid() {
		short = text[:12] + "…"
	}
	return template.HTML(`<code title="` + text + `">` + short + `</code>`)
}
