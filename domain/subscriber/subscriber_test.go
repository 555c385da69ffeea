package subscriber_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/subscriber"
)

var (
	key = "U" + strings.Repeat("A", 55)
	add = subscriber.Add{Subscriber: "warehouse", Agreement: "framework", From: 7, PublicKey: key, Cleared: true}
)

func TestAdd(t *testing.T) {
	s := domaintest.Given(t, domaintest.Active()...).When(add).Then(subscriber.Added(add))
	assert.Equal(t, &subscriber.State{Subscriber: "warehouse", Agreement: "framework", From: 7, PublicKey: key, Cleared: true},
		domaintest.StateOf[subscriber.State](s, subscriber.Ref("warehouse")))

	// of the whole ledger, from its first event
	s.When(subscriber.Add{Subscriber: "mirror", PublicKey: key}).Then(subscriber.Added{Subscriber: "mirror", From: 1, PublicKey: key})

	for what, c := range map[string]struct {
		change      func(*subscriber.Add)
		code, field string
	}{
		"no key":                         {func(c *subscriber.Add) { c.Subscriber = "" }, domain.CodeMissingField, "subscriber"},
		"a key that is taken":            {func(c *subscriber.Add) { c.Subscriber = "warehouse" }, domain.CodeAlreadyExists, "subscriber"},
		"no public key":                  {func(c *subscriber.Add) { c.PublicKey = "" }, domain.CodeMissingField, "public_key"},
		"a private key":                  {func(c *subscriber.Add) { c.PublicKey = "SU" + strings.Repeat("A", 56) }, domain.CodeInvalidValue, "public_key"},
		"a key of an account":            {func(c *subscriber.Add) { c.PublicKey = "A" + strings.Repeat("A", 55) }, domain.CodeInvalidValue, "public_key"},
		"a key that is too short":        {func(c *subscriber.Add) { c.PublicKey = key[1:] }, domain.CodeInvalidValue, "public_key"},
		"an agreement that there is not": {func(c *subscriber.Add) { c.Agreement = "second" }, domain.CodeNotFound, "agreement"},
		"a beginning beyond the end":     {func(c *subscriber.Add) { c.From = domaintest.Last + 2 }, domain.CodeBeyondEnd, "from"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := add
			changed.Subscriber = "another"
			c.change(&changed)
			message := domaintest.Given(t, append(domaintest.Active(), subscriber.Added(add))...).When(changed).Refused(c.code, c.field)
			assert.NotContains(t, message, "SUA", "what may be a secret is not said again")
		})
	}
}

func TestRevoke(t *testing.T) {
	cmd := subscriber.Revoke{Subscriber: "warehouse"}
	s := domaintest.Given(t, append(domaintest.Active(), subscriber.Added(add))...).
		When(cmd).Then(subscriber.Revoked{Subscriber: "warehouse", On: domaintest.Today})
	assert.Equal(t, domaintest.Today, domaintest.StateOf[subscriber.State](s, subscriber.Ref("warehouse")).RevokedOn)
	s.When(cmd).Refused(domain.CodeNothingChanged, "subscriber")
	s.When(add).Refused(domain.CodeAlreadyExists, "subscriber") // its consumer's position would be another program's
	s.When(subscriber.Revoke{Subscriber: "nobody"}).Refused(domain.CodeNotFound, "subscriber")
}

// In every history, a subscriber that was revoked stays so with its key, and in
// whatever order its events are applied.
func TestWhatWasRevokedStaysRevoked(t *testing.T) {
	reached := 0
	rapid.Check(t, func(t *rapid.T) {
		events := map[domain.Ref][]domain.Event{}
		end := domaintest.HistoryOf(t, domaintest.Running(), domaintest.Access, 80, func(w domaintest.World, s domaintest.Step) {
			if ref := s.Command.Ref(); ref.Kind == subscriber.Kind {
				before, _ := w[ref].(*subscriber.State)
				assert.True(t, before == nil || before.RevokedOn == 0, "something happens to one that was revoked")
				events[ref] = append(events[ref], s.Events...)
			}
		})
		for ref, all := range events {
			w := domaintest.World{}
			w.Evolve(ref, rapid.Permutation(all).Draw(t, "order")...)
			assert.Equal(t, end[ref], w[ref])
			if end[ref].(*subscriber.State).RevokedOn != 0 {
				reached++
			}
		}
	})
	domaintest.Reached(t, reached, "a subscriber is revoked")
}
