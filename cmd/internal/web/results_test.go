package web

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestResults(t *testing.T) {
	r := startDemo(t)
	const path = "/agreements/wuxi-cethik-2017/results"
	// Given the demo's indicators, then each has its periods against their targets, as a
	// chart and as a table.
	s := r.get(path)
	s.says("Engineers trained", "2017-h2 locked 200 214 107 % Verified")
	assert.Contains(t, s.body, `<svg`)

	// And by beneficiary what may be summed is summed.
	r.get(path+"?by=beneficiary").says("CETHIK Group", "Wuxi Municipal People's Government", "Outcome · jobs 2 indicators 2019", "1,000")
	r.get(path + "?by=area").says("Microelectronics and integrated circuits")
	assert.Equal(t, http.StatusUnprocessableEntity, r.send(http.MethodGet, path+"?by=moon", nil).status)

	// And one indicator says who reports and who verifies, and as of a point what was known.
	s = r.get(path + "/engineers-trained")
	s.says("people", "CETHIK Group", "12 Jan 2018", "20 Jan 2018")
	assert.Contains(t, s.body, "/do/report-actual?")
	r.get(path+"/engineers-trained?as_of=seq:90").silentOn("214", "/do/")
	r.in("zh").get(path).says("培训工程师人数", "已核实").silentOn("Target")
	r.get("/agreements/wuxi-cethik-2017/results/engineers-trained?effective_at=2017-12-31").says("200").silentOn("214")
}

func TestFunds(t *testing.T) {
	r := startDemo(t)
	const path = "/agreements/wuxi-cethik-2017/funds"
	// Given the demo's fund, then the way of its money stands there by fund, party and
	// project.
	s := r.get(path)
	s.says("Wuxi IoT industry fund", "CNY 1 billion", "CNY 700 million", "By party", "By project")
	assert.Contains(t, s.body, `<svg`)

	// And the fund has everything that was moved in it.
	s = r.get(path + "/iot-fund")
	s.says("cethik-2018", "CNY 50 million", "Main structure complete", "Steel and concrete", "CNY 88.5 million")
	assert.Contains(t, s.body, "/do/record-expenditure?agreement=wuxi-cethik-2017&amp;disbursement=base-1")

	// And of an agreement without funds it says what to do.
	r.done("draft-agreement", `{"agreement":"bare","title":{"en":"Bare"},"kind":"framework","parties":["wuxi","cethik"]}`)
	for _, page := range []string{"funds", "results", "meetings"} {
		s := r.get("/agreements/bare/" + page)
		assert.Contains(t, s.body, `class="empty"`, page)
	}
}
