package browser_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// Roles, as the browser tells them to a screen reader.
var (
	pressable = []string{"button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "option", "DisclosureTriangle"}
	fillable  = []string{"textbox", "searchbox", "spinbutton", "combobox", "listbox", "slider", "Date", "DateTime", "InputTime", "ColorWell"}
	// What encloses, from what is likelier meant; a heading names the part that it heads.
	enclosing = [][]string{
		{"region", "form", "search", "navigation", "main", "banner", "contentinfo", "complementary", "dialog", "alertdialog", "article"},
		{"group", "table", "list", "row", "listitem", "status", "alert", "figure"},
	}
	headings = []string{"rowheader", "heading"}
)

// click presses the button, link or the like with this accessible name, and waits for the
// page that it leads to, if it does.
func (u *user) click(name string) {
	u.t.Helper()
	err := u.wait(patience, func() error {
		id, err := u.find(name, pressable)
		if err != nil {
			return err
		}
		return u.pointAt(id, 1)
	})
	require.NoError(u.t, err, "click %q", name)
	u.settle()
}

// doubleClick is click, twice, faster than any answer comes.
func (u *user) doubleClick(name string) {
	u.t.Helper()
	require.NoError(u.t, u.pointAt(u.must(name, pressable), 2), "click %q", name)
	u.settle()
}

// fill writes into the field with this label, in place of what is there. A date is
// written as 2026-11-28.
func (u *user) fill(label, value string) {
	u.t.Helper()
	id := u.must(label, fillable)
	var kind string
	require.NoError(u.t, u.onNode(id, `function() { this.focus(); this.select?.(); return this.type ?? "" }`, &kind))
	if slices.Contains([]string{"text", "search", "password", "email", "url", "tel", "number", "textarea", ""}, kind) {
		if value == "" {
			u.press("Backspace")
			return
		}
		call(u, input.InsertText, input.InsertTextParams{Text: value})
		return
	}
	// Its parts are for the keyboard of each country, so the value is set as a picker sets it.
	var kept string
	require.NoError(u.t, u.onNode(id, fmt.Sprintf(`function() { this.value = %q; %s; return this.value }`, value, changed), &kept))
	require.Equal(u.t, value, kept, "%s does not take the value", label)
}

// changed tells the page that a field was.
const changed = `for (const type of ["input", "change"]) this.dispatchEvent(new Event(type, {bubbles: true}))`

// choose chooses an option by what it says, in the list with this label.
func (u *user) choose(label, option string) {
	u.t.Helper()
	var there bool
	require.NoError(u.t, u.onNode(u.must(label, fillable), fmt.Sprintf(`function() {
		const wanted = Array.from(this.options ?? []).find(o => o.label.trim() === %q);
		if (!wanted) return false;
		this.focus(); wanted.selected = true; %s;
		return true }`, option, changed), &there))
	require.True(u.t, there, "%s has no option %q", label, option)
	u.settle()
}

// attach chooses files for the field with this label.
func (u *user) attach(label string, files ...string) {
	u.t.Helper()
	var id cdp.BackendNodeID
	require.NoError(u.t, u.wait(patience, func() error {
		root, err := u.root()
		if err != nil {
			return err
		}
		// The browser does not find the button that chooses files by its name.
		buttons, err := chromedp.Call(u.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, Role: "button"})
		if err != nil {
			return err
		}
		for _, b := range buttons.Nodes {
			if said(b.Name) == label {
				id = b.BackendDOMNodeID
				return nil
			}
		}
		return fmt.Errorf("no file can be chosen by %q", label)
	}))
	call(u, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, BackendNodeID: id})
}

// value is what the field with this label holds.
func (u *user) value(label string) string {
	u.t.Helper()
	var value string
	require.NoError(u.t, u.onNode(u.must(label, fillable), `function() { return this.value }`, &value))
	return value
}

var keys = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete, "Home": kb.Home, "End": kb.End,
	"Up": kb.ArrowUp, "Down": kb.ArrowDown, "Left": kb.ArrowLeft, "Right": kb.ArrowRight, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

// press presses keys one after the other, each by its name (Tab, Enter, Escape, Space, Up,
// Home and so on; Shift+Tab) or the character that it writes, and waits for the page that
// they lead to, if they do.
func (u *user) press(names ...string) {
	u.t.Helper()
	for _, name := range names {
		var options []chromedp.KeyOption
		key, shifted := strings.CutPrefix(name, "Shift+")
		if shifted {
			options = append(options, chromedp.KeyModifiers(kb.ModifierShift))
		}
		require.NoError(u.t, chromedp.Do(u.ctx, chromedp.KeyEvent(cmp.Or(keys[key], key), options...)), name)
	}
	u.settle()
}

// write writes on the keyboard into whatever has the focus.
func (u *user) write(text string) {
	u.t.Helper()
	require.NoError(u.t, chromedp.Do(u.ctx, chromedp.KeyEvent(text)))
}

// focused is the accessible name of what has the focus, "" where nothing has.
func (u *user) focused() string {
	u.t.Helper()
	focus, err := chromedp.Call(u.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: `document.activeElement`})
	require.NoError(u.t, err)
	found, err := chromedp.Call(u.ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: focus.Result.ObjectID, FetchRelatives: new(false)})
	require.NoError(u.t, err)
	if len(found.Nodes) == 0 || said(found.Nodes[0].Role) == "RootWebArea" {
		return ""
	}
	return said(found.Nodes[0].Name)
}

// focuses waits until what has this accessible name has the focus.
func (u *user) focuses(name string) {
	u.t.Helper()
	require.NoError(u.t, u.wait(patience, func() error {
		if now := u.focused(); now != name {
			return fmt.Errorf("%q has the focus", now)
		}
		return nil
	}), name)
}

// tabTo presses Tab until what has this accessible name has the focus.
func (u *user) tabTo(name string) {
	u.t.Helper()
	var passed []string
	for range 200 {
		u.press("Tab")
		now := u.focused()
		if now == name {
			return
		}
		passed = append(passed, now)
	}
	require.Fail(u.t, "Tab does not reach "+name, "it passes %q", passed)
}

// must waits until something is there, and returns it.
func (u *user) must(name string, roles []string) (id cdp.BackendNodeID) {
	u.t.Helper()
	require.NoError(u.t, u.wait(patience, func() (err error) { id, err = u.find(name, roles); return err }))
	return id
}

// find finds the one thing of these roles with this accessible name that can be seen.
func (u *user) find(name string, roles []string) (cdp.BackendNodeID, error) {
	root, err := u.root()
	if err != nil {
		return 0, err
	}
	return u.findUnder(root, name, roles)
}

func (u *user) findUnder(root runtime.RemoteObjectID, name string, roles []string) (found cdp.BackendNodeID, err error) {
	tree, err := chromedp.Call(u.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, AccessibleName: name})
	if err != nil {
		return 0, err
	}
	var others []string
	n := 0
	for _, node := range tree.Nodes {
		role := said(node.Role)
		if node.Ignored || !slices.Contains(roles, role) {
			others = append(others, role)
			continue
		}
		if _, _, err := u.box(node.BackendDOMNodeID); err == nil {
			found = node.BackendDOMNodeID
			n++
		}
	}
	switch {
	case n == 0:
		return 0, fmt.Errorf("nothing to be seen is called %q (with other roles: %q)", name, others)
	case n > 1:
		return 0, fmt.Errorf("%d things are called %q: say where with in", n, name)
	}
	return found, nil
}

// root is the document, or the part of it that is looked at.
func (u *user) root() (runtime.RemoteObjectID, error) {
	document, err := chromedp.Call(u.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: `document`})
	switch {
	case err != nil:
		return "", err
	case document.Result.ObjectID == "":
		return "", errors.New("there is no page yet")
	case u.scope == "":
		return document.Result.ObjectID, nil
	}
	var missing error
	for _, roles := range enclosing {
		id, err := u.findUnder(document.Result.ObjectID, u.scope, roles)
		if err == nil {
			return u.object(id)
		}
		missing = err
	}
	head, err := u.findUnder(document.Result.ObjectID, u.scope, headings)
	if err != nil {
		return "", missing
	}
	object, err := u.object(head)
	if err != nil {
		return "", err
	}
	part, err := chromedp.Call(u.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: `function() { return this.closest("tr, li, section, article, main") ?? document }`, ObjectID: object,
	})
	if err != nil {
		return "", err
	}
	return part.Result.ObjectID, nil
}

func (u *user) object(id cdp.BackendNodeID) (runtime.RemoteObjectID, error) {
	found, err := chromedp.Call(u.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id})
	if err != nil {
		return "", err
	}
	return found.Object.ObjectID, nil
}

// onNode calls a function with a node as its this.
func (u *user) onNode(id cdp.BackendNodeID, function string, into any, args ...float64) error {
	object, err := u.object(id)
	if err != nil {
		return err
	}
	return u.on(object, function, into, args...)
}

func (u *user) on(object runtime.RemoteObjectID, function string, into any, args ...float64) error {
	var arguments []*runtime.CallArgument
	for _, arg := range args {
		b, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		arguments = append(arguments, &runtime.CallArgument{Value: b})
	}
	got, err := chromedp.Call(u.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object, Arguments: arguments, ReturnByValue: new(true), UserGesture: new(true),
	})
	switch {
	case err != nil:
		return err
	case got.ExceptionDetails != nil:
		return errors.New(described(got.ExceptionDetails.Exception))
	}
	return json.Unmarshal([]byte(got.Result.Value), into)
}

// pointAt clicks in the middle of something, unless something else lies over it.
func (u *user) pointAt(id cdp.BackendNodeID, times int) error {
	x, y, err := u.middle(id)
	if err != nil {
		return err
	}
	for n := 1; n <= times; n++ {
		if err := chromedp.Do(u.ctx, chromedp.MouseClickXY(x, y, chromedp.ClickCount(n))); err != nil {
			return err
		}
	}
	return nil
}

// middle scrolls to something and returns where to click on it.
func (u *user) middle(id cdp.BackendNodeID) (x, y float64, err error) {
	if _, err := chromedp.Call(u.ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id}); err != nil {
		return 0, 0, err
	}
	if x, y, err = u.box(id); err != nil {
		return 0, 0, err
	}
	var over string
	if err := u.onNode(id, `function(x, y) {
		const top = document.elementFromPoint(x, y);
		return top && (this.contains(top) || top.contains(this)) ? "" : (top?.outerHTML ?? "nothing").slice(0, 200) }`, &over, x, y); err != nil {
		return 0, 0, err
	}
	if over != "" {
		return 0, 0, fmt.Errorf("over it lies %s", over)
	}
	return x, y, nil
}

// box is the middle of where something is shown.
func (u *user) box(id cdp.BackendNodeID) (x, y float64, err error) {
	shown, err := chromedp.Call(u.ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id})
	if err != nil {
		return 0, 0, err
	}
	if len(shown.Quads) == 0 {
		return 0, 0, errors.New("it is not shown")
	}
	for i, v := range shown.Quads[0] {
		if i%2 == 0 {
			x += v / 4
		} else {
			y += v / 4
		}
	}
	return x, y, nil
}

// settle waits until a page that was asked for is there. A form is sent and a link gone to
// in a task of its own after the click, so one is waited for.
func (u *user) settle() {
	u.t.Helper()
	if u.scriptless { // then no task of ours runs, either: see whether it begins to load
		_ = u.wait(100*time.Millisecond, func() error {
			if !u.watch.isLoading() {
				return errors.New("it is not loading")
			}
			return nil
		})
	} else {
		soon, cancel := context.WithTimeout(u.ctx, patience)
		defer cancel()
		_, _ = chromedp.Call(soon, runtime.Evaluate, runtime.EvaluateParams{ // it fails when the page goes meanwhile
			Expression: `new Promise(done => setTimeout(() => setTimeout(done)))`, AwaitPromise: new(true),
		})
	}
	require.NoError(u.t, u.wait(patience, func() error {
		if u.watch.isLoading() {
			return errors.New("the page is still loading")
		}
		return nil
	}))
}

// said is a value of the accessibility tree as text.
func said(v *accessibility.Value) (text string) {
	if v != nil {
		_ = json.Unmarshal([]byte(v.Value), &text) // what is no text is none
	}
	return text
}

// call calls the debugger, and wants it to succeed.
func call[P, R any](u *user, command cdp.Command[P, R], params P) R {
	u.t.Helper()
	result, err := chromedp.Call(u.ctx, command, params)
	require.NoError(u.t, err)
	return result
}
