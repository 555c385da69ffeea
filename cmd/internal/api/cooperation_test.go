package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// cooperated has one of everything under the agreement wuxi-2017.
func (r *rig) cooperated() (seq uint64) {
	r.t.Helper()
	r.scheduled()
	hash := strings.Repeat("a1", 32)
	for _, c := range [][2]string{
		{"establish-mechanism", `"mechanism":"coordination","kind":"coordination","title":"Coordination","members":["wuxi","cethik"],"cadence":"quarterly"`},
		{"schedule-meeting", `"meeting":"spring","mechanism":"coordination","title":"Spring","on":"2019-02-20"`},
		{"hold-meeting", `"meeting":"spring","on":"2019-02-20","attendees":[{"party":"wuxi","name":"Li Wei"}],"minutes":"` + hash + `"`},
		{"record-decision", `"meeting":"spring","decision":"go-on","title":"Go on"`},
		{"assign-action", `"meeting":"spring","action":"visit","title":"Visit","owner":"cethik","due":"2019-02-28"`},
		{"confirm-minutes", `"meeting":"spring","party":"wuxi","minutes":"` + hash + `"`},
		{"add-obligation", `"obligation":"land","title":"Land","debtor":"wuxi","beneficiary":"cethik","due":"2019-06-30","value":{"amount":"1500000.5","currency":"CNY"}`},
		{"propose-amendment", `"amendment":"longer","title":"Longer","rationale":"More time","party":"cethik","document":"` + hash + `","reason":"scope-change","changes":[{"command":"add-area","area":"chips","title":"Chips"}]`},
		{"pass-gate", `"project":"iot-base","gate":"start","title":"Start"`},
		{"propose-fund", `"fund":"iot-fund","title":"IoT fund"`},
		{"establish-fund", `"fund":"iot-fund","currency":"CNY","manager":"cethik"`},
		{"record-pledge", `"fund":"iot-fund","pledge":"p-1","party":"wuxi","value":{"amount":"150","currency":"CNY"}`},
		{"commit-funds", `"fund":"iot-fund","commitment":"c-1","pledge":"p-1","party":"wuxi","value":{"amount":"100","currency":"CNY"}`},
		{"disburse-funds", `"fund":"iot-fund","disbursement":"d-1","commitment":"c-1","project":"iot-base","value":{"amount":"60","currency":"CNY"}`},
		{"record-expenditure", `"fund":"iot-fund","expenditure":"e-1","disbursement":"d-1","title":"Works","value":{"amount":"12.5","currency":"CNY"}`},
		{"define-indicator", `"indicator":"jobs","title":"Jobs","level":"outcome","measure":"unit","unit":"jobs","baseline":"20","beneficiary":"wuxi","reporter":"cethik","summable":true`},
		{"set-target", `"indicator":"jobs","period":"2018","value":"120"`},
		{"report-actual", `"indicator":"jobs","period":"2018","party":"cethik","value":"45"`},
		{"set-target", `"indicator":"jobs","period":"2019-q1","value":"150"`},
	} {
		seq = r.done(c[0], `{"agreement":"wuxi-2017",`+c[1]+`}`).Seq
	}
	require.NoError(r.t, r.models.Wait(r.t.Context(), seq))
	return seq
}

func TestCooperationLists(t *testing.T) {
	r := start(t)
	seq := r.cooperated()
	for path, want := range map[string]string{
		"mechanisms":                   `{"mechanism":"coordination","state":"established","cadence":"quarterly"}`,
		"obligations":                  `{"obligation":"land","state":"open","value":{"amount":"1500000.5","currency":"CNY"},"overdue":false}`,
		"amendments":                   `{"amendment":"longer","state":"proposed","changes":[{"area":"chips","command":"add-area","title":"Chips"}]}`,
		"meetings":                     `{"meeting":"spring","state":"held","on":"2019-02-20","confirmed_by":["wuxi"],"confirmed":false}`,
		"meetings/spring/decisions":    `{"decision":"go-on","meeting":"spring","on":"2019-02-20"}`,
		"decisions":                    `{"decision":"go-on","meeting":"spring"}`,
		"decisions?meeting=spring":     `{"decision":"go-on","meeting":"spring"}`,
		"meetings/spring/actions":      `{"action":"visit","owner":"cethik","overdue":true}`,
		"actions":                      `{"action":"visit","meeting":"spring"}`,
		"projects/iot-base/gates":      `{"gate":"start","outcome":"passed","on":"2019-03-01"}`,
		"funds":                        `{"fund":"iot-fund","state":"established","pledged":"150","committed":"100","disbursed":"60","spent":"12.5"}`,
		"funds/iot-fund/pledges":       `{"pledge":"p-1","amount":"150","committed":"100"}`,
		"funds/iot-fund/commitments":   `{"commitment":"c-1","amount":"100","disbursed":"60"}`,
		"funds/iot-fund/disbursements": `{"disbursement":"d-1","project":"iot-base","spent":"12.5"}`,
		"funds/iot-fund/expenditures":  `{"expenditure":"e-1","disbursement":"d-1","amount":"12.5"}`,
		"indicators":                   `{"indicator":"jobs","actual_period":"2018","actual":"45","verified":"","progress":"0.25"}`,
		"indicators/jobs/periods":      `{"period":"2018","target":"120","state":"reported","progress":"0.25"}`,
		"results":                      `{"key":"2018","period":"2018","actual":"45","indicators":1}`,
		"results?by=beneficiary":       `{"key":"wuxi","period":"2018","target":"120"}`,
		"funding":                      `{"key":"wuxi","committed":"100","spent":"12.5"}`,
		"funding?by=project":           `{"key":"iot-base","committed":"","disbursed":"60"}`,
		"balance":                      `{"party":"wuxi","verified":0}`,
	} {
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			address := "/v1/agreements/wuxi-2017/" + path + "?"
			if strings.Contains(path, "?") {
				address = "/v1/agreements/wuxi-2017/" + path + "&"
			}
			// when
			var got page
			r.get(address).is(http.StatusOK).into(&got)
			// then the first item says so
			assert.Equal(t, seq, got.AsOf.Seq)
			assert.Empty(t, got.Next)
			require.NotEmpty(t, got.Items)
			var members map[string]any
			require.NoError(t, json.Unmarshal([]byte(want), &members))
			for name, value := range members {
				assert.Equal(t, value, got.Items[0][name], name)
			}
			// and the list can be had as a table, and as of before there was anything
			table := strings.TrimSpace(string(r.get(address + "format=csv").is(http.StatusOK).body))
			assert.Len(t, strings.Split(table, "\n"), len(got.Items)+1)
			r.get(address+"as_of=seq:0").problem(http.StatusNotFound, domain.CodeNotFound)
		})
	}
}

func TestCooperationItems(t *testing.T) {
	r := start(t)
	r.cooperated()
	for path, version := range map[string]string{
		"obligations/land":  "", // of the agreement
		"amendments/longer": `"1"`,
		"meetings/spring":   `"5"`,
		"funds/iot-fund":    `"6"`,
		"indicators/jobs":   `"4"`,
		"projects/iot-base": "",
	} {
		t.Run(path, func(t *testing.T) {
			list, key, _ := strings.Cut(path, "/")
			var all page
			r.on(t).get("/v1/agreements/wuxi-2017/" + list).is(http.StatusOK).into(&all)
			var item map[string]any
			// when
			answer := r.on(t).get("/v1/agreements/wuxi-2017/" + path).is(http.StatusOK).into(&item)
			// then
			assert.Contains(t, all.Items, item, "an item alone is as it is in the list")
			assert.Equal(t, key, item[strings.TrimSuffix(list, "s")])
			assert.Regexp(t, `^"\d+"$`, answer.header.Get("ETag"))
			if version != "" {
				assert.Equal(t, version, answer.header.Get("ETag"))
			}
			r.on(t).get("/v1/agreements/wuxi-2017/"+list+"/nothing").problem(http.StatusNotFound, domain.CodeNotFound)
		})
	}
	t.Run("the ETag of an obligation is the agreement's, which its commands are asked of", func(t *testing.T) {
		assert.Equal(t, r.on(t).get("/v1/agreements/wuxi-2017").header.Get("ETag"), r.on(t).get("/v1/agreements/wuxi-2017/obligations/land").header.Get("ETag"))
	})
}

func TestAwaiting(t *testing.T) {
	r := start(t)
	r.cooperated()
	ask := func(query string) (lines []string) {
		var got page
		r.get("/v1/awaiting?" + query).is(http.StatusOK).into(&got)
		for _, i := range got.Items {
			lines = append(lines, fmt.Sprint(i["kind"], " ", i["entity"], " ", i["due"], " ", i["overdue"]))
		}
		return lines
	}

	assert.Equal(t, []string{
		"action meeting/spring/action/visit 2019-02-28 true",
		"report indicator/jobs/period/2019-q1 2019-03-31 false",
		"confirmation meeting/spring <nil> false",
		"signature amendment/longer <nil> false",
	}, ask("party=cethik"))
	assert.NotContains(t, ask("party=cethik&within=29"), "report indicator/jobs/period/2019-q1 2019-03-31 false", "30 days from 1 March is the 31st")
	assert.Contains(t, ask("party=wuxi"), "action agreement/wuxi-2017/obligation/land 2019-06-30 false")
	assert.Contains(t, ask("party=wuxi"), "confirmation indicator/jobs/period/2018 <nil> false")

	t.Run("page by page", func(t *testing.T) {
		var one, two page
		r.on(t).get("/v1/awaiting?party=cethik&limit=3").is(http.StatusOK).into(&one)
		r.on(t).get("/v1/awaiting?party=cethik&limit=3&cursor=" + one.Next).is(http.StatusOK).into(&two)
		assert.Len(t, one.Items, 3)
		assert.Equal(t, []string{"amendment/longer"}, two.keys("entity"))
		r.on(t).get("/v1/awaiting?party=wuxi&limit=3&cursor="+one.Next).problem(http.StatusBadRequest, projections.CodeInvalidCursor)
	})
	t.Run("what cannot be asked", func(t *testing.T) {
		r.on(t).get("/v1/awaiting?party=nobody").problem(http.StatusNotFound, domain.CodeNotFound)
		r.on(t).get("/v1/awaiting").problem(http.StatusBadRequest, CodeInvalidParameter)
		r.on(t).get("/v1/awaiting?party=wuxi&within=-1").problem(http.StatusBadRequest, CodeInvalidParameter)
		r.on(t).get("/v1/agreements/wuxi-2017/results?by=colour").problem(http.StatusBadRequest, CodeInvalidParameter)
	})
}
