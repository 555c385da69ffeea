package webhook_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
)

// Whatever the receiver does, and however often the server stops, what it
// accepted for the first time is exactly the events of the webhook, in order.
func TestDeliverer_property(t *testing.T) {
	r := newRig(t)
	elsewhere := newReceiver(t)
	r.parties(1)
	hook := 0
	bad := []behaviour{answers(500), answers(400), answers(304), redirects("/"), redirects(elsewhere.URL), breaks, closes, asks("5"), accept}
	property := func(rt *rapid.T) {
		hook++
		key := domain.Key(fmt.Sprintf("hook-%d", hook))
		to := newReceiver(t)
		defer to.Close()
		defer func() { r.execute(hooks.Remove{ID: hooks.ID{Webhook: key}}) }()
		r.execute(hooks.Register{Webhook: key, URL: to.URL, Types: []string{party.Registered{}.Type()}})
		for range rapid.IntRange(0, 12).Draw(rt, "answers") {
			to.will(rapid.SampledFrom(bad).Draw(rt, "answer"))
		}
		var d *webhook.Deliverer
		stop := func() {}
		defer func() { stop() }()
		start := func() { stop(); d, stop = r.deliver(r.trusting(to)) }
		start()
		want := []uint64{}
		for step := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"event", "event", "another kind of event", "restart", "rotate"}).Draw(rt, "step") {
			case "event":
				want = append(want, r.parties(1)...)
			case "another kind of event":
				r.execute(party.Change{Party: "party-1", Title: domain.Text{"en": fmt.Sprint(hook, "/", step)}})
			case "restart":
				start()
			case "rotate":
				r.execute(hooks.RotateSecret{ID: hooks.ID{Webhook: key}})
			}
		}
		last, err := r.store.Last(t.Context())
		require.NoError(rt, err)
		r.eventually("delivered", func() bool { s, err := d.Delivery(key); return err == nil && s.Position >= last })

		// Each came first in its turn, and was accepted before the next came
		first := []uint64{}
		reached := uint64(0)
		for _, got := range to.deliveries() {
			require.GreaterOrEqual(rt, got.seq, reached, "an earlier one after a later one")
			if got.seq > reached {
				if len(first) > 0 {
					require.True(rt, slices.Contains(to.accepted(), first[len(first)-1]))
				}
				first = append(first, got.seq)
			}
			reached = got.seq
		}
		require.Equal(rt, want, first)
		require.Equal(rt, want, slices.Compact(to.accepted()))
		require.Empty(rt, elsewhere.deliveries())
	}
	domaintest.Check(t, 15, property)
}
