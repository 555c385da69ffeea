package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever steps through history has the page as of the next event, in place.
func TestStepThroughHistory(t *testing.T) {
	t.Parallel()
	u := demo(t).administrator(t)
	// Given the meetings as they were before the first one was held.
	u.open("/agreements/wuxi-cethik-2017/meetings?as_of=seq:93")
	u.in("Shown as of").sees("Event 93 of")
	u.in("First coordination meeting").sees("Scheduled")
	u.eval(`void (window.same = true)`, nil)

	// When somebody goes on to the next event, then it is held.
	u.click("Next event →")
	u.in("Shown as of").sees("Event 94 of", "Meeting held")
	u.in("First coordination meeting").sees("Held")
	assert.Equal(t, "/agreements/wuxi-cethik-2017/meetings?as_of=seq%3A94", u.path())

	// And the arrow keys step from event to event, while the slider keeps the focus.
	u.tabTo("Event")
	u.press("Left")
	u.in("Shown as of").sees("Event 93 of")
	u.press("Right")
	u.in("Shown as of").sees("Event 94 of")
	assert.Equal(t, "Event", u.focused())

	// And dragging asks for the page where the slider is. All this is one page.
	u.eval(`{ const r = document.getElementById("replay-range"); r.value = 139; r.dispatchEvent(new Event("input", { bubbles: true })) }`, nil)
	u.in("Shown as of").sees("Event 139 of", "Milestone reforecast", "Steel delivered six weeks late.")
	var same bool
	u.eval(`window.same === true`, &same)
	assert.True(t, same)

	// Where what the page is about was not there yet, one learns that, and steps on.
	u.expects("404")
	u.open("/agreements/wuxi-cethik-2017/meetings/coordination-2017-11?as_of=seq:87")
	u.sees("Not there at this point")
	u.click("Next event →")
	u.sees("Scheduled for", "28 Nov 2017")

	// And without scripts the links lead on all the same.
	u.withoutScript()
	u.open("/agreements/wuxi-cethik-2017/meetings?as_of=seq:93")
	u.click("Next event →")
	u.in("Shown as of").sees("Event 94 of")
}
