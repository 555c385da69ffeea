package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

func TestOverview(t *testing.T) {
	// Given the demo, and somebody who acts for CETHIK.
	r := startDemo(t)
	lead := r.principal("lead", `"role":"representative","party":"cethik"`)

	// When they look at the first page, then it says how the agreements stand, what is
	// late and what is next, and what is new.
	s := lead.get("/").says(
		"Wuxi-CETHIK deepened strategic cooperation framework agreement", "Active", "4 of 8", "Overdue milestones", "First production line running",
		"Next milestones", "Ten technologies licensed", "Changed this week", "Coordination meeting, December 2026 Meeting new",
	)
	assert.Less(t, strings.Index(s.body, "wuxi-cethik-2022"), strings.Index(s.body, "wuxi-cethik-2017"), "what has ended comes after what has not")

	// And what waits for them, with what to do about it, and no more than five.
	s.says("CETHIK Group", "Claim achievement", "All that awaits me").silentOn("You act for no party")
	assert.Contains(t, s.body, "/do/claim-achievement?agreement=wuxi-cethik-2022&amp;milestone=line-one&amp;next=%2F&amp;party=cethik&amp;project=industrialisation")

	// Who only reads is offered nothing to do.
	r.principal("reader", `"role":"viewer"`).get("/").says("You act for no party.").silentOn("/do/")

	// As of the past it says so, offers nothing, and has what was known then.
	lead.get("/?as_of=seq:100").says("This is not how things stand now.").silentOn("/do/", "wuxi-cethik-2022")

	// And all of it is there in Chinese.
	lead.in("zh-CN").get("/").says("逾期里程碑", "近期里程碑", "待我办理", "本周变更", "无锡市与中电海康", "中电海康集团").silentOn("Overdue", "Changed this week")
}

func TestOverviewHasTheNewsOfWhatIsSeen(t *testing.T) {
	// Given somebody who sees one agreement, the last events of which are long ago.
	r := startDemo(t)
	reader := r.principal("reader", `"role":"viewer","agreement":"wuxi-cethik-2017"`)
	for i := range 70 {
		r.done("add-area", fmt.Sprintf(`{"agreement":"wuxi-cethik-2022","area":"area-%d","title":{"en":"Another area"}}`, i))
	}
	// Then these are their news.
	reader.get("/").says("Changed this week", "Ended on").silentOn("Nothing changed in the last seven days", "Another area")
	r.get("/").says("Another area")
}

func TestOverviewMarksWhatChangedSince(t *testing.T) {
	// Given an agreement that took effect after a point.
	r := startDemo(t)
	before := r.models.Position().Seq
	r.done("suspend-agreement", `{"agreement":"wuxi-cethik-2022","reason":"talks"}`)
	// Then its state is marked where changes since that point are.
	r.get(fmt.Sprintf("/?since=seq:%d", before)).says("Suspended was Active")
	r.get("/").silentOn("was Active")
}

func TestOverviewOfAnEmptyLedgerSaysWhatToDo(t *testing.T) {
	// Given nothing, then the first step is to register the parties.
	r := start(t)
	s := r.get("/").says("What to do first", "Register the parties.", "Draft the agreement.")
	assert.Contains(t, s.body, "/do/register-party?")
	r.in("zh-CN").get("/").says("从这里开始", "登记各方。")

	// When there are parties, then that is done.
	s.silentOn("done")
	r.done("register-party", `{"party":"wuxi","title":{"en":"Wuxi"},"kind":"local-government"}`)
	r.get("/").says("done Register party")

	// And who may not register anybody is not told to.
	r.principal("reader", `"role":"viewer"`).get("/").says("What to do first").silentOn("/do/")
}

func TestOverviewWithholdsWhatIsRestricted(t *testing.T) {
	// Given a project that is restricted, and its late milestone.
	r := startDemo(t)
	reader := r.principal("reader", `"role":"viewer"`)
	reader.get("/").says("First production line running")
	r.done("restrict-access", `{"agreement":"wuxi-cethik-2022","project":"industrialisation"}`)
	// Then who is not cleared for it reads nothing of it, on any of the pages.
	for _, path := range []string{"/", "/awaiting?party=cethik", "/agreements/wuxi-cethik-2022", "/parties/cethik"} {
		require.Eventually(t, func() bool { return !strings.Contains(reader.get(path).body, "industrialisation/milestones") }, 10*time.Second, 10*time.Millisecond)
		reader.get(path).silentOn("First production line running", "Industrialisation of sensor products", "projects/industrialisation")
	}
	r.get("/").says("First production line running")
}

func TestTitlesAreTextAndNoMarkup(t *testing.T) {
	// Given titles that would be markup.
	r := start(t)
	const evil = `<script>alert(1)</script>"><img/src=x>`
	title := fmt.Sprintf(`{"en":%q}`, evil)
	r.done("register-party", `{"party":"a","title":`+title+`,"kind":"other"}`)
	r.done("register-party", `{"party":"b","title":{"en":"B"},"kind":"other"}`)
	r.done("draft-agreement", `{"agreement":"x","kind":"framework","title":`+title+`,"parties":["a","b"],"document":"`+strings.Repeat("ab", 32)+`"}`)
	r.done("record-prior-cooperation", `{"agreement":"x","entry":"p","title":`+title+`,"date":"199X"}`)
	r.done("add-area", `{"agreement":"x","area":"r","title":`+title+`}`)
	r.done("open-consultation", `{"agreement":"x"}`)
	// Then pages show them as they are written.
	for _, path := range []string{"/", "/agreements/x", "/awaiting?party=a", "/parties/a"} {
		r.get(path).says(evil).silentOn("<script>alert", "<img")
	}
}

// manyProjects is an import of n projects of four milestones each, under agreements
// of fifty, half of them late.
func manyProjects(n int, today domain.Date) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`{"command":"register-party","party":"city","title":{"en":"The city","zh":"市政府"},"kind":"local-government"}`)
	line(`{"command":"register-party","party":"group","title":{"en":"The group","zh":"集团"},"kind":"state-owned-enterprise"}`)
	document := strings.Repeat("ab", 32)
	for i := range n {
		a := fmt.Sprintf("agreement-%d", i/50)
		if i%50 == 0 {
			line(`{"command":"draft-agreement","agreement":%q,"kind":"framework","title":{"en":"Agreement %d on strategic cooperation","zh":"战略合作协议 %d"},"parties":["city","group"],"document":%q,"effective":%q}`, a, i/50, i/50, document, today-900)
			line(`{"command":"open-consultation","agreement":%q,"effective":%q}`, a, today-900)
			line(`{"command":"add-area","agreement":%q,"area":"base","title":{"en":"Base"},"effective":%q}`, a, today-900)
			for _, p := range []string{"city", "group"} {
				line(`{"command":"sign-agreement","agreement":%q,"party":%q,"signatory":"S","date":%q,"document":%q,"effective":%q}`, a, p, today-900, document, today-900)
			}
		}
		p := fmt.Sprintf("project-%d", i)
		line(`{"command":"propose-project","agreement":%q,"project":%q,"title":{"en":"Project %d of the industry base","zh":"产业基地项目 %d"},"kind":"industry-base","areas":["base"],"lead":"group","effective":%q}`, a, p, i, i, today-800)
		for m := range 4 {
			line(`{"command":"schedule-milestone","agreement":%q,"project":%q,"milestone":"m-%d","title":{"en":"Milestone %d of project %d","zh":"里程碑 %d"},"due":%q,"weight":10,"confirming":["city"],"effective":%q}`,
				a, p, m, m, i, m, today+domain.Date((m-1)*60+i%50-25), today-700)
		}
		line(`{"command":"approve-project","agreement":%q,"project":%q,"effective":%q}`, a, p, today-600)
		line(`{"command":"approve-baseline","agreement":%q,"project":%q,"effective":%q}`, a, p, today-600)
		line(`{"command":"start-project","agreement":%q,"project":%q,"effective":%q}`, a, p, today-500)
	}
	return b.String()
}

// The first page of a province's ledger: 500 projects with 2,000 milestones. The
// target is 100 ms, and it is met with a third of that; here it must be done in two
// seconds, on a machine that is busy and with a race detector.
func TestOverviewOfFiveHundredProjectsIsSmallAndFast(t *testing.T) {
	domaintest.Exhausting(t)
	// Given 500 projects, and somebody for whom hundreds of milestones wait.
	r := start(t)
	today := domain.DateOf(time.Now(), time.UTC)
	done, err := r.ledger.Import(t.Context(), ledger.Lines(strings.NewReader(manyProjects(500, today))), nil)
	require.NoError(t, err)
	require.NoError(t, r.models.Wait(t.Context(), done.LastSeq))
	lead := r.principal("lead", `"role":"representative","party":"group"`)

	loads := len(r.send(http.MethodGet, assets().style.address(), nil).body) + len(r.send(http.MethodGet, assets().script.address(), nil).body)
	for _, path := range []string{"/", "/awaiting", "/agreements/agreement-0", "/parties/group"} {
		// When they ask for a page a few times: the fastest says most of the page, and
		// least of what else the machine does.
		var s screen
		took := time.Hour
		for range 4 {
			began := time.Now()
			s = lead.get(path)
			took = min(took, time.Since(began))
		}

		// Then it is there soon, and with style and script is no more than 150 KB as it
		// is, which servers and proxies make a fraction of.
		size := len(s.body) + loads
		t.Logf("%s: %v, %d bytes, with style and script %d, zipped %d", path, took, len(s.body), size, zipped(s.body))
		assert.Less(t, took, 2*time.Second, path)
		if path == "/" {
			assert.Less(t, size, 150_000)
		}
	}
	lead.get("/").says("Agreement 9 on strategic cooperation", "more are overdue", "Next milestones")
}

func zipped(s string) int {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Len()
}
