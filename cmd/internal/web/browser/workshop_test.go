package browser_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A workshop is an agreement for one test, in a ledger that such tests share: what others
// do meanwhile is not seen on its pages. Its parties are Wuxi and CETHIK; ann acts for
// the one, and bob for the other.
type workshop struct {
	*server
	t         *testing.T
	agreement string
	last      uint64 // what was recorded last by do
}

var sharedLedger = sync.OnceValues(func() (*server, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	s, err := launch("serve", "--timezone", "Asia/Shanghai", "--data", filepath.Join(dir, "workshop"))
	if err == nil {
		shared.onClose(s.stop)
	}
	return s, err
})

// setUp registers the parties of all workshops, once.
var setUp sync.Once

// newWorkshop is a workshop whose agreement is in effect.
func newWorkshop(t *testing.T, agreement string) *workshop {
	t.Helper()
	w := drafting(t, agreement)
	w.do("draft-agreement", `"kind":"framework","title":{"en":"Pact of %s","zh":"协议"},"parties":["wuxi","cethik"],"document":%q`, agreement, textOf("pact"))
	w.do("add-area", `"area":"industry","title":{"en":"Industry","zh":"产业"}`)
	w.do("open-consultation", "")
	for _, party := range []string{"wuxi", "cethik"} {
		w.do("sign-agreement", `"party":%q,"signatory":"Li","date":"2026-01-05","document":%q`, party, textOf("pact"))
	}
	return w
}

// drafting is a workshop whose agreement is yet to be drafted.
func drafting(t *testing.T, agreement string) *workshop {
	t.Helper()
	needsBrowser(t)
	s, err := sharedLedger()
	require.NoError(t, err)
	setUp.Do(func() {
		s.do(t, "register-party", `{"party":"wuxi","title":{"en":"Wuxi","zh":"无锡"},"kind":"local-government"}`)
		s.do(t, "register-party", `{"party":"cethik","title":{"en":"CETHIK","zh":"海康"},"kind":"state-owned-enterprise"}`)
	})
	return &workshop{server: s, t: t, agreement: agreement}
}

// project has a project under way in it, with two milestones of which the second depends on
// the first.
func (w *workshop) project() (page string) {
	w.t.Helper()
	w.do("propose-project", `"project":"plant","title":{"en":"The plant","zh":"工厂"},"kind":"industry-base","areas":["industry"],"lead":"cethik"`)
	w.do("schedule-milestone", `"project":"plant","milestone":"design","title":{"en":"Design","zh":"设计"},"due":"2027-03-31","confirming":["wuxi"]`)
	w.do("schedule-milestone", `"project":"plant","milestone":"build","title":{"en":"Build","zh":"建设"},"due":"2027-09-30","confirming":["wuxi"],"depends_on":["design"]`)
	w.do("approve-project", `"project":"plant"`)
	w.do("start-project", `"project":"plant"`)
	return w.page() + "/projects/plant"
}

func (w *workshop) ann() *user {
	w.t.Helper()
	return w.person(w.t, "ann", `"role":"representative","party":"wuxi"`, `"role":"coordinator"`)
}

func (w *workshop) bob() *user {
	w.t.Helper()
	return w.person(w.t, "bob", `"role":"representative","party":"cethik"`)
}

// page is the path of the agreement's page.
func (w *workshop) page() string { return "/agreements/" + w.agreement }

// do has a command carried out in the agreement, and returns its event's sequence and when the receipt came.
func (w *workshop) do(command, fields string, args ...any) (seq uint64, at time.Time) {
	w.t.Helper()
	body := fmt.Sprintf(`{"agreement":%q`, w.agreement)
	if fields != "" {
		body += "," + fmt.Sprintf(fields, args...)
	}
	w.last = w.server.do(w.t, command, body+"}")
	return w.last, time.Now()
}

// events counts the events of a type in the agreement.
func (w *workshop) events(typ string) (n int) {
	w.t.Helper()
	var found struct {
		Items []json.RawMessage `json:"items"`
	}
	body := w.ask(w.t, http.MethodGet, "/v1/events?agreement="+w.agreement+"&type="+typ+"&min_seq="+itoa(w.last), "")
	require.NoError(w.t, json.Unmarshal(body, &found))
	return len(found.Items)
}

// sameSecond wants a text on a user's page within a second of when something was
// recorded. A machine that is busy is allowed as much more as a plain page takes it now.
func (w *workshop) sameSecond(u *user, recorded time.Time, texts ...string) {
	w.t.Helper()
	u.sees(texts...)
	took := time.Since(recorded)
	began := time.Now()
	w.ask(w.t, http.MethodGet, w.page(), "")
	assert.Less(w.t, took, time.Second+10*time.Since(began), "what was recorded is seen too late")
}

// file makes a file to attach, and returns its path and its SHA-256.
func (w *workshop) file(name, content string) (path, hash string) {
	w.t.Helper()
	path = filepath.Join(w.t.TempDir(), name)
	require.NoError(w.t, os.WriteFile(path, []byte(content), 0o600))
	return path, textOf(content)
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

func textOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// record has what the form shows recorded, and waits until the page says that it is.
func (u *user) record() {
	u.t.Helper()
	require.NoError(u.t, u.pointAt(u.must("Record", []string{"button"}), 1)) // and not the link in the head
	u.settle()
	u.sees("Recorded: event")
}
