package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/projections"
)

// tab is a browser with a form open.
type tab struct {
	*rig
	screen
	cookie string
	path   string
	fields url.Values
	files  map[string]string // content by the input's name
}

// open asks for a form as a browser does.
func (r *rig) open(path string) *tab {
	r.t.Helper()
	b := &tab{rig: r, path: path}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	require.NoError(r.t, err)
	b.load(req)
	require.Equal(r.t, http.StatusOK, b.status, "%s: %s", path, b.body)
	b.wellFormed()
	return b
}

func (b *tab) load(req *http.Request) {
	b.rig.t.Helper()
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", b.accept)
	req.Header.Set("Authorization", "Bearer "+b.token)
	if b.cookie != "" {
		req.Header.Set("Cookie", b.cookie)
	}
	b.screen = b.answer(req)
	if set := b.header.Get("Set-Cookie"); set != "" {
		b.cookie, _, _ = strings.Cut(set, ";")
	}
	b.fields, b.files = b.read(), map[string]string{}
}

// read is what the form of the page would send.
func (b *tab) read() url.Values {
	root, err := html.Parse(strings.NewReader(b.body))
	require.NoError(b.rig.t, err)
	fields := url.Values{}
	for n := range root.Descendants() {
		a := attributes(n)
		if inForm(n, "command") == nil || a["name"] == "" {
			continue
		}
		switch n.Data {
		case "input":
			_, checked := a["checked"]
			if a["type"] != "file" && (a["type"] != "checkbox" || checked) {
				fields.Add(a["name"], a["value"])
			}
		case "textarea":
			text := ""
			for c := range n.ChildNodes() {
				text += c.Data
			}
			fields.Add(a["name"], strings.TrimPrefix(text, "\n"))
		case "select":
			chosen := ""
			for o := range n.Descendants() {
				if _, selected := attributes(o)["selected"]; selected {
					chosen = attributes(o)["value"]
				}
			}
			fields.Add(a["name"], chosen)
		}
	}
	return fields
}

// inForm is the form of a class around a node.
func inForm(n *html.Node, class string) *html.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "form" && attributes(p)["class"] == class {
			return p
		}
	}
	return nil
}

func attributes(n *html.Node) map[string]string {
	of := map[string]string{}
	for _, a := range n.Attr {
		of[a.Key] = a.Val
	}
	return of
}

// fill types into the form, by pairs of names and values.
func (b *tab) fill(pairs ...string) *tab {
	for i := 0; i < len(pairs); i += 2 {
		b.fields[pairs[i]] = strings.Split(pairs[i+1], "|")
	}
	return b
}

// press presses a button, and waits for the page that comes.
func (b *tab) press(step string) *tab {
	b.rig.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	write := func(name, value string) { require.NoError(b.rig.t, w.WriteField(name, value)) }
	write(tokenField, b.fields.Get(tokenField)) // the first of the form
	for name, values := range b.fields {
		for _, value := range values {
			if name != tokenField {
				write(name, value)
			}
		}
	}
	for name, content := range b.files {
		part, err := w.CreateFormFile(name, "minutes.pdf")
		require.NoError(b.rig.t, err)
		_, err = part.Write([]byte(content))
		require.NoError(b.rig.t, err)
	}
	write(stepField, step)
	require.NoError(b.rig.t, w.Close())
	path, _, _ := strings.Cut(b.path, "?")
	req, err := http.NewRequestWithContext(b.rig.t.Context(), http.MethodPost, b.url+path, &body)
	require.NoError(b.rig.t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	b.load(req)
	return b
}

// copy is a second tab with the same form in it.
func (b *tab) copy() *tab {
	other := *b
	other.fields = url.Values{}
	for name, values := range b.fields {
		other.fields[name] = slices.Clone(values)
	}
	return &other
}

// is wants a status.
func (b *tab) is(status int) *tab {
	b.rig.t.Helper()
	require.Equal(b.rig.t, status, b.status, b.text())
	if status != http.StatusSeeOther {
		b.wellFormed()
	}
	return b
}

// recorded presses Check and Record, and returns the page that it leads to.
func (b *tab) recorded() screen {
	b.rig.t.Helper()
	b.press("check").is(http.StatusOK).says("This will be recorded")
	b.press("record").is(http.StatusSeeOther)
	to := b.header.Get("Location")
	require.Contains(b.rig.t, to, "min_seq=")
	return b.screen
}

// last is the sequence of the log's last event.
func (r *rig) last() uint64 {
	last, err := r.store.Last(r.t.Context())
	require.NoError(r.t, err)
	return last
}

// lastOf is the last event of a type, as it is stored.
func (r *rig) lastOf(event string) string {
	r.t.Helper()
	require.NoError(r.t, r.models.Wait(r.t.Context(), r.last()))
	items, _, err := r.models.Events(r.t.Context(), projections.EventQuery{Type: "milepost." + event + ".v1", Page: projections.Page{Limit: projections.MaxLimit}})
	require.NoError(r.t, err)
	require.NotEmpty(r.t, items)
	record, err := r.store.Get(r.t.Context(), items[len(items)-1].Seq)
	require.NoError(r.t, err)
	return string(record.Data)
}

const base = "agreement=wuxi-cethik-2017&project=iot-base"

// Each command of the catalogue has a form, in each language, and the form says what
// the declaration does.
func TestEveryCommandHasAForm(t *testing.T) {
	domaintest.Exhausting(t)
	r := startDemo(t)
	for _, c := range catalogue.Commands() {
		b := r.open("/do/" + c.Name + "?" + base)
		for _, f := range c.Fields {
			found := slices.ContainsFunc(slices.Collect(keys(b.fields)), func(name string) bool { return top(name) == f.Name })
			assert.True(t, found || strings.Contains(b.body, `name="`+f.Name), "%s has no input for %s", c.Name, f.Name)
			assert.NotContains(t, b.text(), "expected_version")
		}
		assert.Contains(t, b.text(), c.Doc)
		r.in("zh-CN").open("/do/" + c.Name)
	}
	list := r.get("/do")
	for _, c := range catalogue.Commands() {
		assert.Contains(t, list.body, `href="/do/`+c.Name+`?`)
	}
}

func keys(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range v {
			if !yield(name) {
				return
			}
		}
	}
}

// One command for each kind of input, from the form to the log.
func TestFormsRecord(t *testing.T) {
	r := startDemo(t)
	for _, c := range []struct {
		path  string
		files map[string]string
		fill  []string
	}{
		{path: "register-party?", fill: []string{"party", "port", "title.en", "Port", "title.zh", "港口", "kind", "private-sector"}},                                                                                                                                                      // languages, a choice
		{path: "change-party?party=port", fill: []string{"title.zh", "无锡港"}},                                                                                                                                                                                                            // what stays is not said
		{path: "add-area?agreement=wuxi-cethik-2022", fill: []string{"title.en", "Ports"}},                                                                                                                                                                                              // a key that the ledger draws
		{path: "propose-project?agreement=wuxi-cethik-2022", fill: []string{"project", "port", "title.en", "Port", "kind", "town", "areas", "iot"}},                                                                                                                                     // ticks
		{path: "set-tolerance?agreement=wuxi-cethik-2022&project=port", fill: []string{"amber", "0", "red", "9"}},                                                                                                                                                                       // numbers, 0 among them
		{path: "schedule-milestone?agreement=wuxi-cethik-2022&project=port", fill: []string{"milestone", "quay", "title.en", "Quay", "due", "2030-01-31", "confirming", "wuxi|cethik"}},                                                                                                 // a date
		{path: "reforecast-milestone?agreement=wuxi-cethik-2022&project=port&milestone=quay", fill: []string{"forecast", "2031-02-03", "reason", "supplier-delay"}},                                                                                                                     // a reason
		{path: "add-obligation?agreement=wuxi-cethik-2022", fill: []string{"title.en", "Land", "debtor", "wuxi", "beneficiary", "cethik", "due", "2030-01-31", "value.amount", "12.50", "value.currency", "CNY"}},                                                                       // money
		{path: "define-indicator?agreement=wuxi-cethik-2022", fill: []string{"indicator", "ships", "title.en", "Ships", "level", "output", "measure", "unit", "unit", "ships", "beneficiary", "wuxi", "reporter", "cethik", "ascending", "false", "baseline", "7", "summable", "true"}}, // yes and no
		{path: "record-prior-cooperation?agreement=wuxi-cethik-2022", fill: []string{"title.en", "Visit", "date", "199X"}, files: map[string]string{"_file.evidence": "a photograph"}},
		{path: "draft-agreement?", fill: []string{"agreement", "next", "kind", "framework", "title.en", "Next", "parties", "wuxi|cethik", "term.start", "2027-01-01"}, files: map[string]string{"_file.document": "the text"}}, // an object, a file
		{path: "register-webhook?", fill: []string{"webhook", "erp", "url", "https://erp.example/hook", "kinds", "project"}},
	} {
		before := r.last()
		b := r.open("/do/" + c.path).fill(c.fill...)
		for name, content := range c.files {
			b.files[name] = content
		}
		b.press("check").is(http.StatusOK).says("This will be recorded")
		b.press("record").is(http.StatusSeeOther)
		assert.Greater(t, r.last(), before, c.path)
		require.NoError(t, r.models.Wait(t.Context(), r.last()))
	}

	// Then what is in the log is what was filled in, and nothing that was not.
	party := r.lastOf("party.changed")
	assert.Contains(t, party, `"zh":"无锡港"`)
	assert.NotContains(t, party, `"kind"`)
	assert.Contains(t, r.lastOf("project.tolerance-set"), `"amber":0`)
	assert.Contains(t, r.lastOf("indicator.defined"), `"ascending":false`)
	assert.Contains(t, r.lastOf("agreement.obligation-added"), `"amount":"12.5"`)
	assert.Contains(t, r.lastOf("agreement.prior-cooperation-recorded"), `"evidence":"`)
	assert.Contains(t, r.lastOf("agreement.drafted"), `"start":"2027-01-01"`)
}
