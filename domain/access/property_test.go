package access_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// over lists what of a principal holds no longer.
func over(s *access.State) (gone []string) {
	if s == nil {
		return nil
	}
	for key, g := range s.Grants.All() {
		if g.Revoked {
			gone = append(gone, "grant/"+string(key))
		}
	}
	for key, t := range s.Tokens.All() {
		if t.Revoked {
			gone = append(gone, "token/"+string(key))
		}
	}
	for key, i := range s.Identities.All() {
		if i.Unlinked {
			gone = append(gone, "identity/"+string(key))
		}
	}
	return gone
}

// In every history, what was revoked never stands again, and whatever the order
// in which the events are applied, the same things stand in the end.
func TestWhatWasRevokedStaysRevoked(t *testing.T) {
	reached := 0
	rapid.Check(t, func(t *rapid.T) {
		events := map[domain.Ref][]domain.Event{}
		end := domaintest.HistoryOf(t, domaintest.Running(), domaintest.Access, 80, func(w domaintest.World, s domaintest.Step) {
			ref := s.Command.Ref()
			if ref.Kind != access.Kind {
				return
			}
			before, _ := w[ref].(*access.State)
			gone := over(before)
			events[ref] = append(events[ref], s.Events...)
			after := domaintest.World{ref: w[ref]}
			after.Evolve(ref, s.Events...)
			still := over(after[ref].(*access.State))
			for _, name := range gone {
				reached++
				assert.Contains(t, still, name, "after %s", s.Command.Name())
			}
		})
		for ref, all := range events {
			w := domaintest.World{}
			w.Evolve(ref, rapid.Permutation(all).Draw(t, "order")...)
			want, got := over(end[ref].(*access.State)), over(w[ref].(*access.State))
			slices.Sort(want)
			slices.Sort(got)
			assert.Equal(t, want, got)
			for key, grant := range end[ref].(*access.State).Grants.All() {
				same, _ := w[ref].(*access.State).Grants.Get(key)
				assert.Equal(t, grant, same, key)
			}
			for key, token := range end[ref].(*access.State).Tokens.All() {
				same, _ := w[ref].(*access.State).Tokens.Get(key)
				assert.Equal(t, token, same, key)
			}
		}
	})
	domaintest.Reached(t, reached, "something happens after a revocation")
}

// Whoever is told the events and the states cannot show a token: all that they
// have of it is its hash.
func TestNothingButAHashIsStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		token := access.FormatToken("t-1", secret)
		_, hash, _ := access.ParseToken(token)
		w := domaintest.World{}
		w.Evolve(domain.Ref{}, access.Granted(viewer))
		cmd := access.IssueToken{Principal: "li-wei", Token: "t-1", Hash: hash, Label: "laptop"}
		events, err := w.Ask(cmd, domain.Meta{}, domaintest.Today)
		assert.NoError(t, err)
		// the event has these members and no other, and of the secret the hash alone
		var members map[string]any
		assert.NoError(t, json.Unmarshal(domain.EncodeEvent(events[0]), &members))
		assert.Equal(t, map[string]any{
			"principal": "li-wei", "token": "t-1", "hash": string(hash), "label": "laptop", "expires": (domaintest.Today + access.TokenDays).String(),
		}, members)
		w.Evolve(cmd.Ref(), events...)
		got, _ := w[cmd.Ref()].(*access.State).Tokens.Get("t-1")
		assert.Equal(t, access.Token{Hash: hash, Label: "laptop", Expires: domaintest.Today + access.TokenDays}, got)
	})
}
