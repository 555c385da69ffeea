package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

// A command is given in two steps: the form is checked, and shown in words as what
// would be recorded; then that is recorded. Both are asked of the address of the form.
var (
	commandPage = page{"GET /do/{command}", "command", commandAnswer{}, of((*site).command)}
	givePage    = page{"POST /do/{command}", "command", commandAnswer{}, of((*site).give)}
)

type commandAnswer struct {
	*visit
	Step         string // form, confirm, stale, again or token
	Command, Doc string
	Fault        *fault
	Facts        []fact
	Inputs, More []*input
	MoreOpen     bool
	Refreshes    bool // what there is to choose from goes by what is chosen
	Hidden       []parameter

	Plan    *planned // what would be recorded
	Stale   *stale   // what changed meanwhile
	Problem string   // why it is not known whether it was recorded
	Token   string   // that was issued
	Next    string   // where to go on
}

// fault is what is wrong, and with which input.
type fault struct{ ID, Label, Text string }

func (f *form) answer(step string) commandAnswer {
	return commandAnswer{visit: f.visit, Step: step, Command: f.typ.Name, Doc: f.Say(f.typ.Doc), Next: local(f.values.Get(nextField))}
}

func (f *form) right() access.Right {
	right, _ := access.Command(f.typ.Name)
	return right
}

// refusal says why something was refused, in the language as far as it goes.
func (v *visit) refusal(p *api.Problem) string {
	if p.Code == domain.CodeMissingField && strings.Contains(p.Detail, "needs this field") { // and no rule that says why
		return v.Say("This is needed.")
	}
	if text := v.Language.Problem(p.Code); text != "" {
		return text + " (" + p.Detail + ")"
	}
	return p.Detail
}

// command shows the form, with what the address says filled in.
func (s *site) command(ctx context.Context, v *visit) (commandAnswer, error) {
	query := v.request.URL.Query()
	command := v.request.PathValue("command")
	if !v.Now() { // forms are of now
		for _, name := range []string{"as_of", "effective_at"} {
			query.Del(name)
		}
		v.goTo = "/do/" + url.PathEscape(command) + "?" + query.Encode()
		return commandAnswer{}, nil
	}
	f, err := s.newForm(v, command, url.Values{})
	if err != nil {
		return commandAnswer{}, err
	}
	if agreement := domain.Key(query.Get("agreement")); agreement != "" {
		f.values.Set("agreement", string(agreement))
		if !v.mayDo(command, agreement) {
			return commandAnswer{}, api.NotAllowed(f.right())
		}
	}
	var facts []string
	for _, field := range f.typ.Fields {
		for path, said := range query {
			if top(path) != field.Name || len(said) == 0 {
				continue
			}
			f.values[path] = said
			if path == field.Name && field.Type == "string" {
				facts = append(facts, path)
			}
		}
	}
	for _, field := range domain.MetaFields() {
		if said := query[field.Name]; said != nil && field.Name != "idempotency_key" && field.Name != "expected_version" {
			f.values[field.Name] = said
		}
	}
	f.tidy()
	f.values.Set(factsField, strings.Join(facts, " "))
	f.values.Set(nextField, local(query.Get("next")))
	if query.Get("next") == "" {
		f.values.Del(nextField)
	}
	f.values.Set(keyField, uuid.NewString())
	if err := f.opened(ctx); err != nil {
		return commandAnswer{}, err
	}
	if err := f.prefill(ctx); err != nil {
		return commandAnswer{}, err
	}
	return f.page(ctx)
}

// opened notes what the form is filled in on: the version of the aggregate that its
// command is asked of, where that is said already.
func (f *form) opened(ctx context.Context) error {
	f.values.Set(seqField, uintText(f.At.Seq))
	f.values.Del(versionField)
	f.values.Del(ofField)
	cmd := keysOnly(f.zero, f.typ.Fields, f.key)
	if cmd == nil || cmd.Ref().Key == "" {
		return nil
	}
	version, err := f.models.Version(ctx, cmd.Ref(), f.At)
	if err != nil {
		return err
	}
	f.values.Set(versionField, uintText(version))
	f.values.Set(ofField, cmd.Ref().String())
	return nil
}

// give is what a form sent.
func (s *site) give(ctx context.Context, v *visit) (commandAnswer, error) {
	values, genuine, wrong, err := s.readForm(v.writer, v.request)
	if err != nil {
		return commandAnswer{}, err
	}
	f, err := s.newForm(v, v.request.PathValue("command"), values)
	if err != nil {
		return commandAnswer{}, err
	}
	f.tidy()
	f.actFor()
	if values.Get(keyField) == "" {
		values.Set(keyField, uuid.NewString())
	}
	step := values.Get(stepField)
	switch {
	case !genuine:
		f.status = http.StatusForbidden
		f.problem = s.api.Problem(ctx, api.NotGenuine())
		return f.page(ctx)
	case wrong != nil:
		f.problem = wrong
		return f.page(ctx)
	case step == "open":
		values.Del(factsField)
		return f.refreshed(ctx)
	case step == "refresh":
		return f.refreshed(ctx)
	case step == "edit":
		f.forgetToken()
		return f.page(ctx)
	case step == "again": // go on with how things are now
		values.Del(versionField)
		return f.check(ctx)
	case step == "record" && values.Get(versionField) != "":
		return f.record(ctx)
	}
	f.forgetToken()
	return f.check(ctx)
}

// refreshed is the form again, with what there is to choose from now.
func (f *form) refreshed(ctx context.Context) (commandAnswer, error) {
	if f.values.Get(versionField) == "" {
		if err := f.opened(ctx); err != nil {
			return commandAnswer{}, err
		}
	}
	if err := f.prefill(ctx); err != nil {
		return commandAnswer{}, err
	}
	return f.page(ctx)
}

// check shows what would be recorded.
func (f *form) check(ctx context.Context) (commandAnswer, error) {
	if err := f.newToken(); err != nil {
		return commandAnswer{}, err
	}
	req, err := f.said(ctx)
	if err != nil {
		return f.refused(ctx, err)
	}
	plan, err := f.site.api.Preview(ctx, req)
	if err != nil {
		return f.refused(ctx, err)
	}
	if plan.Done != nil {
		return f.done(*plan.Done)
	}
	if req.Meta.ExpectedVersion == nil {
		f.values.Set(versionField, uintText(plan.Version))
		f.values.Set(ofField, req.Command.Ref().String())
		f.values.Set(seqField, uintText(f.At.Seq))
	}
	if creates := f.creates(); creates != "" && f.key(creates) == "" {
		drawn, _ := members(plan.Command)[creates].(string)
		f.values.Set(drawnField, drawn)
		f.values.Set(ofField, plan.Ref.String())
	}
	a := f.answer("confirm")
	a.Plan, a.Hidden = f.planned(plan), f.hidden()
	return a, nil
}

// record has it recorded.
func (f *form) record(ctx context.Context) (commandAnswer, error) {
	req, err := f.said(ctx)
	if err != nil {
		return f.refused(ctx, err)
	}
	if req.Meta.ExpectedVersion == nil { // what was checked is not what was sent
		return f.check(ctx)
	}
	receipt, err := f.site.api.Execute(ctx, req)
	if err != nil {
		return f.refused(ctx, err)
	}
	return f.done(receipt)
}

// said is the command that is filled in.
func (f *form) said(ctx context.Context) (ledger.Request, error) {
	var present map[string]any
	if slices.Contains(changing, f.typ.Name) {
		var err error
		if present, err = f.asItIs(ctx); err != nil {
			return ledger.Request{}, err
		}
	}
	return f.request(present)
}

// refused tells why nothing was recorded, or that this is not known. What was typed
// stays.
func (f *form) refused(ctx context.Context, err error) (commandAnswer, error) {
	p := f.site.api.Problem(ctx, err)
	f.status = p.Status
	switch {
	case p.Code == domain.CodeStaleVersion:
		return f.stale(ctx)
	case p.Code == domain.CodeKeyReused: // somebody went back, and changed what they had recorded
		f.values.Set(keyField, uuid.NewString())
		f.values.Del(drawnField)
		if err := f.opened(ctx); err != nil {
			return commandAnswer{}, err
		}
		f.problem = &api.Problem{Status: p.Status, Code: p.Code, Detail: f.Say("This form was recorded already, as something else. Check it again to record this as well.")}
	case p.Status >= http.StatusInternalServerError && f.values.Get(stepField) == "record":
		for name, values := range p.GetHeaders() {
			f.writer.Header()[name] = values
		}
		a := f.answer("again")
		a.Problem, a.Hidden = f.refusal(p), f.hidden()
		return a, nil
	default:
		f.problem = p
	}
	f.forgetToken()
	return f.page(ctx)
}
