package browser_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drawn is the drawing in the part of the page with this heading.
func (u *user) drawn(heading string) (svg string) {
	u.t.Helper()
	root, err := u.in(heading).root()
	require.NoError(u.t, err)
	require.NoError(u.t, u.on(root, `function() { return this.querySelector("svg")?.outerHTML ?? "" }`, &svg))
	return svg
}

// redrawn waits until the drawing is another one, and returns it.
func (u *user) redrawn(heading, former string) (svg string) {
	u.t.Helper()
	require.NoError(u.t, u.wait(patience, func() error {
		if svg = u.drawn(heading); svg == "" || svg == former {
			return errors.New("it is drawn as before")
		}
		return nil
	}), heading)
	return svg
}

const (
	gantt  = "Schedule"
	sCurve = "Planned and earned value"
	trend  = "Milestone trend analysis"
)

func TestChartsMoveWithTheSchedule(t *testing.T) {
	t.Parallel()
	// Given a project without milestones, at which a second person looks
	w := newWorkshop(t, "slipping")
	seq, _ := w.do("propose-project", `"project":"plant","title":{"en":"The plant","zh":"工厂"},"kind":"industry-base","areas":["industry"],"lead":"cethik"`)
	page := w.page() + "/projects/plant"
	ann, bob := w.ann(), w.bob()
	bob.open(page)
	bob.sees("No milestone is scheduled yet.")

	// When milestones are scheduled by the form,
	for _, m := range []struct{ key, title, due string }{{"design", "Design", "2027-03-31"}, {"build", "Build", "2027-09-30"}} {
		ann.open("/do/schedule-milestone?agreement=slipping&project=plant")
		ann.fill("English", m.title)
		ann.fill("Due required", m.due)
		ann.click("Wuxi · wuxi")
		if m.key == "build" {
			ann.click("Design · design")
		}
		ann.fill("Identifier", m.key)
		ann.click("Check")
		ann.sees("This will be recorded", m.title)
		ann.record()
		bob.in("Milestones").sees(m.title)
	}
	schedule, trends := bob.redrawn(gantt, ""), bob.redrawn(trend, "")
	assert.Contains(t, schedule, "Build; Agreed 30 Sep 2027; Forecast 30 Sep 2027")
	bob.sees("Planned by the agreed dates: no baseline was approved.")

	// and a baseline approved, then it is in the schedule and in the curve,
	w.do("approve-project", `"project":"plant"`)
	ann.open("/do/approve-baseline?agreement=slipping&project=plant")
	ann.click("Check")
	ann.record()
	bob.sees("Planned by the baseline in force.")
	schedule = bob.redrawn(gantt, schedule)
	assert.Contains(t, schedule, "Build; Baseline 30 Sep 2027; Agreed 30 Sep 2027")

	// and when one slips, for a reason that is asked for,
	w.do("start-project", `"project":"plant"`)
	ann.open("/do/reforecast-milestone?agreement=slipping&project=plant&milestone=build")
	ann.expects("422 Unprocessable Entity: POST")
	ann.fill("Forecast required", "2027-12-31")
	ann.click("Check")
	ann.sees("Nothing was recorded.", "Reason")
	assert.Equal(t, "2027-12-31", ann.value("Forecast required"), "what was typed stays")
	ann.accessibleSo()
	ann.choose("Reason required", "Supplier delay")
	ann.fill("Note", "The turbine comes later.")
	ann.click("Check")
	ann.sees("This will be recorded", "30 Sep 2027", "31 Dec 2027", "Supplier delay", "The turbine comes later.")
	ann.record()
	recorded := time.Now()

	// then the other sees it within a second: the schedule, the trend, and why.
	w.sameSecond(bob, recorded, "The turbine comes later.", "31 Dec 2027")
	schedule = bob.redrawn(gantt, schedule)
	assert.Contains(t, schedule, "Build; Baseline 30 Sep 2027; Agreed 30 Sep 2027; Forecast 31 Dec 2027")
	assert.Contains(t, bob.redrawn(trend, trends), "31 Dec 2027")
	bob.in("Moves of dates, and why").sees("Build", "30 Sep 2027 → 31 Dec 2027", "Supplier delay")

	// What is earned moves the curve.
	curve := bob.drawn(sCurve)
	w.do("report-progress", `"project":"plant","milestone":"design","percent":40`)
	assert.Contains(t, bob.redrawn(sCurve, curve), "Earned value 20%")

	// And what changed since a date is marked where it stands.
	bob.open(page + "?since=seq:" + itoa(seq))
	bob.in("Milestones").sees("Build")
	assert.Contains(t, bob.drawn(gantt), "chart-changed")
	ann.open(page + "?since=seq:" + itoa(seq+7))
	ann.in("Milestones").sees("was")
	ann.accessibleSo()
}
