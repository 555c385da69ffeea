package api

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// hidden are marks of what tests of secrecy restrict: keys, titles, names and
// figures that stand nowhere else.
type hidden []string

// in lists the marks that stand in an answer, in its headers or its body, which
// is unzipped where it is a workbook.
func (h hidden) in(t *testing.T, answer reply) (found []string) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, answer.header.Write(&text))
	text.Write(answer.body)
	if bytes.HasPrefix(answer.body, []byte("PK")) {
		book, err := zip.NewReader(bytes.NewReader(answer.body), int64(len(answer.body)))
		require.NoError(t, err)
		for _, f := range book.File {
			part, err := f.Open()
			require.NoError(t, err)
			_, err = io.Copy(&text, part)
			require.NoError(t, err)
		}
	}
	for _, mark := range h {
		if bytes.Contains(text.Bytes(), []byte(mark)) {
			found = append(found, mark)
		}
	}
	return found
}

// unasked lists those that the asker did not itself name in the address, which
// answers may repeat.
func (h hidden) unasked(t *testing.T, address string, answer reply) []string {
	t.Helper()
	return slices.DeleteFunc(h.in(t, answer), func(mark string) bool { return strings.Contains(address, url.QueryEscape(mark)) })
}

// secret is a project beside the one of cooperated, with everything that can be
// about one: what is in it, and what names it elsewhere.
var secret = hidden{
	"xq-hush", "Xq Quiet", "xq安静", "xq-stage", "Xq Stage", "xq-gate", "Xq Gate", "xq-count", "Xq Count", "xq-give", "xq-pay", "Xq Pay",
	"765432177", "7.31", "313373133", "xq-widen", "Xq Widen", "xq-ruling", "Xq Ruling", "Xq Evidence", "xq-person", "Xq Reason", "2021-07-13", "2021-08-17",
}

func (r *rig) withSecret() (seqs []uint64, files []string) {
	r.t.Helper()
	file := r.attach("Xq Evidence of what nobody shall know")
	for _, c := range [][2]string{
		{"propose-project", `"project":"xq-hush","title":{"en":"Xq Quiet","zh":"xq安静"},"kind":"incubation","areas":["iot"],"lead":"wuxi","actor":"xq-person"`},
		{"approve-project", `"project":"xq-hush"`},
		{"start-project", `"project":"xq-hush"`},
		{"schedule-milestone", `"project":"xq-hush","milestone":"xq-stage","title":"Xq Stage","due":"2021-07-13","type":"delivery","confirming":["wuxi"]`},
		{"approve-baseline", `"project":"xq-hush"`},
		{"reforecast-milestone", `"project":"xq-hush","milestone":"xq-stage","forecast":"2021-08-17","reason":"other","note":"Xq Reason"`},
		{"report-progress", `"project":"xq-hush","milestone":"xq-stage","percent":40,"evidence":["` + file + `"]`},
		{"pass-gate", `"project":"xq-hush","gate":"xq-gate","title":"Xq Gate"`},
		{"disburse-funds", `"fund":"iot-fund","disbursement":"xq-give","commitment":"c-1","project":"xq-hush","value":{"amount":"7.31","currency":"CNY"}`},
		{"record-expenditure", `"fund":"iot-fund","expenditure":"xq-pay","disbursement":"xq-give","title":"Xq Pay","value":{"amount":"7.31","currency":"CNY"}`},
		{"define-indicator", `"indicator":"xq-count","title":"Xq Count","level":"outcome","measure":"unit","unit":"jobs","baseline":"20","beneficiary":"wuxi","reporter":"cethik","summable":true,"project":"xq-hush"`},
		{"set-target", `"indicator":"xq-count","period":"2018","value":"765432177"`},
		{"report-actual", `"indicator":"xq-count","period":"2018","party":"cethik","value":"313373133"`},
		{"propose-amendment", `"amendment":"xq-widen","title":"Xq Widen","rationale":"Xq Reason","party":"cethik","document":"` + hash("b") + `","reason":"scope-change","changes":[{"command":"cancel-milestone","project":"xq-hush","milestone":"xq-stage"}]`},
		{"record-decision", `"meeting":"spring","decision":"xq-ruling","title":"Xq Ruling","affects":["project/xq-hush"]`},
	} {
		seqs = append(seqs, r.done(c[0], `{"agreement":"wuxi-2017",`+c[1]+`}`).Seq)
	}
	require.NoError(r.t, r.models.Wait(r.t.Context(), seqs[len(seqs)-1]))
	return seqs, []string{file}
}

// crawl asks every address that has a GET, with the keys in each of sets, in every
// form, as of now and of each point, and calls f with each answer. It returns how
// many it asked.
func (r *rig) crawl(doc object, sets []map[string]string, seqs []uint64, files []string, f func(address string, answer reply)) (asked int) {
	r.t.Helper()
	last := r.last()
	points := []string{"", fmt.Sprintf("seq:%d", last), fmt.Sprintf("seq:%d", seqs[len(seqs)/2]), "2019-03-02"}
	ask := func(address string, query url.Values) {
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		asked++
		f(address, r.get(address))
	}
	for path, item := range at(r.t, doc, "paths") {
		op, ok := item.(object)["get"].(object)
		if !ok || path == "/metrics" {
			continue
		}
		parameters := parametersOf(op)
		for _, keys := range sets {
			var addresses []string
			switch address := path; {
			case strings.Contains(path, "{seq}"):
				for _, seq := range seqs {
					addresses = append(addresses, strings.ReplaceAll(path, "{seq}", fmt.Sprint(seq)))
				}
			case strings.Contains(path, "{sha256}"):
				for _, file := range files {
					addresses = append(addresses, strings.ReplaceAll(path, "{sha256}", file))
				}
			default:
				for name, key := range keys {
					address = strings.ReplaceAll(address, "{"+name+"}", key)
				}
				addresses = append(addresses, address)
			}
			base := url.Values{}
			for name, required := range parameters {
				if required && !strings.Contains(path, "{"+name+"}") {
					base.Set(name, keys[name])
				}
			}
			for _, address := range addresses {
				ask(address, base)
				with := func(name string, values ...string) {
					if _, ok := parameters[name]; !ok || strings.Contains(path, "{"+name+"}") {
						return
					}
					for _, value := range values {
						query := url.Values{name: {value}}
						for k, v := range base {
							if k != name {
								query[k] = v
							}
						}
						ask(address, query)
					}
				}
				with("as_of", points[1:]...)
				with("format", "csv", "xlsx")
				with("effective_at", "2019-03-01", "2031-01-01")
				with("by", "party", "project", "area", "beneficiary", "period")
				with("mode", "net")
				with("to", points[1:]...)
				with("from", points[2])
				with("since_meeting", keys["meeting"])
				with("until_meeting", keys["meeting"])
				with("within", "36500")
				with("until", "2031-12-31")
				with("evidence", "true")
				with("limit", "1")
				with("lang", "zh")
				with("tree", "agreement")
				for _, name := range []string{"agreement", "project", "milestone", "party", "actor", "kind", "key", "type", "entity", "meeting"} {
					if keys[name] != "" {
						with(name, keys[name])
					}
				}
				if path == "/v1/changes" {
					for _, extra := range []url.Values{
						{"agreement": {"wuxi-2017"}, "axis": {"effective"}}, {"agreement": {"wuxi-2017"}, "entity": {"project/" + keys["project"]}},
						{"agreement": {"wuxi-2017"}, "project": {keys["project"]}, "milestone": {keys["milestone"]}},
						{"agreement": {"wuxi-2017"}, "mode": {"net"}, "format": {"csv"}},
					} {
						ask(address, extra)
					}
				}
			}
		}
	}
	return asked
}

// A restricted project does not show in any byte of any answer to who is not
// cleared for it, now or in the past, and does to who is. Nor does an agreement to
// who has no role in it.
func TestWhatIsRestrictedShowsNowhere(t *testing.T) {
	domaintest.Exhausting(t)
	// given a project that is restricted, with all that can be about one, and
	// those who may see it and may not
	r := start(t)
	r.cooperated()
	seqs, files := r.withSecret()
	r.done("draft-agreement", `{"agreement":"elsewhere","kind":"framework","title":"Elsewhere","parties":["wuxi","cethik"]}`)
	viewer := r.principal("viewer", `"role":"viewer","agreement":"wuxi-2017"`)
	whole := r.principal("whole", `"role":"coordinator"`)
	cleared := r.principal("cleared", `"role":"viewer","agreement":"wuxi-2017","cleared":["project/xq-hush"]`)
	outside := r.principal("outside", `"role":"coordinator","agreement":"elsewhere"`)
	last := r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`).Seq
	require.NoError(t, r.models.Wait(t.Context(), last))
	seqs = append(seqs, last)
	doc := document(t, r)
	open := map[string]string{"kind": "project", "key": "xq-hush", "entity": "project/xq-hush", "actor": "xq-person", "type": "milepost.project.proposed.v1"}
	shut := map[string]string{
		"agreement": "wuxi-2017", "project": "xq-hush", "milestone": "xq-stage", "amendment": "xq-widen", "indicator": "xq-count", "fund": "iot-fund",
		"meeting": "spring", "obligation": "land", "party": "wuxi", "principal": "viewer", "webhook": "none", "forecast": "2031-12-31", "from": "1",
	}
	for name, key := range open {
		shut[name] = key
	}
	usual := map[string]string{"from": "1", "kind": "project", "actor": "administrator"}
	for name, key := range keysOf {
		usual[name] = key
	}
	sets := []map[string]string{usual, shut}

	for name, token := range map[string]string{"a viewer of the agreement": viewer, "a coordinator of the whole ledger": whole} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t).as(token)
			asked := r.crawl(doc, sets, seqs, files, func(address string, answer reply) {
				assert.Empty(t, secret.unasked(t, address, answer), "%s: %d", address, answer.status)
				assert.Less(t, answer.status, 500, "%s: %s", address, answer.body)
			})
			assert.Greater(t, asked, 400)
			for _, seq := range seqs {
				r.get(fmt.Sprintf("/v1/events/%d", seq)).problem(http.StatusNotFound, domain.CodeNotFound)
				r.get(fmt.Sprintf("/v1/events/%d/proof", seq)).problem(http.StatusNotFound, domain.CodeNotFound)
			}
			r.get("/v1/evidence/"+files[0]).problem(http.StatusNotFound, domain.CodeNotFound)
			r.get("/v1/agreements/wuxi-2017/bundle").problem(http.StatusForbidden, CodeForbidden)

			// and a withheld project answers as one that is not there
			there := r.get("/v1/agreements/wuxi-2017/projects/xq-hush").problem(http.StatusNotFound, domain.CodeNotFound)
			none := r.get("/v1/agreements/wuxi-2017/projects/none").problem(http.StatusNotFound, domain.CodeNotFound)
			assert.Equal(t, strings.ReplaceAll(none.Detail, "none", "xq-hush"), there.Detail)
			assert.Equal(t, none.Field, there.Field)
		})
	}
	t.Run("who has no role in the agreement", func(t *testing.T) {
		r := r.on(t).as(outside)
		marks := append(hidden{"Framework", "1500000.5", "IoT fund", "Li Wei", "go-on", "a1a1a1a1"}, secret...)
		r.crawl(doc, sets, seqs, files, func(address string, answer reply) {
			assert.Empty(t, marks.unasked(t, address, answer), "%s: %d", address, answer.status)
		})
		r.get("/v1/agreements/wuxi-2017").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/agreements/elsewhere").is(http.StatusOK)
	})
	for name, token := range map[string]string{"who is cleared": cleared, "the administrator": r.token} {
		t.Run("and it does to "+name, func(t *testing.T) {
			r := r.on(t).as(token)
			shown := map[string]bool{}
			r.crawl(doc, sets, seqs[:2], files, func(_ string, answer reply) {
				for _, mark := range secret.in(t, answer) {
					shown[mark] = true
				}
			})
			for _, mark := range secret {
				assert.True(t, shown[mark], "%s is in no answer, so that it is in none for others shows nothing", mark)
			}
		})
	}
}

// What cannot be seen cannot be written to, nor learnt from what rules say.
func TestCommandsDoNotTellWhatIsRestricted(t *testing.T) {
	r := start(t)
	r.cooperated()
	r.withSecret()
	token := r.principal("clerk", `"role":"coordinator","agreement":"wuxi-2017"`)
	r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"after","title":"After","due":"2020-06-30","confirming":["wuxi"]}`)
	r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`)
	clerk := r.as(token)
	ask := func(name, fields string) reply { return clerk.do(name, `{"agreement":"wuxi-2017",`+fields+`}`) }
	for _, c := range [][2]string{
		{"approve-project", `"project":"%s"`},
		{"cancel-project", `"project":"%s","reason":"no"`},
		{"schedule-milestone", `"project":"%s","milestone":"m","title":"M","due":"2020-01-01","confirming":["wuxi"]`},
		{"report-progress", `"project":"%s","milestone":"xq-stage","percent":1`},
		{"disburse-funds", `"fund":"iot-fund","commitment":"c-1","project":"%s","value":{"amount":"1","currency":"CNY"}`},
		{"define-indicator", `"indicator":"i","title":"I","level":"outcome","measure":"unit","unit":"jobs","baseline":"20","beneficiary":"wuxi","reporter":"cethik","project":"%s"`},
	} {
		hush := ask(c[0], fmt.Sprintf(c[1], "xq-hush")).problem(http.StatusNotFound, domain.CodeNotFound)
		none := ask(c[0], fmt.Sprintf(c[1], "none")).problem(http.StatusNotFound, domain.CodeNotFound)
		assert.Equal(t, none.Detail, strings.ReplaceAll(hush.Detail, "xq-hush", "none"), c[0])
		assert.Equal(t, none.Field, hush.Field, c[0])
	}
	// 100 less the 60 that it sees and 7.31 that it does not is what is left, of which it is not told
	answer := reply{}
	for _, c := range [][2]string{
		{"reduce-commitment", `"fund":"iot-fund","commitment":"c-1","value":{"amount":"90","currency":"CNY"},"reason":"less"`},
		{"disburse-funds", `"fund":"iot-fund","commitment":"c-1","disbursement":"d-9","project":"iot-base","value":{"amount":"39","currency":"CNY"}`},
	} {
		answer = ask(c[0], c[1])
		answer.problem(http.StatusUnprocessableEntity, domain.CodeAmountExceeded)
		assert.Empty(t, append(hidden{"32.69", "67.31"}, secret...).in(t, answer), "%s", answer.body)
		told := r.do(c[0], `{"agreement":"wuxi-2017",`+c[1]+`}`).problem(http.StatusUnprocessableEntity, domain.CodeAmountExceeded)
		assert.Contains(t, told.Detail, "32.69", "who sees all is told")
	}
	// and of what only the log counts it is
	clerk.do("reduce-commitment", `{"agreement":"wuxi-2017","fund":"iot-fund","commitment":"c-1","value":{"amount":"1","currency":"CNY"},"reason":"less","expected_version":1}`).
		problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
	assert.Contains(t, ask("report-progress", `"project":"iot-base","milestone":"design","percent":1,"expected_version":1`).problem(http.StatusPreconditionFailed, domain.CodeStaleVersion).Detail, "version")
	// and of a fund that it sees all of, it is
	for _, c := range [][2]string{
		{"propose-fund", `"fund":"open-fund","title":"Open fund"`},
		{"establish-fund", `"fund":"open-fund","currency":"CNY","manager":"cethik"`},
		{"record-pledge", `"fund":"open-fund","pledge":"p-1","party":"wuxi","value":{"amount":"150","currency":"CNY"}`},
		{"commit-funds", `"fund":"open-fund","commitment":"c-1","pledge":"p-1","party":"wuxi","value":{"amount":"100","currency":"CNY"}`},
	} {
		r.done(c[0], `{"agreement":"wuxi-2017",`+c[1]+`}`)
	}
	answer = ask("disburse-funds", `"fund":"open-fund","commitment":"c-1","disbursement":"d-1","project":"iot-base","value":{"amount":"200","currency":"CNY"}`)
	assert.Contains(t, answer.problem(http.StatusUnprocessableEntity, domain.CodeAmountExceeded).Detail, "100 CNY left")
	before := r.last()
	answer = ask("propose-project", `"project":"xq-hush","title":"T","kind":"incubation","areas":["iot"]`)
	assert.GreaterOrEqual(t, answer.status, 400)
	assert.Equal(t, before, r.last())
}

// Clearance counts from the next request on, and so does what it was given
// for, also where the past is looked at.
func TestRightsAreTodays(t *testing.T) {
	r := start(t)
	r.cooperated()
	seqs, _ := r.withSecret()
	token := r.principal("ann", `"role":"viewer","agreement":"wuxi-2017","grant":"reads"`)
	ann := r.as(token)
	early := fmt.Sprintf("/v1/agreements/wuxi-2017/projects/xq-hush?as_of=seq:%d", seqs[3])
	sees := func(status int) {
		t.Helper()
		ann.get("/v1/agreements/wuxi-2017/projects/xq-hush").is(status)
		ann.get(early).is(status)
		ann.get(fmt.Sprintf("/v1/events/%d", seqs[0])).is(status)
	}
	sees(http.StatusOK)
	r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`)
	sees(http.StatusNotFound)
	r.done("grant-access", `{"principal":"ann","grant":"clears","role":"viewer","agreement":"wuxi-2017","cleared":["project/xq-hush"]}`)
	sees(http.StatusOK)
	r.done("revoke-access", `{"principal":"ann","grant":"clears"}`)
	sees(http.StatusNotFound)
	r.done("lift-restriction", `{"agreement":"wuxi-2017","project":"xq-hush"}`)
	sees(http.StatusOK)
	r.done("restrict-access", `{"agreement":"wuxi-2017","area":"iot"}`)
	sees(http.StatusNotFound)
	ann.get("/v1/agreements/wuxi-2017/projects/iot-base").is(http.StatusNotFound)
	r.done("revoke-access", `{"principal":"ann","grant":"reads"}`)
	ann.get("/v1/agreements").problem(http.StatusForbidden, CodeForbidden)
	r.done("revoke-token", `{"principal":"ann","token":"t-ann"}`)
	ann.get("/v1/agreements").problem(http.StatusUnauthorized, CodeUnauthenticated)
}

// accessLines are the lines of the access log.
func (r *rig) accessLines() (lines []string) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.reads, "*.jsonl"))
	require.NoError(r.t, err)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(r.t, err)
		assert.Equal(r.t, os.FileMode(0o600), info.Mode().Perm())
		assert.Equal(r.t, "2019-03-01.jsonl", filepath.Base(file))
		raw, err := os.ReadFile(file)
		require.NoError(r.t, err)
		lines = append(lines, strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")...)
	}
	return lines
}

func TestReadsOfWhatIsRestrictedAreNoted(t *testing.T) {
	// given something restricted, somebody who is cleared for it and somebody who is not
	r := start(t)
	r.cooperated()
	r.withSecret()
	cleared := r.as(r.principal("cleared", `"role":"viewer","agreement":"wuxi-2017","cleared":["project/xq-hush"]`))
	viewer := r.as(r.principal("viewer", `"role":"viewer","agreement":"wuxi-2017"`))
	r.get("/v1/agreements/wuxi-2017").is(http.StatusOK)
	cleared.get("/v1/changes").is(http.StatusOK)
	assert.Empty(t, r.accessLines(), "nothing is restricted")
	r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`)

	// when they read what it is in, and what it is not in
	viewer.get("/v1/agreements/wuxi-2017/projects").is(http.StatusOK)
	cleared.get("/v1/agreements/wuxi-2017/projects/iot-base").is(http.StatusOK)
	cleared.get("/v1/keys").is(http.StatusOK)
	cleared.get("/openapi.json").is(http.StatusOK)
	cleared.get("/v1/parties").is(http.StatusOK)
	cleared.get("/v1/parties/wuxi").is(http.StatusOK)
	r.get("/v1/subscribers").is(http.StatusOK)
	r.get("/v1/webhooks").is(http.StatusOK)
	assert.Empty(t, r.accessLines())
	asked := cleared.get("/v1/agreements/wuxi-2017/projects/xq-hush?lang=xq").header.Get("X-Request-Id")
	cleared.get("/v1/changes?agreement=wuxi-2017&project=xq-hush").is(http.StatusOK)
	r.get("/v1/events").is(http.StatusOK)

	// then each read by who is cleared has a line
	lines := r.accessLines()
	require.Len(t, lines, 3)
	at, _, _ := strings.Cut(strings.TrimPrefix(lines[0], `{"time":"`), `"`)
	_, err := time.Parse(time.RFC3339Nano, at)
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf(`{"time":%q,"request":%q,"principal":"cleared","method":"GET","route":"GET /v1/agreements/{agreement}/projects/{project}",
		"path":"/v1/agreements/wuxi-2017/projects/xq-hush","restricted":["wuxi-2017/project/xq-hush"]}`, at, asked), lines[0])
	assert.Contains(t, lines[1], `"route":"GET /v1/changes"`)
	assert.Contains(t, lines[2], `"principal":"administrator"`)

	// and so has a stream that began before the restriction
	s := r.stream("?agreement=wuxi-2017&kind=project")
	begun := len(r.accessLines())
	r.done("restrict-access", `{"agreement":"wuxi-2017","project":"iot-base"}`)
	for _, percent := range []string{"5", "6"} {
		r.done("report-progress", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","percent":`+percent+`}`)
		for m := s.next(); !strings.Contains(m.data, `"percent":`+percent); m = s.next() {
			assert.Empty(t, m.data, "nothing else comes")
		}
	}
	lines = r.accessLines()
	require.Len(t, lines, begun+1)
	assert.Contains(t, lines[begun], `"route":"GET /v1/events","path":"/v1/events","restricted":["wuxi-2017/project/iot-base"]`)

	// and what cannot be noted is not answered, but for those who do not see it
	require.NoError(t, r.server.cfg.AccessLog.Close())
	require.NoError(t, os.RemoveAll(r.reads))
	require.NoError(t, os.WriteFile(r.reads, nil, 0o600))
	cleared.get("/v1/agreements/wuxi-2017/projects").problem(http.StatusServiceUnavailable, CodeUnavailable)
	viewer.get("/v1/agreements/wuxi-2017/projects").is(http.StatusOK)
}
