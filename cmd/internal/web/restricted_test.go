package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// marks are keys, titles, names and figures of what is withheld, that stand nowhere
// else.
var marksOfSecret = []string{
	"xq-hush", "Xq Quiet", "xq安静", "xq-stage", "Xq Stage", "xq-gate", "Xq Gate", "xq-count", "Xq Count", "xq-give", "xq-pay", "Xq Pay",
	"765432177", "765,432,177", "7.31", "313373133", "xq-widen", "Xq Widen", "xq-ruling", "Xq Ruling", "xq-person", "Xq Reason",
	"2021-07-13", "13 Jul 2021", "2021-08-17", "17 Aug 2021", "xq-field", "Xq Field", "xq-plot", "Xq Plot", "67.31", "32.69",
}

// cooperation is a ledger with something of everything, and a project and an area that
// are restricted. It returns the sequences of events about those, and their evidence.
func (r *rig) cooperation() (secret []uint64, file string) {
	r.t.Helper()
	text := strings.Repeat("a1", 32)
	r.done("register-party", `{"party":"wuxi","title":{"en":"Wuxi","zh":"无锡"},"kind":"local-government"}`)
	r.done("register-party", `{"party":"cethik","title":"CETHIK","kind":"state-owned-enterprise"}`)
	all := func(commands [][2]string) (seqs []uint64) {
		for _, c := range commands {
			seqs = append(seqs, r.done(c[0], `{"agreement":"wuxi-2017",`+c[1]+`}`).Seq)
		}
		return seqs
	}
	all([][2]string{
		{"draft-agreement", `"kind":"framework","title":"Framework","parties":["wuxi","cethik"],"document":"` + text + `"`},
		{"open-consultation", `"reason":"ready"`},
		{"add-area", `"area":"iot","title":"Internet of Things"`},
		{"sign-agreement", `"party":"wuxi","signatory":"Mayor","date":"2017-02-28","document":"` + text + `"`},
		{"sign-agreement", `"party":"cethik","signatory":"Chair","date":"2017-02-28","document":"` + text + `"`},
		{"propose-project", `"project":"iot-base","title":"IoT base","kind":"industry-base","areas":["iot"]`},
		{"approve-project", `"project":"iot-base"`},
		{"start-project", `"project":"iot-base"`},
		{"schedule-milestone", `"project":"iot-base","milestone":"design","title":"Design","due":"2019-06-30","type":"delivery","confirming":["wuxi"]`},
		{"approve-baseline", `"project":"iot-base"`},
		{"establish-mechanism", `"mechanism":"coordination","kind":"coordination","title":"Coordination","members":["wuxi","cethik"],"cadence":"quarterly"`},
		{"schedule-meeting", `"meeting":"spring","mechanism":"coordination","title":"Spring","on":"2019-02-20"`},
		{"hold-meeting", `"meeting":"spring","on":"2019-02-20","attendees":[{"party":"wuxi","name":"Li Wei"}],"minutes":"` + text + `"`},
		{"record-decision", `"meeting":"spring","decision":"go-on","title":"Go on"`},
		{"assign-action", `"meeting":"spring","action":"visit","title":"Visit","owner":"cethik","due":"2019-02-28"`},
		{"add-obligation", `"obligation":"land","title":"Land","debtor":"wuxi","beneficiary":"cethik","due":"2019-06-30","value":{"amount":"1500000.5","currency":"CNY"}`},
		{"propose-amendment", `"amendment":"longer","title":"Longer","rationale":"More time","party":"cethik","document":"` + strings.Repeat("b2", 32) + `","reason":"scope-change","changes":[{"command":"add-area","area":"chips","title":"Chips"}]`},
		{"propose-fund", `"fund":"iot-fund","title":"IoT fund"`},
		{"establish-fund", `"fund":"iot-fund","currency":"CNY","manager":"cethik"`},
		{"record-pledge", `"fund":"iot-fund","pledge":"p-1","party":"wuxi","value":{"amount":"150","currency":"CNY"}`},
		{"commit-funds", `"fund":"iot-fund","commitment":"c-1","pledge":"p-1","party":"wuxi","value":{"amount":"100","currency":"CNY"}`},
		{"disburse-funds", `"fund":"iot-fund","disbursement":"d-1","commitment":"c-1","project":"iot-base","value":{"amount":"60","currency":"CNY"}`},
		{"record-expenditure", `"fund":"iot-fund","expenditure":"e-1","disbursement":"d-1","title":"Works","value":{"amount":"12.5","currency":"CNY"}`},
		{"define-indicator", `"indicator":"jobs","title":"Jobs","level":"outcome","measure":"unit","unit":"jobs","baseline":"20","beneficiary":"wuxi","reporter":"cethik","summable":true`},
		{"set-target", `"indicator":"jobs","period":"2018","value":"120"`},
		{"report-actual", `"indicator":"jobs","period":"2018","party":"cethik","value":"45"`},
	})
	evidence, err := r.store.PutEvidence(r.t.Context(), strings.NewReader("Xq Evidence of what nobody shall know"), "")
	require.NoError(r.t, err)
	secret = all([][2]string{
		{"propose-project", `"project":"xq-hush","title":{"en":"Xq Quiet","zh":"xq安静"},"kind":"incubation","areas":["iot"],"lead":"wuxi","actor":"xq-person"`},
		{"approve-project", `"project":"xq-hush"`},
		{"start-project", `"project":"xq-hush"`},
		{"schedule-milestone", `"project":"xq-hush","milestone":"xq-stage","title":"Xq Stage","due":"2021-07-13","type":"delivery","confirming":["wuxi"]`},
		{"approve-baseline", `"project":"xq-hush"`},
		{"reforecast-milestone", `"project":"xq-hush","milestone":"xq-stage","forecast":"2021-08-17","reason":"other","note":"Xq Reason"`},
		{"report-progress", `"project":"xq-hush","milestone":"xq-stage","percent":40,"evidence":["` + string(evidence.Hash) + `"]`},
		{"pass-gate", `"project":"xq-hush","gate":"xq-gate","title":"Xq Gate"`},
		{"disburse-funds", `"fund":"iot-fund","disbursement":"xq-give","commitment":"c-1","project":"xq-hush","value":{"amount":"7.31","currency":"CNY"}`},
		{"record-expenditure", `"fund":"iot-fund","expenditure":"xq-pay","disbursement":"xq-give","title":"Xq Pay","value":{"amount":"7.31","currency":"CNY"}`},
		{"define-indicator", `"indicator":"xq-count","title":"Xq Count","level":"outcome","measure":"unit","unit":"jobs","baseline":"20","beneficiary":"wuxi","reporter":"cethik","summable":true,"project":"xq-hush"`},
		{"set-target", `"indicator":"xq-count","period":"2018","value":"765432177"`},
		{"report-actual", `"indicator":"xq-count","period":"2018","party":"cethik","value":"313373133"`},
		{"propose-amendment", `"amendment":"xq-widen","title":"Xq Widen","rationale":"Xq Reason","party":"cethik","document":"` + strings.Repeat("c3", 32) + `","reason":"scope-change","changes":[{"command":"cancel-milestone","project":"xq-hush","milestone":"xq-stage"}]`},
		{"record-decision", `"meeting":"spring","decision":"xq-ruling","title":"Xq Ruling","affects":["project/xq-hush"]`},
		{"add-area", `"area":"xq-field","title":"Xq Field"`},
		{"propose-project", `"project":"xq-plot","title":"Xq Plot","kind":"incubation","areas":["xq-field"]`},
	})
	r.done("draft-agreement", `{"agreement":"elsewhere","kind":"framework","title":"Elsewhere","parties":["wuxi","cethik"]}`)
	secret = append(secret,
		r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`).Seq,
		r.done("restrict-access", `{"agreement":"wuxi-2017","area":"xq-field"}`).Seq)
	require.NoError(r.t, r.directory.Wait(r.t.Context(), secret[len(secret)-1]))
	return secret, string(evidence.Hash)
}

// bytes is all that came: the header, too.
func (s screen) bytes() string {
	var b bytes.Buffer
	require.NoError(s.t, s.header.Write(&b))
	return b.String() + s.body
}

// aside is what two pages differ in that say the same of two things.
var aside = regexp.MustCompile("xq-[a-z]+|[0-9a-f]{8}-[0-9a-f-]{27}")

var aNumber = regexp.MustCompile(`[0-9]+$`)

var aQuery = regexp.MustCompile(`\?.*`)

// crawl asks for a page and for all to which it leads, by links and by what its forms
// can be made to ask, until there are no more; of each page that it is led to, the first
// few. f is called with each answer.
func (r *rig) crawl(few int, begin []string, f func(path string, s screen)) (asked int) {
	r.t.Helper()
	seen, queries := map[string]bool{}, map[string]int{}
	todo := slices.Clone(begin)
	for i := 0; i < len(todo); i++ {
		path := todo[i]
		bare := aQuery.ReplaceAllString(path, "")
		kind := aNumber.ReplaceAllString(bare, "N")
		if seen[path] || i >= len(begin) && queries[kind] >= few {
			continue
		}
		seen[path] = true
		queries[kind]++
		s := r.send(http.MethodGet, path, nil)
		asked++
		f(path, s)
		if to := s.header.Get("Location"); strings.HasPrefix(to, "/") {
			todo = append(todo, to)
		}
		if s.status == http.StatusOK {
			todo = append(todo, s.leads(bare)...)
		}
	}
	return asked
}

// leads are the addresses of pages to which a page leads.
func (s screen) leads(bare string) (paths []string) {
	root, err := html.Parse(strings.NewReader(s.body))
	require.NoError(s.t, err)
	for n := range root.Descendants() {
		a := attributes(n)
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "a" && strings.HasPrefix(a["href"], "/"):
			path, _, _ := strings.Cut(a["href"], "#")
			if !strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/sign") && path != "/account" {
				paths = append(paths, path)
			}
		case n.Data == "a" && strings.HasPrefix(a["href"], "?"):
			paths = append(paths, bare+a["href"])
		case n.Data == "option" && a["value"] != "":
			for p := n.Parent; p != nil; p = p.Parent {
				if p.Data == "select" {
					paths = append(paths, bare+"?"+url.Values{attributes(p)["name"]: {a["value"]}}.Encode())
				}
			}
		}
	}
	return paths
}

// What is restricted shows in no byte of any page to who is not cleared for it, and
// does to who is.
func TestWhatIsRestrictedIsOnNoPage(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	secret, file := r.cooperation()
	shown := map[string]bool{}
	all := []string{"/", "/do", "/awaiting?party=wuxi", "/audit", "/changes?from=seq:0&agreement=wuxi-2017"}
	for _, seq := range secret {
		all = append(all, fmt.Sprintf("/audit/events/%d", seq))
	}
	r.crawl(2, append(all, "/agreements/wuxi-2017/amendments/xq-widen", "/agreements/wuxi-2017/projects/xq-hush/milestones/xq-stage"), func(path string, s screen) {
		for _, mark := range marksOfSecret {
			if strings.Contains(s.bytes(), mark) {
				shown[mark] = true
			}
		}
	})
	for _, mark := range marksOfSecret {
		if !slices.Contains([]string{"7.31", "67.31", "32.69", "2021-07-13", "2021-08-17", "765,432,177"}, mark) {
			assert.True(t, shown[mark], "%s is on no page, so that it is on none for others shows nothing", mark)
		}
	}

	for name, asker := range map[string]*rig{
		"coordinator": r.principal("cora", `"role":"coordinator"`), // who is offered most
		"elsewhere":   r.principal("elsa", `"role":"viewer","agreement":"elsewhere"`),
	} {
		t.Run(name, func(t *testing.T) {
			begin := slices.Clone(all)
			add := func(path string, parameters ...string) {
				begin = append(begin, path)
				for i := 0; i+1 < len(parameters); i += 2 {
					begin = append(begin, path+"?"+url.Values{parameters[i]: {parameters[i+1]}}.Encode())
				}
			}
			for _, path := range []string{
				"/", "/awaiting", "/changes", "/audit", "/do", "/parties/wuxi", "/agreements/wuxi-2017", "/agreements/wuxi-2017/projects",
				"/agreements/wuxi-2017/results", "/agreements/wuxi-2017/funds", "/agreements/wuxi-2017/funds/iot-fund", "/agreements/wuxi-2017/meetings",
				"/agreements/wuxi-2017/meetings/spring", "/agreements/wuxi-2017/projects/iot-base",
			} {
				add(path, "since", "seq:1", "as_of", fmt.Sprintf("seq:%d", secret[10]), "effective_at", "2031-01-01", "done", fmt.Sprint(secret[0]),
					"by", "project", "by", "area", "project", "xq-hush", "area", "xq-field", "entity", "project/xq-hush", "actor", "xq-person", "key", "xq-hush")
			}
			for _, c := range catalogue.Commands() {
				begin = append(begin, "/do/"+c.Name, "/do/"+c.Name+"?"+url.Values{
					"agreement": {"wuxi-2017"}, "fund": {"iot-fund"}, "meeting": {"spring"}, "project": {"iot-base"},
				}.Encode())
			}
			hidden := []string{
				"/agreements/wuxi-2017/projects/xq-hush", "/agreements/wuxi-2017/projects/xq-hush/milestones/xq-stage", "/agreements/wuxi-2017/results/xq-count",
				"/agreements/wuxi-2017/amendments/xq-widen", "/agreements/wuxi-2017/projects/xq-plot",
				"/changes?agreement=wuxi-2017&project=xq-hush", "/changes?agreement=wuxi-2017&entity=project/xq-hush", "/audit?kind=project&key=xq-hush",
				"/agreements/wuxi-2017/projects?area=xq-field",
				"/do/report-progress?agreement=wuxi-2017&project=xq-hush&milestone=xq-stage", "/do/set-target?agreement=wuxi-2017&indicator=xq-count",
				"/do/change-scope?agreement=wuxi-2017&project=xq-hush", "/do/sign-amendment?agreement=wuxi-2017&amendment=xq-widen&party=wuxi",
				"/do/record-expenditure?agreement=wuxi-2017&fund=iot-fund&disbursement=xq-give",
			}
			asked := asker.crawl(2, append(begin, hidden...), func(path string, s screen) {
				require.Less(t, s.status, 500, "%s: %s", path, s.body)
				query, _ := url.QueryUnescape(path)
				for _, mark := range append(slices.Clone(marksOfSecret), file) {
					if !strings.Contains(query, mark) {
						assert.NotContains(t, s.bytes(), mark, path)
					}
				}
			})
			assert.Greater(t, asked, 200)
			for _, path := range hidden { // a page of what is withheld is that of what is not there
				shut := asker.send(http.MethodGet, path, nil)
				none := asker.send(http.MethodGet, regexp.MustCompile("xq-[a-z]+").ReplaceAllString(path, "none"), nil)
				assert.Equal(t, none.status, shut.status, path)
				assert.Equal(t, aside.ReplaceAllString(none.text(), "none"), aside.ReplaceAllString(shut.text(), "none"), path)
			}
		})
	}
}

// What a form would record is told from what its asker sees: a figure of before and
// after does not count what is withheld.
func TestAPlanTellsNoFigureOfWhatIsRestricted(t *testing.T) {
	r := start(t)
	r.cooperation()
	cora := r.principal("cora", `"role":"coordinator"`)
	for _, c := range []struct {
		path string
		fill []string
	}{
		{"disburse-funds?agreement=wuxi-2017&fund=iot-fund", []string{"commitment", "c-1", "project", "iot-base", "value.amount", "1", "value.currency", "CNY"}},
		{"reduce-commitment?agreement=wuxi-2017&fund=iot-fund", []string{"commitment", "c-1", "value.amount", "1", "value.currency", "CNY", "reason", "less"}},
		{"reduce-commitment?agreement=wuxi-2017&fund=iot-fund", []string{"commitment", "c-1", "value.amount", "39", "value.currency", "CNY", "reason", "less"}},
		{"record-expenditure?agreement=wuxi-2017&fund=iot-fund", []string{"disbursement", "d-1", "title.en", "Roof", "value.amount", "1", "value.currency", "CNY"}},
		{"close-fund?agreement=wuxi-2017&fund=iot-fund", nil},
		{"complete-agreement?agreement=wuxi-2017", nil},
		{"terminate-agreement?agreement=wuxi-2017", []string{"reason", "over"}},
		{"retire-area?agreement=wuxi-2017", []string{"area", "iot"}},
		{"lock-period?agreement=wuxi-2017&indicator=jobs&period=2018", nil},
	} {
		b := cora.open("/do/" + c.path).fill(c.fill...).press("check")
		for _, mark := range append(slices.Clone(marksOfSecret), "68.31", "8.31", "60.69", "19.81", "20.81") {
			assert.NotContains(t, b.bytes(), mark, c.path)
		}
	}
}

// noted are the lines of the access log.
func (r *rig) noted() (lines []string) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.reads, "*.jsonl"))
	require.NoError(r.t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(r.t, err)
		lines = append(lines, strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")...)
	}
	return lines
}

// Whatever a page can be made to show of what is restricted has a line in the access
// log that names it: a parameter that the page does not go by does not keep it out.
func TestPagesWithWhatIsRestrictedAreNoted(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	secret, _ := r.cooperation()
	cleared := r.principal("clea", `"role":"coordinator","agreement":"wuxi-2017","cleared":["project/xq-hush","area/xq-field"]`)
	for _, path := range []string{
		"/", "/?agreement=elsewhere", "/?project=iot-base", "/awaiting?party=wuxi", "/awaiting?party=wuxi&agreement=elsewhere", "/parties/wuxi?agreement=elsewhere",
		"/changes", "/changes?from=seq:0&project=iot-base", "/changes?from=seq:0&agreement=%20wuxi-2017", "/changes?from=seq:0&agreement=wuxi-2017&project=%20xq-hush",
		"/audit", "/audit?agreement=%20wuxi-2017", "/audit?project=iot-base",
		"/agreements/wuxi-2017", "/agreements/wuxi-2017?project=iot-base", "/agreements/wuxi-2017/projects?project=iot-base", "/agreements/wuxi-2017/funds?project=iot-base",
		"/agreements/wuxi-2017/results?by=project&project=iot-base", "/agreements/wuxi-2017/meetings/spring?project=iot-base",
		fmt.Sprintf("/agreements/wuxi-2017/projects/iot-base?as_of=seq:%d", secret[0]), fmt.Sprintf("/agreements/elsewhere/projects?done=%d", secret[0]),
		fmt.Sprintf("/agreements/wuxi-2017/projects/iot-base?done=%d", secret[0]),
		fmt.Sprintf("/audit/events/%d?agreement=elsewhere", secret[0]), fmt.Sprintf("/audit/events/%d?project=iot-base&agreement=wuxi-2017", secret[0]),
		"/agreements/wuxi-2017/projects/xq-hush", "/agreements/wuxi-2017/projects/xq-hush?project=iot-base",
		"/do/report-progress?agreement=wuxi-2017&project=iot-base", "/do/report-progress?agreement=+wuxi-2017", "/do/grant-access?agreement=elsewhere",
	} {
		before := len(r.noted())
		s := cleared.send(http.MethodGet, path, nil)
		lines := r.noted()[before:]
		if !slices.ContainsFunc(marksOfSecret, func(mark string) bool { return strings.Contains(s.bytes(), mark) }) {
			continue
		}
		if assert.Len(t, lines, 1, path) {
			assert.Contains(t, lines[0], `"wuxi-2017/project/xq-hush"`, path)
			assert.Contains(t, lines[0], `"principal":"clea"`)
		}
	}

	// A form has its agreement in its body.
	b := cleared.open("/do/report-progress?agreement=wuxi-2017")
	b.path = "/do/report-progress?agreement=elsewhere"
	before := len(r.noted())
	b.press("refresh").is(http.StatusOK)
	require.Contains(t, b.body, "Xq Quiet")
	require.Len(t, r.noted(), before+1)

	// What serves every page and what is of nobody's view has none.
	before = len(r.noted())
	cleared.send(http.MethodGet, "/agreements/elsewhere", nil).is(http.StatusNotFound)
	cleared.send(http.MethodPost, "/language", url.Values{"language": {"en"}})
	assert.Len(t, r.noted(), before)
}

func (s screen) is(status int) screen {
	s.t.Helper()
	require.Equal(s.t, status, s.status, s.body)
	return s
}
