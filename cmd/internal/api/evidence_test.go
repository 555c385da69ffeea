package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/eventstore"
)

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func digestHeader(s string) string {
	sum := sha256.Sum256([]byte(s))
	return digestOf(sum[:])
}

// attach stores evidence and returns its hash.
func (r *rig) attach(body string, headers ...string) string {
	r.t.Helper()
	var e Evidence
	r.send(http.MethodPost, "/v1/evidence", body, headers...).is(http.StatusCreated).into(&e)
	return string(e.SHA256)
}

// Given a file that was sent, when it is asked for, then it comes back as it
// was, never to be taken for a page; sent again, it was there already.
func TestEvidenceGoesInAndComesOut(t *testing.T) {
	r := start(t)
	file := strings.Repeat("<script>alert(1)</script>\n", 20_000)
	for i, status := range []int{http.StatusCreated, http.StatusOK} {
		answer := r.send(http.MethodPost, "/v1/evidence", file, "Content-Type: text/html").is(status)
		assert.JSONEq(t, fmt.Sprintf(`{"sha256":%q,"size":%d}`, sha(file), len(file)), string(answer.body), i)
		assert.Equal(t, "/v1/evidence/"+sha(file), answer.header.Get("Location"))
	}

	for _, method := range []string{http.MethodGet, http.MethodHead} {
		answer := r.send(method, "/v1/evidence/"+sha(file), "").is(http.StatusOK)
		if method == http.MethodGet {
			assert.True(t, file == string(answer.body))
		} else {
			assert.Empty(t, answer.body)
		}
		for name, want := range map[string]string{
			"Content-Length": fmt.Sprint(len(file)), "ETag": `"` + sha(file) + `"`, "Content-Type": "application/octet-stream",
			"Content-Disposition": `attachment; filename="` + sha(file) + `"`, "X-Content-Type-Options": "nosniff",
			"Repr-Digest": digestHeader(file), "Cache-Control": "private, max-age=31536000, immutable",
		} {
			assert.Equal(t, want, answer.header.Get(name), "%s %s", method, name)
		}
		// and whoever has it is not sent it again
		known := r.send(method, "/v1/evidence/"+sha(file), "", `If-None-Match: "`+sha(file)+`"`).is(http.StatusNotModified)
		assert.Empty(t, known.body)
		r.send(method, "/v1/evidence/"+sha(file), "", `If-None-Match: "`+sha("other")+`"`).is(http.StatusOK)
	}
}

func TestEvidenceIsRefused(t *testing.T) {
	r := start(t)
	other := sha("other")
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		status     int
		code       string
		field      string
	}{
		"another hash in the query":     {"?sha256=" + other, "minutes", nil, 422, agreement.CodeHashMismatch, "sha256"},
		"another hash in the header":    {"", "minutes", []string{"Content-Digest: " + digestHeader("other")}, 422, agreement.CodeHashMismatch, "sha256"},
		"another hash of the file":      {"", "minutes", []string{"Repr-Digest: sha-512=:AAAA:, " + digestHeader("other")}, 422, agreement.CodeHashMismatch, "sha256"},
		"two hashes":                    {"?sha256=" + sha("minutes"), "minutes", []string{"Repr-Digest: " + digestHeader("other")}, 400, CodeInvalidParameter, "Repr-Digest"},
		"no hash in the query":          {"?sha256=xyz", "minutes", nil, 400, CodeInvalidParameter, "sha256"},
		"upper case":                    {"?sha256=" + strings.ToUpper(sha("minutes")), "minutes", nil, 400, CodeInvalidParameter, "sha256"},
		"no digest in the header":       {"", "minutes", []string{"Content-Digest: sha-256=" + sha("minutes")}, 400, CodeInvalidParameter, "Content-Digest"},
		"a digest that is short":        {"", "minutes", []string{"Content-Digest: sha-256=:AAAA:"}, 400, CodeInvalidParameter, "Content-Digest"},
		"nothing":                       {"", "", nil, 422, CodeEmptyBody, ""},
		"compressed":                    {"", "minutes", []string{"Content-Encoding: gzip"}, 415, CodeMediaType, "Content-Encoding"},
		"a parameter that is not there": {"?hash=" + other, "minutes", nil, 400, CodeUnknownParameter, "hash"},
		"from another site":             {"", "minutes", []string{"Sec-Fetch-Site: cross-site"}, 403, CodeForbiddenOrigin, "Origin"},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.on(t).send(http.MethodPost, "/v1/evidence"+c.path, c.body, c.headers...).problem(c.status, c.code)
			assert.Equal(t, c.field, p.Field)
		})
	}
	r.get("/v1/evidence/"+sha("minutes")).problem(http.StatusNotFound, domain.CodeNotFound)
	r.get("/v1/evidence/"+strings.ToUpper(other)).problem(http.StatusBadRequest, CodeInvalidParameter)
	r.get("/v1/evidence/minutes.pdf").problem(http.StatusBadRequest, CodeInvalidParameter)
	r.send(http.MethodDelete, "/v1/evidence/"+other, "").problem(http.StatusMethodNotAllowed, CodeMethod)

	// announced as they are, in every way, they are taken
	r.on(t).send(http.MethodPost, "/v1/evidence?sha256="+sha("minutes"), "minutes",
		"Content-Digest: sha-512=:AAAA:, "+digestHeader("minutes"), "Repr-Digest: "+digestHeader("minutes")).is(http.StatusCreated)
}

// zeros is a body of n zero bytes whose length is not told.
func zeros(n int64) io.Reader {
	return struct{ io.Reader }{io.LimitReader(zero{}, n)}
}

type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// A file over the limit is refused, whether or not its length is told, and
// nothing is stored.
func TestEvidenceTooLarge(t *testing.T) {
	r := start(t)
	for name, length := range map[string]int64{"told": eventstore.MaxEvidence + 1, "not told": -1} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t)
			req := r.request(t.Context(), http.MethodPost, "/v1/evidence", zeros(eventstore.MaxEvidence+1))
			req.ContentLength = length
			req.Header.Set("Expect", "100-continue")
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			reply{t, resp.StatusCode, resp.Header, body}.problem(http.StatusRequestEntityTooLarge, CodeTooLarge)
		})
	}
	var h = sha256.New()
	_, err := io.Copy(h, zeros(eventstore.MaxEvidence+1))
	require.NoError(t, err)
	r.get("/v1/evidence/"+hex.EncodeToString(h.Sum(nil))).problem(http.StatusNotFound, domain.CodeNotFound)
}

// Given an upload that ends before all that its head announced, then nothing is
// stored of it.
func TestEvidenceUploadBreaksOff(t *testing.T) {
	r := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST /v1/evidence HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+r.token+"\r\nContent-Length: 100\r\n\r\nminutes")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var p Problem
	require.NoError(t, json.Unmarshal(body, &p))
	assert.Equal(t, domain.CodeMalformed, p.Code)
	require.NoError(t, conn.Close())
	r.get("/v1/evidence/"+sha("minutes")).problem(http.StatusNotFound, domain.CodeNotFound)
}

// damage puts other bytes in the place of the evidence that was attached last.
func (r *rig) damage(body string) {
	t := r.t
	t.Helper()
	js, err := jetstream.New(r.store.Raw())
	require.NoError(t, err)
	ctx, subjects := context.Background(), "$O."+r.store.EvidenceBucket()
	st, err := js.Stream(ctx, "OBJ_"+r.store.EvidenceBucket())
	require.NoError(t, err)
	meta, err := st.GetLastMsgForSubject(ctx, subjects+".M.*")
	require.NoError(t, err)
	var info jetstream.ObjectInfo
	require.NoError(t, json.Unmarshal(meta.Data, &info))
	info.NUID += "x"
	for b := []byte(body); len(b) > 0; b = b[min(len(b), 100_000):] {
		_, err = js.Publish(ctx, subjects+".C."+info.NUID, b[:min(len(b), 100_000)])
		require.NoError(t, err)
	}
	data, err := json.Marshal(info)
	require.NoError(t, err)
	_, err = js.Publish(ctx, meta.Subject, data)
	require.NoError(t, err)
}

// Given stored bytes that were changed in the middle of a file, when it is asked
// for, then the answer breaks off; changed at its beginning, it is a problem.
func TestDamagedEvidenceIsNotHandedOut(t *testing.T) {
	r := start(t)
	large := bytes.Repeat([]byte("minutes "), 50_000)
	hash := r.attach(string(large))
	large[200_000] ^= 1
	r.damage(string(large))
	resp, err := http.DefaultClient.Do(r.request(t.Context(), http.MethodGet, "/v1/evidence/"+hash, nil))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Less(t, len(got), len(large))
	require.NoError(t, resp.Body.Close())

	hash = r.attach("minutes")
	r.damage("Minutes")
	p := r.get("/v1/evidence/"+hash).problem(http.StatusInternalServerError, CodeEvidenceDamaged)
	assert.NotContains(t, p.Detail, "Minutes")
}

// A command may name evidence once it is attached.
func TestACommandNamesStoredEvidence(t *testing.T) {
	r := start(t)
	r.scheduled()
	claim := func(hash string) string {
		return `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","party":"cethik","met_on":"2019-02-28","evidence":["` + hash + `"]}`
	}
	before := r.last()
	p := r.do("claim-achievement", claim(sha("report"))).problem(http.StatusUnprocessableEntity, ledger.CodeEvidenceNotStored)
	assert.Equal(t, "evidence[0]", p.Field)
	assert.Contains(t, p.Detail, "/v1/evidence")
	assert.Equal(t, before, r.last())

	r.done("claim-achievement", claim(r.attach("report")))

	line := `{"command":"change-party","party":"wuxi","title":"City of Wuxi","evidence":["` + sha("none") + `"]}`
	p = r.send(http.MethodPost, "/v1/import", "\n"+line, "Content-Type: "+mediaLines).problem(http.StatusUnprocessableEntity, ledger.CodeEvidenceNotStored)
	assert.Equal(t, 2, p.Line)
}
