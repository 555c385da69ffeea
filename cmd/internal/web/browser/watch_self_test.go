package browser_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What the watch is there for is noticed: a test that uses pages cannot overlook it.
func TestTheBrowserComplains(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	const policy = "default-src 'none'; script-src 'self' 'nonce-x'; img-src 'self' data:; connect-src *"
	const script = `<script nonce="x">`
	pages := map[string]struct{ body, complaint string }{
		"an inline style":          {`<p style="color:red">x</p>`, "style-src"},
		"an inline script":         {`<script>1</script>`, "script-src"},
		"an inline handler":        {`<body onload="1">`, "script-src"},
		"another host":             {script + `fetch("http://example.org/").catch(() => {})</script>`, "asks another host: GET http://example.org/"},
		"an image that is missing": {`<img src="/missing" alt="">`, "404 Not Found: GET http"},
		"an exception":             {script + `throw new Error("broken")</script>`, "exception: Uncaught Error: broken"},
		"a promise that is broken": {script + `Promise.reject(new Error("broken"))</script>`, "exception: Uncaught (in promise) Error: broken"},
		"an error in the console":  {script + `console.error("look", 7)</script>`, `console: "look" 7`},
		"a dialog":                 {script + `alert("stop")</script>`, "dialog: stop"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Query().Get("is")]
		if !ok && r.URL.Path != "/good" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><html lang=en><title>x</title><link rel=icon href=data:,>" + page.body)) // a browser that is gone sees nothing
	}))
	t.Cleanup(server.Close)
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			u := visitor(t, server.URL)
			u.open("/good")
			assert.Empty(t, u.watch.unexpected())
			u.open("/?is=" + name)
			assert.NoError(t, u.wait(patience, func() error {
				if len(u.watch.unexpected()) == 0 {
					return assert.AnError
				}
				return nil
			}))
			assert.Contains(t, u.watch.unexpected()[0], page.complaint)
			u.expects("")
		})
	}
}

// What cannot be used is not found by the name that it has.
func TestWhatUsersFind(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang=en><title>x</title><link rel=icon href=data:,>
			<button hidden>Hidden</button>
			<div style="position:relative"><button>Covered</button><div style="position:absolute;inset:0;background:white"></div></div>
			<section aria-label="One"><p>first</p><button>Twice</button></section>
			<section aria-label="Two"><p>second</p><button onclick="this.textContent='Done'">Twice</button></section>
			<label>Day <input type=date></label><label>Text <input value=old></label>
			<label>Which <select><option>a</option><option>b</option></select></label>
			<p hidden>secret</p>`))
	}))
	t.Cleanup(server.Close)
	u := visitor(t, server.URL)
	u.open("/")
	for _, name := range []string{"Hidden", "Twice", "Nowhere"} {
		_, err := u.find(name, pressable)
		assert.Error(t, err, name)
	}
	covered, err := u.find("Covered", pressable)
	assert.NoError(t, err)
	assert.ErrorContains(t, u.press1(covered), "over it lies")

	u.in("Two").click("Twice")
	u.in("Two").sees("second", "Done")
	u.in("One").misses("second", "Done")
	u.misses("secret")

	u.fill("Day", "2026-11-28")
	u.fill("Text", "new")
	u.choose("Which", "b")
	assert.Equal(t, []string{"2026-11-28", "new", "b"}, []string{u.value("Day"), u.value("Text"), u.value("Which")})

	u.tabTo("Text")
	u.write("!")
	u.press("Shift+Tab")
	assert.Equal(t, 1, u.pdf("find"))
	assert.Error(t, u.wait(20*time.Millisecond, func() error { return assert.AnError }))
}

func TestAxeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	source, err := axe()
	skipOrFail(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-x'; img-src data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang=en><title>x</title><link rel=icon href=data:,>
			<style nonce=x>body { background: white; color: black } @media (prefers-color-scheme: dark) { body { background: #222; color: #333 } }</style>
			<main><h1>Some words</h1><input></main>`))
	}))
	t.Cleanup(server.Close)
	u := visitor(t, server.URL)
	u.open("/")
	var found []string
	for _, v := range u.violations(source) {
		found = append(found, v.Scheme+" "+v.Rule)
	}
	assert.Equal(t, []string{"light label", "dark color-contrast"}, found)
}
