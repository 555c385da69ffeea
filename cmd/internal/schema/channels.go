package schema

import (
	"github.com/milepost-ledger/milepost/domain"
)

// The three ways by which events come.
const (
	byNATS    = "nats"
	bySSE     = "sse"
	byWebhook = "webhook"
)

func servers(of Source) object {
	protocol := "http"
	if of.TLS {
		protocol = "https"
	}
	return object{
		"api": server(protocol, of.Address, "127.0.0.1:8080", "Host and port of the ledger's API.", "The ledger's API. It takes a token.", "token"),
		"nats": server("nats", of.NATS, "127.0.0.1:4222", "Host and port that serve --nats-listen names, or those of the cluster.",
			"The NATS server of the ledger. It takes the credentials file that milepost subscriber add wrote.", "credentials"),
		"receiver": server("https", "", "receiver.example", "Host and port of the address that register-webhook names.",
			"The reader's own server, to which the ledger posts.", "signature"),
	}
}

func server(protocol, host, otherwise, hostDoc, doc, security string) object {
	s := object{
		"host": host, "protocol": protocol, "description": doc,
		"security": []any{ref("components", "securitySchemes", security)},
	}
	if host == "" {
		s["host"] = "{host}"
		s["variables"] = object{"host": object{"default": otherwise, "description": hostDoc}}
	}
	return s
}

func channels(of Source, types []domain.EventType) object {
	streamed := messages(types, bySSE)
	streamed["end"] = object{
		"name": "end", "title": "Why the stream ends", "contentType": "application/json",
		"summary": "The last message of a stream: come back with the position that it names.",
		"headers": &Schema{Type: "object", Properties: map[string]*Schema{"event": {
			AnyOf:       []*Schema{{Type: "string", Enum: []string{"dropped", "rights-changed", "closing", "unavailable"}}, {Type: "string"}},
			Description: "The reader was too slow; what it may see has changed; the server stops; the read models have stopped.",
		}}},
		"payload": &Schema{Type: "object", Required: []string{"after", "detail"}, Properties: map[string]*Schema{
			"after":  {Type: "integer", Description: "The sequence up to which the reader was sent everything."},
			"detail": {Type: "string", Description: "Why, and what to do, in words."},
		}},
	}
	return object{
		byNATS: object{
			"address": "milepost." + of.Ledger + ".{agreement}.{kind}.{key}", "title": "JetStream",
			"description": "The subject of each aggregate, in the stream milepost-" + of.Ledger + ". A subscriber reads a durable pull consumer that the ledger made for it, of one agreement or of all, " +
				"and may do nothing else: it cannot subscribe to the subject. The stream sequence of a message is the event's sequence. One that is not cleared cannot read its consumer " +
				"while anything in its scope is restricted; its place is kept.",
			"servers": []any{ref("servers", "nats")},
			"parameters": object{
				"agreement": object{"description": "Key of the agreement; - for an aggregate of the whole ledger.", "examples": []string{"wuxi-cethik-2017", "-"}},
				"kind":      object{"description": "Kind of the aggregate. Later versions may add some.", "examples": kinds()},
				"key":       object{"description": "Key of the aggregate.", "examples": []string{"iot-base"}},
			},
			"messages": messages(types, byNATS),
		},
		bySSE: object{
			"address": "/v1/events", "title": "Server-sent events",
			"description": "GET with Accept: text/event-stream. The id of each message is the event's sequence, its data the event in one line; it has no name. " +
				"A connection that is made again with the last id in Last-Event-ID goes on after it, without gap or duplicate. " +
				"An id without data says that everything up to it was looked at, and that the connection lives. A stream that ends says why by a message with a name.",
			"servers":  []any{ref("servers", "api")},
			"messages": streamed,
		},
		byWebhook: object{
			"address": "/", "title": "Webhook",
			"description": "POST to the address that register-webhook names, in place of this one; by Standard Webhooks. One event at a time, in order, at least once: " +
				"what is not answered with a status of 2xx in time is sent again, later each time, and nothing after it meanwhile. Redirects are not followed. " +
				"After five days of failures, and at once when the answer is 410, the webhook is disabled, and an event says so.",
			"servers":  []any{ref("servers", "receiver")},
			"messages": messages(types, byWebhook),
		},
	}
}

func operations() object {
	text := func(doc string) *Schema { return &Schema{Type: "string", Description: doc} }
	receive := func(channel, title, description string) object {
		return object{"action": "receive", "channel": ref("channels", channel), "title": title, "description": description}
	}
	sse := receive(bySSE, "Read events as they come, over HTTP", "The query says which, and after which sequence; else the stream begins with what comes from now on. It never ends by itself.")
	sse["bindings"] = object{"http": object{
		"method": "GET", "bindingVersion": "0.3.0",
		"query": &Schema{Type: "object", Properties: map[string]*Schema{
			"after":     {Type: "integer", Description: "Only events after this sequence; Last-Event-ID goes before it."},
			"agreement": text("Only of this agreement."), "kind": text("Only of aggregates of this kind."), "type": text("Only of this type."),
		}},
	}}
	webhook := receive(byWebhook, "Take events that the ledger posts", "Check the signature before anything else, and answer 2xx once the event is kept. The same webhook-id may come again.")
	webhook["bindings"] = object{"http": object{"method": "POST", "bindingVersion": "0.3.0"}}
	nats := receive(byNATS, "Read a durable consumer", "Ask $JS.API.CONSUMER.MSG.NEXT.<stream>.<consumer> for messages, with an inbox below the prefix in the credentials, and acknowledge each when it is kept. "+
		"What is not acknowledged within 30 seconds comes again. One message is under way at a time, so the order stays; the consumer keeps its place while the subscriber is away.")
	return object{"receiveFromNats": nats, "receiveFromSse": sse, "receiveFromWebhook": webhook}
}

// traits are what each way sends beside the event.
func traits() object {
	sequence := func(doc string) *Schema { return &Schema{Type: "string", Pattern: "^[0-9]+$", Description: doc} }
	return object{
		byNATS: object{"headers": &Schema{Type: "object", Properties: map[string]*Schema{
			"Content-Type": {Type: "string", Const: MediaEvent},
		}}},
		bySSE: object{"headers": &Schema{Type: "object", Required: []string{"id"}, Properties: map[string]*Schema{
			"id": sequence("Sequence of the event: the line id of the message."),
		}}},
		byWebhook: object{"headers": &Schema{
			Type: "object", Required: []string{"Content-Type", "Milepost-Seq", "webhook-id", "webhook-signature", "webhook-timestamp"},
			Properties: map[string]*Schema{
				"Content-Type":      {Type: "string", Const: MediaEvent},
				"Milepost-Seq":      sequence("Sequence of the event."),
				"webhook-id":        {Type: "string", Description: "Id of the event, each time that it is sent."},
				"webhook-timestamp": sequence("When it was sent, in seconds since 1970. Refuse one of long ago."),
				"webhook-signature": {Type: "string", Pattern: `^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)*$`, Description: "See the security scheme signature."},
			},
		}},
	}
}

func securitySchemes() object {
	return object{
		"token": object{"type": "http", "scheme": "bearer", "bearerFormat": "mp_<key>_<secret>", "description": "A token that milepost token create showed."},
		"credentials": object{"type": "asymmetricEncryption", "description": "A NATS user key: the server asks for its signature of a nonce. It is in the credentials file that milepost subscriber add wrote, " +
			"and a NATS client takes the file as it is."},
		"signature": object{"type": "httpApiKey", "in": "header", "name": "webhook-signature",
			"description": "By which the reader knows the ledger. HMAC-SHA256 of webhook-id, webhook-timestamp and the body, with points between them, under the webhook's secret, in base64 after v1,: " +
				"Standard Webhooks. There may be several, with spaces between: one that is right is enough."},
	}
}
