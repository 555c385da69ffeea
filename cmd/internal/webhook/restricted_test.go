package webhook_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/projections"
)

// do executes a command as a line of an import has it.
func (r *rig) do(name, body string) uint64 {
	r.Helper()
	req, err := ledger.Decode(name, []byte(body))
	require.NoError(r, err)
	receipt, err := r.ledger.Execute(r.Context(), req)
	require.NoError(r, err)
	return receipt.Seq
}

// agree has two parties draft an agreement.
func (r *rig) agree() {
	r.Helper()
	r.do("register-party", `{"party":"city","title":"City","kind":"local-government"}`)
	r.do("register-party", `{"party":"group","title":"Group","kind":"state-owned-enterprise"}`)
	r.do("draft-agreement", `{"agreement":"pact","kind":"framework","title":"Pact","parties":["city","group"],`+
		`"document":"9cb03c74ea2d6d6792c029e48a854935726bc26ec00cf242556c24ac4c37db11"}`)
	r.do("add-area", `{"agreement":"pact","area":"iot","title":"IoT"}`)
}

// project proposes a project.
func (r *rig) project(key string) uint64 {
	r.Helper()
	return r.do("propose-project", fmt.Sprintf(`{"agreement":"pact","project":%q,"title":"A project","kind":"industry-base","areas":["iot"]}`, key))
}

// What is restricted is sent to a webhook that is cleared for it, and to no other.
func TestDeliverer_sendsWhatIsRestrictedToWhoIsCleared(t *testing.T) {
	r := newRig(t)
	open, cleared := newReceiver(t), newReceiver(t)
	opts := r.trusting(open)
	opts.Roots.AddCert(cleared.Certificate())
	r.agree()
	secret := r.project("secret")
	r.do("restrict-access", `{"agreement":"pact","project":"secret","reason":"tender"}`)
	for key, more := range map[string]string{"hook": open.URL + `"`, "cleared": cleared.URL + `","cleared":true`} {
		r.do("register-webhook", fmt.Sprintf(`{"webhook":%q,"agreement":"pact","kinds":["project"],"from":1,"url":"%s}`, key, more))
	}
	d, _ := r.deliver(opts)
	want := []uint64{r.project("base")}
	all := []uint64{secret, want[0], r.do("change-scope", `{"agreement":"pact","project":"secret","title":"Other","reason":"scope-change"}`)}
	want, all = append(want, r.project("more")), append(all, want[0]+2)
	r.eventually("cleared", func() bool { return slices.Equal(cleared.accepted(), all) })
	r.eventually("not cleared", func() bool { return slices.Equal(open.accepted(), want) && r.lag(d) == 0 })
	for _, got := range open.deliveries() {
		assert.NotContains(t, string(got.body), "secret")
	}
}

// What the webhook may be sent is looked at again before each attempt, whether or
// not it was heard that it changed.
func TestDeliverer_sendsNothingByAViewThatHasChanged(t *testing.T) {
	for _, heard := range []bool{true, false} {
		t.Run(fmt.Sprintf("heard=%t", heard), func(t *testing.T) {
			r := newRig(t)
			to := newReceiver(t)
			r.agree()
			r.do("register-webhook", fmt.Sprintf(`{"webhook":"hook","agreement":"pact","url":%q}`, to.URL))
			goOn := r.clock.stop()
			to.will(answers(500))
			r.project("secret")
			d, _ := r.deliver(r.trusting(to))
			r.eventually("failed", func() bool { return len(to.sent()) == 1 })

			// When the event is restricted while it waits to be sent again
			if heard {
				seq := r.do("restrict-access", `{"agreement":"pact","project":"secret","reason":"tender"}`)
				require.NoError(t, r.directory.Wait(t.Context(), seq))
			} else {
				r.directory.show(projections.View{Restricted: []projections.Restriction{{Agreement: "pact", Project: "secret"}}}, false)
			}
			goOn()

			// Then it is not
			r.eventually("passed by", func() bool { return r.lag(d) == 0 })
			assert.Len(t, to.sent(), 1)
		})
	}
}
