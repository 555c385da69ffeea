package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsBeingTypedSurvivesWhatOthersDo(t *testing.T) {
	t.Parallel()
	// Given somebody who writes into a field of a page that is live,
	w := newWorkshop(t, "typing")
	page := w.project() + "/milestones/build"
	u := w.bob()
	u.open(page + "?forecast=2028-01-31")
	u.in("What follows if it slips").sees("Present forecast", "30 Sep 2027") // which is in the part with the field
	const label = "If it is met on"
	u.fill(label, "2028-02-29")
	u.tabTo(label)

	// when somebody else changes the same thing,
	_, recorded := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay","note":"Steel is late."`)

	// then the page shows it at once, and the field is as it was.
	w.sameSecond(u, recorded, "Steel is late.")
	assert.Equal(t, label, u.focused())
	assert.Equal(t, "2028-02-29", u.value(label))
	u.in("What follows if it slips").click("Show")
	u.sees("It moves by", "31 Oct 2027")

	// The same in a field of words, half written.
	u.open("/changes?agreement=typing")
	u.fill("Actor", "bo")
	_, recorded = w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-11-30","reason":"supplier-delay","note":"So are screws."`)
	w.sameSecond(u, recorded, "So are screws.")
	u.write("b")
	assert.Equal(t, "bob", u.value("Actor"))
	assert.Equal(t, "Actor", u.focused())
}

func TestAFormThatIsStaleLosesNothing(t *testing.T) {
	t.Parallel()
	// Given a form that is filled in,
	w := newWorkshop(t, "stale")
	w.project()
	u := w.bob()
	u.open("/do/reforecast-milestone?agreement=stale&project=plant&milestone=build")
	u.fill("Forecast required", "2028-01-31")
	u.choose("Reason required", "Funding delay")
	u.fill("Note", "The bank takes its time.")

	// when somebody else changes the same thing meanwhile, and it is sent,
	w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay","note":"Steel is late."`)
	u.expects("409 Conflict: POST")
	u.expects("412 Precondition Failed: POST")
	u.click("Check")

	// then it says what changed, and nothing is recorded.
	u.sees("Nothing was recorded: it changed meanwhile", "31 Oct 2027", "Steel is late.")
	u.accessibleSo()
	assert.Equal(t, 1, w.events("milepost.project.milestone-reforecast.v1"))

	// What was typed is there to be changed,
	u.click("Back to the form")
	assert.Equal(t, []string{"2028-01-31", "The bank takes its time."}, []string{u.value("Forecast required"), u.value("Note")})
	u.click("Check")
	u.sees("it changed meanwhile")

	// and it goes on with how things are now.
	u.click("Go on with how it is now")
	u.sees("This will be recorded", "31 Oct 2027", "31 Jan 2028", "The bank takes its time.")
	u.record()
	assert.Equal(t, 2, w.events("milepost.project.milestone-reforecast.v1"))
}

func TestADoubleClickRecordsOnce(t *testing.T) {
	t.Parallel()
	// Given a form that is checked
	w := newWorkshop(t, "double")
	u := w.ann()
	u.open("/do/add-area?agreement=double")
	u.fill("English", "Batteries")
	u.click("Check")
	u.sees("This will be recorded")
	before := w.events(areaAdded)

	// When its button is pressed twice, then it is recorded once, and the page says so.
	require.NoError(t, u.pointAt(u.must("Record", []string{"button"}), 2))
	u.sees("Recorded: event")
	assert.Equal(t, before+1, w.events(areaAdded))

	// When it is sent twice all the same, at once,
	u.open("/do/add-area?agreement=double")
	u.fill("English", "Turbines")
	u.click("Check")
	u.sees("This will be recorded")
	var answers []string
	u.eval(`(() => {
		const form = document.querySelector("form.command"), data = new FormData(form);
		data.set("_step", "record");
		const send = () => fetch(form.action, {method: "POST", body: data}).then((answer) => answer.url);
		return Promise.all([send(), send()]);
	})()`, &answers)

	// then both answers say that the same event was recorded.
	require.Len(t, answers, 2)
	assert.Equal(t, answers[0], answers[1])
	assert.Contains(t, answers[0], "done=")
	assert.Equal(t, before+2, w.events(areaAdded))
}

const areaAdded = "milepost.agreement.area-added.v1"
