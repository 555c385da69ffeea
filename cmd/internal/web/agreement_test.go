package web

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ofFirst, ofSecond = "/agreements/wuxi-cethik-2017", "/agreements/wuxi-cethik-2022"

func TestAgreement(t *testing.T) {
	// Given the demo, when somebody looks at an agreement, then all that belongs to it
	// is there.
	r := startDemo(t)
	s := r.get(ofFirst).says(
		"Framework", "Renewed", "28 Feb 2017 – 27 Feb 2028", "Renewed by Wuxi-CETHIK deepened strategic cooperation framework agreement",
		"Wuxi Municipal People's Government 28 Feb 2017 for the City of Wuxi", "CETHIK Group 28 Feb 2017 for CETHIK Group",
		"aae843e3473aa0534b9c5069f78424d84913bb364684a8ffe61a8cefd44d6aac , as amended by First amendment",
		"Internet of Things industry and application IoT application engineering",
		"Strategic cooperation and coordination mechanism", "Half-yearly", "First amendment", "All 3 projects",
		"Provide the site of the IoT industry base", "Fulfilled",
		"3 of 3 fulfilled", "worth CNY 2,000,000,000", "pledged CNY 400 million", "5 of 5 verified", "Engineers trained · 560 people (2018)",
		"First project started after", "First result verified after",
		"the 1990s Prior cooperation Cooperation in microelectronics and electronics research",
	)
	assert.Contains(t, s.body, "<svg", "the timeline is drawn")
	assert.Contains(t, s.body, `<a href="/agreements/wuxi-cethik-2017" aria-current="page">Agreement</a>`, "its tab")

	// In Chinese too, with Chinese titles.
	r.in("zh-CN").get(ofFirst).says("互利共赢", "应尽义务", "早期收获", "1990 年代", "各方及签署情况", "提供物联网产业基地场地", "战略合作统筹协调机制").
		silentOn("Parties and signatures", "Mutual benefit", "Early results")

	// What is not there, or not to be seen, is not there.
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, "/agreements/nothing", nil).status)
	other := r.principal("other", `"role":"viewer","agreement":"wuxi-cethik-2017"`)
	other.get(ofFirst).silentOn("/do/")
	assert.Equal(t, http.StatusNotFound, other.send(http.MethodGet, ofSecond, nil).status)
}

func TestAgreementAsItWas(t *testing.T) {
	r := startDemo(t)
	// Given the point at which only the city had signed, then the page says so.
	s := r.get(ofFirst+"?as_of=seq:18").says("Under consultation", "Wuxi Municipal People's Government 28 Feb 2017 for the City of Wuxi", "CETHIK Group not yet")
	s.silentOn("/do/", "Overdue milestones")
	// And on the second axis, before the agreement took effect, nobody had.
	r.get(ofFirst+"?effective_at=2017-02-01").says("It shows what held on", "Wuxi Municipal People's Government not yet", "Drafted")
	// And after it what took effect since is marked.
	r.get(ofFirst + "?as_of=seq:19&since=seq:17").says("28 Feb 2017 new for the City of Wuxi")
}

func TestAgreementOffersWhatCanBeDone(t *testing.T) {
	// Given a draft, then it can be put to consultation; then each party can sign it.
	r := startDemo(t)
	document := strings.Repeat("ab", 32)
	r.done("draft-agreement", `{"agreement":"next","kind":"framework","title":{"en":"The next one"},"parties":["wuxi","cethik"],"document":"`+document+`"}`)
	s := r.get("/agreements/next").says("Drafted", "No area is agreed yet.", "No project is proposed yet.", "No obligation is agreed yet.", "not yet")
	for _, command := range []string{"open-consultation", "revise-draft", "add-area", "add-obligation", "establish-mechanism", "propose-project", "propose-fund", "define-indicator"} {
		assert.Contains(t, s.body, "/do/"+command+"?agreement=next&amp;next=%2Fagreements%2Fnext")
	}
	s.silentOn("/do/sign-agreement")
	r.done("open-consultation", `{"agreement":"next"}`)
	for _, party := range []string{"wuxi", "cethik"} {
		link := fmt.Sprintf("/do/sign-agreement?agreement=next&amp;document=%s&amp;next=%%2Fagreements%%2Fnext&amp;party=%s", document, party)
		assert.Contains(t, r.get("/agreements/next").body, link)
	}
	r.get(ofSecond).says("days late", "Fulfilment claimed Confirm fulfilment Dispute fulfilment", "10 Dec 2026")
}

func TestAmendment(t *testing.T) {
	// Given an amendment that one party has signed, then the page says what it would
	// change, from what, and lets the other sign.
	r := startDemo(t)
	s := r.get(ofSecond+"/amendments/licences").says(
		"Later date for the licences", "Proposed", "The pilot line started half a year late.", "Dependency slip", "What it would change",
		"Reschedule milestone", "Project Platform for the transformation of scientific and technological achievements", "Milestone Ten technologies licensed",
		"Due 31 May 2027 (at present 31 Dec 2026 )", "CETHIK Group 5 Nov 2026 for CETHIK Group", "Wuxi Municipal People's Government not yet",
	)
	const document = "545c6a523e96811849a0f15c4859197d4ff548fed772f0cc431e46081aff8843"
	for _, link := range []string{
		"/do/sign-amendment?agreement=wuxi-cethik-2022&amp;amendment=licences&amp;document=" + document, "/do/reject-amendment?", "/do/withdraw-amendment?",
	} {
		assert.Contains(t, s.body, link)
	}

	// Of one that is in effect it says what it changed, and offers nothing.
	r.get(ofFirst+"/amendments/first").says(
		"In effect", "What it changed", "Approve baseline", "Add obligation", "Debtor CETHIK Group", "New term 28 Feb 2017 – 27 Feb 2028", "Force majeure",
	).silentOn("/do/", "(now")
	r.in("zh-CN").get(ofSecond+"/amendments/licences").says("许可延期", "拟修订内容", "中试线晚启动半年。").silentOn("What it would change", "Rationale")
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, ofSecond+"/amendments/nothing", nil).status)
}

func TestParty(t *testing.T) {
	// Given a party, then its page says what it is, what is under it, what it agreed and
	// what waits for it.
	r := startDemo(t)
	r.get("/parties/wuxi").says(
		"Local government", "no key yet", "Parties under it Wuxi Communications Industry Group Wuxi IoT Industry Capital",
		"Wuxi-CETHIK deepened strategic cooperation framework agreement", "Two hundred talent apartments", "Claim fulfilment",
	).silentOn("Huihai Bay IoT town cooperation agreement")
	r.get("/parties/wuxi-communications").says("Belongs to Wuxi Municipal People's Government", "Huihai Bay IoT town cooperation agreement", "Nothing awaits this party.")
	r.in("zh-CN").get("/parties/wuxi").says("无锡市人民政府", "下属参与方", "待办事项").silentOn("Belongs to")

	// Whoever sees one agreement sees no other here.
	r.principal("other", `"role":"viewer","agreement":"wuxi-cethik-2017"`).get("/parties/wuxi").silentOn("wuxi-cethik-2022", "/do/")
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, "/parties/nobody", nil).status)
}

var doLinks = regexp.MustCompile(`href="(/do/[^"]+)"`)

func TestLinksLeadToTheFormsOfTheirCommands(t *testing.T) {
	// Given all that these pages offer to do, then each is a form with what the link
	// says filled in.
	r := startDemo(t)
	seen := map[string]bool{}
	for _, path := range []string{"/awaiting?party=wuxi", "/awaiting?party=cethik", ofSecond, ofSecond + "/amendments/licences", "/parties/wuxi"} {
		for _, link := range doLinks.FindAllStringSubmatch(r.get(path).body, -1) {
			address := html.UnescapeString(link[1])
			command, _, _ := strings.Cut(address, "?")
			if seen[command] {
				continue
			}
			seen[command] = true
			u, err := url.Parse(address)
			require.NoError(t, err)
			form := r.get(address)
			for name, values := range u.Query() {
				if name != "next" {
					assert.Contains(t, form.body, values[0], "%s: %s", command, name)
					assert.Regexp(t, `name="`+name+`"`, form.body, command)
				}
			}
		}
	}
	assert.Greater(t, len(seen), 20)
}
