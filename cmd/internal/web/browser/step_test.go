package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHistoryIsSteppedThrough(t *testing.T) {
	t.Parallel()
	// Given a milestone whose forecast moved twice
	w := newWorkshop(t, "stepping")
	page := w.project() + "/milestones/build"
	first, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay"`)
	last, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-11-30","reason":"approval-delay"`)
	for _, scripts := range []bool{true, false} {
		u := w.bob()
		if !scripts {
			u.withoutScript()
		}
		// When they step through its history from the page as it is now,
		u.open(page)
		u.click("Step through history")
		u.sees("This is not how things stand now.", "Next event")
		u.open(page + "?as_of=seq:" + itoa(last))
		u.in("How it stands").sees("30 Nov 2027")

		// then each step shows the page as it was, and says by what it became so;
		u.click("← Previous event")
		u.in("How it stands").sees("31 Oct 2027")
		u.in("How it stands").misses("30 Nov 2027")
		u.sees("Milestone reforecast")
		u.click("← Previous event")
		u.in("How it stands").misses("31 Oct 2027")
		u.click("Next event →")
		u.in("How it stands").sees("31 Oct 2027")
		assert.Contains(t, u.path(), "as_of=seq%3A"+itoa(first))

		// and back to now leads to how it is.
		u.click("Back to now")
		u.in("How it stands").sees("30 Nov 2027")
		u.misses("This is not how things stand now.")
	}
}

func TestHistoryIsSteppedThroughByTheKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, "sliding")
	page := w.project() + "/milestones/build"
	first, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay"`)
	last, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-11-30","reason":"approval-delay"`)
	u := w.bob()
	u.open(page + "?as_of=seq:" + itoa(last))

	// Arrow keys go from event to event, in place, and the slider keeps the focus.
	u.eval(`window.here = true`, nil)
	u.tabTo("Event")
	u.press("Left")
	u.in("How it stands").sees("31 Oct 2027")
	assert.Equal(t, "Event", u.focused())
	assert.Equal(t, itoa(first), u.value("Event"))
	u.press("Right")
	u.in("How it stands").sees("30 Nov 2027")
	var here bool
	u.eval(`window.here === true`, &here)
	assert.True(t, here, "no page was loaded")

	// The slider goes to where the milestone was not there yet, too, and back from there.
	u.expects("404 Not Found: GET")
	u.press("Home")
	u.sees("Not there at this point")
	u.press("End")
	u.in("How it stands").sees("30 Nov 2027")
}

func TestTheBannerStaysWhereOneGoes(t *testing.T) {
	t.Parallel()
	// Given an agreement of which a project was proposed later
	w := newWorkshop(t, "banner")
	before, _ := w.do("add-area", `"title":{"en":"More industry"}`)
	w.project()
	u := w.bob()

	// When it is looked at as of before, then the page says so, and so do those that it leads to;
	u.open(w.page() + "?as_of=seq:" + itoa(before))
	u.sees("This is not how things stand now.", "event "+itoa(before), "More industry", "No project is proposed yet.")
	u.in("This agreement").click("Projects")
	u.sees("This is not how things stand now.", "event "+itoa(before))

	// nothing can be recorded there, and in the other language it is said as well.
	u.misses("Propose project")
	u.click("简体中文")
	u.sees("此页显示的不是当前情况。")
	u.click("回到现在")
	u.sees("工厂")
	u.click("English")
	u.sees("The plant")
	u.misses("This is not how things stand now.")
}
