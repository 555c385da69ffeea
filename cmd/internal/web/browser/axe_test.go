package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// accessible wants axe-core to find nothing wrong with the page as it is now: WCAG 2.0, 2.1
// and 2.2, levels A and AA, and the best practices; by light and by dark. It is a subtest,
// so that where there is no axe-core only that is skipped.
func (u *user) accessible() {
	u.t.Helper()
	path, _, _ := strings.Cut(u.path(), "?")
	u.t.Run("accessible "+path, func(t *testing.T) {
		t.Helper()
		source, err := axe()
		skipOrFail(t, err)
		for _, v := range u.violations(source) {
			t.Errorf("by %s: %s", v.Scheme, v)
		}
	})
}

// violations are what axe-core finds.
func (u *user) violations(source string) (all []violation) {
	u.t.Helper()
	// In a world of its own it sees the page and is not seen by it, and the
	// Content-Security-Policy does not bind the debugger.
	world := call(u, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: cdp.FrameID(u.watch.tab), WorldName: "axe"}).ExecutionContextID
	u.evalIn(world, source+"; undefined", nil)
	was := u.media["prefers-color-scheme"]
	defer func() { u.prefers("prefers-color-scheme", was) }()
	for _, look := range []struct{ scheme, rules string }{{"light", everything}, {"dark", colours}} {
		u.prefers("prefers-color-scheme", look.scheme)
		var found []violation
		u.evalIn(world, `axe.run(document, {runOnly: `+look.rules+`, resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
			scheme: "`+look.scheme+`", rule: v.id, help: v.help,
			nodes: v.nodes.map(n => n.target.flat().join(" ") + ": " + n.html.slice(0, 200) + ": " + n.failureSummary) })))`, &found)
		all = append(all, found...)
	}
	return all
}

// What is looked for. By dark only the colours are others. Where a page says no
// background, axe-core takes it to be white.
const (
	everything = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}`
	colours    = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

type violation struct {
	Scheme, Rule, Help string
	Nodes              []string
}

func (v violation) String() string {
	return fmt.Sprintf("%s (%s)\n  %s", v.Help, v.Rule, strings.Join(v.Nodes, "\n  "))
}

func (u *user) evalIn(world runtime.ExecutionContextID, expression string, into any) {
	u.t.Helper()
	got := call(u, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: world, ReturnByValue: new(true), AwaitPromise: new(true),
	})
	if got.ExceptionDetails != nil {
		require.Fail(u.t, "axe-core failed", described(got.ExceptionDetails.Exception))
	}
	if into != nil {
		require.NoError(u.t, json.Unmarshal([]byte(got.Result.Value), into))
	}
}
