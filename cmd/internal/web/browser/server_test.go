package browser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/domain"
)

// server is a ledger's server in a process of its own.
type server struct {
	url  string
	link string // signs the administrator in, once
	dir  string // its data directory

	process *exec.Cmd
	output  transcript
	ended   chan error // gets what Wait says

	mu        sync.Mutex
	furnished sync.Once
	sessions  map[string][]*http.Cookie // of those who are signed in, by principal
	tokens    map[string]string
}

// demo is the server with the demo's ledger that tests share which only read: in it
// nobody records anything.
func demo(t *testing.T) *server {
	t.Helper()
	needsBrowser(t)
	s, err := sharedDemo()
	require.NoError(t, err)
	return s
}

var sharedDemo = sync.OnceValues(func() (*server, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	s, err := launch("demo", "--data", filepath.Join(dir, "demo"))
	if err == nil {
		shared.onClose(s.stop)
	}
	return s, err
})

// ownLedger is a server with an empty ledger for one test.
func ownLedger(t *testing.T) *server {
	t.Helper()
	return started(t, "serve", "--timezone", "Asia/Shanghai")
}

func started(t *testing.T, args ...string) *server {
	t.Helper()
	needsBrowser(t)
	s, err := launch(append(args, "--data", t.TempDir())...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.stop()) })
	return s
}

var (
	addressSaid = regexp.MustCompile(`(?:address {2}|ready on )(http://\S+)`)
	linkSaid    = regexp.MustCompile(`sign in {2}(http://\S+)`)
)

// launch starts the binary, and reads where it is as it tells people, and how to sign
// in as a demo tells them. Serve tells that on a terminal only: there one asks.
func launch(args ...string) (*server, error) {
	file, err := program()
	if err != nil {
		return nil, err
	}
	s := &server{ended: make(chan error, 1), sessions: map[string][]*http.Cookie{}, tokens: map[string]string{}}
	s.output.grown = make(chan struct{}, 1)
	s.process = exec.Command(file, append(args, "--listen", "127.0.0.1:0")...)
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	go func() { s.ended <- s.process.Wait() }()
	s.dir = args[len(args)-1]
	late := time.After(time.Minute)
	told := args[0] == "demo"
	for s.url == "" || told && s.link == "" {
		select {
		case <-s.output.grown:
			s.url, s.link = s.output.find(addressSaid), s.output.find(linkSaid)
		case err := <-s.ended:
			return nil, fmt.Errorf("milepost %s ended at once: %w\n%s", strings.Join(args, " "), err, s.output.String())
		case <-late:
			_ = s.process.Process.Kill() // it is given up
			return nil, fmt.Errorf("milepost %s is not ready after a minute\n%s", strings.Join(args, " "), s.output.String())
		}
	}
	if !told {
		link, err := exec.Command(file, "token", "link", "--server", s.url, "--data", s.dir).Output()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("milepost token link: %w", err), s.stop())
		}
		s.link = strings.TrimSpace(string(link))
	}
	return s, nil
}

// stop ends the server as Ctrl-C does. The error says that it failed, then or before.
func (s *server) stop() error {
	if err := s.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var err error
	select {
	case err = <-s.ended:
	case <-time.After(20 * time.Second):
		_ = s.process.Process.Kill() // it had its time
		err = fmt.Errorf("killed after 20 s: %w", <-s.ended)
	}
	said := s.output.String()
	if err == nil && (strings.Contains(said, "level=ERROR") || strings.Contains(said, `"level":"ERROR"`)) {
		err = errors.New("there is an error in its log")
	}
	if err != nil {
		return fmt.Errorf("the server at %s: %w\n%s", s.url, err, said)
	}
	return nil
}

// do has a command carried out by the administrator: its name, and its fields as JSON.
// Pages show it once they are asked with min_seq of what it returns.
func (s *server) do(t *testing.T, command, fields string) (seq uint64) {
	t.Helper()
	var receipt struct {
		Seq uint64 `json:"seq"`
	}
	require.NoError(t, json.Unmarshal(s.ask(t, http.MethodPost, "/v1/commands/"+command, fields), &receipt))
	return receipt.Seq
}

// ask asks the API as the administrator, and wants it to succeed.
func (s *server) ask(t *testing.T, method, path, body string) []byte {
	t.Helper()
	token, err := signin.ReadAdminToken(s.dir)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, "%s %s %s: %s", method, path, body, answer)
	return answer
}

// tokenOf makes a principal with the rights of one or more grants, each as fields of
// grant-access, such as `"role":"representative","party":"wuxi"`, and returns a token
// of theirs. Asked again for the same principal it returns the same token.
func (s *server) tokenOf(t *testing.T, principal string, grants ...string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if token, ok := s.tokens[principal]; ok {
		return token
	}
	require.NotEmpty(t, grants, "%s has no grant", principal)
	for _, grant := range grants {
		s.do(t, "grant-access", fmt.Sprintf(`{"principal":%q,"name":%q,%s}`, principal, nameOf(principal), grant))
	}
	token, hash := access.NewToken("browser")
	s.do(t, "issue-token", fmt.Sprintf(`{"principal":%q,"token":"browser","hash":%q,"expires":%q}`,
		principal, hash, domain.DateOf(time.Now(), time.UTC)+30))
	require.Eventually(t, func() bool { // it is known when the server has read of it
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/account", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
	s.tokens[principal] = token
	return token
}

// nameOf is what a principal of the tests is called: ann is Ann.
func nameOf(principal string) string { return strings.ToUpper(principal[:1]) + principal[1:] }

// session is the cookies of somebody who is signed in by a token. It is begun once for
// each principal: a server takes few attempts to sign in from one address.
func (s *server) session(t *testing.T, principal, token string) []*http.Cookie {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if cookies, ok := s.sessions[principal]; ok {
		return cookies
	}
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(s.url + "/sign-in")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	home, err := url.Parse(s.url)
	require.NoError(t, err)
	form := url.Values{"token": {token}}
	for _, c := range jar.Cookies(home) {
		if strings.HasPrefix(c.Name, "milepost-form") { // and the port
			form.Set("form", c.Value)
		}
	}
	resp, err = client.PostForm(s.url+"/sign-in", form)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusSeeOther, resp.StatusCode, "%s cannot sign in", principal)
	s.sessions[principal] = jar.Cookies(home)
	return s.sessions[principal]
}

// transcript is what a process says.
type transcript struct {
	mu    sync.Mutex
	said  bytes.Buffer
	grown chan struct{}
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grown <- struct{}{}:
	default:
	}
	return o.said.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.String()
}

// find is the first group of what a pattern finds.
func (o *transcript) find(pattern *regexp.Regexp) string {
	if m := pattern.FindStringSubmatch(o.String()); m != nil {
		return m[1]
	}
	return ""
}
