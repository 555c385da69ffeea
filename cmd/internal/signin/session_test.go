package signin

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

func TestTokenSignsIn(t *testing.T) {
	r := start(t, false)
	b := r.browser()

	// Given nobody is signed in, then the first page sends a person to sign in
	// and tells a program.
	p := b.get("/account")
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Equal(t, "/sign-in", p.Header.Get("Location"))
	program := r.browser()
	program.header.Del("Accept")
	p = program.get("/account")
	p.refused(t, http.StatusUnauthorized, CodeUnauthenticated)
	assert.NotEmpty(t, p.Header.Get("WWW-Authenticate"))
	program.header.Set("Authorization", "Bearer "+r.bo)
	assert.Contains(t, program.get("/account").body, "<strong>bo</strong>")

	// When a token is handed in, then its owner is signed in, and sees so.
	p = b.signIn(r.ann)
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Equal(t, "/", p.Header.Get("Location"))
	assert.Equal(t, "ann", b.who())
	p = b.get("/account")
	assert.Contains(t, p.body, "<strong>ann</strong> (Ms &lt;ann&gt;)")
	assert.Contains(t, p.body, "<td>Viewer</td><td>pact</td>")

	// When she signs out, then the cookie opens nothing any more, wherever it was
	// copied to.
	copied := r.browser()
	copied.header.Set("Cookie", p.Request.Header.Get("Cookie"))
	require.Equal(t, "ann", copied.who())
	p = b.send(http.MethodPost, "/sign-out", fill(p))
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Empty(t, b.who())
	assert.Empty(t, copied.who())
}

func TestWrongTokenIsNoHint(t *testing.T) {
	r := start(t, false)
	r.do("grant-access", `{"principal":"cy","grant":"g","role":"viewer"}`)
	r.do("revoke-access", `{"principal":"cy","grant":"g"}`)
	ungranted := r.token("cy", "t3")
	unknown, _ := access.NewToken("t9")
	other, _ := access.NewToken("t1")
	b := r.browser()
	var first string
	for i, token := range []string{other, unknown, ungranted, "", "x"} {
		p := b.signIn(token)
		p.refused(t, http.StatusForbidden, CodeWrongToken)
		if i == 0 {
			first = p.body
		}
		assert.Equal(t, first, p.body)
		assert.Empty(t, b.who())
	}
}

func TestSessionCookie(t *testing.T) {
	for _, c := range []struct {
		tls  bool
		want []string
		not  string
	}{
		{false, []string{"milepost-", "HttpOnly", "SameSite=Lax", "Path=/"}, "Secure"},
		{true, []string{"__Host-milepost=", "HttpOnly", "SameSite=Lax", "Path=/", "Secure"}, "Domain"},
	} {
		r := start(t, c.tls)
		b := r.browser()
		for _, p := range []page{b.get("/sign-in"), b.signIn(r.ann)} {
			set := p.Header.Values("Set-Cookie")
			require.Len(t, set, 1)
			for _, want := range c.want {
				assert.Contains(t, strings.Replace(set[0], "milepost-form=", "milepost=", 1), want)
			}
			assert.NotContains(t, set[0], c.not)
			assert.NotContains(t, set[0], "Expires")
		}
		assert.Equal(t, "ann", b.who())
		for h := range r.sessions.held {
			assert.NotContains(t, b.get("/account").Request.Header.Get("Cookie"), string(h[:]), "only the hash is kept")
		}
	}
}

func TestSessionEnds(t *testing.T) {
	r := start(t, false)
	t.Run("two hours after its last request", func(t *testing.T) {
		b := r.browser()
		b.signIn(r.ann)
		r.pass(sessionIdle - time.Second)
		assert.Equal(t, "ann", b.who())
		r.pass(sessionIdle - time.Second)
		assert.Equal(t, "ann", b.who())
		r.pass(sessionIdle)
		assert.Empty(t, b.who())
	})
	t.Run("however long an answer to it goes on", func(t *testing.T) {
		b := r.browser()
		b.signIn(r.ann)
		require.Equal(t, "ann", b.who())
		r.pass(sessionIdle / 2)
		p, err := r.asker.Renewed()
		require.NoError(t, err)
		_, err = p.Renewed()
		require.NoError(t, err)
		r.pass(sessionIdle / 2)
		_, err = r.asker.Renewed()
		assert.ErrorIs(t, err, access.ErrUnknown)
		assert.Empty(t, b.who())
	})
	t.Run("twelve hours after it began", func(t *testing.T) {
		b := r.browser()
		b.signIn(r.ann)
		for range 11 {
			r.pass(time.Hour)
			assert.Equal(t, "ann", b.who())
		}
		r.pass(time.Hour)
		assert.Empty(t, b.who())
	})
	t.Run("when its token is revoked", func(t *testing.T) {
		b, other := r.browser(), r.browser()
		b.signIn(r.ann)
		other.signIn(r.bo)
		r.do("revoke-token", `{"principal":"ann","token":"t1"}`)
		assert.Empty(t, b.who())
		assert.Equal(t, "bo", other.who())
	})
	t.Run("when its principal has no grant any more", func(t *testing.T) {
		r := r.on(t)
		r.do("grant-access", `{"principal":"cy","grant":"g1","role":"viewer"}`)
		b := r.browser()
		b.signIn(r.token("cy", "t3"))
		require.Equal(t, "cy", b.who())
		r.do("revoke-access", `{"principal":"cy","grant":"g1"}`)
		assert.Empty(t, b.who())
		r.do("grant-access", `{"principal":"cy","grant":"g2","role":"viewer"}`)
		assert.Empty(t, b.who(), "it does not come to life again")
	})
	t.Run("not for the time in which nobody is known", func(t *testing.T) {
		b := r.browser()
		b.signIn(r.bo)
		r.silence(true)
		assert.Empty(t, b.who())
		r.browser().signIn(r.bo).refused(t, http.StatusServiceUnavailable, CodeUnavailable)
		r.silence(false)
		assert.Equal(t, "bo", b.who())
	})
	t.Run("when another is begun in the same browser", func(t *testing.T) {
		b := r.browser()
		r.pass(time.Minute)
		b.signIn(r.bo)
		before := len(r.sessions.held)
		b.signIn(r.bo)
		assert.Len(t, r.sessions.held, before)
	})
	t.Run("when its principal begins too many", func(t *testing.T) {
		r.pass(sessionIdle) // those of before are over
		first := r.browser()
		first.signIn(r.bo)
		for range sessionsEach {
			assert.Equal(t, "bo", first.who())
			r.pass(time.Minute)
			r.browser().signIn(r.bo)
		}
		assert.Empty(t, first.who())
	})
}

func TestLinkSignsInOnce(t *testing.T) {
	r := start(t, false)
	address, expires := r.Link(access.Administrator, r.admin)
	assert.Equal(t, r.now().Add(15*time.Minute), expires)

	// Given programs that look at links ahead of people, by GET and HEAD
	for range 3 {
		p := r.browser().get(address)
		assert.Equal(t, http.StatusOK, p.StatusCode)
		assert.Contains(t, p.body, "<strong>administrator</strong>")
		r.browser().send(http.MethodHead, address, nil)
	}

	// When a person presses the button, then she is signed in,
	b := r.browser()
	asked := b.get(address)
	p := b.send(http.MethodPost, "/sign-in/link", fill(asked))
	assert.Equal(t, http.StatusSeeOther, p.StatusCode)
	assert.Equal(t, "administrator", b.who())

	// and the link is void.
	other := r.browser()
	other.get(address).refused(t, http.StatusForbidden, CodeLinkUsed)
	other.send(http.MethodPost, "/sign-in/link", fill(other.get("/sign-in"), "code", fill(asked).Get("code"))).refused(t, http.StatusForbidden, CodeLinkUsed)
	assert.Empty(t, other.who())
}

func TestLinkExpires(t *testing.T) {
	r := start(t, false)
	b := r.browser()
	address, _ := r.Link("ann", r.admin)
	r.pass(15*time.Minute - time.Second)
	form := fill(b.get(address))
	r.pass(time.Second)
	b.get(address).refused(t, http.StatusForbidden, CodeLinkUsed)
	b.send(http.MethodPost, "/sign-in/link", form).refused(t, http.StatusForbidden, CodeLinkUsed)
	assert.Empty(t, b.who())
}

// Whoever makes a link for itself with a token gets no more by it than the token
// gives.
func TestLinkLastsNoLongerThanItsToken(t *testing.T) {
	r := start(t, false)
	b := r.browser()
	address, _ := r.Link("ann", r.ann)
	b.send(http.MethodPost, "/sign-in/link", fill(b.get(address)))
	require.Equal(t, "ann", b.who())
	r.do("revoke-token", `{"principal":"ann","token":"t1"}`)
	assert.Empty(t, b.who())

	// and one with more links open than there may be loses the oldest
	oldest, _ := r.Link("bo", r.admin)
	for range linksEach {
		assert.Equal(t, http.StatusOK, b.get(oldest).StatusCode)
		r.pass(time.Second)
		r.Link("bo", r.admin)
	}
	b.get(oldest).refused(t, http.StatusForbidden, CodeLinkUsed)
}

// An administrator who makes a link for somebody else keeps nothing by it.
func TestLinkForAnotherLastsAsLongAsItsMaker(t *testing.T) {
	r := start(t, false)
	r.do("grant-access", `{"principal":"root","grant":"g","role":"admin"}`)
	root := r.token("root", "t3")
	entered := r.browser()
	for _, whom := range []domain.Key{access.Administrator, "ann"} {
		address, _ := r.Link(whom, root)
		entered.send(http.MethodPost, "/sign-in/link", fill(entered.get(address)))
		require.Equal(t, string(whom), entered.who())
	}
	early, _ := r.Link(access.Administrator, root)
	of := r.browser()
	form := fill(of.get(early))

	r.do("revoke-access", `{"principal":"root","grant":"g"}`)
	assert.Empty(t, entered.who())
	of.get(early).refused(t, http.StatusForbidden, CodeLinkUsed)
	of.send(http.MethodPost, "/sign-in/link", form).refused(t, http.StatusForbidden, CodeLinkUsed)
	assert.Empty(t, of.who())

	// nor has a link that one who is no administrator, or a stranger, asked for
	for _, token := range []string{r.bo, "", "mp_t3_none"} {
		address, _ := r.Link("ann", token)
		of.get(address).refused(t, http.StatusForbidden, CodeLinkUsed)
	}
}
