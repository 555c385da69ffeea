package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// timeless are the questions that take no as_of, and why.
var timeless = map[string]string{
	"/v1/status":                            "is about the server",
	"/v1/commands":                          "is about the program",
	"/v1/schemas":                           "is about the program",
	"/v1/schemas/{type}":                    "is about the program",
	"/v1/evidence/{sha256}":                 "is named by its hash, and never changes",
	"/v1/events/{seq}":                      "is named by its sequence, and never changes",
	"/v1/events/{seq}/proof":                "is proved against a checkpoint, which names its tree's size",
	"/v1/webhooks/{webhook}/delivery":       "is about the server",
	"/v1/webhooks/{webhook}/secret":         "is the one that signs now",
	"/v1/keys":                              "is read from the log, as far as it goes",
	"/v1/checkpoint":                        "is what is signed now",
	"/v1/checkpoint/consistency":            "lies between two tree sizes",
	"/v1/agreements/{agreement}/checkpoint": "is what is signed now",
	"/v1/agreements/{agreement}/checkpoint/consistency": "lies between two tree sizes",
	"/v1/backup":                        "is as of now: its checkpoint is signed for it",
	"/v1/bundle":                        "is as of now: its checkpoint is signed for it",
	"/v1/agreements/{agreement}/bundle": "is as of now: its checkpoint is signed for it",
	"/v1/subscribers/lag":               "is asked of NATS, which knows only now",
	"/v1/changes":                       "lies between two points, from and to, and says the last as the others say theirs; as_of is for the effective axis",
}

// recordedOnly are questions about an agreement that take no effective_at, and why.
var recordedOnly = map[string]string{
	"/v1/agreements/{agreement}/ocds": "is a history, by the days of recording",
}

// keysOf are what cooperated has; those of other parameters are their examples.
var keysOf = map[string]string{
	"agreement": "wuxi-2017", "project": "iot-base", "milestone": "design", "party": "wuxi", "obligation": "land", "amendment": "longer",
	"meeting": "spring", "fund": "iot-fund", "indicator": "jobs", "principal": "li-wei", "webhook": "city-ledger", "forecast": "2019-12-31",
}

// Every question to the read models takes as_of, and every answer says the
// sequence and the instant that this came to; those about an agreement take
// effective_at likewise.
func TestEveryAnswerSaysItsPoint(t *testing.T) {
	r := start(t)
	r.cooperated()
	last := r.accessed()
	r.done("register-party", `{"party":"later","title":"Later","kind":"other"}`)
	doc := document(t, r)
	point, err := r.models.Resolve(t.Context(), projections.AsOf(fmt.Sprintf("seq:%d", last)))
	require.NoError(t, err)

	asked := 0
	for path, item := range at(t, doc, "paths") {
		op, ok := item.(object)["get"].(object)
		if !ok || !strings.HasPrefix(path, "/v1/") {
			continue
		}
		if reason, ok := timeless[path]; ok {
			assert.NotEmpty(t, reason)
			assert.Equal(t, path == "/v1/changes", slices.Contains(slices.Collect(maps.Keys(parametersOf(op))), "as_of"), "%s is no exception any more", path)
			continue
		}
		asked++
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			parameters := parametersOf(op)
			require.Contains(t, parameters, "as_of")
			headers := at(t, op, "responses", "200", "headers")
			assert.Contains(t, headers, "Milepost-Seq")
			assert.Contains(t, headers, "Milepost-At")

			address, query := path, url.Values{"as_of": {fmt.Sprintf("seq:%d", last)}}
			for name, required := range parameters {
				if key := keysOf[name]; strings.Contains(address, "{"+name+"}") {
					address = strings.ReplaceAll(address, "{"+name+"}", key)
				} else if required {
					query.Set(name, key)
				}
			}
			answer := r.get(address + "?" + query.Encode()).is(http.StatusOK)
			assert.Equal(t, fmt.Sprint(last), answer.header.Get("Milepost-Seq"))
			assert.Equal(t, point.At.Format(time.RFC3339Nano), answer.header.Get("Milepost-At"))
			assert.Empty(t, answer.header.Get("Milepost-Effective-At"))
			bodySays(t, answer, fmt.Sprintf(`{"seq":%d,"at":%q}`, last, point.At.Format(domain.TimeFormat)))

			_, except := recordedOnly[path]
			if below := strings.Contains(path, "{agreement}") && !except; !below {
				assert.NotContains(t, parameters, "effective_at")
				return
			}
			require.Contains(t, parameters, "effective_at")
			query.Set("effective_at", "2019-03-01")
			answer = r.get(address + "?" + query.Encode()).is(http.StatusOK)
			assert.Equal(t, []string{fmt.Sprint(last), point.At.Format(time.RFC3339Nano), "2019-03-01"},
				[]string{answer.header.Get("Milepost-Seq"), answer.header.Get("Milepost-At"), answer.header.Get("Milepost-Effective-At")})
			bodySays(t, answer, fmt.Sprintf(`{"seq":%d,"at":%q,"effective_at":"2019-03-01"}`, last, point.At.Format(domain.TimeFormat)))

			query.Set("effective_at", "2019-02-28") // when there was no agreement
			r.get(address+"?"+query.Encode()).problem(http.StatusNotFound, domain.CodeNotFound)
			query.Set("effective_at", "2019-02-29")
			p := r.get(address+"?"+query.Encode()).problem(http.StatusBadRequest, projections.CodeInvalidEffectiveAt)
			assert.Equal(t, "effective_at", p.Field)
		})
	}
	assert.Greater(t, asked, 30)
	for _, exceptions := range []map[string]string{timeless, recordedOnly} {
		for path := range exceptions {
			at(t, doc, "paths", path, "get")
		}
	}
}

// parametersOf are the names of an operation's parameters, and whether each is required.
func parametersOf(op object) map[string]bool {
	names := map[string]bool{}
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		p := p.(object)
		names[p["name"].(string)] = p["required"] == true
	}
	return names
}

// bodySays requires the as_of of an answer that has one in its body: a list or
// series, in JSON.
func bodySays(t *testing.T, answer reply, want string) {
	t.Helper()
	if !strings.HasPrefix(answer.header.Get("Content-Type"), mediaJSON) {
		return
	}
	var body struct {
		AsOf  json.RawMessage `json:"as_of"`
		Items json.RawMessage `json:"items"`
	}
	answer.into(&body)
	if body.Items != nil || body.AsOf != nil {
		assert.Equal(t, want, string(body.AsOf))
	}
}

// A reader of one axis finds what was recorded late where it belongs.
func TestEffectiveAt(t *testing.T) {
	// given a forecast that holds from a day to come, and a report that is put
	// right from an earlier day on than the one that it was made on
	r := start(t)
	scheduled := r.scheduled().Seq
	const milestone = `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design",`
	r.done("report-progress", milestone+`"percent":40}`)
	r.done("reforecast-milestone", milestone+`"forecast":"2019-08-31","reason":"supplier-delay","effective":"2019-04-01"}`)
	r.done("report-progress", milestone+`"percent":50,"effective":"2019-03-20"}`)
	last := r.done("report-progress", milestone+`"percent":30,"reason":"misread","effective":"2019-03-10"}`).Seq
	const address = "/v1/agreements/wuxi-2017/projects/iot-base/milestones/design"
	min := fmt.Sprintf("min_seq=%d&", last)

	for query, want := range map[string][]any{
		"":                        {30.0, "2019-08-31"},
		"effective_at=2019-03-09": {40.0, "2019-06-30"},
		"effective_at=2019-03-10": {30.0, "2019-06-30"},
		"effective_at=2019-03-20": {50.0, "2019-06-30"},
		"effective_at=2030-01-01": {50.0, "2019-08-31"},
		fmt.Sprintf("effective_at=2019-03-10&as_of=seq:%d", last-1):      {40.0, "2019-06-30"},
		fmt.Sprintf("effective_at=2030-01-01&as_of=seq:%d", scheduled+1): {40.0, "2019-06-30"},
	} {
		t.Run(query, func(t *testing.T) {
			var got map[string]any
			r.on(t).get(address + "?" + min + query).is(http.StatusOK).into(&got)
			assert.Equal(t, want, []any{got["percent"], got["forecast"]})
		})
	}
	t.Run("an ETag is of the events that the answer is of", func(t *testing.T) {
		r := r.on(t)
		early := r.get(address + "?effective_at=2019-03-20").is(http.StatusOK).header.Get("ETag")
		whole := r.get(address + "?effective_at=2019-04-01").is(http.StatusOK).header.Get("ETag")
		assert.Equal(t, r.get(address).header.Get("ETag"), whole)
		r.do("report-progress", milestone+`"percent":60}`, "If-Match: "+early).problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
	})
	t.Run("pages are of one date", func(t *testing.T) {
		r := r.on(t)
		r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"build","title":"Build","due":"2020-06-30","confirming":["wuxi"]}`)
		receipt := r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"early","title":"Early","due":"2020-06-30","confirming":["wuxi"],"effective":"2019-02-01"}`)
		const list = "/v1/agreements/wuxi-2017/projects/iot-base/milestones?limit=2&effective_at=2019-03-05"
		var first, second page
		answer := r.get(fmt.Sprintf("%s&min_seq=%d", list, receipt.Seq)).is(http.StatusOK).into(&first)
		// whatever is recorded between them
		r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"late","title":"Late","due":"2020-06-30","confirming":["wuxi"]}`)
		link, _, _ := strings.Cut(strings.TrimPrefix(answer.header.Get("Link"), "<"), ">")
		r.get(link).is(http.StatusOK).into(&second)
		assert.Equal(t, []string{"early", "design", "build"}, slices.Concat(first.keys("milestone"), second.keys("milestone")), "by the dates from which they hold")
		assert.Equal(t, first.AsOf, second.AsOf)
		r.get("/v1/agreements/wuxi-2017/projects/iot-base/milestones?limit=2&cursor="+first.Next).problem(http.StatusBadRequest, projections.CodeInvalidCursor)
		r.get(strings.Replace(list, "03-05", "03-06", 1)+"&cursor="+first.Next).problem(http.StatusBadRequest, projections.CodeInvalidCursor)
	})
	t.Run("a workbook says by which date", func(t *testing.T) {
		book := r.on(t).get("/v1/agreements/wuxi-2017/projects/iot-base/milestones?format=xlsx&effective_at=2019-03-10").is(http.StatusOK)
		f, err := excelize.OpenReader(bytes.NewReader(book.body))
		require.NoError(t, err)
		defer func() { require.NoError(t, f.Close()) }()
		facts, err := f.GetRows("about")
		require.NoError(t, err)
		assert.Contains(t, facts, []string{"effective by", "2019-03-10"})
	})
	t.Run("changes are in the order of the dates from which they hold", func(t *testing.T) {
		r := r.on(t)
		ask := func(query string) (a projections.Changes, lines []string) {
			var as struct {
				Changes []struct {
					Seq      uint64
					Old, New any
					Moves    int
				}
			}
			r.get("/v1/changes?agreement=wuxi-2017&project=iot-base&milestone=design&field=percent&axis=effective" + query).is(http.StatusOK).into(&a).into(&as)
			for _, c := range as.Changes {
				lines = append(lines, fmt.Sprintf("%d %v→%v (%d)", c.Seq, c.Old, c.New, c.Moves))
			}
			return a, lines
		}
		whole, lines := ask(fmt.Sprintf("&as_of=seq:%d", last))
		assert.Equal(t, []string{
			fmt.Sprintf("%d 0→40 (1)", last-3), fmt.Sprintf("%d 40→30 (1)", last), fmt.Sprintf("%d 30→50 (1)", last-1),
		}, lines)
		assert.Equal(t, []any{uint64(0), last, "9999-12-31"}, []any{whole.From.Seq, whole.To.Seq, whole.To.Effective.String()})
		some, lines := ask(fmt.Sprintf("&from=2019-03-09&to=2019-12-31&mode=net&as_of=seq:%d", last))
		assert.Equal(t, []string{fmt.Sprintf("%d 40→50 (2)", last-1)}, lines)
		assert.Equal(t, []string{"2019-03-09", "2019-12-31"}, []string{some.From.Effective.String(), some.To.Effective.String()})
		_, lines = ask(fmt.Sprintf("&from=2019-03-09&as_of=seq:%d", last-1))
		assert.Equal(t, []string{fmt.Sprintf("%d 40→50 (1)", last-1)}, lines)

		first, _ := ask("&limit=1")
		r.done("report-progress", milestone+`"percent":70}`)
		_, lines = ask("&limit=1&cursor=" + first.Next)
		assert.Equal(t, []string{fmt.Sprintf("%d 40→30 (1)", last)}, lines, "by what was recorded when the first page was asked")

		for query, want := range map[string][2]string{
			"axis=effective":                                                   {domain.CodeMissingField, "agreement"},
			"axis=effective&agreement=none":                                    {domain.CodeNotFound, "agreement"},
			"axis=effective&agreement=wuxi-2017&from=2019-02-29":               {projections.CodeInvalidEffectiveAt, "from"},
			"axis=effective&agreement=wuxi-2017&to=seq:4":                      {projections.CodeInvalidEffectiveAt, "to"},
			"axis=effective&agreement=wuxi-2017&from=2019-03-02&to=2019-03-01": {projections.CodeInvalidRange, "from"},
			"axis=effective&agreement=wuxi-2017&as_of=seq:9999":                {projections.CodeAsOfInFuture, "as_of"},
			"axis=effective&agreement=wuxi-2017&entity=party/wuxi":             {projections.CodeContradiction, "entity"},
			"axis=both":                       {CodeInvalidParameter, "axis"},
			"agreement=wuxi-2017&as_of=seq:4": {projections.CodeContradiction, "as_of"},
		} {
			var p Problem
			r.get("/v1/changes?" + query).into(&p)
			assert.Equal(t, want, [2]string{p.Code, p.Field}, query)
		}
	})
	t.Run("bad input", func(t *testing.T) {
		r := r.on(t)
		for query, code := range map[string]string{
			"effective_at=2019-02-29":                         projections.CodeInvalidEffectiveAt,
			"effective_at=tomorrow":                           projections.CodeInvalidEffectiveAt,
			"effective_at=seq:3":                              projections.CodeInvalidEffectiveAt,
			"effective_at=2019-03-10T00:00:00Z":               projections.CodeInvalidEffectiveAt,
			"effective_at=":                                   CodeInvalidParameter,
			"effective_at=2019-03-10&effective_at=2019-03-11": CodeInvalidParameter,
		} {
			p := r.get(address+"?"+query).problem(http.StatusBadRequest, code)
			assert.Equal(t, "effective_at", p.Field, query)
		}
		for _, other := range []string{
			"/v1/parties", "/v1/agreements", "/v1/events", "/v1/changes", "/v1/plan-template?agreement=wuxi-2017", "/v1/agreements/wuxi-2017/ocds",
		} {
			mark := "?"
			if strings.Contains(other, "?") {
				mark = "&"
			}
			r.get(other+mark+"effective_at=2019-03-10").problem(http.StatusBadRequest, CodeUnknownParameter)
		}
		r.get("/v1/agreements/none?effective_at=2019-03-10").problem(http.StatusNotFound, domain.CodeNotFound)
	})
}
