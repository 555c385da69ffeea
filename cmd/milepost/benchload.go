package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// workload makes commands as a programme office gives them: agreements with
// projects and milestones are set up one after the other, and all the while
// milestones of those which are there are reforecast and report progress. It is
// deterministic.
type workload struct {
	rng        *rand.Rand
	agreements int          // to set up
	begun      int          // set up so far
	quiet      []domain.Key // agreements with little going on, for what-changed
	milestones []*busyMilestone
	calm       []*busyMilestone // of the quiet agreements
	calmSaid   int              // events of these so far
}

// busyMilestone remembers what was said of a milestone, so that the next
// command changes something.
type busyMilestone struct {
	agreement, project, milestone string

	said    int
	percent int
}

const (
	benchProjects   = 4   // of an agreement
	benchMilestones = 10  // of a project
	quietEvents     = 120 // of a quiet agreement
)

// newWorkload plans a log of about that many events.
func newWorkload(events int) *workload {
	w := &workload{rng: rand.New(rand.NewPCG(2017, 2022)), agreements: max(2, events/400)}
	for i := range min(10, max(1, events/5_000)) {
		w.quiet = append(w.quiet, domain.Key(fmt.Sprintf("quiet-%d", i)))
	}
	return w
}

const benchHash = "9cb03c74ea2d6d6792c029e48a854935726bc26ec00cf242556c24ac4c37db11"

// parties registers the two who sign everything.
func (w *workload) parties(out io.Writer) {
	line(out, `{"command":"register-party","party":"city","title":{"en":"City","zh":"市政府"},"kind":"local-government","actor":"bench"}`)
	line(out, `{"command":"register-party","party":"group","title":{"en":"Group","zh":"集团"},"kind":"state-owned-enterprise","actor":"bench"}`)
}

// agreement sets one up, with its projects and milestones, and returns these.
func (w *workload) agreement(out io.Writer, key string, projects, milestones int) []*busyMilestone {
	var all []*busyMilestone
	line(out, `{"command":"draft-agreement","agreement":"%s","kind":"framework","title":{"en":"Cooperation %s","zh":"合作协议"},"parties":["city","group"],"document":"%s","actor":"bench"}`, key, key, benchHash)
	line(out, `{"command":"add-area","agreement":"%s","area":"iot","title":{"en":"Internet of Things","zh":"物联网"},"actor":"bench"}`, key)
	line(out, `{"command":"open-consultation","agreement":"%s","actor":"bench"}`, key)
	for _, party := range []string{"city", "group"} {
		line(out, `{"command":"sign-agreement","agreement":"%s","party":"%s","signatory":"the head","date":"2020-01-02","document":"%s","actor":"bench"}`, key, party, benchHash)
	}
	for p := range projects {
		project := fmt.Sprintf("project-%d", p)
		line(out, `{"command":"propose-project","agreement":"%s","project":"%s","title":{"en":"Project %d","zh":"项目"},"kind":"industry-base","areas":["iot"],"lead":"group","actor":"bench"}`, key, project, p)
		line(out, `{"command":"set-tolerance","agreement":"%s","project":"%s","amber":20,"red":60,"actor":"bench"}`, key, project)
		line(out, `{"command":"approve-project","agreement":"%s","project":"%s","actor":"bench"}`, key, project)
		line(out, `{"command":"start-project","agreement":"%s","project":"%s","actor":"bench"}`, key, project)
		for m := range milestones {
			b := &busyMilestone{agreement: key, project: project, milestone: fmt.Sprintf("milestone-%d", m)}
			line(out, `{"command":"schedule-milestone","agreement":"%s","project":"%s","milestone":"%s","title":{"en":"Milestone %d","zh":"里程碑"},"due":"%s","weight":10,"confirming":["city"],"actor":"bench"}`,
				key, project, b.milestone, m, domain.MustDate("2030-01-31")+domain.Date(30*m))
			all = append(all, b)
		}
		line(out, `{"command":"approve-baseline","agreement":"%s","project":"%s","actor":"bench"}`, key, project)
	}
	return all
}

// next says something new of the milestone: two of three times that it moves.
func (b *busyMilestone) next(out io.Writer) {
	b.said++
	if b.said%3 == 0 && b.percent < 99 {
		b.percent++
		line(out, `{"command":"report-progress","agreement":"%s","project":"%s","milestone":"%s","percent":%d,"actor":"bench","acting_for":"group"}`,
			b.agreement, b.project, b.milestone, b.percent)
		return
	}
	b.late(out)
}

// late is the command that the forecast moves, as often as something was said.
func (b *busyMilestone) late(out io.Writer) {
	line(out, `{"command":"reforecast-milestone","agreement":"%s","project":"%s","milestone":"%s","forecast":"%s","reason":"supplier-delay","note":"Delivery %d is late.","actor":"bench","acting_for":"group"}`,
		b.agreement, b.project, b.milestone, domain.MustDate("2031-01-01")+domain.Date(b.said%900), b.said)
}

// chunk makes about the given number of commands, the part from done to
// done+commands of total.
func (w *workload) chunk(done, commands, total int) string {
	var out strings.Builder
	if done == 0 {
		w.parties(&out)
		for _, key := range w.quiet {
			w.calm = append(w.calm, w.agreement(&out, string(key), 1, 1)...)
		}
	}
	for n := strings.Count(out.String(), "\n"); n < commands; n++ {
		at := done + n
		switch {
		case w.begun < w.agreements && at >= w.begun*total/w.agreements:
			begin := out.Len()
			w.milestones = append(w.milestones, w.agreement(&out, fmt.Sprintf("agreement-%d", w.begun), benchProjects, benchMilestones)...)
			w.begun++
			n += strings.Count(out.String()[begin:], "\n") - 1
		case at >= w.calmSaid*total/(quietEvents*len(w.calm)):
			w.calm[w.calmSaid%len(w.calm)].next(&out)
			w.calmSaid++
		default:
			w.milestones[w.rng.IntN(len(w.milestones))].next(&out)
		}
	}
	return out.String()
}

func line(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...) // a strings.Builder takes everything
}
