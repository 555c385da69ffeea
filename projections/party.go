package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Party is a party as of a point.
type Party struct {
	Party   domain.Key         `json:"party" sql:"-"`
	Title   domain.Text        `json:"title"`
	Kind    string             `json:"kind"`
	Parent  domain.Key         `json:"parent"`
	Witness domain.VerifierKey `json:"witness" sql:"text"` // by which its countersignatures are checked; "" for none
	Version uint64             `json:"version" sql:"-"`
}

var partyTable = newTable[Party](orderParty, "party", versionLead...)

func partyOf(s *party.State) *Party {
	return &Party{Title: s.Title, Kind: s.Kind, Parent: s.Parent, Witness: s.Witness}
}

// Parties lists the parties of the ledger in the order of their registration.
func (m *Models) Parties(ctx context.Context, at Point, page Page) ([]Party, string, error) {
	return listOf(ctx, m, partyTable, domain.Ref{}, at, page, (*query).party)
}

// Party returns one party, or refuses with not-found.
func (m *Models) Party(ctx context.Context, key domain.Key, at Point) (Party, error) {
	return itemOf(ctx, m, partyTable, party.Ref(key), at, (*query).party)
}

func (q *query) party(p *Party, e found) (err error) {
	p.Party = keyOf(e.path)
	p.Version, err = q.version(e.id)
	return err
}
