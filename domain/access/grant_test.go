package access_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

var viewer = access.GrantAccess{Principal: "li-wei", Grant: "g-1", Called: "李伟", Role: access.Viewer, Agreement: "framework"}

// known has the parties of the fixtures, and li-wei, who reads the framework.
func known() []domain.Event {
	return append(domaintest.Parties(), access.Granted(viewer))
}

func TestGrantAccess(t *testing.T) {
	// the first grant makes the principal, and another name takes the place of the first
	second := access.GrantAccess{
		Principal: "li-wei", Grant: "g-2", Called: "Li Wei", Role: access.Representative, Agreement: "framework", Party: domaintest.City,
		Cleared: []string{"project/iot-base", "area/iot"},
	}
	s := domaintest.Given(t, domaintest.Parties()...).
		When(viewer).Then(access.Granted(viewer)).
		When(second).Then(access.Granted(second))
	state := domaintest.StateOf[access.State](s, access.Ref("li-wei"))
	assert.Equal(t, "Li Wei", state.Name)
	assert.Equal(t, []access.Grant{
		{Role: access.Viewer, Agreement: "framework"},
		{Role: access.Representative, Agreement: "framework", Party: domaintest.City, Cleared: second.Cleared},
	}, state.Standing())

	// a grant without a name leaves it, and one of the whole ledger needs no agreement
	s.When(access.GrantAccess{Principal: "li-wei", Grant: "g-3", Role: access.Auditor}).Accepted()
	assert.Equal(t, "Li Wei", domaintest.StateOf[access.State](s, access.Ref("li-wei")).Name)

	for what, c := range map[string]struct {
		change      func(*access.GrantAccess)
		code, field string
	}{
		"no principal":                    {func(c *access.GrantAccess) { c.Principal = "" }, domain.CodeMissingField, "principal"},
		"no key":                          {func(c *access.GrantAccess) { c.Grant = "" }, domain.CodeMissingField, "grant"},
		"a key that is taken":             {func(c *access.GrantAccess) { c.Grant = "g-1" }, domain.CodeAlreadyExists, "grant"},
		"no role":                         {func(c *access.GrantAccess) { c.Role = "" }, domain.CodeMissingField, "role"},
		"a role that there is not":        {func(c *access.GrantAccess) { c.Role = "owner" }, domain.CodeInvalidValue, "role"},
		"a representative of nobody":      {func(c *access.GrantAccess) { c.Party = "" }, access.CodePartyRequired, "party"},
		"a party that there is not":       {func(c *access.GrantAccess) { c.Party = "nobody" }, domain.CodeNotFound, "party"},
		"cleared in no agreement":         {func(c *access.GrantAccess) { c.Agreement = "" }, access.CodeAgreementRequired, "agreement"},
		"cleared for what has no secrets": {func(c *access.GrantAccess) { c.Cleared = []string{"fund/iot-fund"} }, access.CodeCannotBeCleared, "cleared"},
		"cleared for a part":              {func(c *access.GrantAccess) { c.Cleared = []string{"project/iot-base/milestone/site"} }, access.CodeCannotBeCleared, "cleared"},
		"cleared for no path":             {func(c *access.GrantAccess) { c.Cleared = []string{"project/"} }, access.CodeCannotBeCleared, "cleared"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := second
			c.change(&changed)
			domaintest.Given(t, known()...).When(changed).Refused(c.code, c.field)
		})
	}
	second.Grant = ""
	assert.Equal(t, domain.Key("drawn"), second.WithKey("drawn").(access.GrantAccess).Grant)
	assert.Equal(t, domain.Key("g-1"), viewer.WithKey("drawn").(access.GrantAccess).Grant)
}

func TestRevokeOneGrant(t *testing.T) {
	revoke := access.RevokeAccess{Principal: "li-wei", Grant: "g-1"}
	other := access.Granted{Principal: "li-wei", Grant: "g-2", Role: access.Auditor}
	s := domaintest.Given(t, append(known(), other)...).
		When(revoke).Then(access.Revoked{Principal: "li-wei", Grants: []domain.Key{"g-1"}})
	assert.Equal(t, []access.Grant{{Role: access.Auditor}}, domaintest.StateOf[access.State](s, access.Ref("li-wei")).Standing())
	s.When(revoke).Refused(domain.CodeNothingChanged, "grant")
	s.When(viewer).Refused(domain.CodeAlreadyExists, "grant") // one scope under one key, for who reads the log
	s.When(access.RevokeAccess{Principal: "li-wei", Grant: "nothing"}).Refused(domain.CodeNotFound, "grant")
	s.When(access.RevokeAccess{Principal: "nobody"}).Refused(domain.CodeNotFound, "principal")
}

// Revoking everything names each thing that stood, and no other.
func TestRevokeEverything(t *testing.T) {
	all := access.RevokeAccess{Principal: "li-wei"}
	s := domaintest.Given(t, append(known(),
		access.Granted{Principal: "li-wei", Grant: "g-2", Role: access.Viewer},
		access.Revoked{Principal: "li-wei", Grants: []domain.Key{"g-2"}},
		access.TokenIssued{Principal: "li-wei", Token: "t-1", Hash: domaintest.Text1, Expires: domaintest.Today},
		access.TokenIssued{Principal: "li-wei", Token: "t-2", Hash: domaintest.Text2, Expires: domaintest.Today},
		access.TokenRevoked{Principal: "li-wei", Token: "t-1"},
		access.IdentityLinked{Principal: "li-wei", Identity: "i-1", Issuer: "https://id.example.org", Subject: "1"},
	)...).When(all).Then(access.Revoked{
		Principal: "li-wei", Grants: []domain.Key{"g-1"}, Tokens: []domain.Key{"t-2"}, Identities: []domain.Key{"i-1"},
	})
	state := domaintest.StateOf[access.State](s, access.Ref("li-wei"))
	assert.Empty(t, state.Standing())
	for key, token := range state.Tokens.All() {
		assert.True(t, token.Revoked, key)
	}
	for key, identity := range state.Identities.All() {
		assert.True(t, identity.Unlinked, key)
	}
	s.When(all).Refused(domain.CodeNothingChanged, "principal")

	// a token alone, or an identity alone, is something to revoke
	s.When(access.IssueToken{Principal: "li-wei", Token: "t-3", Hash: domaintest.Text1}).Accepted().When(all).Accepted().
		When(access.LinkIdentity{Principal: "li-wei", Identity: "i-2", Issuer: "https://id.example.org", Subject: "1"}).Accepted().
		When(all).Accepted()
}

// What is done with the answer of Standing changes no state.
func TestStandingIsACopy(t *testing.T) {
	s := domaintest.Given(t, append(known(), access.Granted{Principal: "li-wei", Grant: "g-2", Role: access.Viewer, Agreement: "framework", Cleared: []string{"area/iot"}})...)
	state := domaintest.StateOf[access.State](s, access.Ref("li-wei"))
	got := state.Standing()
	got[1].Cleared[0] = "area/chips"
	assert.True(t, slices.Equal([]string{"area/iot"}, state.Standing()[1].Cleared))
}
