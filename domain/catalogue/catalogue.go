// Package catalogue lists every aggregate, command and event of the ledger.
// HTTP operations, command-line verbs, import lines, forms and schemas are all
// made from this one listing; nobody writes a command's shape twice.
package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

// Aggregates lists the kinds of aggregates. What is not here does not exist.
var Aggregates = []domain.Aggregate{
	party.Aggregate,
	agreement.Aggregate,
	project.Aggregate,
	meeting.Aggregate,
	amendment.Aggregate,
	fund.Aggregate,
	indicator.Aggregate,
	keyring.Aggregate,
	access.Aggregate,
	restriction.Aggregate,
	subscriber.Aggregate,
	webhook.Aggregate,
}

var (
	kinds    = map[string]*domain.Aggregate{}
	commands = map[string]entry{}
	events   = map[string]domain.EventType{}
)

type entry struct {
	command   domain.CommandType
	aggregate *domain.Aggregate
}

func init() {
	for i := range Aggregates {
		a := &Aggregates[i]
		kinds[a.Kind] = a
		for _, c := range a.Commands {
			commands[c.Name] = entry{c, a}
		}
		for _, e := range a.Events {
			events[e.Type] = e
		}
	}
}

// Aggregate returns the aggregates of a kind.
func Aggregate(kind string) (*domain.Aggregate, bool) {
	a, ok := kinds[kind]
	return a, ok
}

// LedgerWide reports whether the aggregates of a kind are under no agreement.
func LedgerWide(kind string) bool {
	switch kind {
	case party.Kind, keyring.Kind, access.Kind, restriction.Kind, subscriber.Kind, webhook.Kind:
		return true
	}
	return false
}

// Command returns the command of that name and the aggregates it is asked of,
// or refuses with the name of one that is spelt alike.
func Command(name string) (domain.CommandType, *domain.Aggregate, error) {
	e, ok := commands[name]
	if !ok {
		var all []string
		for _, c := range Commands() {
			all = append(all, c.Name)
		}
		return e.command, nil, domain.Refuse(domain.CodeUnknownCommand, "command", "there is no command %q%s", name, alike(name, all, "milepost do --help"))
	}
	return e.command, e.aggregate, nil
}

// CodeUnknownEvent says that the catalogue has no event type of that name.
const CodeUnknownEvent = "unknown-event-type"

// EventType returns the event type of that name, or refuses with the names of
// those that are spelt alike.
func EventType(name string) (domain.EventType, error) {
	t, ok := events[name]
	if !ok {
		var all []string
		for _, t := range EventTypes() {
			all = append(all, t.Type)
		}
		return t, domain.Refuse(CodeUnknownEvent, "type", "there is no event type %q%s", name, alike(name, all, "milepost schema"))
	}
	return t, nil
}

// Commands yields every command in the order of the listing.
func Commands() []domain.CommandType {
	var all []domain.CommandType
	for _, a := range Aggregates {
		all = append(all, a.Commands...)
	}
	return all
}

// EventTypes returns every event type in the order of the listing.
func EventTypes() []domain.EventType {
	var all []domain.EventType
	for _, a := range Aggregates {
		all = append(all, a.Events...)
	}
	return all
}

// UnknownEventError says that the log holds an event of a type that this
// version does not know: it was written by a later one.
type UnknownEventError struct{ Type string }

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("event type %q is not known to this version", e.Type)
}

// Decode reads stored bytes into the envelope and the event in it.
func Decode(raw []byte) (domain.Envelope, domain.Event, error) {
	return domain.DecodeEvent(raw, func(env domain.Envelope) (domain.Event, error) {
		t, ok := events[env.Type]
		if !ok {
			return nil, &UnknownEventError{env.Type}
		}
		e, err := t.Decode(env.Data)
		if err != nil {
			return nil, fmt.Errorf("event %s of type %s: %w", env.ID, env.Type, err)
		}
		return e, nil
	})
}

// alike suggests those of all that share the most words with name; where none
// shares any, it says what lists them.
func alike(name string, all []string, lister string) string {
	words := wordsOf(name)
	best, score := []string{}, 0
	for _, other := range all {
		n := 0
		for _, w := range wordsOf(other) {
			if slices.Contains(words, w) {
				n++
			}
		}
		if n > score {
			best, score = nil, n
		}
		if n == score && n > 0 {
			best = append(best, other)
		}
	}
	if len(best) == 0 || len(best) > 10 {
		return "; " + lister + " lists them"
	}
	return "; did you mean " + strings.Join(best, " or ") + "?"
}

// wordsOf leaves out what all event types have in common.
func wordsOf(name string) []string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' })
	return slices.DeleteFunc(words, func(w string) bool { return w == "milepost" || w == "v1" })
}
