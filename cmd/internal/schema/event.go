package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// EnvelopeName names the schema of what all events share, beside the types.
const EnvelopeName = "envelope"

// ID is the stable name of the schema of an event type, or of the envelope.
func ID(name string) string { return "urn:milepost:schema:" + name }

// Version is the number at the end of an event type.
func Version(eventType string) int {
	n, _ := strconv.Atoi(eventType[strings.LastIndex(eventType, ".v")+len(".v"):])
	return n
}

// Named is the schema of the event type of that name, or of the envelope. It
// refuses what is neither, with the types that are spelt alike.
func Named(name string) (*Schema, error) {
	if name == EnvelopeName {
		return Envelope(), nil
	}
	t, err := catalogue.EventType(name)
	if err != nil {
		return nil, err
	}
	return Event(t), nil
}

// Encode writes a schema, or a document of schemas, for people to read, too.
func Encode(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return append(raw, '\n'), err
}

// Event is the schema of an event type: of the whole CloudEvent, its data with
// it.
func Event(t domain.EventType) *Schema {
	s, own := Envelope(), particular(t)
	s.ID, s.Title, s.Description = ID(t.Type), t.Type, t.Doc
	for name, property := range own.Properties {
		property.Description = s.Properties[name].Description
		s.Properties[name] = property
	}
	return s
}

// particular is what an event type adds to the envelope.
func particular(t domain.EventType) *Schema {
	return &Schema{Type: "object", Properties: map[string]*Schema{
		"type":    {Type: "string", Const: t.Type},
		"subject": {Type: "string", Pattern: "^" + kindOf(t.Type) + "/" + strings.TrimPrefix(domain.KeyPattern, "^")},
		"data":    stored.object(t.Fields),
	}}
}

// kindOf is the kind of the aggregate that an event type is of.
func kindOf(eventType string) string {
	return strings.Split(eventType, ".")[1]
}

// Envelope is the schema of what all events share: the attributes and the
// extensions of the CloudEvent.
func Envelope() *Schema {
	text := func(doc string) *Schema { return &Schema{Type: "string", MinLength: &one, Description: doc} }
	form := func(pattern, doc string) *Schema { return &Schema{Type: "string", Pattern: pattern, Description: doc} }
	format := func(format, doc string) *Schema { return &Schema{Type: "string", Format: format, Description: doc} }
	hash := strings.Trim(domain.HashPattern, "^$")
	optional := map[string]*Schema{
		"agreement":     form(domain.KeyPattern, "Key of the agreement that it is under; absent for what is of the whole ledger."),
		"principal":     text("Key of the principal that asked, where the actor is somebody else: an administrator recorded it for them."),
		"party":         form(domain.KeyPattern, "Key of the party for which the actor acted."),
		"reason":        text("Why: a reason code where a date moves, else a few words."),
		"note":          text("More words on the reason."),
		"corrects":      format("uuid", "Id of the event that this puts right."),
		"evidence":      form("^"+hash+"(,"+hash+")*$", "SHA-256 of each file that shows it, with commas between them."),
		"correlationid": text("What it belongs together with."),
		"causationid":   text("Id of the first event of the same command, of all events but that one."),
	}
	always := map[string]*Schema{
		"specversion":     {Type: "string", Const: "1.0", Description: "Version of CloudEvents."},
		"id":              format("uuid", "A UUIDv7, unique for ever."),
		"source":          {Type: "string", Format: "uri-reference", Pattern: "^/ledgers/", Description: "The ledger: /ledgers/ and its name.", Examples: []any{"/ledgers/main"}},
		"type":            form(`^milepost\.[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$`, "What happened, to which kind of aggregate, and the version of its form. Its schema has the same name."),
		"subject":         form(`^[a-z]+/`+strings.TrimPrefix(domain.KeyPattern, "^"), "The aggregate that it happened to: its kind and its key."),
		"time":            {Type: "string", Format: "date-time", Description: "When it was recorded, UTC. Order is by the sequence in the log, never by this.", Examples: []any{"2024-06-15T09:30:00.123456Z"}},
		"datacontenttype": {Type: "string", Const: "application/json", Description: "Form of data."},
		"version":         {Type: "integer", Minimum: &one, Description: "Version of the aggregate: 1 for its first event, then one more each."},
		"actor":           text("Who asked for it: a person or a program."),
		"effective":       format("date", "The civil date from which it holds in the world."),
		"commandid":       text("Names the command that it follows from, for ever."),
		"commandhash":     form("^[0-9a-f]{32}$", "First half of the SHA-256 of the command."),
		"data":            {Type: "object", Description: "What happened, by the schema of its type."},
	}
	s := &Schema{
		Dialect: Dialect, ID: ID(EnvelopeName), Title: EnvelopeName, Type: "object",
		Description: "An event as it is stored: a CloudEvent 1.0 in structured mode. A member that says nothing is absent. Later versions may add members.",
		Properties:  optional, Required: slices.Sorted(maps.Keys(always)),
	}
	maps.Copy(s.Properties, always)
	return s
}
