package browser_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// How people look at a page.

func (u *user) phone()   { u.t.Helper(); u.screen(390, 844, true) }
func (u *user) desktop() { u.t.Helper(); u.screen(1280, 800, false) }
func (u *user) wall()    { u.t.Helper(); u.screen(3840, 2160, false) }

func (u *user) screen(width, height int64, mobile bool) {
	u.t.Helper()
	call(u, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: mobile})
}

func (u *user) dark()  { u.t.Helper(); u.prefers("prefers-color-scheme", "dark") }
func (u *user) light() { u.t.Helper(); u.prefers("prefers-color-scheme", "light") }

func (u *user) prefers(feature, value string) {
	u.t.Helper()
	u.media[feature] = value
	var features []*emulation.MediaFeature
	for name, value := range u.media {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	call(u, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
}

// speaks sets the language that the browser asks for, as "zh-CN" or "en", from the next
// page on.
func (u *user) speaks(language string) {
	u.t.Helper()
	version, err := chromedp.CallBrowser(u.ctx, browser.GetVersion, cdp.Empty{})
	require.NoError(u.t, err)
	call(u, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: version.UserAgent, AcceptLanguage: language})
}

// withoutScript has no script run in pages from now on.
func (u *user) withoutScript() {
	u.t.Helper()
	u.scriptless = true
	call(u, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// hide puts the window away, or back, so that nobody sees the page.
func (u *user) hide(hidden bool) {
	u.t.Helper()
	call(u, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: !hidden})
	window, err := chromedp.CallBrowser(u.ctx, browser.GetWindowForTarget, browser.GetWindowForTargetParams{TargetID: target.ID(u.frame)})
	require.NoError(u.t, err)
	state, seen := browser.WindowStateNormal, "visible"
	if hidden {
		state, seen = browser.WindowStateMinimized, "hidden"
	}
	_, err = chromedp.CallBrowser(u.ctx, browser.SetWindowBounds, browser.SetWindowBoundsParams{WindowID: window.WindowID, Bounds: &browser.Bounds{WindowState: state}})
	require.NoError(u.t, err)
	require.NoError(u.t, u.wait(patience, func() error {
		var now string
		if u.eval(`document.visibilityState`, &now); now != seen {
			return errors.New("the page is " + now)
		}
		return nil
	}))
}

// fits wants the page to be no wider than the screen.
func (u *user) fits() {
	u.t.Helper()
	assert.Empty(u.t, u.tooWide(), "the page %s is wider than the screen", u.path())
}

// tooWide lists what of the page is out of the screen, some of it.
func (u *user) tooWide() (wide []string) {
	u.t.Helper()
	u.eval(`(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return [];
		const scrolls = e => e && e !== document.body && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
		return Array.from(document.querySelectorAll("body *")).filter(e => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
			.slice(0, 5).map(e => Math.round(e.getBoundingClientRect().right) + " px: " + e.outerHTML.slice(0, 120));
	})()`, &wide)
	return wide
}

// shift is by how much what was there has moved while the page came (cumulative layout
// shift). What moved is logged.
func (u *user) shift() float64 {
	u.t.Helper()
	var moved struct {
		Sum float64
		By  []string
	}
	u.eval(`new Promise(done => {
		const moved = {sum: 0, by: []};
		const observer = new PerformanceObserver(list => { for (const e of list.getEntries()) {
			moved.sum += e.value;
			moved.by.push(...e.sources.map(s => s.node?.outerHTML?.slice(0, 120) ?? s.node?.textContent ?? ""));
		} });
		observer.observe({type: "layout-shift", buffered: true});
		requestAnimationFrame(() => setTimeout(() => done(moved)));
	})`, &moved)
	if moved.Sum > 0 {
		u.t.Logf("%s moved by %.4f: %q", u.path(), moved.Sum, moved.By)
	}
	return moved.Sum
}

// firstVisit opens a page as if for the first time, and returns how many bytes came over
// the line for it in all.
func (u *user) firstVisit(path string) int64 {
	u.t.Helper()
	call(u, network.ClearBrowserCache, cdp.Empty{})
	before := u.watch.bytes()
	u.open(path)
	return u.watch.bytes() - before
}

// screenshot leaves a picture of the whole page as name.png among the screenshots.
func (u *user) screenshot(name string) {
	u.t.Helper()
	if screenshots() == "" {
		return
	}
	got := call(u, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	require.NoError(u.t, keep(name+".png", got.Data))
}

// pdf prints the page as a browser prints it, and returns how many sheets that takes. The
// print is left as name.pdf among the screenshots.
func (u *user) pdf(name string) (sheets int) {
	u.t.Helper()
	got := call(u, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	require.True(u.t, strings.HasPrefix(string(got.Data), "%PDF-"), "it is no PDF")
	require.NoError(u.t, keep(name+".pdf", got.Data))
	return strings.Count(string(got.Data), "/Type /Page\n")
}

// keep writes a file among the screenshots.
func keep(name string, content []byte) error {
	if screenshots() == "" {
		return nil
	}
	if err := os.MkdirAll(screenshots(), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(screenshots(), name), content, 0o644)
}

// leaveTrace says where a user was when the test failed, and leaves a picture of it.
func (u *user) leaveTrace() {
	text, err := u.read()
	if err != nil {
		u.t.Logf("the page cannot be read: %v", err)
		return
	}
	if long := []rune(text); len(long) > 1500 {
		text = string(slices.Concat(long[:1500], []rune(" ...")))
	}
	u.t.Logf("the page, when the test failed: %s", text)
	if screenshots() == "" {
		return
	}
	got, err := chromedp.Call(u.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	if err == nil {
		err = keep("failed-"+strings.NewReplacer("/", "-", " ", "-").Replace(u.t.Name())+".png", got.Data)
	}
	if err != nil {
		u.t.Logf("there is no picture of it: %v", err)
	}
}
