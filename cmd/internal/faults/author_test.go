package faults_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// author says one thing after the other of agreements of its own, as its seed
// draws it. Everything is valid as long as each is done before the next: of parties,
// agreements, projects, milestones, funds and amendments, some of one event and
// some of several, on one aggregate or on several.
type author struct {
	rng        *rand.Rand
	name       string
	next       []said // what has to follow
	agreements int
	milestones []*moving
	count      int // of things of the agreement, for their keys
	amendments int
	pledges    int
}

// said is a command and how many events it makes, or, where that is "", a file of
// evidence.
type said struct {
	command, body string
	events        int
	file          []byte
}

// moving is a milestone that is not met yet.
type moving struct {
	key     string
	moves   int
	percent int
}

const (
	document = "9cb03c74ea2d6d6792c029e48a854935726bc26ec00cf242556c24ac4c37db11"
	enough   = 60 // things said of an agreement before the next is begun
)

func newAuthor(seed, n uint64) *author {
	a := &author{rng: rand.New(rand.NewPCG(seed, n)), name: fmt.Sprintf("w%d", n)}
	for _, party := range []string{"city", "group"} {
		a.say("register-party", `"party":"%s-%s","title":{"en":"%s"},"kind":"other"`, a.name, party, party)
	}
	return a
}

func (a *author) say(command, format string, args ...any) {
	a.next = append(a.next, said{command: command, body: "{" + fmt.Sprintf(format, args...) + "}", events: 1})
}

// making says that what was said last makes so many events.
func (a *author) making(events int) { a.next[len(a.next)-1].events = events }

// speak is the next thing said.
func (a *author) speak() said {
	if len(a.next) == 0 {
		if a.agreements == 0 || a.count >= enough {
			a.begin()
		} else {
			a.goOn()
		}
	}
	s := a.next[0]
	a.next = a.next[1:]
	return s
}

func (a *author) city() string      { return a.name + "-city" }
func (a *author) group() string     { return a.name + "-group" }
func (a *author) agreement() string { return fmt.Sprintf("%s-a%d", a.name, a.agreements) }
func (a *author) project() string {
	return fmt.Sprintf(`"agreement":"%s","project":"base"`, a.agreement())
}
func (a *author) of(m *moving) string { return a.project() + fmt.Sprintf(`,"milestone":"%s"`, m.key) }

// begin sets the next agreement up.
func (a *author) begin() {
	a.agreements++
	a.count, a.amendments, a.pledges, a.milestones = 0, 0, 0, nil
	agreement := fmt.Sprintf(`"agreement":"%s"`, a.agreement())
	a.say("draft-agreement", `%s,"kind":"framework","title":{"en":"Cooperation","zh":"合作协议"},"parties":["%s","%s"],"document":"%s"`, agreement, a.city(), a.group(), document)
	a.say("add-area", `%s,"area":"iot","title":{"en":"Internet of Things"}`, agreement)
	a.say("open-consultation", `%s`, agreement)
	for _, party := range []string{a.city(), a.group()} {
		a.say("sign-agreement", `%s,"party":"%s","signatory":"the head","date":"2020-01-02","document":"%s"`, agreement, party, document)
	}
	a.making(2) // it takes effect
	a.say("propose-project", `%s,"title":{"en":"Base"},"kind":"industry-base","areas":["iot"],"lead":"%s"`, a.project(), a.group())
	a.say("set-tolerance", `%s,"amber":20,"red":60`, a.project())
	a.say("approve-project", `%s`, a.project())
	a.say("start-project", `%s`, a.project())
	a.making(2) // the agreement hears of it
	for range 3 {
		a.schedule()
	}
	a.say("approve-baseline", `%s`, a.project())
	a.say("propose-fund", `%s,"fund":"main","title":{"en":"Fund"}`, agreement)
}

func (a *author) schedule() {
	a.count++
	m := &moving{key: fmt.Sprintf("m%d", a.count)}
	a.milestones = append(a.milestones, m)
	a.say("schedule-milestone", `%s,"title":{"en":"Milestone"},"due":"2030-01-31","weight":%d,"confirming":["%s"]`, a.of(m), 1+a.rng.IntN(9), a.city())
}

// goOn says something of what is there.
func (a *author) goOn() {
	a.count++
	i := a.rng.IntN(len(a.milestones))
	m := a.milestones[i]
	switch n := a.rng.IntN(20); {
	case n < 9:
		a.say("reforecast-milestone", `%s,"forecast":"%s","reason":"supplier-delay","note":"Delivery %d is late."`, a.of(m), a.date(m), a.count)
	case n < 14 && m.percent < 100:
		m.percent++
		a.say("report-progress", `%s,"percent":%d`, a.of(m), m.percent)
	case n < 15:
		a.say("change-party", `"party":"%s","title":{"en":"City, as of the %d. change in %d"}`, a.city(), a.count, a.agreements)
	case n < 16:
		a.pledges++
		a.say("record-pledge", `"agreement":"%s","fund":"main","pledge":"p%d","party":"%s","value":{"amount":"%d","currency":"CNY"}`, a.agreement(), a.pledges, a.group(), 1+a.rng.IntN(1_000_000))
	case n < 18: // with a file that shows it, and a new milestone in its place
		file := a.file()
		a.milestones = append(a.milestones[:i:i], a.milestones[i+1:]...)
		a.next = append(a.next, said{file: file})
		a.say("claim-achievement", `%s,"party":"%s","met_on":"2024-05-06","evidence":["%s"]`, a.of(m), a.group(), hashOf(file))
		a.say("confirm-achievement", `%s,"party":"%s"`, a.of(m), a.city())
		a.making(2) // it is met
		a.schedule()
	default: // an amendment of two aggregates
		a.amendments++
		amendment := fmt.Sprintf(`"agreement":"%s","amendment":"n%d"`, a.agreement(), a.amendments)
		text := hashOf(fmt.Append(nil, amendment))
		a.say("propose-amendment", `%s,"rationale":{"en":"Later"},"party":"%s","document":"%s","reason":"force-majeure","changes":[`+
			`{"command":"reschedule-milestone","project":"base","milestone":"%s","due":"%s"},{"command":"add-area","area":"n%d","title":{"en":"New"}}]`,
			amendment, a.city(), text, m.key, a.date(m), a.amendments)
		for _, party := range []string{a.city(), a.group()} {
			a.say("sign-amendment", `%s,"party":"%s","signatory":"the head","date":"2024-01-02","document":"%s"`, amendment, party, text)
		}
		a.making(5) // it takes effect, the agreement is amended, and both changes are made
	}
}

// date is another one than the milestone's each time.
func (a *author) date(m *moving) string {
	m.moves++
	return time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, m.moves).Format(time.DateOnly)
}

// file is like no other.
func (a *author) file() []byte {
	name := fmt.Sprintf("%s %d %d %d\n", a.agreement(), a.count, a.rng.Uint64(), a.rng.Uint64())
	return []byte(strings.Repeat(name, 1+a.rng.IntN(4000)))
}
