package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// rude is what nobody should say, and somebody will.
var rude = []string{
	"", " ", "0", "-1", "9", "18446744073709551615", "18446744073709551616", "9223372036854775807", "1e9", "NaN", "seq:0", "seq:1", "seq:-1", "seq:18446744073709551615", "seq:99999999999999999999", "seq:",
	"0001-01-01", "9999-12-31", "2026-02-30", "-0001-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "spring",
	"\x00", "\xff\xfe", "a\r\nSet-Cookie: x=y", "%00", "../../etc/passwd", "//evil.example", `/\evil.example`, "javascript:alert(1)",
	`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, "{{.Form}}", "%s%d", "\u202eشركة\u0000", strings.Repeat("x", 4000), "true", "all", "net", "project/x", "project//", "a/b/c/d/e", "/", "party", "area", "beneficiary", "period",
}

// parametersOfPages are all that any page goes by, and one that none does.
var parametersOfPages = []string{
	"as_of", "since", "effective_at", "min_seq", "cursor", "done", "to_event", "from", "to", "since_meeting", "until_meeting", "agreement", "project", "milestone",
	"entity", "field", "actor", "party", "type", "reason", "backdated", "corrections", "own", "mode", "axis", "kind", "key", "after", "within", "by",
	"state", "rag", "area", "forecast", "moves", "rows", "evidence", "next", "nonsense",
}

// pagesOf are the addresses of all pages that are asked for, with keys of what is there.
func pagesOf(keys map[string]string) (paths []string) {
	for _, pattern := range access.Pages() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodGet || strings.HasPrefix(path, "/assets") {
			continue
		}
		path = strings.TrimSuffix(path, "{$}")
		for name, key := range keys {
			path = strings.ReplaceAll(path, "{"+name+"}", key)
		}
		paths = append(paths, path)
	}
	return paths
}

var keysOfCooperation = map[string]string{
	"agreement": "wuxi-2017", "project": "iot-base", "milestone": "design", "party": "wuxi", "amendment": "longer", "meeting": "spring", "fund": "iot-fund",
	"indicator": "jobs", "principal": "vera", "command": "add-obligation", "seq": "9",
}

// oneOf is of how many things to say each parameter of each page is told one.
const oneOf = 199

// Whatever a page is asked with, it answers by a page: it shows something or says what
// is wrong, and never fails.
func TestNoParameterBreaksAPage(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	r.cooperation()
	vera := r.principal("vera", `"role":"viewer","party":"wuxi","agreement":"wuxi-2017"`)
	usual := pagesOf(keysOfCooperation)
	turn := 0
	for _, asker := range []*rig{r, vera} {
		for _, path := range pagesOf(keysOfCooperation) {
			for _, name := range parametersOfPages {
				turn++
				for i, value := range rude {
					if (i+turn)%oneOf != 0 || name == "min_seq" && strings.HasPrefix(value, "9223") || name == "min_seq" && strings.HasPrefix(value, "18446") {
						continue // it is another page's turn; and what is to come is waited for
					}
					address := path + "?" + url.Values{name: {value}}.Encode()
					s := asker.send(http.MethodGet, address, nil)
					require.Less(t, s.status, 500, "%s: %s", address, s.text())
					assert.NotContains(t, s.body, "<script>alert", address)
					assert.NotContains(t, s.body, "onmouseover='", address)
					assert.Empty(t, s.header.Get("Set-Cookie") == "x=y", address)
					if to := s.header.Get("Location"); s.status == http.StatusSeeOther {
						assert.True(t, strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//"), "%s: %s", address, to)
						continue
					}
					s.wellFormed()
				}
			}
		}
		for key := range keysOfCooperation {
			for i, value := range rude {
				if turn++; (i+turn)%20 != 0 {
					continue
				}
				keys := map[string]string{}
				for k, v := range keysOfCooperation {
					keys[k] = v
				}
				keys[key] = url.PathEscape(value)
				for i, path := range pagesOf(keys) {
					if path == usual[i] {
						continue // it has no such key
					}
					s := asker.send(http.MethodGet, path, nil)
					require.Less(t, s.status, 500, "%s: %s", path, s.text())
					assert.NotContains(t, s.body, "<script>alert", path)
				}
			}
		}
	}
}

// A query that does not read is refused: without it, the page would be of something else.
func TestAQueryThatDoesNotRead(t *testing.T) {
	r := start(t)
	for _, query := range []string{"as_of=%zz", "as_of=seq:1;since=seq:0", "%"} {
		s := r.send(http.MethodGet, "/?"+query, nil)
		assert.Equal(t, http.StatusBadRequest, s.status, query)
		s.wellFormed()
	}
}
