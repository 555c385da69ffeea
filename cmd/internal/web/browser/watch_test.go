package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch hears all that happens in a user's tab, and notes what must not.
type watch struct {
	host    string // that of the server: nothing may be asked of another
	dismiss func() // ends a dialog

	mu          sync.Mutex
	frame       cdp.FrameID
	loading     bool
	transferred int64
	requests    map[network.RequestID]string
	streams     map[network.RequestID]bool // on which the page listens now
	complaints  []string
	expected    []string
}

// take takes an event. It must not wait for the browser: that one waits for it.
func (w *watch) take(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameStartedLoading:
		w.loading = w.loading || e.FrameID == w.frame
	case *page.EventFrameStoppedLoading:
		w.loading = w.loading && e.FrameID != w.frame
	case *page.EventJavascriptDialogOpening:
		if e.Type != page.DialogTypeBeforeunload {
			w.complain("dialog: %s", e.Message)
		}
		go w.dismiss()
	case *runtime.EventExceptionThrown:
		w.complain("exception: %s %s (%s:%d)", e.ExceptionDetails.Text, described(e.ExceptionDetails.Exception), e.ExceptionDetails.URL, e.ExceptionDetails.LineNumber+1)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var said []string
			for _, arg := range e.Args {
				said = append(said, described(arg))
			}
			w.complain("console: %s", strings.Join(said, " "))
		}
	case *log.EventEntryAdded:
		// A failed request is in the log, too, but there without its method.
		if e.Entry.Source != log.EntrySourceNetwork && (e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity) {
			w.complain("%s: %s (%s:%d)", e.Entry.Source, e.Entry.Text, e.Entry.URL, e.Entry.LineNumber+1)
		}
	default:
		w.takeNetwork(event)
	}
}

func (w *watch) takeNetwork(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if w.requests == nil {
			w.requests, w.streams = map[network.RequestID]string{}, map[network.RequestID]bool{}
		}
		if e.Type == network.ResourceTypeEventSource {
			w.streams[e.RequestID] = true
		}
		w.requests[e.RequestID] = e.Request.Method + " " + e.Request.URL
		if host := hostOf(e.Request.URL); host != w.host && strings.HasPrefix(e.Request.URL, "http") {
			w.complain("asks another host: %s", w.requests[e.RequestID])
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			w.complain("%d %s: %s", e.Response.Status, e.Response.StatusText, w.requests[e.RequestID])
		}
	case *network.EventLoadingFinished:
		delete(w.streams, e.RequestID)
		w.transferred += int64(e.EncodedDataLength)
	case *network.EventLoadingFailed:
		delete(w.streams, e.RequestID)
		// What was under way when a page is left is broken off.
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			w.complain("failed: %s: %s %s", w.requests[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	}
}

func (w *watch) complain(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

// described is how a value is shown in a console.
func described(o *runtime.RemoteObject) string {
	switch {
	case o == nil:
		return ""
	case o.Description != "":
		return o.Description
	}
	return string(o.Value)
}

func (w *watch) begin(frame cdp.FrameID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame = frame
}

func (w *watch) expect(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, text)
}

// unexpected are the complaints that no test foresaw.
func (w *watch) unexpected() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.complaints), func(complaint string) bool {
		return slices.ContainsFunc(w.expected, func(text string) bool { return strings.Contains(complaint, text) })
	})
}

// isLoading reports whether a page is on its way.
func (w *watch) isLoading() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loading
}

// bytes is how many were transferred, heads and bodies, as they went over the line.
func (w *watch) bytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.transferred
}

// listens is on how many streams the page listens.
func (w *watch) listens() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.streams)
}

// complained reports whether a text was complained of, foreseen or not.
func (w *watch) complained(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.complaints, func(complaint string) bool { return strings.Contains(complaint, text) })
}

// askedFor is how many requests were for addresses with this in them.
func (w *watch) askedFor(part string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, request := range w.requests {
		if strings.Contains(request, part) {
			n++
		}
	}
	return n
}
