package amendment

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

// changeable are the aggregates to which clauses make changes.
var changeable = []domain.Aggregate{agreement.Aggregate, project.Aggregate, fund.Aggregate, indicator.Aggregate}

// permitted names the commands that a clause may be: what parties agree on, and
// not what one of them does or reports.
var permitted = []string{
	"schedule-milestone", "reschedule-milestone", "cancel-milestone", "change-scope", "approve-baseline", "propose-project",
	"add-area", "retire-area", "add-obligation", "waive-obligation", "establish-mechanism", "change-mechanism", "dissolve-mechanism",
	"propose-fund", "commit-funds", "reduce-commitment", "define-indicator", "set-target",
}

// CodeNotAChange refuses a clause of a command that no amendment can make.
const CodeNotAChange = "not-a-change"

// command is a clause as it was read.
type command struct {
	domain.Command
	typ domain.CommandType
}

// read reads a clause of an amendment as strictly as any command. The keys of
// the agreement and, where the command cites one, of the amendment need not
// stand in it.
func (id ID) read(clause domain.Clause) (command, error) {
	name, err := domain.CommandNamed(clause)
	if err != nil {
		return command{}, err
	}
	typ, ok := changeNamed(name)
	if !ok {
		return command{}, domain.Refuse(CodeNotAChange, "command", "an amendment cannot make %q; it can %s", name, strings.Join(changes(), ", "))
	}
	for _, f := range typ.Fields {
		if key, ok := map[string]domain.Key{agreement.Kind: id.Agreement, Kind: id.Amendment}[f.Name]; ok {
			if clause, err = withOwn(clause, f.Name, key); err != nil {
				return command{}, err
			}
		}
	}
	cmd, meta, err := typ.Decode(clause)
	if err != nil {
		return command{}, err
	}
	if carried := carries(meta); carried != "" {
		return command{}, domain.Refuse(domain.CodeUnknownField, carried, "a change has no such field of its own; it is said with the amendment")
	}
	return command{cmd, typ}, nil
}

// withOwn returns the clause with key in its member name: filled in where it
// was not, refused where it was another. The rest stays as it was written, so
// that strict decoding sees all of it.
func withOwn(clause domain.Clause, name string, key domain.Key) (domain.Clause, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(clause, &members); err != nil {
		return nil, domain.Refuse(domain.CodeMalformed, "", "not JSON: %v", err)
	}
	said, ok := members[name]
	if !ok {
		return fmt.Appendf(nil, `{%q:%q,%s`, name, key, clause[1:]), nil
	}
	if string(said) != `"`+string(key)+`"` {
		return nil, domain.Refuse(domain.CodeInvalidValue, name, "an amendment changes and cites what is its own, %q; leave this out", key)
	}
	return clause, nil
}

// carries names a field of meta that says something, "" for none.
func carries(meta domain.Meta) string {
	var said map[string]json.RawMessage
	if err := json.Unmarshal(domain.EncodeValue(meta), &said); err != nil {
		return ""
	}
	for _, f := range domain.MetaFields() {
		if v, ok := said[f.Name]; ok && string(v) != "null" {
			return f.Name
		}
	}
	return ""
}

// changeNamed returns the listing's entry of a permitted command.
func changeNamed(name string) (domain.CommandType, bool) {
	if slices.Contains(permitted, name) {
		for _, a := range changeable {
			for _, c := range a.Commands {
				if c.Name == name {
					return c, true
				}
			}
		}
	}
	return domain.CommandType{}, false
}

// changes names the commands that a clause may be.
func changes() []string {
	var names []string
	for _, name := range permitted {
		if _, ok := changeNamed(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// carryOut decides the amendment's taking effect on a date: the events on the
// agreement and of each clause, which is decided on what those before it left.
// Clauses hold because every party signed them, so they act for none; nor do
// they for a party that does not sign. A refusal blames the field of its clause, "changes[2].due".
func (s *State) carryOut(on domain.Date, in domain.Input) ([]domain.Event, error) {
	world := domain.NewOverlay(in.World, changeable...)
	var events []domain.Event
	add := func(ref domain.Ref, e domain.Event) error {
		if there, ok := e.(domain.Elsewhere); ok {
			ref, e = there.Ref, there.Event
		}
		events = append(events, domain.Elsewhere{Ref: ref, Event: e, Reason: s.ReasonCode, Note: s.Note})
		return world.Evolve(ref, e)
	}
	ref := agreement.Ref(s.Agreement)
	err := add(ref, agreement.Amended{ID: agreement.ID{Agreement: s.Agreement}, Amendment: s.Amendment, Document: s.Document, Term: s.Term, On: on})
	if err != nil {
		return nil, err
	}
	in.World = world
	in.Meta = domain.Meta{Actor: in.Actor, Effective: on, Reason: s.ReasonCode, Note: s.Note, Evidence: in.Evidence}
	for i, clause := range s.Changes {
		if err := s.carryOutOne(clause, in, add); err != nil {
			return nil, blame(err, i)
		}
	}
	return events, nil
}

func (s *State) carryOutOne(clause domain.Clause, in domain.Input, add func(domain.Ref, domain.Event) error) error {
	cmd, err := s.read(clause)
	if err != nil {
		return err
	}
	if acting, ok := cmd.Command.(domain.Acting); ok && !slices.Contains(s.Parties, acting.ActingParty()) {
		return domain.Refuse(domain.CodeWrongParty, "party", "%q does not sign the amendment, which cannot act for it; let it do this itself with %s", acting.ActingParty(), cmd.Name())
	}
	state, err := in.World.State(cmd.Ref())
	if err != nil {
		return err
	}
	events, err := cmd.typ.Decide(state, cmd.Command, in)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := add(cmd.Ref(), e); err != nil {
			return err
		}
	}
	return nil
}

// blame says in which clause a refusal is.
func blame(err error, i int) error {
	var r *domain.Rejected
	if !errors.As(err, &r) {
		return err
	}
	field := fmt.Sprintf("changes[%d]", i)
	if r.Field != "" {
		field += "." + r.Field
	}
	return &domain.Rejected{Code: r.Code, Message: r.Message, Field: field}
}
