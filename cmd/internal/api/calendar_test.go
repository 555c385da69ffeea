package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

// entries reads an answer as a calendar: its events by UID.
func (r reply) entries() map[string]*ics.VEvent {
	r.t.Helper()
	r.is(http.StatusOK)
	require.Equal(r.t, "text/calendar; charset=utf-8", r.header.Get("Content-Type"))
	c, err := ics.ParseCalendar(bytes.NewReader(r.body))
	require.NoError(r.t, err)
	entries := map[string]*ics.VEvent{}
	for _, e := range c.Events() {
		require.NotContains(r.t, entries, e.Id(), "a UID is there twice")
		entries[e.Id()] = e
	}
	return entries
}

func property(e *ics.VEvent, p ics.ComponentProperty) string {
	if found := e.GetProperty(p); found != nil {
		return found.Value
	}
	return ""
}

func sequence(t *testing.T, e *ics.VEvent) int {
	t.Helper()
	n, err := strconv.Atoi(property(e, ics.ComponentPropertySequence))
	require.NoError(t, err)
	return n
}

const calendarURL = "/v1/agreements/wuxi-2017/calendar.ics"

// under is a ledger with something of every kind in its calendar.
func under(t *testing.T, r *rig) uint64 {
	t.Helper()
	r.scheduled()
	r.done("establish-mechanism", `{"agreement":"wuxi-2017","mechanism":"board","kind":"coordination","title":"Board","members":["wuxi","cethik"],"cadence":"quarterly"}`)
	r.done("add-obligation", `{"agreement":"wuxi-2017","obligation":"land","title":{"en":"Land; 20 ha, serviced","zh":"土地"},"debtor":"wuxi","beneficiary":"cethik","due":"2019-05-31"}`)
	r.done("schedule-meeting", `{"agreement":"wuxi-2017","meeting":"second","mechanism":"board","title":"Second meeting","on":"2019-04-15"}`)
	r.done("schedule-meeting", `{"agreement":"wuxi-2017","meeting":"first","mechanism":"board","title":"First meeting","on":"2019-02-15"}`)
	r.done("hold-meeting", `{"agreement":"wuxi-2017","meeting":"first","on":"2019-02-15","attendees":[{"party":"wuxi","name":"W"}]}`)
	r.done("assign-action", `{"agreement":"wuxi-2017","meeting":"first","action":"survey","title":"Survey the site","owner":"wuxi","due":"2019-03-31"}`)
	r.done("define-indicator", `{"agreement":"wuxi-2017","indicator":"jobs","title":"Jobs","level":"outcome","measure":"unit","unit":"jobs","beneficiary":"wuxi","reporter":"cethik"}`)
	r.done("set-target", `{"agreement":"wuxi-2017","indicator":"jobs","period":"2019-h1","value":"500"}`)
	return r.done("set-target", `{"agreement":"wuxi-2017","indicator":"jobs","period":"2019","value":"1000"}`).Seq
}

func TestACalendarHasWhatIsDue(t *testing.T) {
	r := start(t)
	last := under(t, r)
	answer := r.get(fmt.Sprintf("%s?min_seq=%d", calendarURL, last))
	entries := answer.entries()

	days := map[string]string{}
	for id, e := range entries {
		days[id] = property(e, ics.ComponentPropertyDtStart) + " " + property(e, ics.ComponentPropertyStatus)
		assert.Equal(t, []string{"DATE"}, e.GetProperty(ics.ComponentPropertyDtStart).ICalParameters["VALUE"], "a whole day")
		assert.Equal(t, property(e, ics.ComponentPropertyDtstamp)[:9], "20190301T", "the ledger's time")
	}
	assert.Equal(t, map[string]string{
		"wuxi-2017/project/iot-base/milestone/design@test":   "20190630 CONFIRMED",
		"wuxi-2017/agreement/wuxi-2017/obligation/land@test": "20190531 CONFIRMED",
		"wuxi-2017/meeting/first@test":                       "20190215 CONFIRMED",
		"wuxi-2017/meeting/second@test":                      "20190415 CONFIRMED",
		"wuxi-2017/meeting/first/action/survey@test":         "20190331 CONFIRMED",
		"wuxi-2017/indicator/jobs/period/2019-h1@test":       "20190630 CONFIRMED",
		"wuxi-2017/indicator/jobs/period/2019@test":          "20191231 CONFIRMED",
	}, days)
	land := entries["wuxi-2017/agreement/wuxi-2017/obligation/land@test"]
	assert.Equal(t, "Obligation: Land; 20 ha, serviced", property(land, ics.ComponentPropertySummary))
	assert.Contains(t, string(answer.body), "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n")
	assert.Contains(t, string(answer.body), "X-WR-CALNAME:Framework\r\n")
	for line := range strings.SplitSeq(string(answer.body), "\r\n") {
		assert.LessOrEqual(t, len(line), 75, "lines are folded")
		assert.NotContains(t, line, "\n")
	}
	assert.Equal(t, string(answer.body), string(r.get(fmt.Sprintf("%s?as_of=seq:%d", calendarURL, last)).body), "the same point gives the same bytes")

	r.get("/v1/agreements/none/calendar.ics").problem(http.StatusNotFound, domain.CodeNotFound)
	r.get(calendarURL+"?lang=..").problem(http.StatusBadRequest, CodeInvalidParameter)
}

func TestACalendarUpdatesInPlace(t *testing.T) {
	r := start(t)
	last := under(t, r)
	const design, second = "wuxi-2017/project/iot-base/milestone/design@test", "wuxi-2017/meeting/second@test"
	asOf := func(seq uint64) map[string]*ics.VEvent {
		return r.get(fmt.Sprintf("%s?as_of=seq:%d", calendarURL, seq)).entries()
	}
	before := asOf(last)

	// when a forecast moves, then the day stays, and the entry says so
	last = r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"2019-08-15","reason":"supplier-delay"}`).Seq
	forecast := asOf(last)
	assert.Equal(t, "20190630", property(forecast[design], ics.ComponentPropertyDtStart))
	assert.Contains(t, property(forecast[design], ics.ComponentPropertyDescription), "Forecast: 2019-08-15")
	assert.Greater(t, sequence(t, forecast[design]), sequence(t, before[design]))
	assert.Equal(t, sequence(t, before[second]), sequence(t, forecast[second]), "nothing happened to the others")

	// when the agreed date moves and a meeting is cancelled, then the same UIDs have a larger SEQUENCE and say so
	r.done("record-decision", `{"agreement":"wuxi-2017","meeting":"first","decision":"later","title":"Later","affects":["project/iot-base/milestone/design"]}`)
	r.done("reschedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","due":"2019-09-30","reason":"supplier-delay","decision":"later"}`)
	last = r.done("cancel-meeting", `{"agreement":"wuxi-2017","meeting":"second","reason":"no quorum"}`).Seq
	after := asOf(last)
	require.Len(t, after, len(before))
	assert.Equal(t, "20190930", property(after[design], ics.ComponentPropertyDtStart))
	assert.Greater(t, sequence(t, after[design]), sequence(t, forecast[design]))
	assert.Equal(t, "CANCELLED", property(after[second], ics.ComponentPropertyStatus))
	assert.Greater(t, sequence(t, after[second]), sequence(t, before[second]))

	// and so it is with what is cancelled, dropped or waived
	r.done("cancel-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","reason":"scope"}`)
	r.done("drop-action", `{"agreement":"wuxi-2017","meeting":"first","action":"survey","reason":"not needed"}`)
	last = r.done("waive-obligation", `{"agreement":"wuxi-2017","obligation":"land","party":"cethik","reason":"not needed"}`).Seq
	cancelled := 0
	for _, e := range asOf(last) {
		if property(e, ics.ComponentPropertyStatus) == "CANCELLED" {
			cancelled++
		}
	}
	assert.Equal(t, 4, cancelled)
}

func TestACalendarSpeaksTheReadersLanguage(t *testing.T) {
	r := start(t)
	last := under(t, r)
	const land = "wuxi-2017/agreement/wuxi-2017/obligation/land@test"
	url := fmt.Sprintf("%s?min_seq=%d", calendarURL, last)
	for name, c := range map[string]struct{ query, accept, want string }{
		"none":                  {"", "", "Obligation: Land; 20 ha, serviced"},
		"the parameter":         {"&lang=zh", "en", "义务：土地"},
		"a region of it":        {"&lang=zh-CN", "", "义务：土地"},
		"the header":            {"", "fr;q=0.5, zh;q=0.9, en;q=0.4", "义务：土地"},
		"one that nobody wrote": {"&lang=fr", "", "Obligation: Land; 20 ha, serviced"},
		"a header that is none": {"", "%%", "Obligation: Land; 20 ha, serviced"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t)
			entries := r.get(url+c.query, "Accept-Language: "+c.accept).entries()
			assert.Equal(t, c.want, property(entries[land], ics.ComponentPropertySummary))
		})
	}
}
