package api

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// applyHeaders adds to what a command carries what its request says in headers.
// The actor's header is only a default, for a client that sends the commands
// of others; the other two must not contradict the body.
func applyHeaders(meta *domain.Meta, h http.Header) error {
	actor, err := actorOf(h)
	if err != nil {
		return err
	}
	if meta.Actor == "" {
		meta.Actor = actor
	}
	key, err := idempotencyKey(h)
	if err != nil {
		return err
	}
	switch {
	case key == "" || key == meta.IdempotencyKey:
	case meta.IdempotencyKey != "":
		return newProblem(CodeInvalidParameter, headerKey, "The header and the field idempotency_key differ; give one of them.")
	default:
		meta.IdempotencyKey = key
	}
	version, given, err := ifMatch(h)
	if err != nil || !given {
		return err
	}
	if v := meta.ExpectedVersion; v != nil && *v != version {
		return newProblem(CodeInvalidParameter, headerIfMatch, "The header and the field expected_version differ; give one of them.")
	}
	meta.ExpectedVersion = &version
	return nil
}

const (
	headerActor   = "Milepost-Actor"
	headerKey     = "Idempotency-Key"
	headerIfMatch = "If-Match"
)

// actorOf reads who asks, "" when the header does not say.
func actorOf(h http.Header) (string, error) {
	actor := h.Get(headerActor)
	if !utf8.ValidString(actor) { // it would be stored for ever
		return "", newProblem(CodeInvalidParameter, headerActor, "Want a name in UTF-8.")
	}
	return actor, nil
}

// idempotencyKey reads the header as the IETF draft writes it, a quoted
// string, and as most clients do, the bare key.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values(headerKey)
	if len(values) == 0 {
		return "", nil
	}
	bad := newProblem(CodeInvalidParameter, headerKey, `Want one key, "8e03978e-40d5" or 8e03978e-40d5: printable ASCII.`)
	key := strings.TrimSpace(values[0])
	if len(values) > 1 || strings.IndexFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
		return "", bad
	}
	if strings.HasPrefix(key, `"`) {
		inner, ok := strings.CutSuffix(key[1:], `"`)
		if !ok || strings.Contains(inner, `"`) || strings.Contains(inner, `\`) {
			return "", bad
		}
		key = inner
	}
	if key == "" {
		return "", bad
	}
	return key, nil
}

// ifMatch reads the version that an If-Match names: one strong entity tag, as
// the answers' ETag has it.
func ifMatch(h http.Header) (version uint64, given bool, err error) {
	values := h.Values(headerIfMatch)
	if len(values) == 0 {
		return 0, false, nil
	}
	inner, ok := strings.CutPrefix(strings.TrimSpace(strings.Join(values, ",")), `"`)
	if ok {
		inner, ok = strings.CutSuffix(inner, `"`)
	}
	version, parseErr := strconv.ParseUint(inner, 10, 64)
	if !ok || parseErr != nil || etag(version) != `"`+inner+`"` {
		return 0, true, newProblem(CodeInvalidParameter, headerIfMatch, `Want the version of the aggregate as its ETag has it, as in If-Match: "3".`)
	}
	return version, true, nil
}

// etag is the entity tag of an aggregate's version. It is for If-Match alone:
// an answer holds more than the aggregate (progress rolled up, what is late
// today), so the same version does not make the same answer, and no answer is
// ever 304.
func etag(version uint64) string { return `"` + strconv.FormatUint(version, 10) + `"` }

// requireMedia refuses a body that does not say that it is of one of the types.
func requireMedia(r *http.Request, types ...string) (string, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case err != nil || !slices.Contains(types, media) || charset != "" && !strings.EqualFold(charset, "utf-8"):
		return "", newProblem(CodeMediaType, "Content-Type", "Send it as "+strings.Join(types, " or ")+", in UTF-8.")
	case r.Header.Get("Content-Encoding") != "" && r.Header.Get("Content-Encoding") != "identity":
		return "", newProblem(CodeMediaType, "Content-Encoding", "Send the body as it is, not compressed.")
	}
	return media, nil
}

// checkQuery refuses query parameters that the operation does not have, and
// those given twice or without a value: each would widen the answer silently.
func checkQuery(op *huma.Operation, u url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return newProblem(CodeInvalidParameter, "", "The query does not read: "+err.Error())
	}
	var known []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	for name, values := range query {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return newProblem(CodeUnknownParameter, name, "There is no such parameter; this address takes none.")
		case !slices.Contains(known, name):
			return newProblem(CodeUnknownParameter, name, "There is no such parameter; there are "+strings.Join(known, ", ")+".")
		case len(values) > 1:
			return newProblem(CodeInvalidParameter, name, fmt.Sprintf("Given %d times; give it once.", len(values)))
		case values[0] == "":
			return newProblem(CodeInvalidParameter, name, "Has no value; give it one, or leave it out.")
		}
	}
	return nil
}
