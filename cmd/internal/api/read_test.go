package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// page is a list as any client sees it.
type page struct {
	AsOf  Point            `json:"as_of"`
	Items []map[string]any `json:"items"`
	Next  string           `json:"next"`
}

func (p page) keys(kind string) []string {
	var keys []string
	for _, item := range p.Items {
		keys = append(keys, item[kind].(string))
	}
	return keys
}

func TestReadYourOwnWrite(t *testing.T) {
	r := start(t)
	for i := range 20 {
		key := fmt.Sprintf("party-%d", i)
		receipt := r.done("register-party", `{"party":"`+key+`","title":"A","kind":"other"}`)

		var one map[string]any
		answer := r.get(fmt.Sprintf("/v1/parties/%s?min_seq=%d", key, receipt.Seq)).is(http.StatusOK).into(&one)

		assert.Equal(t, key, one["party"])
		assert.Equal(t, `"1"`, answer.header.Get("ETag"))
	}
}

func TestLists(t *testing.T) {
	r := start(t)
	last := r.scheduled()
	min := fmt.Sprintf("?min_seq=%d", last.Seq)

	for path, want := range map[string]struct {
		kind string
		keys []string
	}{
		"/v1/parties":                       {"party", []string{"wuxi", "cethik"}},
		"/v1/agreements":                    {"agreement", []string{"wuxi-2017"}},
		"/v1/agreements/wuxi-2017/projects": {"project", []string{"iot-base"}},
		"/v1/agreements/wuxi-2017/projects/iot-base/milestones": {"milestone", []string{"design"}},
	} {
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			var got page
			r.get(path + min).is(http.StatusOK).into(&got)
			assert.Equal(t, want.keys, got.keys(want.kind))
			assert.Equal(t, last.Seq, got.AsOf.Seq)
			require.NotNil(t, got.AsOf.At)
			assert.Empty(t, got.Next)

			for _, key := range want.keys {
				var item map[string]any
				r.get(path + "/" + key).is(http.StatusOK).into(&item)
				assert.Contains(t, got.Items, item, "an item alone is as it is in the list")
			}
			r.get(path+"/nothing").problem(http.StatusNotFound, domain.CodeNotFound)
		})
	}
}

func TestMilestoneContract(t *testing.T) {
	r := start(t)
	last := r.scheduled()

	var got struct{ Items []json.RawMessage }
	r.get(fmt.Sprintf("/v1/agreements/wuxi-2017/projects/iot-base/milestones?min_seq=%d", last.Seq)).is(http.StatusOK).into(&got)

	require.Len(t, got.Items, 1)
	want := `{"milestone":"design","title":{"en":"Design"},"state":"scheduled","baseline":"2019-06-30","due":"2019-06-30","forecast":"2019-06-30",` +
		`"met_on":null,"slip_days":0,"moves":0,"rag":"green","weight":1,"percent":0,`
	assert.Equal(t, want, string(got.Items[0][:len(want)]), "names and order are a contract")
}

func TestAsOf(t *testing.T) {
	r := start(t)
	first := r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
	second := r.done("register-party", `{"party":"b","title":"B","kind":"other"}`)
	third := r.done("change-party", `{"party":"a","title":"A2"}`)
	require.NoError(t, r.models.Wait(t.Context(), third.Seq))
	list := func(asOf string) page {
		var p page
		r.get("/v1/parties?as_of=" + asOf).is(http.StatusOK).into(&p)
		return p
	}

	assert.Empty(t, list("seq:0").Items)
	assert.Nil(t, list("seq:0").AsOf.At)
	assert.Equal(t, []string{"a"}, list("seq:1").keys("party"))
	assert.Equal(t, []string{"a", "b"}, list("seq:2").keys("party"))
	assert.Equal(t, map[string]any{"en": "A"}, list("seq:2").Items[0]["title"])
	assert.Equal(t, map[string]any{"en": "A2"}, list("2019-03-01").Items[0]["title"], "a date is its end")

	shanghai := time.FixedZone("", 8*3600)
	instant := second.RecordedAt.In(shanghai).Format(time.RFC3339Nano)
	assert.Equal(t, []string{"a", "b"}, list(url.QueryEscape(instant)).keys("party"))
	assert.EqualValues(t, 2, list(url.QueryEscape(instant)).AsOf.Seq)
	assert.EqualValues(t, 2, list(instant).AsOf.Seq, "a plus sign that was not escaped")
	assert.Equal(t, []string{"a"}, list(first.RecordedAt.Format(time.RFC3339Nano)).keys("party"))

	answer := r.get("/v1/parties/a?as_of=seq:2").is(http.StatusOK)
	assert.Equal(t, `"1"`, answer.header.Get("ETag"))
	assert.Equal(t, "2", answer.header.Get("Milepost-Seq"))
	r.get("/v1/parties/b?as_of=seq:1").problem(http.StatusNotFound, domain.CodeNotFound)

	for asOf, want := range map[string]struct {
		status int
		code   string
	}{
		"yesterday":            {400, projections.CodeInvalidAsOf},
		"2019-02-30":           {400, projections.CodeInvalidAsOf},
		"seq:-1":               {400, projections.CodeInvalidAsOf},
		"seq:":                 {400, projections.CodeInvalidAsOf},
		"2019-03-02":           {422, projections.CodeAsOfInFuture},
		"2030-01-01T00:00:00Z": {422, projections.CodeAsOfInFuture},
		"seq:4":                {422, projections.CodeAsOfInFuture},
		"2019-02-28":           {422, projections.CodeAsOfBeforeFirst},
	} {
		p := r.get("/v1/parties?as_of="+asOf).problem(want.status, want.code)
		assert.Equal(t, "as_of", p.Field, asOf)
	}
}

func TestPages(t *testing.T) {
	// given
	r := start(t)
	var want []string
	for i := range 7 {
		key := fmt.Sprintf("p%d", i)
		want = append(want, key)
		r.done("register-party", `{"party":"`+key+`","title":"A","kind":"other"}`)
	}
	require.NoError(t, r.models.Wait(t.Context(), r.last()))

	// when it is read in pages, while more comes
	var got []string
	var first page
	for cursor := ""; ; {
		var p page
		r.get("/v1/parties?limit=3" + cursor).is(http.StatusOK).into(&p)
		if cursor == "" {
			first = p
		}
		assert.Equal(t, first.AsOf, p.AsOf, "all pages are as of one point")
		got = append(got, p.keys("party")...)
		if p.Next == "" {
			break
		}
		late := r.done("register-party", fmt.Sprintf(`{"party":"late-%d","title":"A","kind":"other"}`, len(got)))
		require.NoError(t, r.models.Wait(t.Context(), late.Seq))
		cursor = "&cursor=" + p.Next
	}

	// then
	assert.Equal(t, want, got, "nothing twice, nothing missed, nothing that came later")
	r.get("/v1/agreements?cursor="+first.Next).problem(http.StatusBadRequest, projections.CodeInvalidCursor)
	r.get("/v1/parties?cursor=nonsense").problem(http.StatusBadRequest, projections.CodeInvalidCursor)
}

func TestParametersAreStrict(t *testing.T) {
	r := start(t)
	r.signed()
	for _, c := range []struct{ query, code, field string }{
		{"/v1/parties?as-of=2019-03-01", CodeUnknownParameter, "as-of"},
		{"/v1/changes?agrement=wuxi-2017", CodeUnknownParameter, "agrement"},
		{"/v1/changes?agreement=", CodeInvalidParameter, "agreement"},
		{"/v1/changes?agreement=a&agreement=b", CodeInvalidParameter, "agreement"},
		{"/v1/parties?limit=0", CodeInvalidParameter, "limit"},
		{"/v1/parties?limit=1001", CodeInvalidParameter, "limit"},
		{"/v1/parties?limit=many", CodeInvalidParameter, "limit"},
		{"/v1/parties?min_seq=-1", CodeInvalidParameter, "min_seq"},
		{"/v1/parties?limit=%zz", CodeInvalidParameter, ""},
		{"/v1/status?verbose=1", CodeUnknownParameter, "verbose"},
		{"/v1/events/1?raw=1", CodeUnknownParameter, "raw"},
		{"/healthz?x=1", CodeUnknownParameter, "x"},
	} {
		t.Run(c.query, func(t *testing.T) {
			r := r.on(t)
			p := r.get(c.query).problem(http.StatusBadRequest, c.code)
			assert.Equal(t, c.field, p.Field)
		})
	}
	p := r.get("/v1/changes?agrement=x").problem(http.StatusBadRequest, CodeUnknownParameter)
	for _, known := range []string{"from", "to", "agreement", "milestone", "actor", "cursor"} {
		assert.Contains(t, p.Detail, known, "the answer names those that there are")
	}
}

func TestBehind(t *testing.T) {
	r := start(t, func(c *Config) { c.Patience = 50 * time.Millisecond })
	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
	require.NoError(t, r.models.Wait(t.Context(), 1))
	r.get("/v1/parties").is(http.StatusOK)
	r.halt() // the projector stops following, for the time being
	r.done("register-party", `{"party":"b","title":"B","kind":"other"}`)

	for _, path := range []string{
		"/v1/parties?min_seq=2", "/v1/parties?as_of=seq:2", "/v1/parties/b?min_seq=2", "/v1/changes?min_seq=2", "/v1/changes?to=seq:2",
		"/v1/events?min_seq=2", "/v1/status?min_seq=2",
	} {
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			answer := r.get(path)
			p := answer.problem(http.StatusServiceUnavailable, CodeBehind)
			assert.EqualValues(t, 2, *p.Asked)
			assert.EqualValues(t, 1, *p.Reached)
			assert.NotEmpty(t, answer.header.Get("Retry-After"))
		})
	}
	r.get("/v1/parties?as_of=seq:1").is(http.StatusOK)
	r.get("/v1/events/2").is(http.StatusOK) // the log has it

	// and a server that has not caught up since it started answers nothing, as
	// its now may be long ago
	cfg := r.server.cfg
	cfg.Metrics = nil
	w := httptest.NewRecorder()
	New(cfg).ServeHTTP(w, r.request(t.Context(), http.MethodGet, "/v1/parties", nil))
	reply{t, w.Code, w.Header(), w.Body.Bytes()}.problem(http.StatusServiceUnavailable, CodeBehind)
}

func TestChanges(t *testing.T) {
	// given
	r := start(t)
	before := r.scheduled()
	after := r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"2019-09-30",`+
		`"reason":"supplier-delay","actor":"zhang","acting_for":"wuxi"}`)

	// when
	var got struct {
		From, To Point
		Changes  []map[string]any
		Complete bool
		Next     string
	}
	query := fmt.Sprintf("/v1/changes?from=seq:%d&agreement=wuxi-2017&project=iot-base&milestone=design&actor=zhang&min_seq=%d", before.Seq, after.Seq)
	r.get(query).is(http.StatusOK).into(&got)

	// then
	assert.Equal(t, before.Seq, got.From.Seq)
	assert.Equal(t, after.Seq, got.To.Seq)
	assert.True(t, got.Complete)
	assert.Empty(t, got.Next)
	i := slices.IndexFunc(got.Changes, func(c map[string]any) bool { return c["field"] == "forecast" })
	require.GreaterOrEqual(t, i, 0, "%v", got.Changes)
	assert.Equal(t, map[string]any{
		"seq": float64(after.Seq), "event_id": after.Events[0].ID, "type": "milepost.project.milestone-reforecast.v1", "agreement": "wuxi-2017",
		"entity": "project/iot-base/milestone/design", "field": "forecast", "op": "replace", "old": "2019-06-30", "new": "2019-09-30", "moves": float64(1),
		"effective": "2019-03-01", "recorded_at": after.RecordedAt.Format(time.RFC3339Nano), "actor": "zhang", "party": "wuxi",
		"reason": "supplier-delay", "note": "", "corrects": "", "corrects_seq": nil,
	}, got.Changes[i])

	// and in pages
	type part struct {
		Changes []struct {
			Seq           uint64
			Entity, Field string
		}
		Complete bool
		Next     string
	}
	var whole, pages part
	r.get(fmt.Sprintf("/v1/changes?to=seq:%d&limit=1000", before.Seq)).is(http.StatusOK).into(&whole)
	for cursor := ""; !pages.Complete; {
		var p part
		r.get(fmt.Sprintf("/v1/changes?to=seq:%d&limit=7%s", before.Seq, cursor)).is(http.StatusOK).into(&p)
		pages.Changes, pages.Complete = append(pages.Changes, p.Changes...), p.Complete
		assert.Equal(t, p.Next == "", p.Complete)
		cursor = "&cursor=" + p.Next
	}
	assert.True(t, whole.Complete)
	assert.Equal(t, whole.Changes, pages.Changes)

	// and asked wrongly
	r.get("/v1/changes?from=seq:2&to=seq:1").problem(http.StatusBadRequest, projections.CodeInvalidRange)
	p := r.get("/v1/changes?to=2019-02-30").problem(http.StatusBadRequest, projections.CodeInvalidAsOf)
	assert.Equal(t, "to", p.Field)
	r.get("/v1/changes?project=iot-base").problem(http.StatusUnprocessableEntity, domain.CodeMissingField)
}

func TestChangesByCondition(t *testing.T) {
	// given a forecast that moved, late, back and put right, and two meetings
	r := start(t)
	before := r.scheduled()
	const design = `"agreement":"wuxi-2017","project":"iot-base","milestone":"design",`
	moved := r.done("reforecast-milestone", `{`+design+`"forecast":"2019-09-30","reason":"other","note":"a flood","effective":"2019-02-20"}`)
	r.done("reforecast-milestone", `{`+design+`"forecast":"2019-08-31","reason":"correction","corrects":"`+moved.Events[0].ID+`"}`)
	r.done("establish-mechanism", `{"agreement":"wuxi-2017","mechanism":"steering","kind":"coordination","title":"Steering","members":["wuxi","cethik"],"cadence":"quarterly"}`)
	for _, key := range []string{"first", "second"} {
		r.done("schedule-meeting", `{"agreement":"wuxi-2017","meeting":"`+key+`","mechanism":"steering","title":"The `+key+`","on":"2019-03-01"}`)
	}
	held := r.done("hold-meeting", `{"agreement":"wuxi-2017","meeting":"first","attendees":[{"party":"wuxi","name":"Mayor"}]}`)
	r.done("report-progress", `{`+design+`"percent":20}`)
	last := r.done("report-progress", `{`+design+`"percent":40}`)
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	type answer struct {
		From    Point
		To      Point
		Since   map[string]any
		Until   map[string]any
		Changes []map[string]any
		Next    string
	}
	ask := func(query string) (a answer) {
		t.Helper()
		r.get("/v1/changes?" + query).is(http.StatusOK).into(&a)
		return a
	}
	since := fmt.Sprintf("from=seq:%d&", before.Seq)

	// then each condition narrows
	for query, want := range map[string]int{
		since + "agreement=wuxi-2017&entity=project/iot-base/milestone/design":               4,
		since + "agreement=wuxi-2017&entity=project/iot-base/milestone/design&field=percent": 2,
		since + "agreement=wuxi-2017&entity=project/iot-base":                                4,
		since + "agreement=wuxi-2017&entity=project/iot-base&own=true":                       0,
		"entity=party/wuxi&field=kind":                                                       1,
		since + "reason=other":                                                               1,
		since + "backdated=true":                                                             1,
		since + "backdated=false&reason=other":                                               1,
		since + "corrections=true":                                                           1,
		since + "mode=net&field=forecast":                                                    1,
		since + "mode=events&field=forecast":                                                 2,
	} {
		assert.Len(t, ask(query).Changes, want, query)
	}
	net := ask(since + "mode=net&field=forecast").Changes[0]
	assert.Equal(t, []any{"2019-06-30", "2019-08-31", float64(2), "correction"}, []any{net["old"], net["new"], net["moves"], net["reason"]})
	assert.Equal(t, []any{moved.Events[0].ID, float64(moved.Seq)}, []any{net["corrects"], net["corrects_seq"]})
	assert.Equal(t, "a flood", ask(since + "reason=other").Changes[0]["note"])

	// and a meeting, its mechanism, or the kind of that, is where to begin
	for _, which := range []string{"first", "steering", "coordination"} {
		a := ask("agreement=wuxi-2017&field=percent&since_meeting=" + which)
		assert.Equal(t, map[string]any{"meeting": "first", "mechanism": "steering", "title": map[string]any{"en": "The first"}, "on": "2019-03-01"}, a.Since)
		assert.Equal(t, held.Seq, a.From.Seq)
		assert.Len(t, a.Changes, 2)
	}
	assert.Nil(t, ask("agreement=wuxi-2017").Since)

	// and one is where to end
	until := ask("agreement=wuxi-2017&field=forecast&from=seq:" + fmt.Sprint(before.Seq) + "&until_meeting=coordination")
	assert.Equal(t, "first", until.Until["meeting"])
	assert.Equal(t, held.Seq, until.To.Seq)
	assert.Len(t, until.Changes, 2)
	assert.Empty(t, ask("agreement=wuxi-2017&field=percent&until_meeting=first").Changes)
	var page answer
	r.get("/v1/changes?agreement=wuxi-2017&since_meeting=first&limit=1&cursor=" + ask("agreement=wuxi-2017&since_meeting=first&limit=1").Next).is(http.StatusOK).into(&page)
	assert.Equal(t, float64(last.Seq), page.Changes[0]["seq"], "a cursor goes on since the same meeting")

	// and what makes no sense is refused by name
	for query, want := range map[string]struct {
		status      int
		code, field string
	}{
		"agreement=wuxi-2017&since_meeting=nothing":                                {http.StatusNotFound, domain.CodeNotFound, "since_meeting"},
		"agreement=nothing&since_meeting=first":                                    {http.StatusNotFound, domain.CodeNotFound, "agreement"},
		"agreement=wuxi-2017&until_meeting=first&to=seq:99":                        {http.StatusBadRequest, projections.CodeContradiction, "until_meeting"},
		"agreement=wuxi-2017&until_meeting=second":                                 {http.StatusUnprocessableEntity, projections.CodeMeetingNotHeld, "until_meeting"},
		"agreement=wuxi-2017&until_meeting=first&from=seq:" + fmt.Sprint(last.Seq): {http.StatusBadRequest, projections.CodeInvalidRange, "until_meeting"},
		"agreement=wuxi-2017&since_meeting=second":                                 {http.StatusUnprocessableEntity, projections.CodeMeetingNotHeld, "since_meeting"},
		"agreement=wuxi-2017&since_meeting=first&to=seq:3":                         {http.StatusNotFound, domain.CodeNotFound, "since_meeting"},
		"agreement=wuxi-2017&since_meeting=first&from=seq:1":                       {http.StatusBadRequest, projections.CodeContradiction, "since_meeting"},
		"since_meeting=first":                                                      {http.StatusUnprocessableEntity, domain.CodeMissingField, "agreement"},
		"agreement=wuxi-2017&entity=milestone":                                     {http.StatusBadRequest, projections.CodeInvalidEntity, "entity"},
		"agreement=wuxi-2017&project=iot-base&entity=project/town":                 {http.StatusBadRequest, projections.CodeContradiction, "entity"},
		"agreement=wuxi-2017&entity=party/wuxi":                                    {http.StatusBadRequest, projections.CodeContradiction, "entity"},
		"entity=project/iot-base":                                                  {http.StatusUnprocessableEntity, domain.CodeMissingField, "agreement"},
		"mode=gross":                                                               {http.StatusBadRequest, CodeInvalidParameter, "mode"},
		"backdated=perhaps":                                                        {http.StatusBadRequest, CodeInvalidParameter, "backdated"},
		"from=seq:3&to=seq:2&mode=net":                                             {http.StatusBadRequest, projections.CodeInvalidRange, "from"},
		"mode=net&cursor=" + ask("limit=1").Next:                                   {http.StatusBadRequest, projections.CodeInvalidCursor, "cursor"},
		"cursor=" + ask("mode=net&limit=1").Next:                                   {http.StatusBadRequest, projections.CodeInvalidCursor, "cursor"},
	} {
		t.Run(query, func(t *testing.T) {
			p := r.on(t).get("/v1/changes?"+query).problem(want.status, want.code)
			assert.Equal(t, want.field, p.Field)
		})
	}
}

func TestEvents(t *testing.T) {
	// given
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	list := func(query string) (seqs []float64) {
		var p page
		r.get("/v1/events" + query).is(http.StatusOK).into(&p)
		for _, item := range p.Items {
			seqs = append(seqs, item["seq"].(float64))
		}
		return seqs
	}

	// then every event is there, as stored
	assert.Len(t, list(""), int(last.Seq))
	var p struct{ Items []event }
	r.get("/v1/events").is(http.StatusOK).into(&p)
	for _, item := range p.Items {
		stored, err := r.store.Get(t.Context(), item.Seq)
		require.NoError(t, err)
		assert.Equal(t, string(stored.Data), string(item.Event.RawMessage))

		one := r.get(fmt.Sprintf("/v1/events/%d", item.Seq)).is(http.StatusOK)
		assert.Equal(t, string(stored.Data), string(one.body), "exactly the stored bytes")
		assert.Equal(t, "application/cloudevents+json", one.header.Get("Content-Type"))
		assert.Equal(t, fmt.Sprint(item.Seq), one.header.Get("Milepost-Seq"))
	}

	// and the filters narrow
	assert.Equal(t, []float64{1, 2}, list("?kind=party"))
	assert.Equal(t, []float64{2}, list("?kind=party&after=1"))
	assert.Equal(t, []float64{1}, list("?kind=party&key=wuxi"))
	assert.Equal(t, []float64{1}, list("?kind=party&as_of=seq:1"))
	assert.Equal(t, []float64{1, 2}, list("?type=milepost.party.registered.v1"))
	assert.Empty(t, list("?as_of=seq:0"))
	assert.Empty(t, list("?agreement=nothing"))
	assert.Equal(t, list("?agreement=wuxi-2017"), list("?after=2&agreement=wuxi-2017"))

	r.get("/v1/events?key=wuxi").problem(http.StatusBadRequest, CodeInvalidParameter)
	r.get("/v1/events/0").problem(http.StatusNotFound, domain.CodeNotFound)
	r.get("/v1/events/999").problem(http.StatusNotFound, domain.CodeNotFound)
	r.get("/v1/events/first").problem(http.StatusBadRequest, CodeInvalidParameter)
}
