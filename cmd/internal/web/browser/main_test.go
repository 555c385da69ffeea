package browser_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run runs the tests, and then ends what they shared.
func run(m *testing.M) int {
	code := m.Run()
	if err := errors.Join(shared.close()...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// shared is what is made once, when the first test wants it.
var shared common

type common struct {
	mu      sync.Mutex
	closers []func() error
}

// onClose has something done after the tests, the last one first.
func (c *common) onClose(f func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closers = append(c.closers, f)
}

func (c *common) close() (failed []error) {
	for i := len(c.closers) - 1; i >= 0; i-- {
		failed = append(failed, c.closers[i]())
	}
	return failed
}

// directory is for what outlives a test.
var directory = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "milepost-browser-")
	if err == nil {
		shared.onClose(func() error { return os.RemoveAll(dir) })
	}
	return dir, err
})

// program is the binary, built as people build it, without what only a debugger reads.
var program = sync.OnceValues(func() (string, error) {
	dir, err := directory()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "milepost")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", file, "github.com/milepost-ledger/milepost/cmd/milepost").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
})

// chromium is the one browser, in which every user has a context of their own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	file, err := findChromium()
	if err != nil {
		return nil, err
	}
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(file),
		chromedp.UserDataDir(filepath.Join(dir, "chromium")),
		chromedp.NoSandbox, // as root there is none, and every page is ours
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.WSURLReadTimeout(time.Minute), // a busy machine takes its time
	)
	all, stop := chromedp.NewExecAllocator(context.Background(), options...)
	first, _ := chromedp.NewContext(all) // ended by Cancel
	if err := chromedp.Do(first); err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", file, err)
	}
	shared.onClose(func() error {
		defer stop()
		soon, cancel := context.WithTimeout(first, time.Minute)
		defer cancel()
		return chromedp.Cancel(soon)
	})
	return first, nil
})

func findChromium() (string, error) {
	if file := os.Getenv("MILEPOST_CHROMIUM"); file != "" {
		return file, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if file, err := exec.LookPath(name); err == nil {
			return file, nil
		}
	}
	return "", errors.New("there is no Chromium in the PATH: install it, or name its program in MILEPOST_CHROMIUM")
}

// needsBrowser skips a test where it cannot run, and says why.
func needsBrowser(t *testing.T) {
	t.Helper()
	if os.Getenv("MILEPOST_BROWSER") != "1" {
		t.Skip("tests in the browser take a minute and Chromium: MILEPOST_BROWSER=1 runs them, as .ci/run does")
	}
	_, err := findChromium()
	require.NoError(t, err)
}

// axe is the source of axe-core.
var axe = sync.OnceValues(func() (string, error) {
	file := os.Getenv("MILEPOST_AXE")
	if file == "" {
		return "", errors.New("accessibility is not judged: name axe.min.js of axe-core in MILEPOST_AXE")
	}
	b, err := os.ReadFile(file)
	return string(b), err
})

// screenshots is where pictures go, "" for nowhere.
func screenshots() string { return os.Getenv("MILEPOST_SCREENSHOTS") }
