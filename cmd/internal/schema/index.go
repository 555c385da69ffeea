package schema

import "github.com/milepost-ledger/milepost/domain/catalogue"

// TypeDoc says of one event type what it is, and where a server has its schema.
type TypeDoc struct {
	Type      string `json:"type" doc:"The event type, as in the event's type."`
	Version   int    `json:"version" doc:"Version of its form, at the end of its name."`
	Aggregate string `json:"aggregate" doc:"Kind of the aggregate that it is of."`
	Doc       string `json:"doc" doc:"What happened."`
	Address   string `json:"address" doc:"Address of its schema."`
}

// Address is where a server has the schema of an event type, or of the envelope.
func Address(name string) string { return "/v1/schemas/" + name }

// Index lists every event type, in the order of the catalogue.
func Index() []TypeDoc {
	var all []TypeDoc
	for _, a := range catalogue.Aggregates {
		for _, t := range a.Events {
			all = append(all, TypeDoc{t.Type, Version(t.Type), a.Kind, t.Doc, Address(t.Type)})
		}
	}
	return all
}
