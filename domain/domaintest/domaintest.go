// Package domaintest is the kit of the domain's tests: what is given as events,
// what is asked as a command, and what then follows or is refused.
//
//	domaintest.Given(t, domaintest.Active()...).
//		When(agreement.Suspend{ID: id}, domain.Meta{Reason: "talks"}).
//		Then(agreement.Suspended{ID: id})
//
// Every command takes the way of one that comes from outside, by the strict
// decoding of its JSON, and every event that of one that is stored.
package domaintest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Today is the day on which commands are asked, unless a scenario says another.
var Today = domain.MustDate("2024-06-15")

// Last is the sequence of the last event in the log of every scenario.
const Last = 1_000_000

// World holds the states of aggregates in memory.
type World map[domain.Ref]any

// State implements domain.World.
func (w World) State(ref domain.Ref) (any, error) { return w[ref], nil }

// Last implements domain.World. The log of a scenario is of some length that no scenario
// gets to by itself.
func (w World) Last() (uint64, error) { return Last, nil }

// Evolve applies events to the aggregates that they belong to; what belongs
// nowhere by itself belongs to home.
func (w World) Evolve(home domain.Ref, events ...domain.Event) {
	for _, e := range events {
		ref, e := Locate(home, e)
		a, ok := catalogue.Aggregate(ref.Kind)
		if !ok {
			panic(fmt.Sprintf("domaintest: %s belongs to no aggregate", e.Type()))
		}
		w[ref] = a.Evolve(w[ref], e)
	}
}

// Locate returns the aggregate of an event and the event itself.
func Locate(home domain.Ref, e domain.Event) (domain.Ref, domain.Event) {
	if there, ok := e.(domain.Elsewhere); ok {
		return there.Ref, there.Event
	}
	if here, ok := e.(interface{ Ref() domain.Ref }); ok {
		return here.Ref(), e
	}
	return home, e
}

// Ask decides a command as the ledger does, but for the append. What it
// returns has been through JSON.
func (w World) Ask(cmd domain.Command, meta domain.Meta, today domain.Date) ([]domain.Event, error) {
	t, _, err := catalogue.Command(cmd.Name())
	if err != nil {
		return nil, err
	}
	cmd, meta, err = t.Decode(Raw(cmd, meta))
	if err != nil {
		return nil, err
	}
	in := domain.Input{Meta: meta, Now: today.Time(time.UTC).Add(9 * time.Hour), Today: today, World: w}
	events, err := t.Decide(w[cmd.Ref()], cmd, in)
	if err != nil {
		return nil, err
	}
	for i := range events {
		events[i] = stored(events[i])
	}
	return events, nil
}

// Raw returns the JSON of a command and its meta, as it comes from outside.
func Raw(cmd domain.Command, meta domain.Meta) []byte {
	all := map[string]json.RawMessage{}
	for _, v := range []any{cmd, meta} {
		var part map[string]json.RawMessage
		if err := json.Unmarshal(domain.EncodeValue(v), &part); err != nil {
			panic(err)
		}
		maps.Copy(all, part)
	}
	return domain.EncodeValue(all)
}

// stored is what remains of an event after it was written and read.
func stored(e domain.Event) domain.Event {
	if there, ok := e.(domain.Elsewhere); ok {
		there.Event = stored(there.Event)
		return there
	}
	for _, t := range catalogue.EventTypes() {
		if t.Type == e.Type() {
			read, err := t.Decode(domain.EncodeEvent(e))
			if err != nil {
				panic(fmt.Sprintf("domaintest: %s does not decode: %v", e.Type(), err))
			}
			return read
		}
	}
	panic("domaintest: not in the catalogue: " + e.Type())
}

// Scenario is a test's world and the day that it is.
type Scenario struct {
	World
	t     testing.TB
	today domain.Date
}

// Given starts a scenario in which events have happened.
func Given(t testing.TB, events ...domain.Event) *Scenario {
	t.Helper()
	return (&Scenario{World{}, t, Today}).And(events...)
}

// And lets more events have happened.
func (s *Scenario) And(events ...domain.Event) *Scenario {
	s.t.Helper()
	for _, e := range events {
		s.Evolve(domain.Ref{}, e)
	}
	return s
}

// On makes it another day.
func (s *Scenario) On(today string) *Scenario {
	s.today = domain.MustDate(today)
	return s
}

// Outcome is what came of a command.
type Outcome struct {
	s      *Scenario
	home   domain.Ref
	events []domain.Event
	err    error
}

// When asks a command, with at most one meta.
func (s *Scenario) When(cmd domain.Command, meta ...domain.Meta) *Outcome {
	s.t.Helper()
	o := &Outcome{s: s, home: cmd.Ref()}
	o.events, o.err = s.Ask(cmd, append(meta, domain.Meta{})[0], s.today)
	return o
}

// Then asserts the events, in their order, and lets them happen.
func (o *Outcome) Then(events ...domain.Event) *Scenario {
	o.s.t.Helper()
	require.NoError(o.s.t, o.err)
	require.Equal(o.s.t, events, o.events)
	o.s.Evolve(o.home, o.events...)
	return o.s
}

// Accepted asserts that it was not refused, whatever follows, and lets that happen.
func (o *Outcome) Accepted() *Scenario {
	o.s.t.Helper()
	require.NoError(o.s.t, o.err)
	require.NotEmpty(o.s.t, o.events)
	o.s.Evolve(o.home, o.events...)
	return o.s
}

// Refused asserts the code and the field to blame, and returns the message.
// Nothing has happened.
func (o *Outcome) Refused(code, field string) string {
	o.s.t.Helper()
	var r *domain.Rejected
	if !errors.As(o.err, &r) {
		require.FailNow(o.s.t, "not refused", "want %s, got %v %+v", code, o.err, o.events)
	}
	assert.Equal(o.s.t, [2]string{code, field}, [2]string{r.Code, r.Field}, r.Message)
	assert.NotEmpty(o.s.t, r.Message)
	return r.Message
}

// StateOf returns the state of an aggregate of the scenario.
func StateOf[S any](s *Scenario, ref domain.Ref) *S {
	s.t.Helper()
	state, ok := s.World[ref].(*S)
	require.True(s.t, ok, "there is no %s", ref)
	return state
}
