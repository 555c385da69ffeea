package access_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

func TestIssueToken(t *testing.T) {
	cmd := access.IssueToken{Principal: "li-wei", Token: "t-1", Hash: domaintest.Text1, Label: "laptop", Expires: domain.MustDate("2024-06-15")}
	s := domaintest.Given(t, known()...).When(cmd).Then(access.TokenIssued(cmd))
	token, ok := domaintest.StateOf[access.State](s, access.Ref("li-wei")).Tokens.Get("t-1")
	assert.True(t, ok)
	assert.Equal(t, access.Token{Hash: domaintest.Text1, Label: "laptop", Expires: domaintest.Today}, token)

	// without a day it is good for 90 days
	day := cmd
	day.Token, day.Expires = "t-2", 0
	want := day
	want.Expires = domain.MustDate("2024-09-13")
	s.When(day).Then(access.TokenIssued(want))
	// and for 366 at most
	day.Token, day.Expires = "t-3", domain.MustDate("2025-06-16")
	s.When(day).Then(access.TokenIssued(day))

	for what, c := range map[string]struct {
		change      func(*access.IssueToken)
		code, field string
	}{
		"of a principal that there is not": {func(c *access.IssueToken) { c.Principal = "nobody" }, domain.CodeNotFound, "principal"},
		"no key":                           {func(c *access.IssueToken) { c.Token = "" }, domain.CodeMissingField, "token"},
		"a key that is taken":              {func(c *access.IssueToken) { c.Token = "t-1" }, domain.CodeAlreadyExists, "token"},
		"no hash":                          {func(c *access.IssueToken) { c.Hash = "" }, domain.CodeMissingField, "hash"},
		"a token instead of a hash":        {func(c *access.IssueToken) { c.Hash = "mp_t-1_secret" }, domain.CodeInvalidValue, "hash"},
		"a day that is over":               {func(c *access.IssueToken) { c.Expires = domain.MustDate("2024-06-14") }, domain.CodeInvalidValue, "expires"},
		"a day too far":                    {func(c *access.IssueToken) { c.Expires = domain.MustDate("2025-06-17") }, access.CodeTooLong, "expires"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := cmd
			changed.Token = "t-9"
			c.change(&changed)
			domaintest.Given(t, append(known(), access.TokenIssued(cmd))...).When(changed).Refused(c.code, c.field)
		})
	}
	cmd.Token = ""
	assert.Equal(t, domain.Key("drawn"), cmd.WithKey("drawn").(access.IssueToken).Token)
}

func TestRevokeToken(t *testing.T) {
	issued := access.TokenIssued{Principal: "li-wei", Token: "t-1", Hash: domaintest.Text1, Expires: domain.MustDate("2024-06-20")}
	cmd := access.RevokeToken{Principal: "li-wei", Token: "t-1"}
	s := domaintest.Given(t, append(known(), issued)...).On("2024-07-01"). // it has expired, and can be revoked still
										When(cmd).Then(access.TokenRevoked(cmd))
	token, _ := domaintest.StateOf[access.State](s, access.Ref("li-wei")).Tokens.Get("t-1")
	assert.Equal(t, access.Token{Hash: domaintest.Text1, Expires: issued.Expires, Revoked: true}, token)
	s.When(cmd).Refused(domain.CodeNothingChanged, "token")
	s.When(access.RevokeToken{Principal: "li-wei", Token: "t-2"}).Refused(domain.CodeNotFound, "token")
	s.When(access.RevokeToken{Principal: "nobody", Token: "t-1"}).Refused(domain.CodeNotFound, "principal")
	s.When(access.IssueToken{Principal: "li-wei", Token: "t-1", Hash: domaintest.Text2}).Refused(domain.CodeAlreadyExists, "token")
}

func TestIdentities(t *testing.T) {
	link := access.LinkIdentity{Principal: "li-wei", Identity: "i-1", Issuer: "https://id.example.org", Subject: "1"}
	unlink := access.UnlinkIdentity{Principal: "li-wei", Identity: "i-1"}
	again := link
	again.Identity = "i-2"
	s := domaintest.Given(t, known()...).
		When(link).Then(access.IdentityLinked(link))
	identity, _ := domaintest.StateOf[access.State](s, access.Ref("li-wei")).Identities.Get("i-1")
	assert.Equal(t, access.Identity{Issuer: link.Issuer, Subject: "1"}, identity)
	s.When(again).Refused(domain.CodeNothingChanged, "subject")
	s.When(link).Refused(domain.CodeAlreadyExists, "identity")
	s.When(unlink).Then(access.IdentityUnlinked(unlink)).
		When(unlink).Refused(domain.CodeNothingChanged, "identity")
	s.When(link).Refused(domain.CodeAlreadyExists, "identity")
	s.When(again).Then(access.IdentityLinked(again))
	s.When(access.UnlinkIdentity{Principal: "li-wei", Identity: "nothing"}).Refused(domain.CodeNotFound, "identity")
	s.When(access.UnlinkIdentity{Principal: "nobody", Identity: "i-1"}).Refused(domain.CodeNotFound, "principal")

	for what, c := range map[string]struct {
		change      func(*access.LinkIdentity)
		code, field string
	}{
		"to a principal that there is not": {func(c *access.LinkIdentity) { c.Principal = "nobody" }, domain.CodeNotFound, "principal"},
		"no key":                           {func(c *access.LinkIdentity) { c.Identity = "" }, domain.CodeMissingField, "identity"},
		"no issuer":                        {func(c *access.LinkIdentity) { c.Issuer = "" }, domain.CodeMissingField, "issuer"},
		"a name for an issuer":             {func(c *access.LinkIdentity) { c.Issuer = "id.example.org" }, domain.CodeInvalidValue, "issuer"},
		"an issuer of another kind":        {func(c *access.LinkIdentity) { c.Issuer = "ldap://id.example.org" }, domain.CodeInvalidValue, "issuer"},
		"no subject":                       {func(c *access.LinkIdentity) { c.Subject = "" }, domain.CodeMissingField, "subject"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := link
			c.change(&changed)
			domaintest.Given(t, known()...).When(changed).Refused(c.code, c.field)
		})
	}
	link.Identity = ""
	assert.Equal(t, domain.Key("drawn"), link.WithKey("drawn").(access.LinkIdentity).Identity)
}
