package access

import "github.com/milepost-ledger/milepost/domain"

// How long a token is good: 90 days unless the command says, and no longer than
// a year and a day.
const (
	TokenDays    = 90
	MaxTokenDays = 366
)

// CodeTooLong refuses a token that would be good for more than MaxTokenDays.
const CodeTooLong = "expires-too-late"

// IssueToken is the command issue-token.
type IssueToken struct {
	Principal domain.Key  `json:"principal" required:"true" doc:"Key of the principal."`
	Token     domain.Key  `json:"token,omitzero" doc:"Key of the token, chosen once, which is the first part of it; a UUID when absent."`
	Hash      domain.Hash `json:"hash" required:"true" doc:"SHA-256 of the token's secret, which must be 256 random bits. The secret itself is told to nobody; milepost token create makes one."`
	Label     string      `json:"label,omitzero" doc:"What it is for." max:"200"`
	Expires   domain.Date `json:"expires,omitzero" doc:"The last day on which it is good; in 90 days when absent, in 366 at most."`
}

func (IssueToken) Name() string      { return "issue-token" }
func (c IssueToken) Ref() domain.Ref { return Ref(c.Principal) }

// WithKey fills in an absent key of the token.
func (c IssueToken) WithKey(key domain.Key) domain.Command {
	c.Token = c.Token.Or(key)
	return c
}

// Decide gives a token to a principal that there is.
func (c IssueToken) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("token", c.Token); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, domain.NotFound("principal", "principal", c.Principal)
	}
	if s.Tokens.Has(c.Token) {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "token", "token %q is there, or was revoked; choose another key", c.Token)
	}
	if c.Expires == 0 {
		c.Expires = in.Today + TokenDays
	}
	switch {
	case c.Expires < in.Today:
		return nil, domain.Refuse(domain.CodeInvalidValue, "expires", "%s is over: today is %s", c.Expires, in.Today)
	case c.Expires > in.Today+MaxTokenDays:
		return nil, domain.Refuse(CodeTooLong, "expires", "a token is good for %d days at most, until %s; issue another one then", MaxTokenDays, in.Today+MaxTokenDays)
	}
	return []domain.Event{TokenIssued(c)}, nil
}

// TokenIssued: whoever shows a secret with this hash is the principal, through
// the day Expires.
type TokenIssued struct {
	Principal domain.Key  `json:"principal" doc:"Key of the principal, a person or a program."`
	Token     domain.Key  `json:"token" doc:"Key of the token."`
	Hash      domain.Hash `json:"hash" doc:"SHA-256 of the token's secret."`
	Label     string      `json:"label,omitzero" doc:"What it is for."`
	Expires   domain.Date `json:"expires" doc:"The last day on which it is good."`
}

func (TokenIssued) Type() string      { return "milepost.access.token-issued.v1" }
func (e TokenIssued) Ref() domain.Ref { return Ref(e.Principal) }

func (e TokenIssued) Apply(s *State) {
	s.Principal = e.Principal
	s.Tokens = s.Tokens.Edit(e.Token, func(t *Token) {
		*t = Token{Hash: e.Hash, Label: e.Label, Expires: e.Expires, Revoked: t.Revoked}
	})
}

// RevokeToken is the command revoke-token.
type RevokeToken struct {
	Principal domain.Key `json:"principal" required:"true" doc:"Key of the principal."`
	Token     domain.Key `json:"token" required:"true" doc:"Key of the token."`
}

func (RevokeToken) Name() string      { return "revoke-token" }
func (c RevokeToken) Ref() domain.Ref { return Ref(c.Principal) }

// Decide revokes a token that was not revoked before; one that has expired too.
func (c RevokeToken) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if s == nil {
		return nil, domain.NotFound("principal", "principal", c.Principal)
	}
	t, ok := s.Tokens.Get(c.Token)
	switch {
	case !ok:
		return nil, domain.NotFound("token", "token", c.Token)
	case t.Revoked:
		return nil, domain.Refuse(domain.CodeNothingChanged, "token", "token %q was revoked before", c.Token)
	}
	return []domain.Event{TokenRevoked(c)}, nil
}

// TokenRevoked: the token is not taken any more.
type TokenRevoked struct {
	Principal domain.Key `json:"principal" doc:"Key of the principal, a person or a program."`
	Token     domain.Key `json:"token" doc:"Key of the token."`
}

func (TokenRevoked) Type() string      { return "milepost.access.token-revoked.v1" }
func (e TokenRevoked) Ref() domain.Ref { return Ref(e.Principal) }

func (e TokenRevoked) Apply(s *State) {
	s.Principal = e.Principal
	s.Tokens = s.Tokens.Edit(e.Token, func(t *Token) { t.Revoked = true })
}
