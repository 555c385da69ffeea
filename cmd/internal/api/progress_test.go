package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

func TestProgress(t *testing.T) {
	// given a project with a baseline, a milestone more, and progress
	r := start(t)
	baselined := r.scheduled()
	const milestone = `{"agreement":"wuxi-2017","project":"iot-base","milestone":`
	r.done("schedule-milestone", milestone+`"build","title":"Build","due":"2019-09-30","confirming":["wuxi"],"depends_on":["design"]}`)
	r.done("report-progress", milestone+`"design","percent":40}`)
	last := r.done("reforecast-milestone", milestone+`"design","forecast":"2019-07-31","reason":"supplier-delay"}`)
	const agreement, project = "/v1/agreements/wuxi-2017", "/v1/agreements/wuxi-2017/projects/iot-base"
	min := fmt.Sprintf("?min_seq=%d", last.Seq)

	t.Run("s-curve", func(t *testing.T) {
		r := r.on(t)
		var of, whole, filtered, before object
		r.get(project + "/s-curve" + min).is(http.StatusOK).into(&of)
		assert.Equal(t, []any{"baseline", 1.0, 2.0}, []any{of["basis"], of["bac"], of["weight"]})
		points := of["items"].([]any)
		end := points[len(points)-1].(object)
		assert.Equal(t, object{"date": "2019-06-30", "planned": "1", "earned": nil, "planned_percent": 100.0, "earned_percent": nil, "spi": nil}, end)
		assert.Equal(t, object{"date": of["day"], "planned": "0", "earned": "0.4", "planned_percent": 0.0, "earned_percent": 20.0, "spi": nil}, points[0])

		r.get(agreement + "/s-curve" + min).is(http.StatusOK).into(&whole)
		assert.Equal(t, of["items"], whole["items"], "of the only project")
		assert.Equal(t, "", whole["project"])
		r.get(agreement + "/s-curve" + min + "&project=iot-base").is(http.StatusOK).into(&filtered)
		assert.Equal(t, of, filtered)
		r.get(fmt.Sprintf("%s/s-curve?as_of=seq:%d", project, baselined.Seq)).is(http.StatusOK).into(&before)
		assert.Equal(t, 1.0, before["weight"])

		table := r.get(project + "/s-curve" + min + "&format=csv").is(http.StatusOK)
		assert.True(t, strings.HasPrefix(strings.TrimPrefix(string(table.body), "\ufeff"), "date,planned,earned,planned_percent,earned_percent,spi\n"), "%s", table.body)
		assert.Equal(t, fmt.Sprint(last.Seq), table.header.Get("Milepost-Seq"))

		schema := at(r.t, document(r.t, r), "components", "schemas", "CurvePoint", "properties", "earned")
		assert.Equal(t, []any{"string", "null"}, schema["type"])
		r.get("/v1/agreements/none/s-curve").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get(agreement+"/projects/none/s-curve").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get(project+"/s-curve?limit=5").problem(http.StatusBadRequest, CodeUnknownParameter)
	})
	t.Run("trend", func(t *testing.T) {
		r := r.on(t)
		var first page
		r.get(project + "/trend" + min + "&limit=1").is(http.StatusOK).into(&first)
		assert.Equal(t, []string{"design"}, first.keys("milestone"))
		assert.Equal(t, []any{"later", 31.0, 31.0}, []any{first.Items[0]["trend"], first.Items[0]["drift_days"], first.Items[0]["slip_days"]})
		series := first.Items[0]["series"].([]any)
		assert.Equal(t, "supplier-delay", series[len(series)-1].(object)["reason"])
		var second page
		r.get(project + "/trend?limit=1&cursor=" + first.Next).is(http.StatusOK).into(&second)
		assert.Equal(t, []string{"build"}, second.keys("milestone"))
		assert.Empty(t, second.Next)
	})
	t.Run("due", func(t *testing.T) {
		r := r.on(t)
		var first, second page
		r.get("/v1/due" + strings.Replace(min, "min_seq", "limit=1&min_seq", 1)).is(http.StatusOK).into(&first)
		assert.Equal(t, object{
			"agreement": "wuxi-2017", "agreement_title": object{"en": "Framework"}, "project": "iot-base", "project_title": object{"en": "IoT base"},
			"milestone": "design", "title": object{"en": "Design"}, "due": "2019-06-30", "forecast": "2019-07-31", "slip_days": 31.0, "rag": "red",
			"overdue": false, "state": "scheduled",
		}, object(first.Items[0]))
		r.get("/v1/due?limit=1&cursor=" + first.Next).is(http.StatusOK).into(&second)
		assert.Empty(t, second.Next)
		assert.Equal(t, []string{"build"}, second.keys("milestone"))
		for query, want := range map[string][]string{
			"agreement=wuxi-2017&until=2019-06-30": {"design"}, "until=2019-06-29": nil,
			fmt.Sprintf("as_of=seq:%d", baselined.Seq): {"design"}, "as_of=seq:1": nil,
		} {
			var got page
			r.get("/v1/due?" + query).is(http.StatusOK).into(&got)
			assert.Equal(t, want, got.keys("milestone"), query)
		}
		r.get("/v1/due?agreement=none").problem(http.StatusNotFound, domain.CodeNotFound)
		assert.Equal(t, "until", r.get("/v1/due?until=2019-02-30").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		r.get("/v1/due?agreement=wuxi-2017&cursor="+first.Next).problem(http.StatusBadRequest, projections.CodeInvalidCursor)
	})
	t.Run("portfolio", func(t *testing.T) {
		r := r.on(t)
		var all, of, before object
		r.get("/v1/portfolio" + min).is(http.StatusOK).into(&all)
		items := all["items"].([]any)
		line := object{
			"by": "all", "value": "", "projects": 1.0, "projects_green": 0.0, "projects_amber": 0.0, "projects_red": 1.0,
			"milestones": 2.0, "milestones_green": 1.0, "milestones_amber": 0.0, "milestones_red": 1.0,
		}
		assert.Equal(t, line, items[0])
		assert.Equal(t, []any{"state", "proposed"}, []any{items[1].(object)["by"], items[1].(object)["value"]})
		line["by"], line["value"] = "area", "iot"
		assert.Equal(t, line, items[len(items)-1])
		assert.Equal(t, []any{"", float64(last.Seq)}, []any{all["agreement"], all["as_of"].(object)["seq"]})

		r.get(agreement + "/portfolio" + min).is(http.StatusOK).into(&of)
		assert.Equal(t, []any{"wuxi-2017", items}, []any{of["agreement"], of["items"]})
		r.get(fmt.Sprintf("/v1/portfolio?as_of=seq:%d", baselined.Seq)).is(http.StatusOK).into(&before)
		assert.Equal(t, 1.0, before["items"].([]any)[0].(object)["milestones"])
		r.get(agreement + "/portfolio?effective_at=2019-12-31").is(http.StatusOK).into(&before)
		assert.Equal(t, 2.0, before["items"].([]any)[0].(object)["milestones_red"])

		table := r.get("/v1/portfolio" + min + "&format=csv").is(http.StatusOK)
		assert.True(t, strings.HasPrefix(strings.TrimPrefix(string(table.body), "\ufeff"),
			"by,value,projects,projects_green,projects_amber,projects_red,milestones,milestones_green,milestones_amber,milestones_red\nall,,1,0,0,1,2,1,0,1\n"), "%s", table.body)
		r.get("/v1/portfolio?format=xlsx").is(http.StatusOK)
		r.get("/v1/agreements/none/portfolio").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/portfolio?limit=5").problem(http.StatusBadRequest, CodeUnknownParameter)
	})
	t.Run("impact", func(t *testing.T) {
		r := r.on(t)
		var impact object
		r.get(project + "/milestones/design/impact" + min + "&forecast=2019-10-15").is(http.StatusOK).into(&impact)
		assert.Equal(t, []any{"2019-07-31", "2019-10-15", 76.0, "2019-09-30", "2019-10-15"},
			[]any{impact["present"], impact["forecast"], impact["moves_days"], impact["forecast_finish"], impact["forecast_finish_after"]})
		item := impact["items"].([]any)[0].(object)
		assert.Equal(t, []any{"build", "2019-10-15", 15.0, 15.0}, []any{item["milestone"], item["at_least"], item["moves_days"], item["late_days"]})
		assert.Equal(t, last.Seq, r.last(), "nothing is recorded")

		assert.Equal(t, "forecast", r.get(project+"/milestones/design/impact").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		assert.Equal(t, "forecast", r.get(project+"/milestones/design/impact?forecast=2019-02-30").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		r.get(project+"/milestones/none/impact?forecast=2019-02-01").problem(http.StatusNotFound, domain.CodeNotFound)
		r.done("cancel-milestone", milestone+`"build","reason":"not needed"}`)
		receipt := r.last()
		r.get(fmt.Sprintf("%s/milestones/build/impact?forecast=2019-02-01&min_seq=%d", project, receipt)).problem(http.StatusUnprocessableEntity, domain.CodeWrongState)
	})
	t.Run("pace", func(t *testing.T) {
		r := r.on(t)
		var pace object
		answer := r.get(agreement + "/pace" + min).is(http.StatusOK).into(&pace)
		assert.Equal(t, "2017-02-28", pace["effective_on"])
		assert.NotNil(t, pace["days_to_first_project"])
		assert.Nil(t, pace["days_to_first_milestone"])
		assert.Nil(t, pace["first_result_on"])
		assert.Equal(t, fmt.Sprintf(`"%v"`, pace["version"]), answer.header.Get("ETag"))
		r.get("/v1/agreements/none/pace").problem(http.StatusNotFound, domain.CodeNotFound)
	})
}
