package browser_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tests of what the tests are made with: that it sees what is wrong.

// site serves pages, of which each is what comes after its head.
func site(t *testing.T, policy string, pages map[string]string) string {
	t.Helper()
	needsBrowser(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><title>x</title><link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">` + body)) // a browser that is gone sees nothing
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheBrowserComplains(t *testing.T) {
	t.Parallel()
	const script = `<script nonce="x">`
	cases := map[string]struct{ body, complaint string }{
		"inline-style":   {`<p style="color:red">x</p>`, "style-src"},
		"inline-script":  {`<script>1</script>`, "script-src"},
		"inline-handler": {`<body onload="1">`, "script-src"},
		"another-host":   {script + `fetch("http://example.org/").catch(() => {})</script>`, "asks another host: GET http://example.org/"},
		"missing-image":  {`<img src="/missing" alt="">`, "404 Not Found: GET http"},
		"exception":      {script + `throw new Error("broken")</script>`, "exception: Uncaught Error: broken"},
		"promise":        {script + `Promise.reject(new Error("broken"))</script>`, "exception: Uncaught (in promise) Error: broken"},
		"console":        {script + `console.error("look", 7)</script>`, `console: "look" 7`},
		"dialog":         {script + `alert("stop")</script>`, "dialog: stop"},
	}
	pages := map[string]string{"/good": "good"}
	for name, c := range cases {
		pages["/"+name] = c.body
	}
	at := site(t, "default-src 'none'; script-src 'self' 'nonce-x'; img-src 'self' data:; connect-src *", pages)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := visitor(t, at)
			u.open("/good")
			u.sees("good")
			assert.Empty(t, u.watch.unexpected())
			require.NoError(t, u.goTo("/"+name))
			assert.NoError(t, u.wait(patience, func() error {
				if len(u.watch.unexpected()) == 0 {
					return assert.AnError
				}
				return nil
			}))
			assert.Contains(t, u.watch.unexpected()[0], c.complaint)
			u.expects("")
		})
	}
}

func TestAxeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	source, err := axe()
	require.NoError(t, err)
	u := visitor(t, site(t, "default-src 'none'; style-src 'nonce-x'; img-src data:", map[string]string{"/": `
		<style nonce="x">body { background: white; color: black; font: 1rem sans-serif } @media (prefers-color-scheme: dark) { body { background: #222; color: #333 } }</style>
		<main><h1>Some words</h1><input></main>`}))
	u.open("/")
	var found []string
	u.light()
	all := u.violations(source, everything)
	u.dark()
	for _, v := range append(all, u.violations(source, colours)...) {
		found = append(found, v.Scheme+" "+v.Rule)
	}
	assert.Equal(t, []string{"light label", "dark color-contrast"}, found)
}

func TestWhatUsersFindAndDo(t *testing.T) {
	t.Parallel()
	u := visitor(t, site(t, "", map[string]string{"/": `
		<button hidden>Hidden</button>
		<div style="position:relative"><button>Covered</button><div style="position:absolute;inset:0;background:white"></div></div>
		<section aria-label="One"><p>first</p><button>Twice</button></section>
		<section aria-label="Two"><p>second</p><button onclick="this.textContent='Done'">Twice</button></section>
		<button onclick="this.nextSibling.textContent += 'click '">Count</button><p></p>
		<label>Day <input type="date"></label><label>Text <input value="old"></label>
		<label>Which <select><option>a</option><option>b</option></select></label>
		<label>File <input type="file" onchange="this.nextSibling.textContent = this.files[0].name"><b></b></label>
		<table><tr><th>Row one<td>five<td><button>Open</button><tr><th>Row two<td>six<td><button onclick="this.textContent='Opened'">Open</button></table>
		<section><h2>Part</h2><p>seven</p></section>
		<p hidden>secret</p>`}))
	u.open("/")

	// What is hidden, there twice, not there or covered is not pressed.
	for _, name := range []string{"Hidden", "Twice", "Nowhere"} {
		_, err := u.find(name, pressable)
		assert.Error(t, err, name)
	}
	assert.ErrorContains(t, u.pointAt(u.must("Covered", pressable), 1), "over it lies")

	// What is there twice is told apart by where it is.
	u.in("Two").click("Twice")
	u.in("Two").sees("second", "Done")
	u.in("One").misses("second", "Done")
	u.misses("secret")
	u.in("Row two").click("Open")
	u.in("Row two").sees("six", "Opened")
	u.in("Part").sees("seven")
	u.in("Part").misses("six", "second")

	u.doubleClick("Count")
	u.sees("click click")
	u.misses("click click click")

	u.fill("Day", "2026-11-28")
	u.fill("Text", "new")
	u.choose("Which", "b")
	assert.Equal(t, []string{"2026-11-28", "new", "b"}, []string{u.value("Day"), u.value("Text"), u.value("Which")})

	u.tabTo("Text")
	u.press("End")
	u.write("er")
	assert.Equal(t, "newer", u.value("Text"))
	u.press("Shift+Tab")
	assert.NotEqual(t, "Text", u.focused())
	u.fill("Text", "")
	assert.Empty(t, u.value("Text"))

	file := filepath.Join(t.TempDir(), "report.pdf")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	u.attach("File", file)
	u.sees("report.pdf")
}

func TestHowUsersLook(t *testing.T) {
	t.Parallel()
	u := visitor(t, site(t, "", map[string]string{
		"/narrow": `<p>` + words(9000),
		"/wide":   `<table style="width:900px"><tr><td>wide</table>`,
		"/jumps": `<p>before</p><script>requestAnimationFrame(() => requestAnimationFrame(() => {
			const p = document.createElement("p"); p.style.height = "300px"; document.body.prepend(p); document.title = "jumped" }))</script><p>after</p>`,
		"/looks": `<p id="p"></p><noscript>no script</noscript><script>
			p.textContent = matchMedia("(prefers-color-scheme: dark)").matches + " " + innerWidth + " " + navigator.language</script>`,
		"/long": `<p>one</p><p style="break-before:page">two</p><p style="break-before:page">three</p>`,
	}))
	first := u.firstVisit("/narrow")
	assert.Greater(t, first, int64(9000))
	assert.Less(t, first, int64(10_000))
	assert.Empty(t, u.tooWide())
	assert.Zero(t, u.shift())

	u.open("/jumps")
	require.NoError(t, u.wait(patience, func() error {
		var title string
		if u.eval(`document.title`, &title); title != "jumped" {
			return assert.AnError
		}
		return nil
	}))
	assert.Positive(t, u.shift())

	u.open("/looks")
	u.sees("false 1280 en")
	u.dark()
	u.wall()
	u.speaks("zh-CN")
	u.open("/looks")
	u.sees("true 3840 zh-CN")
	u.phone()
	u.light()
	u.open("/looks")
	u.sees("false 390 zh-CN")
	u.open("/wide")
	assert.NotEmpty(t, u.tooWide())

	u.withoutScript()
	u.open("/looks")
	u.sees("no script")
	u.misses("390")

	u.open("/long")
	assert.Equal(t, 3, u.pdf("harness"))
}

// words is a text of so many bytes, in lines that can be broken.
func words(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "word "[i%5]
	}
	return string(b)
}

// A page that keeps listening is there all the same, and can be left.
func TestPagesThatListen(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><title>x</title><link rel="icon" href="data:,"><p id="p"></p><a href="/?again">Again</a>
			<script>new EventSource("/events").onmessage = e => { p.textContent = e.data + location.search }</script>`)) // a browser that is gone sees nothing
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("data: heard\n\n")) // a browser that is gone sees nothing
		_ = http.NewResponseController(w).Flush() // likewise
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	u := visitor(t, server.URL)
	u.open("/")
	u.seesWithin(time.Second, "heard")
	u.click("Again")
	u.seesWithin(time.Second, "heard?again")
}

func TestServersThatEndBadly(t *testing.T) {
	t.Parallel()
	needsBrowser(t)
	// Given a server, when it dies, then the test that uses it learns of it;
	s, err := launch("serve", "--data", t.TempDir())
	require.NoError(t, err)
	require.NoError(t, s.process.Process.Kill())
	assert.ErrorContains(t, s.stop(), "signal: killed")

	// and so it does of one that does not start.
	_, err = launch("serve", "--timezone", "Nowhere", "--data", t.TempDir())
	assert.ErrorContains(t, err, "ended at once")
}
