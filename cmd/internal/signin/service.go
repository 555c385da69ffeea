package signin

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

// Directory knows who there is.
type Directory interface {
	// Token returns whose token it is.
	Token(token string) (*access.Principal, error)
	// Identity returns whom the provider calls subject.
	Identity(issuer, subject string) (*access.Principal, error)
	// Principal returns the principal, the administrator too.
	Principal(key domain.Key) (*access.Principal, bool)
	// Err says why nobody is known at present, nil when who is not known is nobody.
	Err() error
}

// Config is what sign-in needs.
type Config struct {
	Directory Directory
	Ledger    string    // its name, for the pages
	Base      string    // address of the server as browsers know it, without a final slash
	Provider  *Provider // of an organisation; nil for none

	Secure  func(*http.Request) bool   // whether the browser came by TLS; nil: whether this server was reached by it
	Address func(*http.Request) string // of the one who asks; nil: that of the connection

	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil for the clock
}

// Service keeps the sessions, and serves the pages of sign-in.
type Service struct {
	cfg      Config
	sessions sessions
	links    links
	flows    flows
	attempts *attempts
	origin   *http.CrossOriginProtection
}

// New returns a service with no sessions. It starts nothing and needs no closing.
func New(cfg Config) *Service {
	if cfg.Secure == nil {
		cfg.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if cfg.Address == nil {
		cfg.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{cfg: cfg, attempts: newAttempts(), origin: http.NewCrossOriginProtection()}
	s.sessions.now, s.links.now, s.flows.now = cfg.Now, cfg.Now, cfg.Now
	return s
}

// Principal returns who asks, by the request's session. An answer that goes on looks
// the principal up again by that: it ends with the session, and does not prolong it.
func (s *Service) Principal(r *http.Request) (*access.Principal, bool) {
	id, ok := s.cookie(r, sessionCookie)
	if !ok {
		return nil, false
	}
	p, ok := s.sessions.find(hashOf(id), true, s.cfg.Directory.Err)
	if !ok {
		return nil, false
	}
	return p.KnownBy(func() (*access.Principal, error) { return s.again(hashOf(id)) }), true
}

func (s *Service) again(id hash) (*access.Principal, error) {
	p, ok := s.sessions.find(id, false, s.cfg.Directory.Err)
	if !ok {
		return nil, cmp.Or(s.cfg.Directory.Err(), access.ErrUnknown)
	}
	return p.KnownBy(func() (*access.Principal, error) { return s.again(id) }), nil
}

// Secure reports whether the browser came by TLS.
func (s *Service) Secure(r *http.Request) bool { return s.cfg.Secure(r) }

// proof is asked at each request whether what a session was begun by still
// holds, and for whom.
type proof func() (*access.Principal, bool)

// standing refuses whoever has no grant left.
func standing(p *access.Principal, known bool) (*access.Principal, bool) {
	return p, known && len(p.Grants()) > 0
}

func (s *Service) byToken(token string) proof {
	return func() (*access.Principal, bool) {
		p, err := s.cfg.Directory.Token(token)
		return standing(p, err == nil)
	}
}

func (s *Service) byIdentity(issuer, subject string) proof {
	return func() (*access.Principal, bool) {
		p, err := s.cfg.Directory.Identity(issuer, subject)
		return standing(p, err == nil)
	}
}

// byMaker is the proof of a link for a principal that was asked for by a token: the
// principal's own, or that of an administrator of the whole ledger.
func (s *Service) byMaker(principal domain.Key, token string) proof {
	return func() (*access.Principal, bool) {
		maker, err := s.cfg.Directory.Token(token)
		switch {
		case err != nil:
			return nil, false
		case maker.Key == principal:
			return standing(maker, true)
		case !maker.Administers(""):
			return nil, false
		}
		return standing(s.cfg.Directory.Principal(principal))
	}
}
