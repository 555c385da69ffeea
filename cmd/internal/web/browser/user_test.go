package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// patience is how long is waited for what a user wants to see, unless a test says
// another time. A busy machine may need it; nothing waits longer than it must.
const patience = 15 * time.Second

// user is a person at a browser of their own.
type user struct {
	t          *testing.T
	ctx        context.Context // of the tab
	at         string          // address of the server
	frame      cdp.FrameID     // the page, not what is framed in it
	watch      *watch
	media      map[string]string // prefers-color-scheme and the like
	scriptless bool
	scope      string // accessible name of the part of the page that is looked at, "" for all of it
}

// stranger is somebody who is not signed in.
func (s *server) stranger(t *testing.T) *user {
	t.Helper()
	return visitor(t, s.url)
}

// administrator is the administrator, signed in.
func (s *server) administrator(t *testing.T) *user {
	t.Helper()
	token, err := signin.ReadAdminToken(s.dir)
	require.NoError(t, err)
	return s.signedIn(t, "admin", token)
}

// person is somebody with the rights of one or more grants (tokenOf), signed in.
func (s *server) person(t *testing.T, principal string, grants ...string) *user {
	t.Helper()
	return s.signedIn(t, principal, s.tokenOf(t, principal, grants...))
}

func (s *server) signedIn(t *testing.T, principal, token string) *user {
	t.Helper()
	u := visitor(t, s.url)
	for _, c := range s.session(t, principal, token) {
		call(u, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: s.url + "/", HTTPOnly: new(true), SameSite: network.CookieSameSiteLax})
	}
	return u
}

// visitor opens a tab with cookies and a cache of its own for the server at an address.
func visitor(t *testing.T, at string) *user {
	t.Helper()
	needsBrowser(t)
	browser, err := chromium()
	require.NoError(t, err)
	return newTab(t, at, browser, chromedp.WithNewBrowserContext())
}

// anotherTab is another tab of the same person, who is signed in there as well.
func (u *user) anotherTab() *user {
	u.t.Helper()
	return newTab(u.t, u.at, u.ctx)
}

func newTab(t *testing.T, at string, parent context.Context, options ...chromedp.ContextOption) *user {
	t.Helper()
	u := &user{t: t, at: at, watch: &watch{host: hostOf(at)}, media: map[string]string{}}
	tab, closeTab := chromedp.NewContext(parent, append(options, chromedp.WithListener(u.watch.take))...)
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute) // a browser that hangs ends the test
	u.ctx = ctx
	u.watch.dismiss = func() {
		_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) // it was complained of
	}
	t.Cleanup(func() {
		if t.Failed() {
			u.leaveTrace()
		}
		cancel()
		closeTab()
		for _, complaint := range u.watch.unexpected() {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	require.NoError(t, chromedp.Do(tab))
	u.frame = cdp.FrameID(chromedp.FromContext(tab).Target.TargetID)
	u.watch.begin(u.frame)
	call(u, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // each user is at their own screen
	u.prefers("prefers-reduced-motion", "reduce")
	u.prefers("prefers-color-scheme", "light")
	u.desktop()
	return u
}

// open goes to a page, and waits until all of it is there.
func (u *user) open(path string) {
	u.t.Helper()
	require.NoError(u.t, u.goTo(path), "open %s", path)
	require.Empty(u.t, u.watch.unexpected(), "open %s", path)
}

func (u *user) goTo(path string) error {
	address := path
	if strings.HasPrefix(path, "/") {
		address = u.at + path
	}
	return chromedp.Do(u.ctx, chromedp.Navigate(address))
}

// path is the path and the query of the page.
func (u *user) path() string {
	u.t.Helper()
	var path string
	u.eval(`location.pathname + location.search`, &path)
	return path
}

// in looks at a part of the page only: a region, dialog, form, table, list or the like that
// has this accessible name, or else the row or section that has this heading.
func (u *user) in(name string) *user {
	part := *u
	part.scope = name
	return &part
}

// text is what can be read on the page now, with single spaces, as it is rendered: what
// is hidden is not in it.
func (u *user) text() string {
	u.t.Helper()
	text, err := u.read()
	require.NoError(u.t, err)
	return text
}

func (u *user) read() (string, error) {
	root, err := u.root()
	if err != nil {
		return "", err
	}
	var text string
	err = u.on(root, `function() { return (this.body ?? this).innerText }`, &text)
	return strings.Join(strings.Fields(text), " "), err
}

// sees waits until all the texts can be read.
func (u *user) sees(texts ...string) {
	u.t.Helper()
	u.seesWithin(patience, texts...)
}

// seesWithin is sees for what must be there soon, such as what somebody else did.
func (u *user) seesWithin(soon time.Duration, texts ...string) {
	u.t.Helper()
	u.waitText(soon, "does not show", func(text string) []string {
		return slices.DeleteFunc(slices.Clone(texts), func(want string) bool { return strings.Contains(text, want) })
	})
}

// misses waits until none of the texts can be read. Ask for what is new with sees first:
// a page that has not come yet shows nothing.
func (u *user) misses(texts ...string) {
	u.t.Helper()
	u.waitText(patience, "still shows", func(text string) []string {
		return slices.DeleteFunc(slices.Clone(texts), func(not string) bool { return !strings.Contains(text, not) })
	})
}

// waitText waits until the text of the page leaves no faults.
func (u *user) waitText(soon time.Duration, verb string, faults func(text string) []string) {
	u.t.Helper()
	var text string
	var wrong []string
	err := u.wait(soon, func() error {
		var err error
		if text, err = u.read(); err != nil {
			return err
		}
		if wrong = faults(text); len(wrong) > 0 {
			return fmt.Errorf("%s %q", verb, wrong)
		}
		return nil
	})
	require.NoError(u.t, err, "the page after %s; it says: %s", soon, text)
}

// wait tries until it succeeds, and returns the last error when the time is over.
func (u *user) wait(soon time.Duration, try func() error) error {
	end := time.Now().Add(soon)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 80*time.Millisecond) { // to look takes the browser's time
		err := try()
		if err == nil || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-u.ctx.Done():
			return err
		}
	}
}

// expects says that complaints which hold the text are to be expected, such as
// "403 Forbidden" before something is refused.
func (u *user) expects(text string) { u.watch.expect(text) }

// eval evaluates an expression in the page into the value at into, nil for none. It works
// without scripts, too: those of the page are off then, not the debugger's.
func (u *user) eval(expression string, into any) {
	u.t.Helper()
	got, err := chromedp.Call(u.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ReturnByValue: new(true), AwaitPromise: new(true)})
	require.NoError(u.t, err)
	require.Nil(u.t, got.ExceptionDetails, expression)
	if into != nil {
		require.NoError(u.t, json.Unmarshal([]byte(got.Result.Value), into), expression)
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
