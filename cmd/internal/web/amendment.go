package web

import (
	"context"
	"encoding/json"
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// amendmentPage is an amendment: the text, who signed it, and what it changes.
var amendmentPage = page{"GET /agreements/{agreement}/amendments/{amendment}", "amendment", amendmentAnswer{}, of((*site).amendment)}

type amendmentAnswer struct {
	*visit
	Of         projections.Amendment
	Signatures []signature
	Clauses    []clause
}

// clause is a change that an amendment carries out, in words.
type clause struct {
	Command string
	Fields  []clauseField
}

type clauseField struct {
	Name  string
	Value template.HTML
	Now   template.HTML // what it is now, where the clause would change it; "" for nothing to say
}

func (s *site) amendment(ctx context.Context, v *visit) (amendmentAnswer, error) {
	answer := amendmentAnswer{visit: v}
	if _, err := v.agreementCrumbs(ctx, "agreement"); err != nil {
		return answer, err
	}
	a, err := v.models.Amendment(ctx, v.Agreement, domain.Key(v.request.PathValue("amendment")), v.At)
	if err != nil {
		return answer, err
	}
	v.Title, answer.Of = v.Plain(a.Title), a
	for _, party := range a.Parties {
		s := signature{Party: party}
		for _, given := range a.Signatures {
			if given.Party == party {
				s = signature(given)
			}
		}
		answer.Signatures = append(answer.Signatures, s)
	}
	for _, c := range a.Changes {
		answer.Clauses = append(answer.Clauses, answer.clause(ctx, c))
	}
	return answer, nil
}

// clause tells a clause field by field, in the order of the command's declaration.
func (a *amendmentAnswer) clause(ctx context.Context, c domain.Clause) clause {
	var said map[string]json.RawMessage
	var told clause
	if json.Unmarshal(c, &said) != nil { // it was checked when it was proposed
		return told
	}
	_ = json.Unmarshal(said["command"], &told.Command)
	command, _, _ := catalogue.Command(told.Command)
	for _, f := range command.Fields {
		raw, ok := said[f.Name]
		if !ok || f.Name == "agreement" || f.Name == "amendment" {
			continue
		}
		field := clauseField{Name: f.Name, Value: a.clauseValue(f.Name, raw, said)}
		if f.Name == "due" && told.Command == "reschedule-milestone" && a.Of.State == "proposed" {
			m, err := a.models.Milestone(ctx, a.Agreement, word(said["project"]), word(said["milestone"]), a.At)
			if err == nil {
				field.Now = a.Day(m.Due)
			}
		}
		told.Fields = append(told.Fields, field)
	}
	return told
}

// clauseValue shows what a clause says: keys of what is there by their titles.
func (a *amendmentAnswer) clauseValue(name string, raw json.RawMessage, said map[string]json.RawMessage) template.HTML {
	key := string(word(raw))
	path := ""
	switch name {
	case "project", "fund", "indicator":
		path = name + "/" + key
	case "milestone":
		path = "project/" + string(word(said["project"])) + "/milestone/" + key
	case "obligation", "mechanism":
		path = "agreement/" + string(a.Agreement) + "/" + name + "/" + key
	}
	if path == "" || key == "" || strings.Contains(key, "/") {
		return a.FieldValue(name, raw)
	}
	e := a.EntityIn(path)
	if e.last().Title == nil { // it is not there before the amendment is in effect
		return a.FieldValue(name, raw)
	}
	return e.Linked()
}

func word(raw json.RawMessage) (key domain.Key) {
	_ = json.Unmarshal(raw, &key) // what is no word is none
	return key
}
