package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// form is a command that somebody fills in. Its fields are those of the command's
// declaration, and the names of its inputs are the paths by which refusals blame them:
// title.zh, attendees[0].name. What the form keeps for itself begins with "_".
type form struct {
	*visit
	typ    domain.CommandType
	kind   string // of the aggregate that it is asked of
	zero   domain.Command
	values url.Values
	lists  map[string]optionList // what there is to choose from, by what it is of

	problem *api.Problem // what refused it, nil for nothing
	blamed  *input       // the first input that this blames
}

// What a form keeps for itself.
const (
	stepField    = "_step"
	nextField    = "_next"    // where to go when it is done
	keyField     = "_key"     // the idempotency key, made when the form was opened
	versionField = "_version" // of the aggregate, when the form was opened
	ofField      = "_of"      // the aggregate that this is the version of
	seqField     = "_seq"     // the last event when the form was opened
	drawnField   = "_drawn"   // the key that the ledger drew for what is made
	factsField   = "_facts"   // fields that were filled in by the page that led here
	secretField  = "_secret"  // the token that is being issued
	tokenField   = "form"     // that the form is of a page of ours
)

// newForm is the form of a command with what is filled in. Who may not give the
// command gets none.
func (s *site) newForm(v *visit, command string, values url.Values) (*form, error) {
	typ, aggregate, err := catalogue.Command(command)
	if err != nil {
		return nil, err
	}
	if err := s.api.Writable(); err != nil {
		return nil, err
	}
	f := &form{visit: v, typ: typ, kind: aggregate.Kind, zero: typ.Zero(), values: values}
	if !v.mayDo(command, f.key("agreement")) {
		right, _ := access.Command(command)
		return nil, api.NotAllowed(right)
	}
	v.Title, v.Section, v.still = v.Label(command), "do", true
	return f, nil
}

// key is a field that names something.
func (f *form) key(name string) domain.Key { return domain.Key(strings.TrimSpace(f.values.Get(name))) }

// creates is the field with the key of what the command makes, "" where it makes
// nothing. The ledger draws one where it is left empty.
func (f *form) creates() string {
	creating, ok := f.zero.(domain.Creating)
	if !ok {
		return ""
	}
	const probe = "probe"
	for name, value := range members(creating.WithKey(probe)) {
		if value == probe {
			return name
		}
	}
	return ""
}

// acting reports whether a party gives the command in its own name.
func (f *form) acting() bool {
	_, ok := f.zero.(domain.Acting)
	return ok
}

// has reports whether the command has a field of its own, or carries one.
func (f *form) has(name string) bool {
	same := func(field domain.Field) bool { return field.Name == name }
	return slices.ContainsFunc(f.typ.Fields, same) || slices.ContainsFunc(domain.MetaFields(), same)
}

// facts are the fields that the page which led here filled in. They are shown as
// they are until somebody wants to change them, or one is to blame.
func (f *form) facts() []string {
	var facts []string
	for name := range strings.FieldsSeq(f.values.Get(factsField)) {
		if f.problem == nil || top(f.problem.Field) != name {
			facts = append(facts, name)
		}
	}
	return facts
}

// top is the field of a command that a path is in.
func top(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

// fact is a field that is filled in already.
type fact struct{ Label, Value string }

// page makes the page of the form.
func (f *form) page(ctx context.Context) (commandAnswer, error) {
	a := f.answer("form")
	facts, creates := f.facts(), f.creates()
	var named *input
	f.values.Set(factsField, strings.Join(facts, " "))
	for _, field := range f.typ.Fields {
		if slices.Contains(facts, field.Name) {
			said, err := f.fact(ctx, field)
			if err != nil {
				return a, err
			}
			a.Facts = append(a.Facts, said)
			continue
		}
		in, err := f.input(ctx, field, field.Name)
		if err != nil {
			return a, err
		}
		a.Refreshes = a.Refreshes || in.Refreshes
		if field.Name == creates {
			in.Label, named = f.Say("Identifier"), in
			continue
		}
		a.Inputs = append(a.Inputs, in)
	}
	for _, field := range domain.MetaFields() {
		in, err := f.carried(ctx, field)
		if err != nil {
			return a, err
		}
		switch {
		case in == nil:
		case f.asks(field.Name):
			in.Required = field.Name != "note" || asks[f.typ.Name] == "note"
			a.Inputs = append(a.Inputs, in)
		default:
			a.More = append(a.More, in)
			a.MoreOpen = a.MoreOpen || in.Error != "" || f.filled(field.Name)
		}
	}
	if named != nil {
		a.Inputs = append(a.Inputs, named) // last: it is what people care about least
	}
	shown := map[string]bool{}
	for _, in := range slices.Concat(a.Inputs, a.More) {
		shown[in.Name] = true
	}
	for name, values := range f.values {
		if shown[top(name)] || name == tokenField || name == stepField || name == secretField {
			continue
		}
		for _, value := range values {
			a.Hidden = append(a.Hidden, parameter{name, value})
		}
	}
	sorted(a.Hidden)
	if f.problem != nil {
		fault := fault{Text: f.refusal(f.problem)}
		if f.blamed != nil {
			fault.ID, fault.Label = f.blamed.ID, f.blamed.Label
		}
		a.Fault = &fault
		f.status = f.problem.Status
	}
	return a, nil
}

// filled reports whether anything is said under a name.
func (f *form) filled(name string) bool {
	for path, values := range f.values {
		if top(path) == name && strings.Join(values, "") != "" {
			return true
		}
	}
	return false
}

// fact says what a field is filled in with, in words where it names something.
func (f *form) fact(ctx context.Context, field domain.Field) (fact, error) {
	value := strings.Join(f.values[field.Name], ", ")
	options, _, err := f.choices(ctx, field)
	if err != nil {
		return fact{}, err
	}
	for _, o := range options {
		if o.Value == value {
			value = o.Title
		}
	}
	return fact{f.FieldLabel(f.typ.Name, field.Name), value}, nil
}

// carried is the input of a field that every command may carry, nil where the form
// or the server fills it in.
func (f *form) carried(ctx context.Context, field domain.Field) (*input, error) {
	switch field.Name {
	case "actor", "idempotency_key", "expected_version":
		return nil, nil
	case "acting_for":
		if f.acting() || !f.Principal.Administers(f.scope()) && len(f.parties()) < 2 {
			return nil, nil
		}
	}
	return f.input(ctx, field, field.Name)
}

// asks says what commands carry that their rules always ask for, and so is asked for
// first: a reason code, a reason, evidence or a note. The rules themselves are not here:
// what is missing they refuse.
var asks = map[string]string{
	"reforecast-milestone": "code", "reschedule-milestone": "code", "reschedule-meeting": "code", "propose-amendment": "code",
	"suspend-agreement": "reason", "terminate-agreement": "reason", "dissolve-mechanism": "reason", "dispute-fulfilment": "reason",
	"waive-obligation": "reason", "declare-breach": "reason", "suspend-project": "reason", "cancel-project": "reason",
	"judge-milestone": "reason", "reopen-milestone": "reason", "cancel-milestone": "reason", "dispute-achievement": "reason",
	"fail-gate": "reason", "drop-action": "reason", "cancel-meeting": "reason", "reject-amendment": "reason",
	"withdraw-amendment": "reason", "reduce-commitment": "reason", "return-actual": "reason", "disable-webhook": "reason",
	"claim-fulfilment": "evidence", "claim-achievement": "evidence", "assess-trl": "evidence", "retire-witness": "note",
}

// asks reports whether something that commands carry is asked for first.
func (f *form) asks(name string) bool {
	what := asks[f.typ.Name]
	return what == name || what == "code" && (name == "reason" || name == "note")
}

// scope is the agreement over which the command is given, "" where it is given over
// the whole ledger.
func (f *form) scope() domain.Key {
	if catalogue.LedgerWide(f.kind) {
		return ""
	}
	return f.key("agreement")
}

// parties are those in whose name the asker may give the command.
func (f *form) parties() []domain.Key {
	var may []domain.Key
	for _, g := range f.Principal.Grants() {
		if g.Party != "" && !slices.Contains(may, g.Party) && f.Principal.May(f.right(), f.scope(), g.Party) {
			may = append(may, g.Party)
		}
	}
	return may
}

// actFor has the command given in the name of the asker's party, where it is no
// question which that is.
func (f *form) actFor() {
	if f.acting() || f.Principal.Administers(f.scope()) {
		return
	}
	switch may := f.parties(); {
	case len(may) == 0:
		f.values.Del("acting_for")
	case len(may) == 1 || f.key("acting_for") == "":
		f.values.Set("acting_for", string(may[0]))
	}
}
