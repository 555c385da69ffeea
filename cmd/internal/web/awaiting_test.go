package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

func TestAwaitingLeadsToWhatIsToBeDone(t *testing.T) {
	// Given the demo, and somebody who acts for both sides.
	r := startDemo(t)
	both := r.principal("both", `"role":"representative","party":"wuxi"`)
	r.done("grant-access", `{"principal":"both","role":"representative","party":"cethik"}`)
	require.Eventually(t, func() bool { return strings.Contains(both.get("/awaiting").body, "awaits-cethik") }, 10*time.Second, 10*time.Millisecond)

	// When they look at what awaits them, then it is by party, what is overdue first.
	s := both.get("/awaiting").says("Wuxi Municipal People's Government", "CETHIK Group", "Two hundred talent apartments Obligation", "What the kinds mean")
	late, later := strings.Index(s.body, "coordination-2025-11"), strings.Index(s.body, "implementation-2026-10")
	require.Positive(t, late)
	assert.Less(t, late, later)

	// And each thing has the form that does it, with what is known filled in.
	const next = "&amp;next=%2Fawaiting"
	for _, link := range []string{
		"/do/claim-fulfilment?agreement=wuxi-cethik-2022" + next + "&amp;obligation=apartments&amp;party=wuxi",
		"/do/confirm-fulfilment?agreement=wuxi-cethik-2022" + next + "&amp;obligation=pilot-access&amp;party=wuxi",
		"/do/dispute-fulfilment?agreement=wuxi-cethik-2022" + next + "&amp;obligation=pilot-access&amp;party=wuxi",
		"/do/verify-actual?agreement=wuxi-cethik-2022&amp;indicator=licence-income" + next + "&amp;party=wuxi&amp;period=2026-h1",
		"/do/sign-amendment?agreement=wuxi-cethik-2022&amp;amendment=licences&amp;document=545c6a523e96811849a0f15c4859197d4ff548fed772f0cc431e46081aff8843" + next + "&amp;party=wuxi",
		"/do/complete-action?action=licence-plan&amp;agreement=wuxi-cethik-2022&amp;meeting=coordination-2025-11" + next + "&amp;party=cethik",
		"/do/claim-achievement?agreement=wuxi-cethik-2022&amp;milestone=line-one" + next + "&amp;party=cethik&amp;project=industrialisation",
		"/do/confirm-minutes?agreement=wuxi-cethik-2022&amp;meeting=implementation-2026-10&amp;minutes=",
	} {
		assert.Contains(t, s.body, link)
	}

	// When they look further ahead, then there is more; and of one party there is less.
	r.done("schedule-milestone", fmt.Sprintf(`{"agreement":"wuxi-cethik-2022","project":"industrialisation","milestone":"far","title":{"en":"Far off"},"due":%q,"weight":1,"confirming":["wuxi"]}`,
		domain.DateOf(time.Now(), time.UTC)+60))
	both.get("/awaiting").silentOn("Far off")
	both.get("/awaiting?within=90").says("Far off")
	both.get("/awaiting?within=0&party=cethik").silentOn("Two hundred talent apartments")

	// And all of it is there in Chinese.
	both.in("zh-CN").get("/awaiting").says("二百套人才公寓", "逾期", "类别说明").silentOn("Waiting since", "What the kinds mean")
}

func TestAwaitingOfWhomThereIsNoParty(t *testing.T) {
	// Given an auditor, then they choose a party, see what waits for it, and do nothing.
	r := startDemo(t)
	auditor := r.principal("auditor", `"role":"auditor"`)
	auditor.get("/awaiting").says("You act for no party. Choose one to see what awaits it.", "CETHIK Group")
	s := auditor.get("/awaiting?party=wuxi").says("Two hundred talent apartments").silentOn("/do/")
	assert.Contains(t, s.body, `<option value="wuxi" selected>`)

	// And what is no party, or no number of days, is refused.
	assert.Equal(t, http.StatusNotFound, auditor.send(http.MethodGet, "/awaiting?party=nobody", nil).status)
	for _, within := range []string{"soon", "-1", "99999999"} {
		assert.GreaterOrEqual(t, auditor.send(http.MethodGet, "/awaiting?party=wuxi&within="+within, nil).status, 400, within)
	}

	// Of a party that was not registered then there is nothing to say.
	r.done("register-party", `{"party":"late","title":{"en":"Late comers"},"kind":"other"}`)
	late := r.principal("late", `"role":"representative","party":"late"`)
	for _, path := range []string{"/awaiting", "/"} {
		late.get(path).says("Late comers")
		late.get(path + "?as_of=seq:100").silentOn("Late comers</a>")
	}

	// As of the past there is what waited then, and nothing to do about it.
	r.get("/awaiting?party=wuxi&as_of=seq:60").says("This is not how things stand now.").silentOn("/do/", "To do")
}

func TestAwaitingAReportAndASignature(t *testing.T) {
	// Given an agreement under consultation, and a result that is to be reported.
	r := startDemo(t)
	document := strings.Repeat("ab", 32)
	r.done("draft-agreement", `{"agreement":"next","kind":"framework","title":{"en":"The next one"},"parties":["wuxi","cethik"],"document":"`+document+`"}`)
	r.done("open-consultation", `{"agreement":"next"}`)
	r.done("return-actual", `{"agreement":"wuxi-cethik-2022","indicator":"licence-income","period":"2026-h1","party":"wuxi","reason":"no vouchers"}`)
	for party, link := range map[string]string{
		"wuxi":   "/do/sign-agreement?agreement=next&amp;document=" + document,
		"cethik": "/do/report-actual?agreement=wuxi-cethik-2022&amp;indicator=licence-income&amp;next=",
	} {
		assert.Contains(t, r.get("/awaiting?party="+party).body, link)
	}
}
