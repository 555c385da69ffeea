package ocds_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

const text1, text2 = "1111111111111111111111111111111111111111111111111111111111111111", "2222222222222222222222222222222222222222222222222222222222222222"

// cooperation is an agreement that came to be in the ledger itself, over days.
func cooperation(t *testing.T) *rig {
	r := newRig(t, "2024-03-01T10:00:00+08:00")
	r.do(
		`{"command":"register-party","party":"city","title":{"en":"City","zh":"市政府"},"kind":"local-government"}`,
		`{"command":"register-party","party":"group","title":{"en":"Group"},"kind":"state-owned-enterprise"}`,
		`{"command":"draft-agreement","agreement":"a","kind":"framework","title":{"en":"Cooperation","zh":"合作"},"parties":["city","group"],"document":"`+text1+`","term":{"start":"2024-03-01","end":"2029-02-28"}}`,
		`{"command":"add-area","agreement":"a","area":"iot","title":"IoT"}`,
	)
	r.at("2024-03-05T23:30:00+08:00") // the 5th in the ledger's zone
	r.do(
		`{"command":"open-consultation","agreement":"a"}`,
		`{"command":"sign-agreement","agreement":"a","party":"city","signatory":"M","date":"2024-03-04","document":"`+text1+`"}`,
		`{"command":"sign-agreement","agreement":"a","party":"group","signatory":"G","date":"2024-03-05","document":"`+text1+`"}`,
		`{"command":"propose-project","agreement":"a","project":"base","title":"Base","kind":"industry-base","areas":["iot"],"lead":"group"}`,
		`{"command":"approve-project","agreement":"a","project":"base"}`,
		`{"command":"start-project","agreement":"a","project":"base"}`,
		`{"command":"schedule-milestone","agreement":"a","project":"base","milestone":"roof","title":{"en":"Roof","zh":"屋顶"},"due":"2024-06-30","confirming":["city"]}`,
		`{"command":"approve-baseline","agreement":"a","project":"base"}`,
		`{"command":"propose-fund","agreement":"a","fund":"f","title":"Fund"}`,
		`{"command":"establish-fund","agreement":"a","fund":"f","currency":"CNY","target_size":"1000.50","manager":"city"}`,
		`{"command":"commit-funds","agreement":"a","fund":"f","commitment":"c","party":"city","value":{"amount":"500","currency":"CNY"}}`,
	)
	r.at("2024-03-06T00:30:00+08:00")
	r.do(`{"command":"disburse-funds","agreement":"a","fund":"f","disbursement":"d","commitment":"c","project":"base","milestone":"roof","value":{"amount":"99.90","currency":"CNY"}}`)
	r.at("2024-03-07T10:00:00+08:00")
	r.do(`{"command":"change-party","party":"group","title":{"en":"Group Ltd"}}`)
	r.at("2024-05-01T10:00:00+08:00")
	proof, err := r.store.PutEvidence(t.Context(), strings.NewReader("%PDF"), "")
	require.NoError(t, err)
	r.do(
		`{"command":"claim-achievement","agreement":"a","project":"base","milestone":"roof","party":"group","met_on":"2024-04-30","evidence":["`+proof.Hash+`"]}`,
		`{"command":"confirm-achievement","agreement":"a","project":"base","milestone":"roof","party":"city"}`,
	)
	r.at("2024-05-02T10:00:00+08:00")
	r.do(
		`{"command":"reopen-milestone","agreement":"a","project":"base","milestone":"roof","reason":"It leaks"}`,
		`{"command":"reforecast-milestone","agreement":"a","project":"base","milestone":"roof","forecast":"2024-07-15","reason":"technical-difficulty"}`,
	)
	r.at("2024-06-01T10:00:00+08:00")
	r.do(
		`{"command":"propose-amendment","agreement":"a","amendment":"one","title":"Longer","rationale":"More time","party":"city","document":"` + text2 + `","term":{"start":"2024-03-01","end":"2031-02-28"},"reason":"funding-delay",` +
			`"changes":[{"command":"reschedule-milestone","project":"base","milestone":"roof","due":"2024-09-30"}]}`,
	)
	r.at("2024-06-02T10:00:00+08:00")
	r.do(
		`{"command":"sign-amendment","agreement":"a","amendment":"one","party":"city","signatory":"M","date":"2024-06-02","document":"`+text2+`"}`,
		`{"command":"sign-amendment","agreement":"a","amendment":"one","party":"group","signatory":"G","date":"2024-06-02","document":"`+text2+`"}`,
	)
	r.at("2024-07-01T10:00:00+08:00")
	r.do(
		`{"command":"define-indicator","agreement":"a","indicator":"jobs","title":"Jobs","level":"outcome","measure":"unit","unit":"jobs","beneficiary":"city","reporter":"group"}`,
		`{"command":"set-target","agreement":"a","indicator":"jobs","period":"2024-h1","value":"100"}`,
		`{"command":"report-actual","agreement":"a","indicator":"jobs","period":"2024-h1","party":"group","value":"80"}`,
		`{"command":"terminate-agreement","agreement":"a","reason":"Done"}`,
	)
	return r
}

func TestEachLedgerDayIsARelease(t *testing.T) {
	r := cooperation(t)
	pkg, err := r.export("a", "")
	require.NoError(t, err)
	got := recordOf(t, pkg)
	require.Equal(t, "ocds-000000-a", got.OCID)

	var days []string
	for _, rel := range got.Releases {
		days = append(days, rel["date"].(string)+" "+strings.Trim(fmt.Sprint(rel["tag"]), "[]"))
	}
	require.Equal(t, []string{
		"2024-03-01T10:00:00+08:00 award contract",
		"2024-03-05T23:30:00+08:00 awardUpdate contractUpdate implementation",
		"2024-03-06T00:30:00+08:00 contractUpdate implementation", // the roles of those who paid and were paid
		"2024-05-01T10:00:00+08:00 contractUpdate implementationUpdate",
		"2024-05-02T10:00:00+08:00 implementationUpdate",
		"2024-06-02T10:00:00+08:00 awardUpdate contractUpdate contractAmendment implementationUpdate", // the supplier has another name since
		"2024-07-01T10:00:00+08:00 contractUpdate implementation contractTermination",
	}, days)

	// a release says only what is new
	require.Equal(t, map[string]any{"id": "base/roof", "status": "scheduled", "dateMet": nil, "dateModified": "2024-05-02T00:00:00+08:00"},
		at(t, got.Releases[4], "contracts", "a", "implementation", "milestones", "base/roof"))
	require.Nil(t, at(t, got.Releases[4], "parties"))

	// and together they say how things stand
	contract := at(t, got.Compiled, "contracts", "a")
	require.Equal(t, "terminated", at(t, contract, "status"))
	require.Equal(t, "合作", at(t, contract, "title_zh"))
	require.Equal(t, "2024-03-05T00:00:00+08:00", at(t, contract, "dateSigned"))
	require.Equal(t, "2031-02-28T23:59:59+08:00", at(t, contract, "period", "endDate"))
	require.Equal(t, map[string]any{"amount": 1000.5, "currency": "CNY"}, at(t, contract, "value"))
	roof := at(t, contract, "implementation", "milestones", "base/roof").(map[string]any)
	require.Equal(t, "2024-09-30T23:59:59+08:00", roof["dueDate"]) // as agreed, whatever the forecast is
	require.NotContains(t, roof, "dateMet")
	require.Len(t, roof["documents"], 1)
	require.Equal(t, map[string]any{
		"id": "f/d", "date": "2024-03-06T00:00:00+08:00", "value": map[string]any{"amount": 99.9, "currency": "CNY"},
		"payer": map[string]any{"id": "city", "name": "City"}, "payee": map[string]any{"id": "group", "name": "Group"},
		"relatedImplementationMilestone": map[string]any{"id": "base/roof", "title": "Roof"},
	}, at(t, contract, "implementation", "transactions", "f/d"))
	require.Equal(t, []any{"supplier", "payee"}, at(t, got.Compiled, "parties", "group", "roles"))
	require.Equal(t, "Group Ltd", at(t, got.Compiled, "parties", "group", "name"))
	require.Equal(t, "City", at(t, got.Compiled, "buyer", "name"))
	before, amending := got.Releases[4]["id"], got.Releases[5]["id"]
	require.Equal(t, map[string]any{
		"id": "one", "date": "2024-06-02T00:00:00+08:00", "rationale": "More time", "description": "Longer", "amendsReleaseID": before, "releaseID": amending,
	}, at(t, contract, "amendments", "one"))
	require.Equal(t, "100", at(t, contract, "agreedMetrics", "jobs", "observations", "2024-h1", "measure"))
	require.Equal(t, "80", at(t, contract, "implementation", "metrics", "jobs", "observations", "2024-h1", "measure"))

	// with the history of each field
	var statuses []any
	for _, h := range at(t, got.Versioned, "contracts", "a", "implementation", "milestones", "base/roof", "status").([]any) {
		statuses = append(statuses, at(t, h, "value"))
	}
	require.Equal(t, []any{"scheduled", "met", "scheduled"}, statuses)
}

func TestTheExportOfACooperationIsValid(t *testing.T) {
	pkg, err := cooperation(t).export("a", "")
	require.NoError(t, err)
	recordOf(t, pkg).valid(t)
}

func TestAnExportAsOfADayIsTheBeginningOfALaterOne(t *testing.T) {
	r := cooperation(t)
	pkg, err := r.export("a", "")
	require.NoError(t, err)
	whole := recordOf(t, pkg)
	for i, day := range []projections.AsOf{"2024-03-01", "2024-03-05", "2024-03-06", "2024-05-01", "2024-05-02", "2024-06-02", "2024-07-01"} {
		pkg, err := r.export("a", day)
		require.NoError(t, err)
		require.Equal(t, whole.Releases[:i+1], recordOf(t, pkg).Releases, day)
	}
	_, err = r.export("a", "seq:1")
	var rejected *domain.Rejected
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, domain.CodeNotFound, rejected.Code)
}

// Who records writes the reasons: one that looks like an origin and is none
// must not lead anywhere.
func TestAReasonThatLooksLikeAnOriginDoesNoHarm(t *testing.T) {
	r := cooperation(t)
	r.at("2024-08-01T10:00:00+08:00")
	r.do(
		`{"command":"draft-agreement","agreement":"b","kind":"framework","title":"B","parties":["city","group"],"reason":"Published in contracts of ocds-1 with the id "}`,
		`{"command":"add-area","agreement":"b","area":"iot","title":"IoT"}`,
		`{"command":"propose-project","agreement":"b","project":"p","title":"P","kind":"other","areas":["iot"]}`,
		`{"command":"schedule-milestone","agreement":"b","project":"p","milestone":"m","title":"M","due":"2024-12-31","confirming":["city"],"reason":"Published in contracts/awards with the id 5"}`,
	)
	pkg, err := r.export("b", "")
	require.NoError(t, err)
	got := recordOf(t, pkg)
	require.Equal(t, "ocds-000000-b", got.OCID)
	require.Equal(t, "M", at(t, got.Compiled, "contracts", "b", "implementation", "milestones", "p/m", "title"))
}
