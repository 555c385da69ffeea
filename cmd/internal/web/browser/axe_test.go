package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// What is looked for. In another scheme only the colours are others. Where a page says no
// background, axe-core takes it to be white.
const (
	everything = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}`
	colours    = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// accessible wants axe-core to find nothing wrong with the page as it is now: WCAG 2.0, 2.1
// and 2.2, levels A and AA, and the best practices; by light and by dark. It is a subtest,
// so that where there is no axe-core only that is skipped.
func (u *user) accessible() {
	u.t.Helper()
	u.judged(func(t *testing.T, source string) {
		found := u.violations(source, everything)
		was := u.media["prefers-color-scheme"]
		u.prefers("prefers-color-scheme", map[string]string{"light": "dark", "dark": "light"}[was])
		found = append(found, u.violations(source, colours)...)
		u.prefers("prefers-color-scheme", was)
		report(t, found)
	})
}

// accessibleSo is accessible for the page as it is shown now, by light or by dark.
func (u *user) accessibleSo() {
	u.t.Helper()
	u.judged(func(t *testing.T, source string) { report(t, u.violations(source, everything)) })
}

func (u *user) judged(judge func(t *testing.T, source string)) {
	u.t.Helper()
	path, _, _ := strings.Cut(u.path(), "?")
	u.t.Run("accessible "+path, func(t *testing.T) {
		source, err := axe()
		require.NoError(t, err)
		judge(t, source)
	})
}

// violations are what axe-core finds. In a world of its own it sees the page and is not
// seen by it, and the Content-Security-Policy does not bind the debugger.
func (u *user) violations(source, rules string) (found []violation) {
	u.t.Helper()
	world := call(u, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: u.frame, WorldName: "axe"}).ExecutionContextID
	u.evalIn(world, source+"; undefined", nil)
	u.evalIn(world, `axe.run(document, {runOnly: `+rules+`, resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
		scheme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light", rule: v.id, help: v.help,
		nodes: v.nodes.map(n => n.target.flat().join(" ") + ": " + n.html.slice(0, 200) + ": " + n.failureSummary) })))`, &found)
	return found
}

func report(t *testing.T, found []violation) {
	for _, v := range found {
		t.Error(v)
	}
}

type violation struct {
	Scheme, Rule, Help string
	Nodes              []string
}

func (v violation) String() string {
	return fmt.Sprintf("by %s: %s (%s)\n  %s", v.Scheme, v.Help, v.Rule, strings.Join(v.Nodes, "\n  "))
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
