package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// Headers that say what the digest of a body is, after RFC 9530. A body is never
// encoded here, so both say the same.
const (
	headerContentDigest = "Content-Digest"
	headerReprDigest    = "Repr-Digest"
)

// announcedHash is what a request says that the hash of its body is, "" when it
// does not say.
func announcedHash(r *http.Request) (domain.Hash, error) {
	want := domain.Hash(r.URL.Query().Get("sha256"))
	if want != "" && !want.Valid() {
		return "", newProblem(CodeInvalidParameter, "sha256", "Want a SHA-256 as 64 lower-case hexadecimal digits.")
	}
	for _, name := range []string{headerContentDigest, headerReprDigest} {
		for member := range strings.SplitSeq(strings.Join(r.Header.Values(name), ","), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(member), "=")
			if algorithm != "sha-256" {
				continue
			}
			hash, ok := hashOfDigest(value)
			if !ok {
				return "", newProblem(CodeInvalidParameter, name, "Want sha-256=:...: with the SHA-256 of the body in base64 between the colons.")
			}
			if want != "" && want != hash {
				return "", newProblem(CodeInvalidParameter, name, "The request announces two hashes that differ; give one of them.")
			}
			want = hash
		}
	}
	return want, nil
}

// hashOfDigest reads a byte sequence as structured fields write it (RFC 9651).
func hashOfDigest(value string) (domain.Hash, bool) {
	inner, ok := strings.CutPrefix(value, ":")
	if ok {
		inner, ok = strings.CutSuffix(inner, ":")
	}
	raw, err := base64.StdEncoding.DecodeString(inner)
	if !ok || err != nil || len(raw) != sha256.Size {
		return "", false
	}
	return domain.Hash(hex.EncodeToString(raw)), true
}

// digestOf writes a SHA-256 as RFC 9530 does.
func digestOf(hash []byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(hash) + ":"
}
