package web

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	syntax "text/template/parse"

	"github.com/jba/templatecheck"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
)

func TestTemplatesFitWhatTheyAreGiven(t *testing.T) {
	for _, p := range append(pages(), problemPage) {
		t.Run(p.template, func(t *testing.T) {
			require.Contains(t, templates(), p.template)
			assert.NoError(t, templatecheck.CheckHTML(templates()[p.template].Lookup("base.html"), p.shows))
			for _, missing := range undefined(templates()[p.template]) {
				assert.Fail(t, "there is no template "+missing)
			}
		})
	}
}

// Nothing is defined that no page shows.
func TestEveryTemplateIsShown(t *testing.T) {
	shown := map[string]bool{"base.html": true}
	var all []string
	for _, page := range templates() {
		for _, one := range page.Templates() {
			all = append(all, one.Name())
			for name := range called(one) {
				shown[name] = true
			}
		}
	}
	for _, name := range all {
		assert.True(t, shown[name] || strings.HasSuffix(name, ".html"), "nothing shows the template %s", name)
	}
}

// undefined are the templates that those of a page show and that are not there, which
// html/template finds out when it comes to them.
func undefined(page *template.Template) (missing []string) {
	for _, one := range page.Templates() {
		for name := range called(one) {
			if page.Lookup(name) == nil {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// called are the templates that one shows.
func called(one *template.Template) map[string]bool {
	names := map[string]bool{}
	var visit func(n syntax.Node)
	branch := func(b syntax.BranchNode) {
		visit(b.List)
		if b.ElseList != nil {
			visit(b.ElseList)
		}
	}
	visit = func(n syntax.Node) {
		switch n := n.(type) {
		case *syntax.ListNode:
			for _, part := range n.Nodes {
				visit(part)
			}
		case *syntax.IfNode:
			branch(n.BranchNode)
		case *syntax.RangeNode:
			branch(n.BranchNode)
		case *syntax.WithNode:
			branch(n.BranchNode)
		case *syntax.TemplateNode:
			names[n.Name] = true
		}
	}
	if one.Tree != nil {
		visit(one.Tree.Root)
	}
	return names
}

// The head of a page asks the visit. What an answer has by the same name would be shown
// there instead.
func TestNoAnswerHidesWhatTheHeadShows(t *testing.T) {
	visit := reflect.TypeFor[*visit]()
	head, err := files.ReadFile("pages/base.html")
	require.NoError(t, err)
	parts, err := files.ReadFile("pages/parts.html")
	require.NoError(t, err)
	shown := regexp.MustCompile(`[ ({]\.[A-Z]\w*`).FindAllString(string(head)+string(parts), -1)
	for _, p := range append(pages(), problemPage) {
		for field := range reflect.TypeOf(p.shows).Fields() {
			_, method := visit.MethodByName(field.Name)
			_, own := visit.Elem().FieldByName(field.Name)
			if !field.Anonymous && (method || own) {
				assert.False(t, slices.ContainsFunc(shown, func(s string) bool { return s[2:] == field.Name }),
					"%s hides %s of the visit", p.template, field.Name)
			}
		}
	}
}

// Who may see a page is said in the table of rights, and nothing is in the table
// that is no page.
func TestEveryPageIsInTheTableOfRights(t *testing.T) {
	patterns := []string{"GET /assets/{file}", "POST /language"}
	for _, p := range pages() {
		patterns = append(patterns, p.pattern)
	}
	for _, pattern := range patterns {
		assert.True(t, access.IsPage(pattern), "%s is not in access/pages.go", pattern)
	}
	for _, pattern := range access.Pages() {
		assert.Contains(t, patterns, pattern, "access/pages.go has what is no page")
	}
}

func TestStrangersAreAskedToSignIn(t *testing.T) {
	// Given nobody is signed in.
	r := start(t)
	r.token = ""

	// When they ask for a page, then they are sent to sign in, and come back; what is
	// no page is not told from one.
	for path, want := range map[string]string{"/": "/sign-in?next=%2F", "/nowhere?x=1": "/sign-in?next=%2Fnowhere%3Fx%3D1"} {
		s := r.send(http.MethodGet, path, nil)
		assert.Equal(t, http.StatusSeeOther, s.status)
		assert.Equal(t, want, s.header.Get("Location"))
	}

	// And what every page loads is there for them, and for ever.
	for _, address := range []string{assets().style.address(), assets().script.address(), assets().icon.address()} {
		s := r.send(http.MethodGet, address, nil)
		assert.Equal(t, http.StatusOK, s.status)
		assert.Contains(t, s.header.Get("Cache-Control"), "immutable")
	}
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, "/assets/milepost-0.css", nil).status)
}

func TestProblemsAreToldToPeople(t *testing.T) {
	r := start(t)
	for path, status := range map[string]int{
		"/nowhere": http.StatusNotFound, "/?as_of=never": http.StatusBadRequest, "/?min_seq=x": http.StatusBadRequest, "/?as_of=seq:9": http.StatusUnprocessableEntity,
	} {
		s := r.send(http.MethodGet, path, nil)
		assert.Equal(t, status, s.status, path)
		assert.True(t, strings.HasPrefix(s.header.Get("Content-Type"), "text/html"), path)
		s.wellFormed()
	}
}

func TestProblemsAreToldInTheReadersLanguage(t *testing.T) {
	r := start(t)
	// A reader of Chinese has the sentence in Chinese, and the detail in English below it.
	s := r.in("zh").send(http.MethodGet, "/?as_of=never", nil)
	s.wellFormed()
	s.says("时间点无效", "所填时间点无法识别。")
	assert.Contains(t, s.body, `<p class="soft" lang="en">`)
	s.silentOn("未作任何登记")

	// A reader of English has the detail alone.
	s = r.send(http.MethodGet, "/?as_of=never", nil)
	s.says("Invalid point in time")
	s.silentOn(`<p class="soft" lang="en">`)

	// When a form cannot be read, then it is said that nothing came of it; of a question
	// that is not said, nor where nobody knows.
	s = r.send(http.MethodPost, "/language", url.Values{"language": {strings.Repeat("x", 20<<10)}})
	assert.Equal(t, http.StatusBadRequest, s.status)
	s.says("Nothing was recorded.")
	for _, code := range []string{api.CodeOutcomeUnknown, api.CodeBehind, api.CodeInternal} {
		v := &visit{Language: words.English, request: httptest.NewRequest(http.MethodPost, "/", nil)}
		assert.Empty(t, v.kept(&api.Problem{Code: code}))
	}
}

func TestAmountsAreShortWhereThatIsExact(t *testing.T) {
	v := &visit{Language: words.Chinese}
	assert.Equal(t, `<data value="10000000000" title="CNY 10,000,000,000">100亿元</data>`, string(v.Amount("10000000000", "CNY")))
	assert.Contains(t, string(v.Amount("", "CNY")), "–")
}

func TestLanguage(t *testing.T) {
	r := start(t)
	// Given a browser that asks for Chinese, then it is spoken to in Chinese.
	s := r.in("zh-CN,en;q=0.5").get("/")
	assert.Contains(t, s.body, `<html lang="zh-Hans">`)
	assert.Equal(t, "zh-Hans", s.header.Get("Content-Language"))

	// When English is chosen, then the browser keeps that and goes back to its page.
	s = r.send(http.MethodPost, "/language", map[string][]string{"language": {"en"}, "next": {"/?since=2026-01-01"}})
	assert.Equal(t, http.StatusSeeOther, s.status)
	assert.Equal(t, "/?since=2026-01-01", s.header.Get("Location"))
	assert.Contains(t, s.header.Get("Set-Cookie"), "milepost-language=en;")

	// And nobody is sent to another site.
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, ""} {
		s = r.send(http.MethodPost, "/language", map[string][]string{"language": {"en"}, "next": {next}})
		assert.Equal(t, "/", s.header.Get("Location"), next)
	}
}

func TestPagesHandOnThePointInTime(t *testing.T) {
	r := startDemo(t)
	s := r.get("/?as_of=seq:100&since=seq:10")
	s.says("This is not how things stand now.")
	assert.Contains(t, s.body, `href="/agreements/wuxi-cethik-2017?as_of=seq%3A100&amp;since=seq%3A10"`)
	assert.NotContains(t, s.body, "data-live", "the past does not move")
	assert.Contains(t, r.get("/").body, `data-live="/v1/events?after=`)
	assert.True(t, slices.Contains(strings.Split(s.header.Get("Content-Security-Policy"), "; "), "script-src 'self'"))
	assert.NotContains(t, s.header.Get("Content-Security-Policy"), "unsafe", "nothing that is inline")
}

// The switch of languages leads back to a page that can be asked for.
func TestAPageCanBeAskedForAgain(t *testing.T) {
	for _, c := range []struct{ method, pattern, address, want string }{
		{http.MethodGet, "GET /changes", "/changes?from=seq:1", "/changes?from=seq:1"},
		{http.MethodPost, "POST /do/{command}", "/do/add-area?agreement=a", "/do/add-area"},
		{http.MethodPost, "POST /audit/replay", "/audit/replay", "/"},
	} {
		r := httptest.NewRequest(c.method, c.address, nil)
		r.Pattern = c.pattern
		assert.Equal(t, c.want, pageAgain(r), c.pattern)
	}
}
