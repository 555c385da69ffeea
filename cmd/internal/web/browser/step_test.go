package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhereAMilestoneComesFrom(t *testing.T) {
	t.Parallel()
	// Given a milestone whose forecast moved twice
	w := newWorkshop(t, "stepping")
	page := w.project() + "/milestones/build"
	first, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay"`)
	w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-11-30","reason":"approval-delay"`)
	u := w.bob()

	// When somebody goes back from its page as it is now, event by event,
	u.open(page)
	u.in("How it stands").sees("30 Nov 2027")
	u.click("As of now")
	u.click("Step through history")
	u.sees("This is not how things stand now.")
	u.click("← Previous event")

	// then it is as it was, and the page says by what it became so;
	u.in("How it stands").sees("31 Oct 2027")
	u.in("Shown as of").sees("Milestone reforecast")
	assert.Equal(t, page+"?as_of=seq%3A"+itoa(first), u.path())
	u.click("← Previous event")
	u.in("How it stands").misses("31 Oct 2027")

	// and back to now leads to how it is.
	u.click("Back to now")
	u.in("How it stands").sees("30 Nov 2027")
	u.misses("This is not how things stand now.")
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
