package domain_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// states is a world of what it holds; what is an error there cannot be read.
type states map[domain.Ref]any

func (s states) State(ref domain.Ref) (any, error) {
	if err, ok := s[ref].(error); ok {
		return nil, err
	}
	return s[ref], nil
}

func (s states) Last() (uint64, error) { return uint64(len(s)), nil }

func TestOverlayShowsWhatHappenedInItAndNothingBeneath(t *testing.T) {
	city, group := party.Ref("wuxi"), party.Ref("cethik")
	was := &party.State{Title: domain.Text{"en": "Wuxi"}, Kind: "local-government"}
	beneath := states{city: was}
	o := domain.NewOverlay(beneath, party.Aggregate)

	require.NoError(t, o.Evolve(city, party.Changed{Party: "wuxi", Title: domain.Text{"en": "City"}}))
	require.NoError(t, o.Evolve(city, domain.On(group, party.Registered{Party: "cethik", Kind: "other"})))

	changed, err := o.State(city)
	require.NoError(t, err)
	assert.Equal(t, "City", changed.(*party.State).Title["en"])
	assert.Equal(t, "local-government", changed.(*party.State).Kind, "on what was beneath")
	registered, err := o.State(group)
	require.NoError(t, err)
	assert.Equal(t, "other", registered.(*party.State).Kind, "elsewhere, where it says")
	assert.Equal(t, states{city: was}, beneath)
	assert.Equal(t, "Wuxi", was.Title["en"])
	none, err := o.State(party.Ref("harbour"))
	require.NoError(t, err)
	assert.Nil(t, none)
}

func TestOverlayFailsOnWhatItCannotRead(t *testing.T) {
	unread := errors.New("no log")
	o := domain.NewOverlay(states{party.Ref("wuxi"): unread}, party.Aggregate)
	assert.ErrorIs(t, o.Evolve(party.Ref("wuxi"), party.Changed{Party: "wuxi"}), unread)
	assert.ErrorContains(t, o.Evolve(domain.Ref{Kind: "fund", Key: "f"}, party.Changed{Party: "wuxi"}), "fund/f")
}
