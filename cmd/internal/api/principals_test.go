package api

import (
	"fmt"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

// as is r for somebody with a token; "" is a stranger.
func (r *rig) as(token string) *rig {
	c := *r
	c.token = token
	return &c
}

// principal grants a principal roles, each as fields of grant-access, and returns
// its token.
func (r *rig) principal(key string, roles ...string) (token string) {
	r.t.Helper()
	for _, role := range roles {
		r.done("grant-access", fmt.Sprintf(`{"principal":%q,%s}`, key, role))
	}
	token, hash := access.NewToken(domain.Key("t-" + key))
	r.done("issue-token", fmt.Sprintf(`{"principal":%q,"token":"t-%s","hash":%q}`, key, key, hash))
	return token
}
