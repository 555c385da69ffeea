package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAllByTheKeyboard(t *testing.T) {
	t.Parallel()
	// Given somebody with no mouse, who is not signed in
	w := newWorkshop(t, "keyboard")
	w.project()
	u := w.stranger(t)
	u.open(w.page())

	// When they sign in,
	u.focuses("Token")
	u.write(w.tokenOf(t, "bob", `"role":"representative","party":"cethik"`))
	u.press("Enter")

	// then the first Tab leads past the head of the page.
	u.sees("Pact of keyboard")
	u.press("Tab")
	assert.Equal(t, "Skip to the content", u.focused())
	u.press("Enter")

	// They find the project and the milestone,
	u.tabTo("The plant")
	u.press("Enter")
	u.sees("Milestone trend analysis")
	u.tabTo("Build")
	u.press("Enter")
	u.sees("What it depends on")

	// fill in a form, with what it says to be wrong,
	u.tabTo("Reforecast milestone")
	u.press("Enter")
	u.tabTo("Forecast required")
	u.write("10312027")
	u.expects("422 Unprocessable Entity: POST")
	u.press("Enter")
	u.sees("Nothing was recorded.")
	u.tabTo("Reason required")
	u.write("Supp") // leads to what begins so
	u.tabTo("Check")
	u.press("Enter")

	// and record it.
	u.sees("This will be recorded", "31 Oct 2027", "Supplier delay")
	u.focuses("Record") // what is likeliest next
	u.press("Enter")
	u.sees("Recorded: event", "31 Oct 2027")
	assert.Equal(t, 1, w.events("milepost.project.milestone-reforecast.v1"))
}

func TestAllWithoutScripts(t *testing.T) {
	t.Parallel()
	// Given somebody whose browser runs no scripts, and who is not signed in
	w := newWorkshop(t, "scriptless")
	page := w.project()
	report, hash := w.file("report.txt", "Designed without scripts.")
	u := w.stranger(t)
	u.withoutScript()
	u.open(page)
	u.fill("Token", w.tokenOf(t, "bob", `"role":"representative","party":"cethik"`))
	u.click("Sign in")

	// When they ask for a form whose choices go by what is chosen,
	u.sees("The plant", "Milestone trend analysis")
	u.open("/do/claim-achievement?agreement=scriptless")
	u.choose("Project required", "The plant · plant")
	u.click("Show what there is to choose from")
	u.choose("Milestone required", "Design · design")
	u.attach("Files", report)
	u.click("Check")
	u.sees("This will be recorded", hash[:12])

	// then it is recorded, and shown.
	u.record()
	u.sees("Achievement claimed", hash[:8])
	assert.Equal(t, 1, w.events("milepost.project.achievement-claimed.v1"))
}
