package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Gate is a stage gate of a project by its last review, as of a point.
type Gate struct {
	Gate      domain.Key  `json:"gate" sql:"-"`
	Project   domain.Key  `json:"project" sql:"-"`
	Agreement domain.Key  `json:"agreement" sql:"-"`
	Title     domain.Text `json:"title"`
	Outcome   string      `json:"outcome"` // passed, failed
	On        domain.Date `json:"on" sql:"as=dated"`
	Decision  domain.Key  `json:"decision"` // behind it, "" for none
}

var gateTable = newTable[Gate](orderGate, "gate", versionLead...)

func gateOf(s *project.State, key domain.Key) *Gate {
	g, _ := s.Gates.Get(key)
	return &Gate{Title: g.Title, Outcome: g.Outcome, On: g.On, Decision: g.Decision}
}

// Gates lists the gates of a project in the order in which they were first
// reviewed, or refuses with not-found.
func (m *Models) Gates(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Gate, string, error) {
	return listOf(ctx, m, gateTable, project.Ref(of, key), at, page, (*query).gate)
}

func (q *query) gate(i *Gate, e found) error {
	i.Gate, i.Project, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}
