package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Envelope is an event as it is stored: one line of JSON that is a CloudEvent
// 1.0 in structured mode. The stored bytes are the event; they are hashed and
// exported as they are and never written anew.
type Envelope struct {
	ID          string // UUIDv7
	Source      string // "/ledgers/<ledger>"
	Ref         Ref    // extension agreement, and subject "<kind>/<key>"
	Type        string
	Time        time.Time // recorded, UTC
	Version     uint64    // of the aggregate, 1 for its first event
	Actor       string
	Principal   string // who was authenticated, where that is not the actor
	Party       Key    // for which the actor acted
	Effective   Date
	Reason      string
	Note        string
	Corrects    string
	Evidence    []Hash
	CommandID   string
	CommandHash string // SHA-256 of the command's canonical form, first 32 hexadecimal digits
	Correlation string
	Causation   string
	Data        json.RawMessage // the Event
}

// wire is the envelope's form in JSON, with the attributes and extensions of
// CloudEvents. Extension names are lower case by its rules.
type wire struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Agreement   Key             `json:"agreement"`
	Version     uint64          `json:"version"`
	Actor       string          `json:"actor"`
	Principal   string          `json:"principal"`
	Party       Key             `json:"party"`
	Effective   Date            `json:"effective"`
	Reason      string          `json:"reason"`
	Note        string          `json:"note"`
	Corrects    string          `json:"corrects"`
	Evidence    string          `json:"evidence"`
	CommandID   string          `json:"commandid"`
	CommandHash string          `json:"commandhash"`
	Correlation string          `json:"correlationid"`
	Causation   string          `json:"causationid"`
	Data        json.RawMessage `json:"data"`
}

// TimeFormat is the form of recorded times: microseconds, UTC, of fixed length.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// Append appends the canonical bytes of v: attributes in a fixed order, those
// that say nothing left out, no spaces, no newline.
func (v *Envelope) Append(b []byte) []byte {
	b = slices.Grow(b, envelopeSize+len(v.Note)+len(v.Data))
	b = append(b, `{"specversion":"1.0"`...)
	b = member(b, "id", v.ID)
	b = member(b, "source", v.Source)
	b = member(b, "type", v.Type)
	b = member(b, "subject", v.Ref.Path())
	b = append(b, `,"time":"`...)
	b = v.Time.UTC().AppendFormat(b, TimeFormat)
	b = append(b, `","datacontenttype":"application/json"`...)
	b = member(b, "agreement", string(v.Ref.Agreement))
	b = append(b, `,"version":`...)
	b = strconv.AppendUint(b, v.Version, 10)
	b = member(b, "actor", v.Actor)
	b = member(b, "principal", v.Principal)
	b = member(b, "party", string(v.Party))
	b = member(b, "effective", v.Effective.String())
	b = member(b, "reason", v.Reason)
	b = member(b, "note", v.Note)
	b = member(b, "corrects", v.Corrects)
	b = member(b, "evidence", joinHashes(v.Evidence))
	b = member(b, "commandid", v.CommandID)
	b = member(b, "commandhash", v.CommandHash)
	b = member(b, "correlationid", v.Correlation)
	b = member(b, "causationid", v.Causation)
	b = append(b, `,"data":`...)
	b = append(b, v.Data...)
	return append(b, '}')
}

// envelopeSize is what an envelope takes beside its note and its data, about.
const envelopeSize = 640

// member appends ,"name":"value" unless the value says nothing.
func member(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendString(b, value)
}

// appendString appends s as a JSON string, with nothing escaped that need not
// be: titles in Chinese stay readable in the log.
func appendString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	return append(b, marshal(s)...)
}

// joinHashes writes evidence as one string, since a CloudEvents extension
// cannot be an array.
func joinHashes(hashes []Hash) string {
	if len(hashes) == 0 {
		return ""
	}
	s := make([]string, len(hashes))
	for i, h := range hashes {
		s[i] = string(h)
	}
	return strings.Join(s, ",")
}

var encoders = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// marshal is json.Marshal without HTML escapes, for values that cannot fail.
func marshal(v any) []byte {
	buf := encoders.Get().(*bytes.Buffer)
	defer encoders.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("domain: %T does not encode: %v", v, err)) // events are plain structs
	}
	return bytes.Clone(bytes.TrimSuffix(buf.Bytes(), []byte{'\n'}))
}

// EncodeEvent returns the data of an envelope.
func EncodeEvent(e Event) json.RawMessage { return marshal(e) }

// EncodeValue returns the canonical JSON of a field's value, nil for nil.
func EncodeValue(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	return marshal(v)
}

// DecodeEnvelope reads stored bytes. Data is not decoded; see catalogue.Decode.
// Data shares raw's memory.
func DecodeEnvelope(raw []byte) (Envelope, error) {
	if v, ok := readCanonical(raw); ok {
		return v, nil
	}
	return readEnvelope(raw)
}

// DecodeEvent reads stored bytes, and the event in them with read, which must
// refuse what is not JSON.
func DecodeEvent(raw []byte, read func(v Envelope) (Event, error)) (Envelope, Event, error) {
	if v, ok := scanCanonical(raw); ok {
		if e, err := read(v); err == nil {
			return v, e, nil
		}
	}
	v, err := readEnvelope(raw)
	if err != nil {
		return v, nil, err
	}
	e, err := read(v)
	return v, e, err
}

// readEnvelope reads an envelope in any form that JSON allows.
func readEnvelope(raw []byte) (Envelope, error) {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return Envelope{}, fmt.Errorf("event is not a CloudEvent: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, w.Time)
	if err != nil {
		return Envelope{}, fmt.Errorf("event time: %w", err)
	}
	if w.ID == "" || w.Type == "" || !strings.Contains(w.Subject, "/") {
		return Envelope{}, fmt.Errorf("event lacks id, type or subject")
	}
	v := Envelope{
		ID: w.ID, Source: w.Source, Ref: ParsePath(w.Agreement, w.Subject), Type: w.Type, Time: at.UTC(), Version: w.Version,
		Actor: w.Actor, Principal: w.Principal, Party: w.Party, Effective: w.Effective, Reason: w.Reason, Note: w.Note, Corrects: w.Corrects,
		CommandID: w.CommandID, CommandHash: w.CommandHash, Correlation: w.Correlation, Causation: w.Causation, Data: w.Data,
	}
	v.Evidence = splitHashes(w.Evidence)
	return v, nil
}

func splitHashes(s string) (hashes []Hash) {
	if s == "" {
		return nil
	}
	for h := range strings.SplitSeq(s, ",") {
		hashes = append(hashes, Hash(h))
	}
	return hashes
}
