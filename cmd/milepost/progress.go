package main

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// bar shows how far something is, on a terminal. A nil bar shows nothing.
type bar struct{ *progressbar.ProgressBar }

// bar returns a bar of total steps (or bytes) when standard error is a
// terminal, else nil; a total of -1 is not known.
func (a *app) bar(what string, total int64, bytes bool) *bar {
	f, ok := a.err.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	rate := func(*progressbar.ProgressBar) {}
	if total < 0 { // of events, as many as there are
		rate = progressbar.OptionShowIts()
	}
	return &bar{progressbar.NewOptions64(total, rate,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(24),
		progressbar.OptionClearOnFinish(),
	)}
}

// A bar that cannot be drawn is no reason to stop, so its errors are dropped.

func (b *bar) set(done, total int64) {
	if b == nil {
		return
	}
	if b.GetMax64() != total {
		b.ChangeMax64(total)
	}
	_ = b.Set64(done)
}

func (b *bar) add(n int) {
	if b != nil {
		_ = b.Add(n)
	}
}

func (b *bar) finish() {
	if b != nil {
		_ = b.Finish()
	}
}

// reader counts what is read of r.
func (b *bar) reader(r io.Reader) io.Reader {
	if b == nil {
		return r
	}
	reader := progressbar.NewReader(r, b.ProgressBar)
	return &reader
}
