package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
)

// lag is how far the webhook "hook" is behind; 1 where that cannot be said.
func (r *rig) lag(d *webhook.Deliverer) uint64 {
	last, err := r.store.Last(r.Context())
	s, statusErr := d.Delivery("hook")
	if err != nil || statusErr != nil || s.Position > last {
		return 1
	}
	return last - s.Position
}

func secretOf(t testing.TB, d *webhook.Deliverer, key domain.Key) string {
	t.Helper()
	s, err := d.Secret(key)
	require.NoError(t, err)
	return s.Reveal()
}

// A receiver that fails in every way and comes back gets everything, in order,
// signed, as the log has it.
func TestDeliverer_aReceiverThatFailsAndComesBackGetsEverythingInOrder(t *testing.T) {
	r := newRig(t)
	elsewhere, to := newReceiver(t), newReceiver(t)
	r.parties(2) // before it was registered
	r.register("hook", to.URL)

	// Given one that does with each request what is worse
	to.will(answers(500), hangs, redirects(elsewhere.URL), answers(404), accept,
		drips, breaks, closes, redirects("/"), asks("60"), floods)
	want := r.parties(3)

	// When its events are delivered
	d, stop := r.deliver(r.trusting(to))
	r.eventually("all that was there", func() bool { return slices.Equal(to.accepted(), want) })
	want = append(want, r.parties(2)...)
	r.eventually("what is new", func() bool { return slices.Equal(to.accepted(), want) && r.lag(d) == 0 })
	stop()

	// Then each came until it was accepted, and the next not before
	assert.Equal(t, []uint64{
		want[0], want[0], want[0], want[0], want[0],
		want[1], want[1], want[1], want[1], want[1], want[1],
		want[2], want[3], want[4],
	}, to.sent())
	to.verify(secretOf(t, d, "hook"))
	for _, got := range to.deliveries() {
		assert.Equal(t, string(r.stored(got.seq)), string(got.body))
		assert.Equal(t, "application/cloudevents+json", got.header.Get("Content-Type"))
		env, err := domain.DecodeEnvelope(got.body)
		require.NoError(t, err)
		assert.Equal(t, env.ID, got.header.Get("webhook-id"))
		assert.NotEmpty(t, got.header.Get("webhook-timestamp"))
	}
	assert.Empty(t, elsewhere.deliveries(), "a redirect is not followed")

	// and it was left alone longer and longer in between
	pauses := slices.DeleteFunc(r.clock.slept(), func(d time.Duration) bool { return d == time.Second })
	require.Len(t, pauses, 9)
	for i, failures := range []int{1, 2, 3, 4, 1, 2, 3, 4, 5} {
		assert.InEpsilon(t, webhook.Schedule[failures-1], pauses[i], 0.26, "pause %d", i)
	}
	s, err := d.Delivery("hook")
	require.NoError(t, err)
	assert.Equal(t, "enabled", s.State)
	assert.Equal(t, want[4], s.Position)
	assert.Zero(t, s.Lag)
	assert.Equal(t, http.StatusNoContent, s.LastStatus)
	assert.Nil(t, s.FailingSince)
}

// An answer that does not end in time was not one, however it ends when it is cut
// off.
func TestDeliverer_cutsOffSlowAnswers(t *testing.T) {
	const slow = 8
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(slices.Repeat([]behaviour{drips}, slow)...)
	want := r.parties(1)
	opts := r.trusting(to)
	opts.Timeout = 100 * time.Millisecond
	d, _ := r.deliver(opts)
	r.eventually("accepted", func() bool { return len(to.accepted()) > 0 && r.lag(d) == 0 })
	assert.Equal(t, slices.Repeat(want, slow), to.sent()[:slow])
	assert.Greater(t, len(to.sent()), slow)
}

// The timestamp is that of the attempt, not of the event.
func TestDeliverer_signsEachAttemptAnew(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(answers(503))
	r.parties(1)
	r.deliver(r.trusting(to))
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
	got := to.deliveries()
	first, err := strconv.ParseInt(got[0].header.Get("webhook-timestamp"), 10, 64)
	require.NoError(t, err)
	second, err := strconv.ParseInt(got[1].header.Get("webhook-timestamp"), 10, 64)
	require.NoError(t, err)
	assert.InDelta(t, 5, second-first, 3)
	assert.Equal(t, got[0].header.Get("webhook-id"), got[1].header.Get("webhook-id"))
	assert.NotEqual(t, got[0].header.Get("webhook-signature"), got[1].header.Get("webhook-signature"))
}

func TestDeliverer_goesOnWhereItStopped(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	want := r.parties(2)
	d, stop := r.deliver(r.trusting(to))
	r.eventually("two", func() bool { return len(to.accepted()) == 2 && r.lag(d) == 0 })
	stop()

	// Another process goes on, with the same secret
	want = append(want, r.parties(2)...)
	d, stop = r.deliver(r.trusting(to))
	r.eventually("four", func() bool { return len(to.accepted()) == 4 && r.lag(d) == 0 })
	assert.Equal(t, want, to.sent())
	to.verify(secretOf(t, d, "hook"))

	// Disabled, nothing is sent; enabled, it goes on
	require.NoError(t, r.directory.Wait(t.Context(), r.execute(hooks.Disable{ID: hooks.ID{Webhook: "hook"}}).Seq))
	want = append(want, r.parties(1)...)
	r.eventually("behind", func() bool { return r.lag(d) > 0 })
	assert.Len(t, to.sent(), 4)
	r.execute(hooks.Enable{ID: hooks.ID{Webhook: "hook"}})
	r.eventually("five", func() bool { return len(to.accepted()) == 5 })
	assert.Equal(t, want, to.sent())

	// Removed, it is gone
	r.execute(hooks.Remove{ID: hooks.ID{Webhook: "hook"}})
	r.eventually("forgotten", func() bool { return len(r.find(`"after":`)) == 0 })
	_, err := d.Secret("hook")
	var refused *domain.Rejected
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, domain.CodeNotFound, refused.Code)
	stop()
}

func TestDeliverer_redelivers(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	want := r.parties(4)
	d, stop := r.deliver(r.trusting(to))
	r.eventually("four", func() bool { return len(to.accepted()) == 4 && r.lag(d) == 0 })

	// Told to, it sends again from there, once
	r.execute(hooks.Redeliver{ID: hooks.ID{Webhook: "hook"}, From: want[1]})
	r.eventually("again", func() bool { return len(to.accepted()) == 7 && r.lag(d) == 0 })
	assert.Equal(t, slices.Concat(want, want[1:]), to.sent())
	stop()

	// also by a process that hears of it later, and only once by that
	r.execute(hooks.Redeliver{ID: hooks.ID{Webhook: "hook"}, From: want[3]})
	for range 2 {
		d, stop = r.deliver(r.trusting(to))
		more := r.parties(1)
		r.eventually("the new one", func() bool { return slices.Contains(to.accepted(), more[0]) && r.lag(d) == 0 })
		stop()
	}
	got := to.sent()
	assert.Equal(t, want[3], got[7])
	assert.Len(t, got, 10)

	// One that waits for a failing event does not wait any more
	to.will(answers(500))
	goOn := r.clock.stop()
	defer goOn()
	_, _ = r.deliver(r.trusting(to))
	more := r.parties(1)
	r.eventually("failed", func() bool { return len(to.sent()) == 11 })
	r.execute(hooks.Redeliver{ID: hooks.ID{Webhook: "hook"}, From: want[0]})
	r.eventually("at once", func() bool { return slices.Contains(to.accepted(), more[0]) })
	assert.Equal(t, want[0], to.sent()[11])
}

// After five days of failures the webhook is disabled, by an event that says why.
func TestDeliverer_disablesWhatFailsForFiveDays(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(slices.Repeat([]behaviour{answers(502)}, 200)...)
	failing := r.parties(1)[0]
	began := r.clock.now()
	d, _ := r.deliver(r.trusting(to))
	r.eventually("disabled", func() bool { s, err := d.Delivery("hook"); return err == nil && s.State == "disabled" })
	took := r.clock.now().Sub(began)
	assert.Greater(t, took, 5*24*time.Hour)
	assert.Less(t, took, 5*24*time.Hour+3*time.Hour)

	last, err := r.store.Last(t.Context())
	require.NoError(t, err)
	env, err := domain.DecodeEnvelope(r.stored(last))
	require.NoError(t, err)
	assert.Equal(t, hooks.Disabled{}.Type(), env.Type)
	assert.Equal(t, "milepost", env.Actor)
	assert.Contains(t, env.Reason, "five days")
	assert.Contains(t, env.Note, fmt.Sprintf("sequence %d", failing))
	assert.Contains(t, env.Note, "502")

	// Enabled again it has five days anew
	sent := len(to.sent())
	to.mu.Lock()
	to.answers = []behaviour{answers(502)}
	to.mu.Unlock()
	r.execute(hooks.Enable{ID: hooks.ID{Webhook: "hook"}})
	r.eventually("accepted", func() bool { return slices.Equal(to.accepted(), []uint64{failing}) })
	assert.Len(t, to.sent(), sent+2)
}

func TestDeliverer_doesNotCountTheTimeInWhichNoServerRan(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(answers(500), answers(500))
	r.parties(1)
	goOn := r.clock.stop()
	d, stop := r.deliver(r.trusting(to))
	r.eventually("failed", func() bool { s, err := d.Delivery("hook"); return err == nil && s.Failures == 1 })
	stop()
	goOn()

	r.clock.at.Add(int64(30 * 24 * time.Hour))
	r.deliver(r.trusting(to))
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
	assert.Len(t, to.sent(), 3)
}

func TestDeliverer_disablesAtOnceWhatIsGone(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(answers(http.StatusGone))
	r.parties(2)
	d, _ := r.deliver(r.trusting(to))
	r.eventually("disabled", func() bool { s, err := d.Delivery("hook"); return err == nil && s.State == "disabled" })
	assert.Len(t, to.sent(), 1)
}

func TestDeliverer_heedsRetryAfterUpToALimit(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(asks("600"), asks("1"), asks("1000000"), asks("Fri, 01 Jan 2100 00:00:00 GMT"), asks("soon"))
	r.parties(1)
	r.deliver(r.trusting(to))
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
	pauses := slices.DeleteFunc(r.clock.slept(), func(d time.Duration) bool { return d == time.Second })
	require.Len(t, pauses, 5)
	assert.Equal(t, 10*time.Minute, pauses[0])
	assert.InEpsilon(t, 30*time.Second, pauses[1], 0.26)
	assert.Equal(t, 2*time.Hour, pauses[2])
	assert.Equal(t, 2*time.Hour, pauses[3])
	assert.InEpsilon(t, 15*time.Minute, pauses[4], 0.26)
}

// One that fails holds up no other.
func TestDeliverer_webhooksAreIndependent(t *testing.T) {
	r := newRig(t)
	bad, good := newReceiver(t), newReceiver(t)
	opts := r.trusting(bad)
	opts.Roots.AddCert(good.Certificate())
	goOn := r.clock.stop()
	defer goOn()
	r.register("bad", bad.URL)
	r.register("good", good.URL)
	bad.will(hangs, answers(500))
	want := r.parties(3)
	r.deliver(opts)
	r.eventually("all of them", func() bool { return slices.Equal(good.accepted(), want) })
	assert.Empty(t, bad.accepted())
}

func TestDeliverer_filters(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.parties(1)
	r.execute(hooks.Register{Webhook: "hook", URL: to.URL, Types: []string{party.Changed{}.Type(), hooks.SecretRotated{}.Type()}, From: 1, Cleared: true})
	r.parties(1)
	change := r.execute(party.Change{Party: "party-1", Title: domain.Text{"en": "Other"}}).Seq
	r.execute(hooks.RotateSecret{ID: hooks.ID{Webhook: "hook"}}) // who may do what is told to none
	d, _ := r.deliver(r.trusting(to))
	r.eventually("all of the log", func() bool { return r.lag(d) == 0 })
	assert.Equal(t, []uint64{change}, to.sent())
	to.verify(secretOf(t, d, "hook"))
}

// A secret that was rotated signs no more.
func TestDeliverer_rotatesSecrets(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	r.register("other", to.URL+"/other")
	d, _ := r.deliver(r.trusting(to))
	require.NoError(t, r.directory.Wait(t.Context(), 2))
	first := secretOf(t, d, "hook")
	assert.NotEqual(t, first, secretOf(t, d, "other"))
	require.NoError(t, r.directory.Wait(t.Context(), r.execute(hooks.Remove{ID: hooks.ID{Webhook: "other"}}).Seq))
	require.NoError(t, r.directory.Wait(t.Context(), r.execute(hooks.RotateSecret{ID: hooks.ID{Webhook: "hook"}}).Seq))
	second := secretOf(t, d, "hook")
	assert.NotEqual(t, first, second)
	r.parties(1)
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
	to.verify(second)
}

// Secrets are in the key's file alone, and there only as the key.
func TestDeliverer_keepsItsSecrets(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	to.will(answers(500), hangs, breaks)
	r.parties(1)
	d, stop := r.deliver(r.trusting(to))
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 && r.lag(d) == 0 })
	s, err := d.Delivery("hook")
	require.NoError(t, err)
	secret, err := d.Secret("hook")
	require.NoError(t, err)
	stop()

	said, err := json.Marshal([]any{s, secret})
	require.NoError(t, err)
	printed := fmt.Sprintf("%s %v %+v %#v %s", secret, secret, secret, secret, said)
	r.log.logger().Info("printed", "secret", secret, "all", printed)
	hidden := strings.TrimPrefix(secret.Reveal(), "whsec_")
	require.Len(t, hidden, 44)
	assert.Empty(t, r.find(hidden))
	assert.NotContains(t, r.log.String(), hidden)
}
