package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

// How long a session lasts, and how many a principal has at once: with one more,
// the oldest ends.
const (
	sessionTime  = 12 * time.Hour
	sessionIdle  = 2 * time.Hour
	sessionsEach = 20
)

// secret makes 256 random bits, as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// hash is what is kept of a secret.
type hash [sha256.Size]byte

func hashOf(secret string) hash { return sha256.Sum256([]byte(secret)) }

// sessions are the sessions that last, by the hashes of their ids.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	held map[hash]*session
}

type session struct {
	principal   domain.Key
	proof       proof
	began, seen time.Time
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.began) >= sessionTime || now.Sub(s.seen) >= sessionIdle
}

// begin makes a session, and returns its id.
func (s *sessions) begin(principal domain.Key, proof proof) (id string) {
	id = secret()
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[hash]*session{}
	}
	var oldest hash
	mine := 0
	for h, other := range s.held {
		switch {
		case other.over(now):
			delete(s.held, h)
		case other.principal == principal:
			if mine++; mine == 1 || other.began.Before(s.held[oldest].began) {
				oldest = h
			}
		}
	}
	if mine >= sessionsEach {
		delete(s.held, oldest)
	}
	s.held[hashOf(id)] = &session{principal: principal, proof: proof, began: now, seen: now}
	return id
}

// find returns whose session it is, and ends it if it is over or nothing speaks
// for it any more. used says that a request came by it. While unknown says that
// nobody is known, it is nobody's and stays.
func (s *sessions) find(h hash, used bool, unknown func() error) (*access.Principal, bool) {
	now := s.now()
	s.mu.Lock()
	held, ok := s.held[h]
	if ok && held.over(now) {
		delete(s.held, h)
		ok = false
	}
	if ok && used {
		held.seen = now
	}
	s.mu.Unlock()
	if !ok {
		return nil, false
	}
	p, ok := held.proof() // it may be slow, or ask for a session
	if !ok || p.Key != held.principal {
		if unknown() == nil {
			s.end(h)
		}
		return nil, false
	}
	return p, true
}

func (s *sessions) end(h hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, h)
}

// Names of the cookies, before what cookieName adds to them.
const (
	sessionCookie = "milepost"
	formCookie    = "milepost-form"
	flowCookie    = "milepost-oidc"
)

// cookieName makes sure that no other host sets the cookie, where browsers do so
// for a name; and on this machine, where all ports share their cookies, that two
// servers have one each.
func (s *Service) cookieName(r *http.Request, name string) string {
	if s.cfg.Secure(r) {
		return "__Host-" + name
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return name + "-" + port
	}
	return name
}

func (s *Service) cookie(r *http.Request, name string) (value string, ok bool) {
	c, err := r.Cookie(s.cookieName(r, name))
	if err != nil || c.Value == "" {
		return "", false
	}
	return c.Value, true
}

// setCookie sets a cookie that lasts as long as the browser runs; an empty value
// deletes it.
func (s *Service) setCookie(w http.ResponseWriter, r *http.Request, name, value string) {
	c := &http.Cookie{
		Name: s.cookieName(r, name), Value: value, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.cfg.Secure(r),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// enter begins a session for the one who asks, in place of the one there was.
func (s *Service) enter(w http.ResponseWriter, r *http.Request, p *access.Principal, proof proof, by string) {
	if id, ok := s.cookie(r, sessionCookie); ok {
		s.sessions.end(hashOf(id))
	}
	s.setCookie(w, r, sessionCookie, s.sessions.begin(p.Key, proof))
	s.cfg.Logger.InfoContext(r.Context(), "signed in", "principal", p.Key, "by", by, "address", s.cfg.Address(r))
}
