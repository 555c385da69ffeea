package domain

import (
	"reflect"
	"strings"
	"time"
)

// Ref names one aggregate. Agreement is "" for aggregates of the whole ledger.
type Ref struct {
	Agreement Key
	Kind      string
	Key       Key
}

// Path returns the name of the aggregate within its agreement, "project/iot-base".
func (r Ref) Path() string { return r.Kind + "/" + string(r.Key) }

func (r Ref) String() string {
	if r.Agreement == "" || r.Kind == "agreement" {
		return r.Path()
	}
	return string(r.Agreement) + "/" + r.Path()
}

// ParsePath is the inverse of Path within an agreement.
func ParsePath(agreement Key, path string) Ref {
	kind, key, _ := strings.Cut(path, "/")
	return Ref{Agreement: agreement, Kind: kind, Key: Key(key)}
}

// Command is what somebody asks of one aggregate: a struct whose fields, with
// their tags, are its declaration on every surface.
type Command interface {
	Name() string // as in the catalogue, "reforecast-milestone"
	Ref() Ref     // the aggregate it is asked of
}

// Creating is a command that makes an aggregate or a part of one, whose key may
// be left to the ledger: it draws a UUIDv7 before it asks for the decision,
// which has no randomness of its own.
type Creating interface {
	Command
	// WithKey returns the command with key where it has none, else as it is.
	WithKey(key Key) Command
}

// Acting is a command that one party gives in its own name: unless the asker
// says for whom it acts, it acts for that party.
type Acting interface {
	Command
	ActingParty() Key
}

// Event is a fact about one aggregate: a struct that is stored as JSON for
// ever. Its type name is a literal that ends in its version, and a published
// one never changes its shape.
type Event interface {
	Type() string // "milepost.project.milestone-reforecast.v1"
}

// Meta is what every command may carry beside its own fields.
type Meta struct {
	Actor           string  `json:"actor,omitzero" doc:"Who asks: a person or a system." max:"200"`
	ActingFor       Key     `json:"acting_for,omitzero" doc:"The party in whose name the actor asks."`
	Effective       Date    `json:"effective,omitzero" doc:"The civil date from which this holds in the world; today in the ledger's time zone when absent."`
	Reason          string  `json:"reason,omitzero" doc:"Why: a reason code where a date moves, else a few words." max:"500"`
	Note            string  `json:"note,omitzero" doc:"More words on the reason; required with the reason code other." max:"4000"`
	Corrects        string  `json:"corrects,omitzero" doc:"The id of the event that this puts right." format:"uuid"`
	Evidence        []Hash  `json:"evidence,omitzero" max:"1000" doc:"SHA-256 of each file that shows it."`
	IdempotencyKey  string  `json:"idempotency_key,omitzero" doc:"Names this command for ever: sent again, it gives the first receipt and does nothing." max:"200"`
	ExpectedVersion *uint64 `json:"expected_version,omitzero" doc:"Refuse unless the aggregate is at this version."`

	// Principal is the key of who was authenticated. The server sets it; no
	// request can say it, and it is no part of what a request asks for.
	Principal string `json:"-"`
}

// Input is what a decision may depend on beside the state and the command.
type Input struct {
	Meta
	Now   time.Time // the instant of the decision, UTC
	Today Date      // its civil date in the ledger's time zone
	World World
	// SigningKey is the key that the ledger's log was made with, "" where it was
	// made without.
	SigningKey VerifierKey
}

// EffectiveOn returns the civil date from which the decision holds: the one
// that the command names, else today.
func (in Input) EffectiveOn() Date {
	if in.Effective != 0 {
		return in.Effective
	}
	return in.Today
}

// World shows a decision the states of other aggregates. Facts that can cease
// to hold must not be trusted from here alone: the decision then also emits an
// event [On] the other aggregate, so that the append checks that it did not
// change meanwhile.
type World interface {
	// State returns the state of ref, nil when it does not exist; the error is
	// a failure to read, never a refusal.
	State(ref Ref) (any, error)
	// Last is the sequence of the last event that is known to be in the log, or on its
	// way into it, before the decision.
	Last() (uint64, error)
}

// BeginsWithin refuses, in the name of field, a sequence to read from that the log has not
// reached: what is recorded until then would be left out.
func BeginsWithin(w World, field string, from uint64) error {
	last, err := w.Last()
	if err == nil && from > last+1 {
		err = Refuse(CodeBeyondEnd, field, "the log ends at sequence %d, so nothing that is recorded before %d would be sent: give at most %d", last, from, last+1)
	}
	return err
}

// Elsewhere is an event that a decision puts on an aggregate other than the
// one it was asked of, in the same atomic append.
type Elsewhere struct {
	Ref Ref
	Event
	Reason, Note string // where it has a reason of its own, not the command's
}

// On says that e belongs to ref.
func On(ref Ref, e Event) Event { return Elsewhere{Ref: ref, Event: e} }

// Decider is a command together with its rules for state S; a nil state means
// that the aggregate does not exist yet.
type Decider[S any] interface {
	Command
	Decide(s *S, in Input) ([]Event, error)
}

// Evolver is an event together with what it does to state S. Apply is given a
// fresh copy to write to; Lists and slices in it are shared and must be
// replaced, never written through.
type Evolver[S any] interface {
	Event
	Apply(s *S)
}

// Aggregate is one kind of aggregate: its commands, its events, its state.
type Aggregate struct {
	Kind     string // "project"
	Doc      string // one sentence
	Commands []CommandType
	Events   []EventType

	// Evolve returns the state after e. A nil state is the aggregate before its
	// first event. It never fails and never changes the state it is given.
	Evolve func(state any, e Event) any
	// Diff yields each field that differs between two states, in the order of
	// declaration; see [Diff].
	Diff func(before, after any, yield func(Change))

	// Encode writes a state down, and Decode makes it again as it was, in a program
	// whose states have the same Shape.
	Encode func(state any) ([]byte, error)
	Decode func(data []byte) (any, error)
	Shape  func() string
}

// CommandType is the catalogue's entry of one command.
type CommandType struct {
	Name   string
	Doc    string
	Fields []Field // its own; Meta's are common to all
	decode func(read func(own reflect.Value) error) (Command, error)
	decide func(state any, cmd Command, in Input) ([]Event, error)
}

// EventType is the catalogue's entry of one event type.
type EventType struct {
	Type   string
	Doc    string
	Fields []Field
	Decode func(data []byte) (Event, error)
}

// NewAggregate lists the commands and events of the aggregates with state S.
func NewAggregate[S any](kind, doc string, commands []CommandType, events []EventType) Aggregate {
	return Aggregate{
		Kind: kind, Doc: doc, Commands: commands, Events: events,
		Evolve: func(state any, e Event) any {
			var next S
			if s, _ := state.(*S); s != nil {
				next = *s
			}
			if ev, ok := e.(Evolver[S]); ok {
				ev.Apply(&next)
			}
			return &next
		},
		Diff: func(before, after any, yield func(Change)) {
			b, _ := before.(*S)
			a, _ := after.(*S)
			Diff(b, a, yield)
		},
		Encode: encodeState[S],
		Decode: decodeState[S],
		Shape:  func() string { return shapeOf(reflect.TypeFor[S]()) },
	}
}

// CommandOf makes the catalogue's entry of command C.
func CommandOf[S any, C Decider[S]](doc string) CommandType {
	var zero C
	return CommandType{
		Name: zero.Name(), Doc: doc, Fields: FieldsOf[C](),
		decode: decodeCommand[C],
		decide: func(state any, cmd Command, in Input) ([]Event, error) {
			s, _ := state.(*S)
			return cmd.(C).Decide(s, in)
		},
	}
}

// EventOf makes the catalogue's entry of event E.
func EventOf[S any, E Evolver[S]](doc string) EventType {
	var zero E
	fields := FieldsOf[E]()
	return EventType{Type: zero.Type(), Doc: doc, Fields: fields, Decode: eventDecoder[E](fields)}
}

// Zero returns the command that says nothing, which tells what kind of command it
// is: whether it is [Creating] or [Acting], and of what it is asked.
func (c CommandType) Zero() Command {
	cmd, _ := c.decode(func(reflect.Value) error { return nil })
	return cmd
}

// Decide asks cmd of state: the events that follow, or a *Rejected.
func (c CommandType) Decide(state any, cmd Command, in Input) ([]Event, error) {
	return c.decide(state, cmd, in)
}
