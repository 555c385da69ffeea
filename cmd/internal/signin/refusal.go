package signin

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Codes of what sign-in answers when it lets nobody in. They never change their
// meaning.
const (
	CodeTooManyAttempts = "too-many-attempts"    // from this address, or in all: later again
	CodeWrongToken      = "token-not-accepted"   // unknown, revoked, expired, or of a principal without a grant
	CodeLinkUsed        = "link-not-accepted"    // a one-time link that was used, has expired, or never was
	CodeInvalidForm     = "invalid-form"         // no form, or one that is too long
	CodeForeignForm     = "forbidden-origin"     // a form that is not from a page of this server
	CodeNoProvider      = "no-provider"          // the server knows no organisation to ask
	CodeProviderFailed  = "provider-unavailable" // the organisation's provider does not answer as it should
	CodeProviderRefused = "provider-refused"     // the organisation's provider said no
	CodeFlowUnknown     = "sign-in-not-begun"    // not begun by this browser, over already, or too long ago
	CodeIdentityUnknown = "identity-not-linked"  // the organisation knows the person, the ledger does not
	CodeNotVerified     = "email-not-verified"   // the organisation does not vouch for the address
	CodeClaimMissing    = "claim-missing"        // the organisation does not say what the server is to go by
	CodeUnavailable     = "unavailable"          // nobody is known, since the log does not answer
	CodeUnauthenticated = "unauthenticated"      // nobody is signed in
)

// Refusal is why nobody was signed in.
type Refusal struct {
	Status  int
	Code    string
	Wait    time.Duration // after which to try again, 0 when that says nothing
	Issuer  string        // with CodeIdentityUnknown, CodeNotVerified and CodeClaimMissing: who it is for the organisation
	Subject string
	Claim   string

	cause error // for the server's log
}

func refuse(status int, code string) *Refusal { return &Refusal{Status: status, Code: code} }

// Error is the sentence of the code, in English.
func (r *Refusal) Error() string {
	if sentence, ok := refusals[r.Code]; ok {
		return sentence
	}
	return refusals["internal"]
}

func (r *Refusal) Unwrap() error { return r.cause }

// Fail answers a program with a problem, in the form that the server has for
// problems.
type Fail func(w http.ResponseWriter, r *http.Request, status int, code, detail string)

// answer says to a person by a page, and to a program by a problem, what is wrong.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, err error, fail Fail) {
	var refused *Refusal
	if !errors.As(err, &refused) {
		refused = &Refusal{Status: http.StatusInternalServerError, Code: "internal", cause: err}
	}
	if refused.cause != nil {
		s.cfg.Logger.WarnContext(r.Context(), "nobody was signed in", "code", refused.Code, "address", s.cfg.Address(r), "error", refused.cause)
	}
	if refused.Wait > 0 {
		seconds := int64((refused.Wait + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if refused.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if !wantsPage(r) {
		fail(w, r, refused.Status, refused.Code, refused.Error())
		return
	}
	s.page(w, r, refused.Status, "refused", view{Refusal: refused})
}

// wantsPage tells a browser, which asks for HTML by name, from a program.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
