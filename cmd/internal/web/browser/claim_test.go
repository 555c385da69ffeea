package browser_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAClaimWithEvidenceIsConfirmedByTheOtherParty(t *testing.T) {
	t.Parallel()
	// Given a milestone that one party is to reach, and the other to confirm
	w := newWorkshop(t, "claiming")
	page := w.project() + "/milestones/design"
	ann, bob := w.ann(), w.bob()
	ann.open(page)
	report, hash := w.file("report.txt", "The design is finished.")

	// When it is claimed with no evidence, then that is asked for.
	bob.open(page)
	bob.click("Claim achievement")
	bob.expects("422 Unprocessable Entity: POST")
	bob.click("Check")
	bob.sees("Nothing was recorded.", "Evidence")

	// When a file is given, then the page says what will be recorded,
	bob.attach("Files", report)
	bob.click("Check")
	bob.sees("This will be recorded", "report.txt", hash[:12])
	bob.record()
	recorded := time.Now()

	// and the other sees it where they are, with the file,
	w.sameSecond(ann, recorded, "Claimed", hash[:8])
	assert.Equal(t, "The design is finished.", string(w.ask(t, "GET", "/v1/evidence/"+hash, "")))

	// finds it among what awaits them, and confirms it.
	ann.open("/awaiting")
	ann.click("Confirm achievement")
	ann.click("Check")
	ann.sees("This will be recorded", "Wuxi")
	ann.record()
	bob.sees("Met", "Confirmed by")
	assert.Equal(t, 1, w.events("milepost.project.achievement-confirmed.v1"))
}

func TestTwoPointsInTimeAreCompared(t *testing.T) {
	t.Parallel()
	// Given a milestone whose forecast moved twice
	w := newWorkshop(t, "comparing")
	w.project()
	first, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-10-31","reason":"supplier-delay"`)
	last, _ := w.do("reforecast-milestone", `"project":"plant","milestone":"build","forecast":"2027-11-30","reason":"approval-delay","note":"A permit is missing."`)
	u := w.bob()
	u.open(w.page())
	u.in("This agreement").click("Changes")

	// When two points are compared, net,
	u.fill("From", "seq:"+itoa(first-1))
	u.fill("To", "seq:"+itoa(last))
	u.click("Net: old and new")
	u.click("Compare")

	// then old and new stand beside each other, with why; what lies between does not.
	u.in("What is different").sees("Build", "30 Sep 2027", "30 Nov 2027", "2 moves", "A permit is missing.")
	u.in("What is different").misses("31 Oct 2027")
	u.accessibleSo()

	// When every move is asked for, then each is there, with its own reason.
	u.click("Every move")
	u.click("Compare")
	u.in("Every move").sees("31 Oct 2027", "Supplier delay", "30 Nov 2027", "Approval delay")

	// An earlier end leaves the later out.
	u.fill("To", "seq:"+itoa(first))
	u.click("Compare")
	u.in("Every move").sees("31 Oct 2027")
	u.misses("30 Nov 2027")
}
