package browser_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAnAgreementIsDraftedAndSignedByBothParties(t *testing.T) {
	t.Parallel()
	// Given two representatives, each at a browser of their own
	w := drafting(t, "signing")
	ann, bob := w.ann(), w.bob()
	text, hash := w.file("pact.txt", "We work together.")

	// When one drafts an agreement by its form,
	ann.open("/do/draft-agreement")
	ann.choose("Kind required", "Framework")
	ann.fill("English", "A pact that is signed")
	ann.fill("中文", "签署的协议")
	ann.click("Wuxi · wuxi")
	ann.click("CETHIK · cethik")
	ann.attach("or the file itself", text)
	ann.fill("Identifier", w.agreement)
	ann.click("Check")
	ann.sees("This will be recorded", "A pact that is signed", "Wuxi", hash[:8])
	ann.accessible()
	ann.record()

	// then they are at its page, which says so.
	ann.sees("Recorded: event", "A pact that is signed", "Drafted")
	assert.Contains(t, ann.path(), w.page())

	// When the other has the page open, and the text is laid before the parties,
	bob.open(w.page())
	bob.sees("Drafted")
	ann.click("Open consultation")
	ann.click("Check")
	ann.record()
	ann.sees("Recorded: event", "Under consultation")
	bob.sees("Under consultation")

	// then each signs on a page that waits for it,
	bob.in("CETHIK").click("Sign agreement")
	bob.fill("Signatory required", "Zhao")
	bob.click("Check")
	bob.sees("This will be recorded", "In the name of", "CETHIK", "Zhao")
	bob.record()
	bob.sees("Recorded: event", "Zhao", "Under consultation")
	ann.sees("Zhao")
	ann.open("/awaiting")
	ann.sees("A pact that is signed")
	ann.open(w.page())
	ann.in("Wuxi").click("Sign agreement")
	ann.fill("Signatory required", "Qian")
	ann.click("Check")
	ann.sees("the agreement is in effect")
	ann.record()
	recorded := time.Now()

	// and the last signature puts it into effect in the other's open page.
	w.sameSecond(bob, recorded, "Active", "Qian")
	ann.sees("Active")
	assert.Equal(t, 1, w.events("milepost.agreement.took-effect.v1"))
}
