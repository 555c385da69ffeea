package web

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

func TestAudit(t *testing.T) {
	r := startDemo(t)
	// Given the demo, then the register opens at the end of the log, and the page says
	// that the log is whole, who signed it, and that nobody countersigned.
	s := r.get("/audit")
	s.says("All that was checked agrees with what was signed.", "Signed up to event 455", "Settled up to nothing yet", "No party has registered a key", "milepost/test+", "Earlier events")
	assert.Contains(t, s.body, `id="event-455"`)
	assert.Contains(t, s.body, `id="event-356"`)
	s.silentOn(`id="event-355"`)

	// And by filters one comes to what one looks for, in the order of the log.
	s = r.get("/audit?agreement=wuxi-cethik-2017&kind=meeting&key=coordination-2017-11")
	s.says("Meeting held", "Minutes confirmed by party", "wuxi programme office").silentOn(`id="event-89"`, "Earlier events")
	assert.Less(t, strings.Index(s.body, `id="event-88"`), strings.Index(s.body, `id="event-94"`))

	// And as of the past there is nothing about the log as it is now.
	r.get("/audit?as_of=seq:120").says("Event 120 of 455").silentOn(`id="event-121"`, "Fold the log again", `id="whole"`)
	r.get("/audit?as_of=seq:0").says("There is no such event.", "Before the first event.")
	assert.Equal(t, http.StatusBadRequest, r.send(http.MethodGet, "/audit?after=x", nil).status)
}

func TestAuditLeavesOutWhatIsNotForTheAsker(t *testing.T) {
	r := startDemo(t)
	r.done("restrict-access", `{"agreement":"wuxi-cethik-2017","project":"iot-base"}`)
	// Given somebody who reads one agreement of the demo, but for its restricted project.
	viewer := r.principal("reader", `"grant":"a","role":"viewer","agreement":"wuxi-cethik-2017"`)

	// Then there is nothing of the ledger as a whole on the page, and nothing of what
	// is withheld in the register.
	viewer.get("/audit").says("Checkpoint and countersignatures").silentOn(`id="whole"`, "Fold the log again")
	viewer.get("/audit?agreement=wuxi-cethik-2017&kind=project").silentOn("iot-base", "CETHIK (Wuxi) IoT industry base")
	for _, path := range []string{"/audit/events/139", "/agreements/wuxi-cethik-2022/meetings"} {
		assert.Equal(t, http.StatusNotFound, viewer.send(http.MethodGet, path, nil).status, path)
	}
	viewer.get("/changes?agreement=wuxi-cethik-2017&from=seq:0").silentOn("iot-base")

	// And stepping goes past what is withheld: event 139 is the project's.
	s := viewer.get("/audit?as_of=seq:140")
	s.silentOn("seq%3A139", "iot-base")
	assert.Contains(t, s.body, `rel="prev"`)

	// And they have no log folded.
	assert.Equal(t, http.StatusForbidden, viewer.send(http.MethodPost, "/audit/replay", url.Values{}).status)
}

func TestReplay(t *testing.T) {
	r := startDemo(t)
	// Given an auditor's page; when its button is pressed, then the log is folded again.
	b := r.open("/audit")
	send := func(form string) screen {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/audit/replay", strings.NewReader(url.Values{tokenField: {form}}.Encode()))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Cookie", b.cookie)
		return r.answer(req)
	}
	_, token, _ := strings.Cut(b.cookie, "=")
	s := send(token)
	require.Equal(t, http.StatusOK, s.status, s.body)
	s.wellFormed()
	s.says("The log is whole, and the pages show exactly what it gives.", "Compared up to event 455", r.models.Position().Digest)

	// But not when another site made the form.
	assert.Equal(t, http.StatusForbidden, send("forged").status)
}

func TestEvent(t *testing.T) {
	r := startDemo(t)
	// Given the event by which a milestone slipped, then its page says what happened,
	// what changed by it, and proves it.
	s := r.get("/audit/events/139")
	s.says("Event 139: Milestone reforecast", "Supplier delay", "Steel delivered six weeks late.", "15 Oct 2018", "31 Aug 2018", "Leaf hash", "Tree size 455", "9 hashes from the leaf to the root",
		`"type": "milepost.project.milestone-reforecast.v1"`, "about the same: event 136", "event 140")
	assert.Contains(t, s.body, `href="/v1/events/139/proof"`)

	// And the stored bytes stand there as the log has them.
	stored := r.send(http.MethodGet, "/v1/events/139", nil)
	s.says(strings.Join(strings.Fields(stored.body), " "))

	// And a correction and what it corrects lead to each other.
	before := r.done("change-party", `{"party":"cetc","title":{"en":"CTEC"}}`)
	after := r.done("change-party", `{"party":"cetc","title":{"en":"CETC"},"corrects":"`+before.Events[0].ID+`","reason":"correction"}`)
	r.get("/audit/events/" + uintText(before.Seq)).says("Corrected by event " + uintText(after.Seq))
	r.get("/audit/events/" + uintText(after.Seq)).says("Corrects event " + uintText(before.Seq))

	for path, status := range map[string]int{"/audit/events/0": 400, "/audit/events/x": 400, "/audit/events/99999": 404} {
		assert.Equal(t, status, r.send(http.MethodGet, path, nil).status, path)
	}
}

func TestStepping(t *testing.T) {
	r := startDemo(t)
	// Given the pages of an agreement as of an event, then the banner has the events
	// of that agreement before and after it: 86 is of the other things in between.
	s := r.get("/agreements/wuxi-cethik-2017/meetings?as_of=seq:93&since=seq:10")
	s.says("Event 93 of 313", "Milestone reforecast")
	assert.Contains(t, s.body, `rel="next" id="replay-next" href="/agreements/wuxi-cethik-2017/meetings?as_of=seq%3A94&amp;since=seq%3A10"`)
	assert.Contains(t, s.body, `name="as_of" value=""`, "seq:93 is no day for the input")

	// And what the slider sends is the page's one address.
	s = r.send(http.MethodGet, "/audit?to_event=94&as_of=seq:3&kind=meeting", nil)
	assert.Equal(t, http.StatusSeeOther, s.status)
	assert.Equal(t, "/audit?as_of=seq%3A94&kind=meeting", s.header.Get("Location"))

	// And what was not there yet is said so, and one steps on from there.
	s = r.send(http.MethodGet, "/agreements/wuxi-cethik-2017/meetings/coordination-2017-11?as_of=seq:87", nil)
	assert.Equal(t, http.StatusNotFound, s.status)
	s.says("Not there at this point", "Next event")

	// And at the ends there is nothing to go on to.
	r.get("/audit?as_of=seq:1").silentOn(`id="replay-previous" href`)
	r.get("/audit?as_of=seq:455").silentOn(`id="replay-next" href`)

	// And without a point one may begin to step, where history is.
	assert.Contains(t, r.get("/audit").body, `href="/audit?as_of=seq%3A455">Step through history</a>`)
}

func TestCountersignatures(t *testing.T) {
	r := startDemo(t)
	// Given a party that has registered a key.
	secret, public, err := proof.NewKey(rand.Reader, "wuxi.example")
	require.NoError(t, err)
	r.done("register-witness", fmt.Sprintf(`{"party":"wuxi","key":%q}`, public))
	r.get("/audit").says("Wuxi Municipal People's Government nothing yet pending: 456 events more")

	// When it countersigns the checkpoint, then the page says up to where, and what has
	// happened since.
	verifiers, err := proof.Verifiers(r.store.Key())
	require.NoError(t, err)
	signed, err := proof.Open([]byte(r.send(http.MethodGet, "/v1/checkpoint", nil).body), verifiers)
	require.NoError(t, err)
	cosigner, err := proof.NewCosigner(secret, time.Now)
	require.NoError(t, err)
	note, err := cosigner.Cosign(signed)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/checkpoint/cosignatures", bytes.NewReader(note))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("Authorization", "Bearer "+r.token)
	require.Equal(t, http.StatusOK, r.answer(req).status)
	r.get("/audit").says("Wuxi Municipal People's Government event 456 settled", "Settled up to event 456")
	r.done("change-party", `{"party":"cetc","title":{"en":"CETC Group"}}`)
	r.get("/audit").says("event 456 pending: 1 event more")
	r.get("/audit/events/7").says("pending awaits CETHIK Group")
}
