package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
)

func TestAccessPages(t *testing.T) {
	r := startDemo(t)
	r.get("/access").says("Nobody has been granted access yet", "Nothing is restricted")

	// Given principals, one with a hostile name, and a restriction.
	r.done("grant-access", `{"principal":"li-wei","grant":"office","name":"<script>alert(1)</script>","role":"representative","agreement":"wuxi-cethik-2022","party":"wuxi"}`)
	r.done("grant-access", `{"principal":"li-wei","grant":"old","role":"viewer"}`)
	r.done("revoke-access", `{"principal":"li-wei","grant":"old"}`)
	_, hash := access.NewToken("laptop")
	r.done("issue-token", `{"principal":"li-wei","token":"laptop","label":"her laptop","hash":"`+string(hash)+`"}`)
	r.done("link-identity", `{"principal":"li-wei","identity":"city","issuer":"https://id.example","subject":"li.wei"}`)
	r.done("restrict-access", `{"agreement":"wuxi-cethik-2022","project":"incubation"}`)

	// Then an administrator sees who may do what, and what is restricted, and may change it.
	list := r.get("/access").says("Representative · wuxi-cethik-2022 · for wuxi", "Project incubation", "Lift restriction").silentOn("<script>alert", string(hash))
	assert.NotContains(t, list.text(), "Viewer", "it was revoked")
	assert.Contains(t, list.body, "/do/grant-access?next=%2Faccess")
	one := r.get("/access/li-wei").says("her laptop", "https://id.example", "li.wei", "revoked").silentOn("<script>alert", string(hash))
	for _, command := range []string{"revoke-access?grant=office", "revoke-token?", "unlink-identity?", "issue-token?"} {
		assert.Contains(t, one.body, "/do/"+command)
	}
	assert.Equal(t, 1, strings.Count(one.body, "revoke-access?grant="), "what is revoked is not revoked again")
	r.in("zh-CN").get("/access/li-wei").says("已撤销")

	// As of before, it was not so; and nothing can be changed from there.
	r.get("/access?as_of=seq:2").says("Nobody has been granted access yet").silentOn("/do/grant-access")

	// And others are told nothing of it, as by the API.
	viewer := r.principal("vera", `"role":"viewer"`)
	for _, path := range []string{"/access", "/access/li-wei"} {
		assert.Equal(t, http.StatusForbidden, viewer.send(http.MethodGet, path, nil).status)
	}
	assert.Equal(t, http.StatusOK, r.principal("ada", `"role":"auditor"`).get("/access").silentOn("/do/grant-access").status)
	assert.Equal(t, http.StatusNotFound, r.send(http.MethodGet, "/access/nobody", nil).status)
}

func TestConnections(t *testing.T) {
	r := startDemo(t)
	r.get("/connections").says("No program subscribes yet", "No webhook is registered yet")

	// Given a webhook and a subscriber.
	r.done("register-webhook", `{"webhook":"erp","url":"https://erp.example/hook?a=<b>","kinds":["project"]}`)
	r.done("register-webhook", `{"webhook":"old","url":"https://old.example/"}`)
	r.done("remove-webhook", `{"webhook":"old"}`)
	r.done("add-subscriber", `{"subscriber":"bi","agreement":"wuxi-cethik-2022","public_key":"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"}`)

	// Then they are there, with what may be done with them.
	s := r.get("/connections").says("https://erp.example/hook?a=<b>", "Enabled", "Removed", "bi").silentOn("hook?a=<b>")
	assert.Contains(t, s.body, "/do/disable-webhook?next=%2Fconnections&amp;webhook=erp")
	assert.NotContains(t, s.body, "webhook=old")
	assert.Contains(t, s.body, "/do/revoke-subscriber?")
	assert.Contains(t, s.body, `action="/connections/erp/secret"`)

	// An auditor sees how far they are, and not their secrets; others see nothing of it.
	r.principal("ada", `"role":"auditor"`).get("/connections").says("erp", "Accepted up to").silentOn(`href="/do/`, "/secret")
	viewer := r.principal("vera", `"role":"viewer"`)
	assert.Equal(t, http.StatusForbidden, viewer.send(http.MethodGet, "/connections", nil).status)
	assert.Equal(t, http.StatusForbidden, viewer.send(http.MethodPost, "/connections/erp/secret", map[string][]string{}).status)

	// And a secret is shown to a form of ours only.
	assert.Equal(t, http.StatusForbidden, r.send(http.MethodPost, "/connections/erp/secret", map[string][]string{tokenField: {"x"}}).status)
}
