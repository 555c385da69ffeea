package signin

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// flowTime is how long somebody may take at the provider.
const flowTime = 10 * time.Minute

// mostFlows bounds how many are there at once; with one more, the oldest is void.
const mostFlows = 10_000

// flows are the sign-ins that were sent to the provider, by the hashes of their
// states. Each comes back once.
type flows struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[hash]flow
}

type flow struct {
	browser  hash   // of the cookie of the browser that began it
	verifier string // of PKCE
	nonce    string
	next     string
	began    time.Time
}

func (f *flows) add(begun flow) (state string) {
	state = secret()
	now := f.now()
	begun.began = now
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[hash]flow{}
	}
	if len(f.open) >= mostFlows {
		var oldest hash
		for h, other := range f.open {
			if first := f.open[oldest]; first.began.IsZero() || other.began.Before(first.began) {
				oldest = h
			}
		}
		delete(f.open, oldest)
	}
	for h, other := range f.open {
		if now.Sub(other.began) >= flowTime {
			delete(f.open, h)
		}
	}
	f.open[hashOf(state)] = begun
	return state
}

// take returns the flow of a state, once, to the browser that began it.
func (f *flows) take(state, browser string) (flow, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := hashOf(state)
	found, ok := f.open[h]
	if !ok || found.browser != hashOf(browser) {
		return flow{}, false
	}
	delete(f.open, h)
	return found, f.now().Sub(found.began) < flowTime
}

// beginFlow sends the browser to the organisation's provider.
func (s *Service) beginFlow(w http.ResponseWriter, r *http.Request) error {
	p := s.cfg.Provider
	if p == nil {
		return refuse(http.StatusNotFound, CodeNoProvider)
	}
	if err := s.admit(r); err != nil {
		return err
	}
	_, found, err := p.discover(r.Context())
	if err != nil {
		return providerFailed(err)
	}
	browser, ok := s.cookie(r, flowCookie)
	if !ok {
		browser = secret()
		s.setCookie(w, r, flowCookie, browser)
	}
	f := flow{browser: hashOf(browser), verifier: oauth2.GenerateVerifier(), nonce: secret(), next: local(r.URL.Query().Get("next"))}
	state := s.flows.add(f)
	http.Redirect(w, r, p.oauth(found).AuthCodeURL(state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)), http.StatusSeeOther)
	return nil
}

// endFlow signs in whom the provider has sent back.
func (s *Service) endFlow(w http.ResponseWriter, r *http.Request) error {
	p := s.cfg.Provider
	if p == nil {
		return refuse(http.StatusNotFound, CodeNoProvider)
	}
	if err := s.admit(r); err != nil {
		return err
	}
	query := r.URL.Query()
	browser, _ := s.cookie(r, flowCookie)
	f, ok := s.flows.take(query.Get("state"), browser)
	if !ok {
		return refuse(http.StatusForbidden, CodeFlowUnknown)
	}
	if iss := query.Get("iss"); iss != "" && iss != p.Issuer { // RFC 9207: another provider's answer
		return refuse(http.StatusForbidden, CodeFlowUnknown)
	}
	if query.Get("error") != "" || query.Get("code") == "" {
		return refuse(http.StatusForbidden, CodeProviderRefused)
	}
	subject, err := p.subject(r.Context(), query.Get("code"), f)
	var refused *Refusal
	var denied *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &denied) && denied.ErrorCode == "invalid_grant": // the code is used, old, or another flow's
		refused = refuse(http.StatusForbidden, CodeProviderRefused)
		refused.cause = err
		return refused
	case err != nil:
		return providerFailed(err)
	}
	proof := s.byIdentity(p.Issuer, subject)
	who, ok := proof()
	switch {
	case !ok && s.cfg.Directory.Err() != nil:
		return s.unknown(CodeUnavailable)
	case !ok:
		return &Refusal{Status: http.StatusForbidden, Code: CodeIdentityUnknown, Issuer: p.Issuer, Subject: subject, Claim: p.claim()}
	}
	s.enter(w, r, who, proof, "provider")
	http.Redirect(w, r, f.next, http.StatusSeeOther)
	return nil
}

func providerFailed(err error) error {
	refused := refuse(http.StatusBadGateway, CodeProviderFailed)
	refused.cause = err
	return refused
}
