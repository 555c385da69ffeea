package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

// accessed lets there be a principal with one of everything, something that is
// restricted under wuxi-2017, a subscriber and a webhook. It returns the last
// sequence.
func (r *rig) accessed() (seq uint64) {
	r.t.Helper()
	for _, c := range [][2]string{
		{"grant-access", `"principal":"li-wei","grant":"g-1","name":"李伟","role":"viewer","agreement":"wuxi-2017","cleared":["project/iot-base"]`},
		{"issue-token", `"principal":"li-wei","token":"t-1","hash":"` + hash("5") + `","label":"laptop","expires":"2019-04-30"`},
		{"link-identity", `"principal":"li-wei","identity":"i-1","issuer":"https://id.example.org","subject":"1"`},
		{"restrict-access", `"agreement":"wuxi-2017","project":"iot-base"`},
		{"add-subscriber", `"subscriber":"warehouse","agreement":"wuxi-2017","public_key":"U` + strings.Repeat("A", 55) + `"`},
		{"register-webhook", `"webhook":"city-ledger","url":"https://city.example.org/hook","kinds":["project"]`},
	} {
		seq = r.done(c[0], "{"+c[1]+"}").Seq
	}
	require.NoError(r.t, r.models.Wait(r.t.Context(), seq))
	return seq
}

func TestAccessLists(t *testing.T) {
	r := start(t)
	r.scheduled()
	seq := r.accessed()
	for path, want := range map[string]string{
		"access": `{"principal":"li-wei","name":"李伟",
			"grants":[{"grant":"g-1","role":"viewer","agreement":"wuxi-2017","party":"","cleared":["project/iot-base"],"revoked":false}],
			"tokens":[{"token":"t-1","label":"laptop","expires":"2019-04-30","revoked":false,"expired":false}],
			"identities":[{"identity":"i-1","issuer":"https://id.example.org","subject":"1","unlinked":false}],"version":3}`,
		"restrictions": `{"agreement":"wuxi-2017","projects":[{"key":"iot-base","since":"2019-03-01"}],"areas":[],"version":1}`,
		"subscribers": `{"subscriber":"warehouse","agreement":"wuxi-2017","from":1,"public_key":"U` + strings.Repeat("A", 55) + `",
			"cleared":false,"revoked_on":null,"version":1}`,
		"webhooks": `{"webhook":"city-ledger","url":"https://city.example.org/hook","agreement":"","kinds":["project"],"types":[],
			"cleared":false,"state":"enabled","from":0,"restarts":0,"generation":1,"version":1}`,
	} {
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			// when the list is asked for, and as of before there was anything
			var got, before page
			answer := r.get("/v1/" + path).is(http.StatusOK).into(&got)
			r.get(fmt.Sprintf("/v1/%s?as_of=seq:%d", path, seq-6)).is(http.StatusOK).into(&before)
			// then it says so, and nothing that could be shown to the server
			assert.Equal(t, seq, got.AsOf.Seq)
			require.Len(t, got.Items, 1)
			item, err := json.Marshal(got.Items[0])
			require.NoError(t, err)
			assert.JSONEq(t, want, string(item))
			assert.NotContains(t, string(answer.body), hash("5"))
			assert.Empty(t, before.Items)
		})
	}
}

func TestAccessItems(t *testing.T) {
	r := start(t)
	r.scheduled()
	seq := r.accessed()
	for path, version := range map[string]string{"access/li-wei": `"3"`, "webhooks/city-ledger": `"1"`} {
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			list, _, _ := strings.Cut(path, "/")
			var all page
			r.get("/v1/" + list).is(http.StatusOK).into(&all)
			var item map[string]any
			// when
			answer := r.get("/v1/" + path).is(http.StatusOK).into(&item)
			// then
			assert.Contains(t, all.Items, item, "an item alone is as it is in the list")
			assert.Equal(t, version, answer.header.Get("ETag"))
			r.get("/v1/"+list+"/nothing").problem(http.StatusNotFound, domain.CodeNotFound)
			r.get(fmt.Sprintf("/v1/%s?as_of=seq:%d", path, seq-6)).problem(http.StatusNotFound, domain.CodeNotFound)
		})
	}

	// when it is revoked, then it is shown so, and as of before as it was
	r.done("revoke-access", `{"principal":"li-wei"}`)
	var now, then struct {
		Grants, Tokens []struct{ Revoked bool }
		Identities     []struct{ Unlinked bool }
	}
	r.get(fmt.Sprintf("/v1/access/li-wei?min_seq=%d", seq+1)).is(http.StatusOK).into(&now)
	r.get(fmt.Sprintf("/v1/access/li-wei?as_of=seq:%d", seq)).is(http.StatusOK).into(&then)
	assert.Equal(t, [3]bool{true, true, true}, [3]bool{now.Grants[0].Revoked, now.Tokens[0].Revoked, now.Identities[0].Unlinked})
	assert.Equal(t, [3]bool{}, [3]bool{then.Grants[0].Revoked, then.Tokens[0].Revoked, then.Identities[0].Unlinked})
}

// No request can say who was authenticated.
func TestThePrincipalIsNotTheRequestsToSay(t *testing.T) {
	r := start(t)
	for _, name := range []string{"principal", "Principal"} {
		r.do("register-party", `{"party":"wuxi","title":"Wuxi","kind":"other","`+name+`":"admin"}`).problem(http.StatusUnprocessableEntity, domain.CodeUnknownField)
	}
}
