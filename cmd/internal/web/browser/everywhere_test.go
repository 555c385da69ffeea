package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheLanguageIsChosenOnAnyPage(t *testing.T) {
	t.Parallel()
	// Given somebody whose browser asks for English
	u := demo(t).person(t, "viewer", `"role":"viewer"`)
	u.open("/changes?since=2026-01-01")
	u.sees("Overview")

	// When they choose Chinese, then the page that they were on is Chinese, and the next.
	u.click("简体中文")
	assert.Equal(t, "/changes?since=2026-01-01", u.path())
	u.sees("变更")
	u.click("总览")
	u.sees("无锡市与中电海康深化战略合作框架协议")
	u.click("English")
	u.sees("Agreements")
}

func TestAPageThatIsNotOfNowSaysSo(t *testing.T) {
	t.Parallel()
	u := demo(t).administrator(t)
	u.open("/?as_of=seq:20")
	u.sees("This is not how things stand now.", "event 20")
	u.click("Back to now")
	assert.Equal(t, "/", u.path())
	u.misses("This is not how things stand now.")
}

func TestThePointInTimeIsOneControl(t *testing.T) {
	t.Parallel()
	// Given a page as it is now, whose control of the point in time is closed
	u := demo(t).administrator(t)
	u.open("/agreements/wuxi-cethik-2022")
	u.misses("Leave a day out")

	// When it is opened, then it closes again as a menu does;
	u.click("As of now")
	u.sees("Leave a day out")
	u.press("Escape")
	u.misses("Leave a day out")

	// and when a day is filled in, then the page marks what changed since, and says so.
	u.click("As of now")
	u.fill("Changes since", "2020-01-01")
	u.click("Show")
	assert.Contains(t, u.path(), "since=2020-01-01")
	u.sees("As of now · changes since 1 Jan 2020")
	u.in("How it stands").sees("new")
}

func TestWhatSomebodyElseDoesIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	// Given somebody who looks at the first page
	w := drafting(t, "elsewhere")
	u := w.bob()
	u.open("/")

	// When somebody else drafts an agreement, then it is there.
	_, recorded := w.do("draft-agreement", `"kind":"framework","title":{"en":"A new pact"},"parties":["wuxi","cethik"]`)
	w.sameSecond(u, recorded, "A new pact")
}
