package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

const ofDemo = "/agreements/wuxi-cethik-2017/projects"

func TestProject(t *testing.T) {
	r := startDemo(t)
	// Given the demo's industry base, whose structure slipped twice.
	s := r.get(ofDemo + "/iot-base")

	// Then the page says how it stands against its baseline, and why its dates moved.
	s.says("CETHIK (Wuxi) IoT industry base", "Closed", "5 of 5", "30 Jun 2019", "20 Sep 2019 +82 days", "No. 1", "amber after 20 days, red after 60 days",
		"Supplier delay Steel delivered six weeks late.", "31 Aug 2018 → 15 Oct 2018 +45 days", "First enterprises may move in by 31 March 2019", "155,000,000")

	// And each chart says what it shows, and has its table.
	for _, id := range []string{"gantt", "s-curve", "trend"} {
		assert.Regexp(t, `<svg[^>]*aria-labelledby="`+id, s.body)
	}
	assert.Equal(t, 2, strings.Count(s.body, "<summary>Show as a table</summary>"))
	assert.Contains(t, s.body, `<a href="#milestones">Show as a table</a>`)

	// And what shows that the structure is complete can be fetched: the file of the
	// claim stands with the day that it brought about.
	file := regexp.MustCompile(`/v1/evidence/d81de269[0-9a-f]+`).FindString(sectionOf(t, s, "moves"))
	require.NotEmpty(t, file)
	assert.Contains(t, sectionOf(t, s, "evidence"), file)
	assert.Equal(t, http.StatusOK, r.send(http.MethodGet, file, nil).status)
}

func TestProjectAsOf(t *testing.T) {
	// Given a point before the structure slipped for the second time.
	r := startDemo(t)
	s := r.get(ofDemo + "/iot-base?as_of=seq:130&since=seq:60")

	// Then the page knows nothing of what came later, marks what had changed, and
	// offers nothing to record.
	s.says("Implementation", "31 Aug 2018 was 30 Jun 2018").silentOn("Steel delivered", "15 Oct 2018", `href="/do/`)
	assert.Contains(t, s.body, `/iot-base/milestones/structure?as_of=seq%3A130&amp;since=seq%3A60`)

	// And on the other axis it has what held on a day.
	r.get(ofDemo+"/iot-base?effective_at=2018-01-31").says("31 Aug 2018", "Wuxi Municipal").silentOn("15 Oct 2018", "d81de269")
}

func TestProjectInChinese(t *testing.T) {
	r := startDemo(t).in("zh")
	r.get(ofDemo+"/iot-base").says("中电海康（无锡）物联网产业基地", "主体结构完工", "里程碑趋势分析", "超过 20 天为黄灯，超过 60 天为红灯", "以表格显示", "5／5").
		silentOn("Show as a table", "Met on", ">Milestone<")
	r.get(ofDemo+"/iot-base/milestones/structure").says("主体结构完工", "各字段变更记录", "设计批复", "已申报达成").silentOn("Holds from")
	r.get(ofDemo).says("集成电路设计公共服务平台", "不限", "下一约定日期")
}

func TestProjectsByWhatTheyAre(t *testing.T) {
	r := startDemo(t)
	// Given the three projects of the demo's first agreement.
	r.get(ofDemo).says("CETHIK (Wuxi) IoT industry base", "Public service platform for IC design", "Dual-centre platform")

	// When only some are asked for, then only these are there.
	r.get(ofDemo + "?state=closed").says("IoT industry base").silentOn("Dual-centre platform")
	r.get(ofDemo + "?area=microelectronics&state=implementation").says("for IC design").silentOn("Dual-centre platform")
	r.get(ofDemo+"?rag=green").says("No project is like that.", "Show all projects")
}

// A long list of projects, and a long schedule.
func TestManyProjectsAndMilestones(t *testing.T) {
	domaintest.Exhausting(t)
	r := startDemo(t)
	var lines strings.Builder
	for i := range 130 {
		fmt.Fprintf(&lines, `{"command":"propose-project","agreement":"wuxi-cethik-2022","project":"p%03d","title":{"en":"Project <%03d>"},"kind":"town","areas":["iot"],"lead":"wuxi","actor":"x"}`+"\n", i, i)
	}
	for i := range 70 {
		fmt.Fprintf(&lines, `{"command":"schedule-milestone","agreement":"wuxi-cethik-2022","project":"p000","milestone":"m%03d","title":{"en":"Step <%03d>"},"due":"%d-01-31","weight":1,"confirming":["wuxi","cethik"],"actor":"x"}`+"\n", i, i, 2024+i)
	}
	done, err := r.ledger.Import(t.Context(), ledger.Lines(strings.NewReader(lines.String())), nil)
	require.NoError(t, err)
	require.NoError(t, r.models.Wait(t.Context(), done.LastSeq))

	// Given more projects than a page takes, then each is on one of two pages.
	const list = "/agreements/wuxi-cethik-2022/projects"
	first := r.get(list).says("Project <000>").silentOn("Project &lt;129&gt;", "Project <000>")
	next := regexp.MustCompile(`href="([^"]*cursor=[^"]*)"`).FindStringSubmatch(first.body)
	require.NotNil(t, next)
	second := r.get(strings.ReplaceAll(next[1], "&amp;", "&")).says("Project <129>").silentOn("Project &lt;000&gt;")
	assert.Equal(t, 133, strings.Count(first.body, `<th scope="row">`)+strings.Count(second.body, `<th scope="row">`))

	// And one that is far down the list is found by what it is.
	r.done("approve-project", `{"agreement":"wuxi-cethik-2022","project":"p129","actor":"x"}`)
	r.get(list + "?state=approved").says("Project <129>").silentOn("Project &lt;000&gt;")

	// Given more milestones than a schedule shows, then it has those that are near, and
	// what is overdue above all, until all are asked for.
	s := r.get(list+"/p000").says("60 of 70 milestones", "Step <000>", "overdue").silentOn("Step &lt;069&gt;", "Step <000>")
	assert.Contains(t, s.body, `href="`+list+`/p000?rows=all"`)
	r.get(list + "/p000?rows=all").says("Step <069>").silentOn("Show all<")
}

func TestProjectLeadsToWhatMakesSense(t *testing.T) {
	r := startDemo(t)
	// Given a project that is proposed, with a milestone.
	r.done("propose-project", `{"agreement":"wuxi-cethik-2022","project":"new","title":{"en":"New"},"kind":"town","areas":["iot"],"lead":"wuxi","actor":"x"}`)
	const path = "/agreements/wuxi-cethik-2022/projects/new"
	r.get(path).says("No milestone is scheduled yet.", "Approve project", "Schedule milestone").silentOn("start-project")
	r.done("schedule-milestone", `{"agreement":"wuxi-cethik-2022","project":"new","milestone":"one","title":{"en":"One"},"due":"2030-01-31","weight":1,"confirming":["wuxi","cethik"],"actor":"x"}`)

	// Then the milestone can be forecast and claimed, but neither confirmed nor reopened.
	r.get(path+"/milestones/one").says("Reforecast milestone", "Claim achievement").silentOn("/do/confirm-achievement", "/do/reopen-milestone", "/do/remove-dependency")

	// And who may only read is offered nothing.
	reader := r.principal("reader", `"grant":"g","role":"viewer"`)
	reader.get(path).says("One").silentOn(`href="/do/`)
	reader.get(path + "/milestones/one").silentOn(`href="/do/`)

	// And what is cancelled stays as it is.
	r.done("cancel-project", `{"agreement":"wuxi-cethik-2022","project":"new","reason":"No site","actor":"x"}`)
	r.get(path + "/milestones/one").silentOn("/do/claim-achievement")
	r.get(path).silentOn("/do/schedule-milestone", "/do/claim-achievement")
}

func TestRestrictedProjectIsNotThere(t *testing.T) {
	r := startDemo(t)
	// Given a project that is restricted, and somebody who is not cleared for it.
	reader := r.principal("reader", `"grant":"g","role":"viewer"`)
	reader.get(ofDemo + "/dual-centre").says("Dual-centre platform")
	r.done("restrict-access", `{"agreement":"wuxi-cethik-2017","project":"dual-centre"}`)

	// Then to them it is not there, on no page, and those who are cleared see it.
	for _, path := range []string{ofDemo + "/dual-centre", ofDemo + "/dual-centre/milestones/operations-centre", ofDemo + "/never-was"} {
		assert.Equal(t, http.StatusNotFound, reader.send(http.MethodGet, path, nil).status, path)
	}
	reader.get(ofDemo).says("IoT industry base").silentOn("Dual-centre")
	r.get(ofDemo + "/dual-centre").says("Dual-centre platform")
}

func TestMilestone(t *testing.T) {
	r := startDemo(t)
	// Given a milestone that slipped twice and was met late.
	s := r.get(ofDemo + "/iot-base/milestones/structure")

	// Then every field tells how it came to be what it is, by whom and why, and what shows it.
	s.says("Main structure complete", "+101 days", "Design approved", "First enterprises move in",
		"30 Jun 2018 31 Aug 2018 20 Nov 2017 Dependency slip Follows the later design approval. cethik project office")
	assert.Contains(t, sectionOf(t, s, "evidence"), "/v1/evidence/d81de269")
	assert.Contains(t, sectionOf(t, s, "history"), "/v1/evidence/d81de269")
	assert.NotContains(t, sectionOf(t, s, "evidence"), "/v1/evidence/6dbcf858", "it is of another milestone")

	// And in net mode each field has one line.
	s = r.get(ofDemo + "/iot-base/milestones/structure?moves=net").silentOn("Follows the later design approval.")
	s.says("15 Oct 2018", "3 changes")
	assert.Contains(t, sectionOf(t, s, "evidence"), "/v1/evidence/d81de269")

	// And of a date that cannot move nobody asks what follows.
	s.silentOn("What follows if it slips")
}

func TestWhatFollowsIfAMilestoneSlips(t *testing.T) {
	r := startDemo(t)
	// Given two milestones, of which the second waits for the first.
	r.done("propose-project", `{"agreement":"wuxi-cethik-2022","project":"new","title":{"en":"New"},"kind":"town","areas":["iot"],"lead":"wuxi","actor":"x"}`)
	for _, m := range []string{`"milestone":"one","title":{"en":"One"},"due":"2030-01-31"`, `"milestone":"two","title":{"en":"Two"},"due":"2030-03-31","depends_on":["one"]`} {
		r.done("schedule-milestone", `{"agreement":"wuxi-cethik-2022","project":"new","weight":1,"confirming":["wuxi","cethik"],"actor":"x",`+m+`}`)
	}
	const path = "/agreements/wuxi-cethik-2022/projects/new/milestones/one"
	before := r.models.Position().Seq

	// When the first is met in May, then the second moves with it, and nothing is recorded.
	s := r.get(path + "?forecast=2030-05-15&since=seq:10")
	s.says("15 May 2030", "+45 days", "+104 days")
	assert.Contains(t, sectionOf(t, s, "what-if"), `name="since" value="seq:10"`, "the form keeps the point in time")
	assert.Equal(t, before, r.models.Position().Seq)

	// And what is no date is said to be none, in its place.
	r.get(path + "?forecast=May%20<b>").says("This is not a date.").silentOn("<b>")
	r.get(path + "?forecast=2030-01-31").says("on time")
	r.get(strings.TrimSuffix(path, "one") + "two" + "?forecast=2030-05-15").says("nothing else has to move")
}

// sectionOf is the part of a page with an id.
func sectionOf(t *testing.T, s screen, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(s.body, `<section id="`+id+`"`)
	require.True(t, found, "there is no section %s", id)
	part, _, _ := strings.Cut(rest, "</section>")
	return part
}
