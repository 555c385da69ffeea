package schema

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// MediaEvent is what an event is on every way that it goes.
const MediaEvent = "application/cloudevents+json"

// Source is whose events an AsyncAPI document is about.
type Source struct {
	Ledger  string // its name
	Version string // of the program
	Address string // host and port of its API; "" for one that the reader has to fill in
	TLS     bool   // the API is asked by https
	NATS    string // host and port of its NATS server; "" for one that the reader has to fill in
}

// object is an object of the AsyncAPI document. Only [Schema] has a type of its
// own: the rest of the document is written once, below.
type object map[string]any

func ref(path ...string) object {
	pointer := "#"
	for _, p := range path {
		pointer += "/" + p
	}
	return object{"$ref": pointer}
}

// AsyncAPI is the AsyncAPI 3.0 document of a ledger's events, from the side of
// one who reads them: the ways by which they come, with every message that can.
func AsyncAPI(of Source) any {
	types := catalogue.EventTypes()
	return object{
		"asyncapi": "3.0.0",
		"id":       "urn:milepost:ledger:" + of.Ledger,
		"info": object{
			"title": "Subscriber of the Milepost ledger " + of.Ledger, "version": of.Version,
			"description": "How a program reads the events of the ledger, from its side: it receives. Each event is a CloudEvent 1.0 in structured mode, " +
				"the same bytes by every way, in the order of their sequences in the log. Later versions add event types, optional members and listed values: " +
				"let pass what you do not know. A form that is published never changes otherwise; what needs it is another type, of the next version.",
			"license": object{"name": "Apache-2.0"},
		},
		"defaultContentType": MediaEvent,
		"servers":            servers(of),
		"channels":           channels(of, types),
		"operations":         operations(),
		"components": object{
			"schemas":         payloads(types),
			"messageTraits":   traits(),
			"securitySchemes": securitySchemes(),
		},
	}
}

// payloads are the schemas of all types. Each is the envelope and what the type
// adds to it: the document would be three times as long if each had all of it.
func payloads(types []domain.EventType) object {
	envelope := Envelope()
	envelope.Dialect, envelope.ID = "", ""
	all := object{EnvelopeName: envelope}
	for _, t := range types {
		all[t.Type] = &Schema{Title: t.Type, Description: t.Doc, AllOf: []*Schema{{Ref: "#/components/schemas/" + EnvelopeName}, particular(t)}}
	}
	return all
}

// messages are those of a channel: an event of any type, with what the channel
// sends beside it.
func messages(types []domain.EventType, trait string) object {
	all := object{}
	for _, t := range types {
		all[t.Type] = object{
			"name": t.Type, "title": t.Type, "summary": t.Doc, "contentType": MediaEvent,
			"traits": []any{ref("components", "messageTraits", trait)}, "payload": ref("components", "schemas", t.Type),
		}
	}
	return all
}

func kinds() (all []string) {
	for _, a := range catalogue.Aggregates {
		all = append(all, a.Kind)
	}
	return all
}
