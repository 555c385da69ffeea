package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// isPage tells the pages of sign-in from the operations of the API.
func isPage(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return path == "/account" || strings.HasPrefix(path, "/sign-")
}

func TestSignInLinks(t *testing.T) {
	r := start(t)
	viewer := r.principal("viewer", `"role":"viewer","agreement":"wuxi-2017"`)
	small := r.principal("small", `"role":"admin","agreement":"wuxi-2017"`)
	gone := r.principal("gone", `"role":"viewer","grant":"g"`)
	r.done("revoke-access", `{"principal":"gone","grant":"g"}`)
	const links, json = "/v1/sign-in-links", "Content-Type: application/json"
	made := func(r reply) (link SignInLink) {
		r.t.Helper()
		r.is(http.StatusCreated).into(&link)
		return link
	}

	// Everybody makes links for itself,
	for token, who := range map[string]string{viewer: "viewer", small: "small", gone: "gone", r.token: "administrator"} {
		for _, body := range []string{"", "{}", `{"principal":"` + who + `"}`} {
			link := made(r.as(token).send(http.MethodPost, links, body, json))
			assert.EqualValues(t, who, link.Principal)
			assert.Regexp(t, `^http://localhost/sign-in/link\?code=[A-Za-z0-9_-]{43}$`, link.Link)
			assert.WithinDuration(t, time.Now().Add(15*time.Minute), link.Expires, time.Minute)
		}
	}
	// an administrator of the whole ledger for others too, who must have a grant.
	assert.EqualValues(t, "viewer", made(r.send(http.MethodPost, links, `{"principal":"viewer"}`, json)).Principal)
	r.send(http.MethodPost, links, `{"principal":"gone"}`, json).problem(http.StatusNotFound, "not-found")
	r.send(http.MethodPost, links, `{"principal":"stranger"}`, json).problem(http.StatusNotFound, "not-found")
	for _, token := range []string{viewer, small} {
		for _, who := range []string{"administrator", "gone", "stranger"} {
			r.as(token).send(http.MethodPost, links, `{"principal":"`+who+`"}`, json).problem(http.StatusForbidden, CodeForbidden)
		}
	}
	r.as("").send(http.MethodPost, links, "", json).problem(http.StatusUnauthorized, CodeUnauthenticated)
	r.send(http.MethodPost, links, `{"principle":"viewer"}`, json).problem(http.StatusBadRequest, "malformed")
	r.send(http.MethodPost, links, strings.Repeat(" ", 5000), json).problem(http.StatusRequestEntityTooLarge, CodeTooLarge)
}
