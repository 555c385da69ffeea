package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

func TestSignInByTheLinkThatTheServerPrints(t *testing.T) {
	t.Parallel()
	// Given a server that has just begun, and the link that it printed
	s := ownLedger(t)
	u := s.stranger(t)

	// When the link is opened, then it says whom it signs in, and waits for a click.
	u.open(s.link)
	u.sees("This link signs you in as admin")
	u.accessible()
	u.click("Sign in")

	// Then the administrator is at the first page,
	assert.Equal(t, "/", u.path())
	u.sees("Overview", "Sign out")

	// and the link signs in nobody else.
	other := s.stranger(t)
	other.expects("403 Forbidden")
	other.open(s.link)
	other.sees("This link is not accepted")
	other.accessible()
}

func TestSignInByAToken(t *testing.T) {
	t.Parallel()
	s := ownLedger(t)
	u := s.stranger(t)

	// Given somebody who asked for a page of which only who is known is told
	u.open("/?since=2026-01-01")
	assert.Equal(t, "/sign-in?next=%2F%3Fsince%3D2026-01-01", u.path())
	u.focuses("Token") // one can type at once

	// When a token is wrong, then they are told so, and what to do.
	u.expects("403 Forbidden")
	u.fill("Token", "mp_nobody_0123")
	u.press("Enter")
	u.sees("Not signed in", "This token is not accepted", "Ask the administrator")
	u.accessible()
	u.click("Sign in")

	// When it is right, then they come to the page that they asked for,
	u.open("/?since=2026-01-01")
	u.fill("Token", s.tokenOf(t, "ann", `"role":"viewer"`))
	u.click("Sign in")
	assert.Equal(t, "/?since=2026-01-01", u.path())
	u.sees("Ann", "Overview")

	// and the account says what they may do.
	u.click("Ann")
	u.sees("You are ann (Ann)", "Viewer", "the whole ledger")
	u.accessible()

	// When they sign out, then nothing is shown any more.
	u.click("Sign out")
	assert.Equal(t, "/sign-in", u.path())
	u.open("/")
	u.sees("Sign in", "A token begins with mp_.")
}

func TestSignInWithoutScripts(t *testing.T) {
	t.Parallel()
	s := ownLedger(t)
	token, err := signin.ReadAdminToken(s.dir)
	require.NoError(t, err)
	u := s.stranger(t)
	u.withoutScript()
	u.open("/")
	u.fill("Token", token)
	u.click("Sign in")
	u.sees("Overview", "There are no agreements yet.")
	u.click("Sign out")
	u.sees("A token begins with mp_.")
}

func TestTwoPeopleAtOnce(t *testing.T) {
	t.Parallel()
	s := demo(t)
	ann, bob := s.person(t, "ann", `"role":"viewer"`), s.person(t, "bob", `"role":"viewer"`)
	ann.open("/account")
	bob.open("/account")
	ann.sees("You are ann")
	bob.sees("You are bob")
	admin := s.administrator(t)
	admin.open("/")
	admin.sees("Administrator", "Agreements")
}
