package access

import (
	"net/url"

	"github.com/milepost-ledger/milepost/domain"
)

// LinkIdentity is the command link-identity.
type LinkIdentity struct {
	Principal domain.Key `json:"principal" required:"true" doc:"Key of the principal."`
	Identity  domain.Key `json:"identity,omitzero" doc:"Key of the identity, chosen once; a UUID when absent."`
	Issuer    string     `json:"issuer" required:"true" doc:"Address of the OpenID provider, as in its claim iss." max:"500"`
	Subject   string     `json:"subject" required:"true" doc:"What the provider calls the principal, in the claim that the server maps: sub unless it was told another." max:"500"`
}

func (LinkIdentity) Name() string      { return "link-identity" }
func (c LinkIdentity) Ref() domain.Ref { return Ref(c.Principal) }

// WithKey fills in an absent key of the identity.
func (c LinkIdentity) WithKey(key domain.Key) domain.Command {
	c.Identity = c.Identity.Or(key)
	return c
}

// Decide links an identity to a principal that there is. That no two principals
// have the same one is seen at sign-in, which refuses both.
func (c LinkIdentity) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("identity", c.Identity); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, domain.NotFound("principal", "principal", c.Principal)
	}
	if s.Identities.Has(c.Identity) {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "identity", "identity %q is there, or was unlinked; choose another key", c.Identity)
	}
	if u, err := url.Parse(c.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, domain.Refuse(domain.CodeInvalidValue, "issuer", "%q is no address; want one such as https://id.example.org", c.Issuer)
	}
	for key, i := range s.Identities.All() {
		if i.Issuer == c.Issuer && i.Subject == c.Subject && !i.Unlinked {
			return nil, domain.Refuse(domain.CodeNothingChanged, "subject", "identity %q says the same", key)
		}
	}
	return []domain.Event{IdentityLinked(c)}, nil
}

// IdentityLinked: whoever the provider calls Subject is the principal.
type IdentityLinked struct {
	Principal domain.Key `json:"principal" doc:"Key of the principal, a person or a program."`
	Identity  domain.Key `json:"identity" doc:"Key of the identity."`
	Issuer    string     `json:"issuer" doc:"Address of the OpenID provider."`
	Subject   string     `json:"subject" doc:"The subject that the provider knows it by."`
}

func (IdentityLinked) Type() string      { return "milepost.access.identity-linked.v1" }
func (e IdentityLinked) Ref() domain.Ref { return Ref(e.Principal) }

func (e IdentityLinked) Apply(s *State) {
	s.Principal = e.Principal
	s.Identities = s.Identities.Edit(e.Identity, func(i *Identity) {
		*i = Identity{Issuer: e.Issuer, Subject: e.Subject, Unlinked: i.Unlinked}
	})
}

// UnlinkIdentity is the command unlink-identity.
type UnlinkIdentity struct {
	Principal domain.Key `json:"principal" required:"true" doc:"Key of the principal."`
	Identity  domain.Key `json:"identity" required:"true" doc:"Key of the identity."`
}

func (UnlinkIdentity) Name() string      { return "unlink-identity" }
func (c UnlinkIdentity) Ref() domain.Ref { return Ref(c.Principal) }

// Decide unlinks an identity that was not unlinked before.
func (c UnlinkIdentity) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if s == nil {
		return nil, domain.NotFound("principal", "principal", c.Principal)
	}
	i, ok := s.Identities.Get(c.Identity)
	switch {
	case !ok:
		return nil, domain.NotFound("identity", "identity", c.Identity)
	case i.Unlinked:
		return nil, domain.Refuse(domain.CodeNothingChanged, "identity", "identity %q was unlinked before", c.Identity)
	}
	return []domain.Event{IdentityUnlinked(c)}, nil
}

// IdentityUnlinked: the principal cannot sign in by it any more.
type IdentityUnlinked struct {
	Principal domain.Key `json:"principal" doc:"Key of the principal, a person or a program."`
	Identity  domain.Key `json:"identity" doc:"Key of the identity."`
}

func (IdentityUnlinked) Type() string      { return "milepost.access.identity-unlinked.v1" }
func (e IdentityUnlinked) Ref() domain.Ref { return Ref(e.Principal) }

func (e IdentityUnlinked) Apply(s *State) {
	s.Principal = e.Principal
	s.Identities = s.Identities.Edit(e.Identity, func(i *Identity) { i.Unlinked = true })
}
