package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

var (
	id       = webhook.ID{Webhook: "hook"}
	register = webhook.Register{
		Webhook: "hook", URL: "https://city.example.org/hook?a=1&b=2", Agreement: "framework", Kinds: []string{"project"},
		Types: []string{"milepost.project.milestone-met.v1"}, From: 12, Cleared: true,
	}
	failing = domain.Meta{Reason: "it answers 410"}
)

// given has the webhook registered, and more.
func given(more ...domain.Event) []domain.Event {
	return append(append(domaintest.Active(), webhook.Registered(register)), more...)
}

func TestRegister(t *testing.T) {
	s := domaintest.Given(t, domaintest.Active()...).When(register).Then(webhook.Registered(register))
	assert.Equal(t, &webhook.State{
		Webhook: "hook", URL: register.URL, Agreement: "framework", Kinds: register.Kinds, Types: register.Types, Cleared: true,
		State: webhook.StatusEnabled, From: 12, Generation: 1,
	}, domaintest.StateOf[webhook.State](s, webhook.Ref("hook")))

	// of the whole ledger, all of it, from now on
	all := webhook.Register{Webhook: "all", URL: "http://localhost:9000"}
	s.When(all).Then(webhook.Registered(all))

	for what, c := range map[string]struct {
		change      func(*webhook.Register)
		code, field string
	}{
		"no key":                         {func(c *webhook.Register) { c.Webhook = "" }, domain.CodeMissingField, "webhook"},
		"a key that is taken":            {func(c *webhook.Register) { c.Webhook = "hook" }, domain.CodeAlreadyExists, "webhook"},
		"no address":                     {func(c *webhook.Register) { c.URL = "" }, domain.CodeMissingField, "url"},
		"a name for an address":          {func(c *webhook.Register) { c.URL = "city.example.org/hook" }, webhook.CodeInvalidURL, "url"},
		"an address of another kind":     {func(c *webhook.Register) { c.URL = "ftp://city.example.org/hook" }, webhook.CodeInvalidURL, "url"},
		"an address of no host":          {func(c *webhook.Register) { c.URL = "https:///hook" }, webhook.CodeInvalidURL, "url"},
		"an address that is none":        {func(c *webhook.Register) { c.URL = "https://%zz" }, webhook.CodeInvalidURL, "url"},
		"a password":                     {func(c *webhook.Register) { c.URL = "https://li:hunter2@city.example.org/" }, webhook.CodeInvalidURL, "url"},
		"a password of another kind":     {func(c *webhook.Register) { c.URL = "ftp://li:hunter2@city.example.org/" }, webhook.CodeInvalidURL, "url"},
		"an agreement that there is not": {func(c *webhook.Register) { c.Agreement = "second" }, domain.CodeNotFound, "agreement"},
		"a beginning beyond the end":     {func(c *webhook.Register) { c.From = domaintest.Last + 2 }, domain.CodeBeyondEnd, "from"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := register
			changed.Webhook = "another"
			c.change(&changed)
			message := domaintest.Given(t, given()...).When(changed).Refused(c.code, c.field)
			assert.NotContains(t, message, "hunter2")
		})
	}
	changed := register
	changed.Webhook = ""
	assert.Equal(t, domain.Key("drawn"), changed.WithKey("drawn").(webhook.Register).Webhook)
}

func TestRedeliver(t *testing.T) {
	cmd := webhook.Redeliver{ID: id, From: 3}
	s := domaintest.Given(t, given()...).When(cmd).Then(webhook.Restarted(cmd)).When(cmd).Accepted()
	state := domaintest.StateOf[webhook.State](s, webhook.Ref("hook"))
	assert.Equal(t, [2]uint64{3, 2}, [2]uint64{state.From, state.Restarts}, "twice from the same is twice")
	s.When(webhook.Redeliver{ID: id}).Refused(domain.CodeInvalidValue, "from")
	s.When(webhook.Redeliver{ID: id, From: domaintest.Last + 1}).Accepted()
	s.When(webhook.Redeliver{ID: id, From: domaintest.Last + 2}).Refused(domain.CodeBeyondEnd, "from")
	domaintest.Given(t, given(webhook.Disabled{ID: id})...).When(cmd).Refused(domain.CodeWrongState, "webhook")
	domaintest.Given(t).When(cmd).Refused(domain.CodeNotFound, "webhook")
}

func TestDisableAndEnable(t *testing.T) {
	s := domaintest.Given(t, given()...)
	s.When(webhook.Disable{ID: id}).Refused(domain.CodeReasonRequired, "reason")
	s.When(webhook.Enable{ID: id}).Refused(domain.CodeWrongState, "webhook")
	s.When(webhook.Disable{ID: id}, failing).Then(webhook.Disabled{ID: id})
	assert.Equal(t, webhook.StatusDisabled, domaintest.StateOf[webhook.State](s, webhook.Ref("hook")).State)
	s.When(webhook.Disable{ID: id}, failing).Refused(domain.CodeWrongState, "webhook")
	s.When(webhook.Enable{ID: id}).Then(webhook.Enabled{ID: id})
	assert.Equal(t, webhook.StatusEnabled, domaintest.StateOf[webhook.State](s, webhook.Ref("hook")).State)
	assert.EqualValues(t, 12, domaintest.StateOf[webhook.State](s, webhook.Ref("hook")).From, "it goes on where it stopped")
	domaintest.Given(t).When(webhook.Disable{ID: id}, failing).Refused(domain.CodeNotFound, "webhook")
	domaintest.Given(t).When(webhook.Enable{ID: id}).Refused(domain.CodeNotFound, "webhook")
}

func TestRotateSecret(t *testing.T) {
	cmd := webhook.RotateSecret{ID: id}
	s := domaintest.Given(t, given(webhook.Disabled{ID: id})...).When(cmd).Then(webhook.SecretRotated{ID: id})
	state := domaintest.StateOf[webhook.State](s, webhook.Ref("hook"))
	assert.EqualValues(t, 2, state.Generation)
	assert.Equal(t, webhook.StatusDisabled, state.State)
	domaintest.Given(t).When(cmd).Refused(domain.CodeNotFound, "webhook")
}

func TestRemove(t *testing.T) {
	s := domaintest.Given(t, given(webhook.Disabled{ID: id})...).When(webhook.Remove{ID: id}).Then(webhook.Removed{ID: id})
	assert.Equal(t, webhook.StatusRemoved, domaintest.StateOf[webhook.State](s, webhook.Ref("hook")).State)
	for _, cmd := range []domain.Command{
		webhook.Remove{ID: id}, webhook.Enable{ID: id}, webhook.Disable{ID: id}, webhook.RotateSecret{ID: id}, webhook.Redeliver{ID: id, From: 1},
	} {
		s.When(cmd, failing).Refused(domain.CodeWrongState, "webhook")
	}
	s.When(register).Refused(domain.CodeAlreadyExists, "webhook")
	domaintest.Given(t).When(webhook.Remove{ID: id}).Refused(domain.CodeNotFound, "webhook")
}

// In every history nothing happens to a webhook that was removed, its generation
// never falls, and in whatever order its events are applied it is removed, and
// of the same generation, in the end.
func TestARemovedWebhookStaysRemoved(t *testing.T) {
	reached := 0
	rapid.Check(t, func(t *rapid.T) {
		events := map[domain.Ref][]domain.Event{}
		end := domaintest.HistoryOf(t, domaintest.Running(), domaintest.Access, 80, func(w domaintest.World, s domaintest.Step) {
			ref := s.Command.Ref()
			if ref.Kind != webhook.Kind {
				return
			}
			events[ref] = append(events[ref], s.Events...)
			if before, _ := w[ref].(*webhook.State); before != nil {
				assert.NotEqual(t, webhook.StatusRemoved, before.State)
				after := domaintest.World{ref: before}
				after.Evolve(ref, s.Events...)
				assert.GreaterOrEqual(t, after[ref].(*webhook.State).Generation, before.Generation)
			}
		})
		for ref, all := range events {
			w := domaintest.World{}
			w.Evolve(ref, rapid.Permutation(all).Draw(t, "order")...)
			want, got := end[ref].(*webhook.State), w[ref].(*webhook.State)
			assert.Equal(t, want.Generation, got.Generation)
			assert.Equal(t, want.Restarts, got.Restarts)
			if want.State == webhook.StatusRemoved {
				reached++
				assert.Equal(t, want.State, got.State)
			}
		}
	})
	domaintest.Reached(t, reached, "a webhook is removed")
}
