package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Mechanism is a body of the parties that meets, as of a point.
type Mechanism struct {
	Mechanism     domain.Key   `json:"mechanism" sql:"-"`
	Agreement     domain.Key   `json:"agreement" sql:"-"`
	Title         domain.Text  `json:"title"`
	Kind          string       `json:"kind"`  // coordination, consultation, project-implementation
	State         string       `json:"state"` // established, dissolved
	Members       []domain.Key `json:"members"`
	Cadence       string       `json:"cadence"`
	EstablishedOn domain.Date  `json:"established_on"`
	DissolvedOn   domain.Date  `json:"dissolved_on"`
}

var mechanismTable = newTable[Mechanism](orderMechanism, "mechanism", versionLead...)

func mechanismOf(s *agreement.State, key domain.Key) *Mechanism {
	m, _ := s.Mechanisms.Get(key)
	return &Mechanism{
		Title: m.Title, Kind: m.Kind, State: m.State, Members: m.Members, Cadence: m.Cadence,
		EstablishedOn: m.EstablishedOn, DissolvedOn: m.DissolvedOn,
	}
}

// Mechanisms lists the mechanisms of an agreement in the order in which they
// were established, or refuses with not-found.
func (m *Models) Mechanisms(ctx context.Context, of domain.Key, at Point, page Page) ([]Mechanism, string, error) {
	return listOf(ctx, m, mechanismTable, agreement.Ref(of), at, page, (*query).mechanism)
}

// Mechanism returns one mechanism, or refuses with not-found.
func (m *Models) Mechanism(ctx context.Context, of, key domain.Key, at Point) (Mechanism, error) {
	return partItem(ctx, m, mechanismTable, agreement.Ref(of), key, at, (*query).mechanism)
}

func (q *query) mechanism(i *Mechanism, e found) error {
	i.Mechanism, i.Agreement = keyOf(e.path), e.agreement
	return nil
}
