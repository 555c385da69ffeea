package web

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const meetingsOfDemo = "/agreements/wuxi-cethik-2017/meetings"

func TestMeetings(t *testing.T) {
	r := startDemo(t)
	// Given the demo's meetings, then what changed since the last one is one click away,
	// and stands there too.
	s := r.get(meetingsOfDemo)
	s.says("Since the last meeting", "Coordination meeting on the consequences of the epidemic", "No action is open.", "confirmed 8 Dec 2017")
	assert.Contains(t, s.body, `href="/changes?agreement=wuxi-cethik-2017&amp;mode=net&amp;since_meeting=coordination-2020-06"`)
	assert.Contains(t, s.body, `<details><summary>Show it here</summary><div class="scroll"`)

	// And one meeting is its minutes: who came, what was decided about what, who does
	// what, and which event recorded it.
	s = r.get(meetingsOfDemo + "/coordination-2017-11")
	s.says("Director of the programme office", "Explore an industrial fund and report by May 2018", "It is about Wuxi IoT industry fund", "Study of the fund's structure", "Done 22 Mar 2018",
		"Every member has confirmed them", "Ledger test", "recorded as held by event 94")
	assert.Contains(t, s.body, `href="/v1/evidence/c0c4ced378a0`)
	assert.Contains(t, s.body, `href="/agreements/wuxi-cethik-2017/funds/iot-fund"`)

	// And as of a point before it was held, it is what it was.
	r.get(meetingsOfDemo+"/coordination-2017-11?as_of=seq:93").says("Scheduled for", "It has not been held yet.").silentOn("Explore an industrial fund")
	r.in("zh").get(meetingsOfDemo + "/coordination-2017-11").says("探索设立产业基金，2018年5月前报告").silentOn("Attendees")
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, meetingsOfDemo+"/nothing", nil).status)
}

func TestMeetingsOfferWhatIsToBeDone(t *testing.T) {
	r := startDemo(t)
	// Given a meeting with an action that is overdue, then it says so and offers to
	// complete it to those who may.
	const of = `"agreement":"wuxi-cethik-2022","meeting":"extra"`
	r.done("schedule-meeting", `{`+of+`,"mechanism":"coordination","title":{"en":"Extra meeting"},"on":"2024-01-10","effective":"2024-01-02"}`)
	r.done("hold-meeting", `{`+of+`,"on":"2024-01-10","attendees":[{"party":"wuxi","name":"Somebody"}],"effective":"2024-01-10"}`)
	r.done("assign-action", `{`+of+`,"action":"late","title":{"en":"Send the list"},"owner":"cethik","due":"2024-02-01","effective":"2024-01-10"}`)
	path := "/agreements/wuxi-cethik-2022/meetings"
	for _, page := range []string{path, path + "/extra"} {
		s := r.get(page)
		s.says("Send the list", "Overdue")
		assert.Contains(t, s.body, "/do/complete-action?action=late&amp;agreement=wuxi-cethik-2022")
	}
	viewer := r.principal("reader", `"grant":"a","role":"viewer","agreement":"wuxi-cethik-2022"`)
	viewer.get(path).says("Send the list").silentOn("/do/")
}
