package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// accessible wants axe-core to find nothing wrong with the page as it is now: WCAG 2.0, 2.1
// and 2.2, levels A and AA, and the best practices; by light and by dark.
func (u *user) accessible() {
	u.t.Helper()
	source, err := axe()
	skipOrFail(u.t, err)
	// In a world of its own it sees the page and is not seen by it, and the
	// Content-Security-Policy does not bind the debugger.
	world := call(u, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: cdp.FrameID(u.watch.tab), WorldName: "axe"}).ExecutionContextID
	u.evalIn(world, source+"; undefined", nil)
	was := u.media["prefers-color-scheme"]
	defer func() { u.prefers("prefers-color-scheme", was) }()
	for _, scheme := range []string{"light", "dark"} {
		u.prefers("prefers-color-scheme", scheme)
		var found []violation
		u.evalIn(world, `axe.run(document, {
			runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]},
			resultTypes: ["violations"],
		}).then(r => r.violations.map(v => ({
			rule: v.id, help: v.help, nodes: v.nodes.map(n => n.target.flat().join(" ") + ": " + n.html.slice(0, 200) + ": " + n.failureSummary) })))`, &found)
		for _, v := range found {
			u.t.Errorf("%s, %s: %s", u.path(), scheme, v)
		}
	}
}

type violation struct {
	Rule, Help string
	Nodes      []string
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
