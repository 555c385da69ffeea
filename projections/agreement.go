package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Agreement is an agreement as of a point, with the progress of its projects
// rolled up.
type Agreement struct {
	Agreement      domain.Key    `json:"agreement" sql:"-"`
	Title          domain.Text   `json:"title"`
	Kind           string        `json:"kind"`
	State          string        `json:"state"`
	Parties        []domain.Key  `json:"parties"` // whose signatures it takes
	Signed         []domain.Key  `json:"signed"`  // who signed the present text
	Parent         domain.Key    `json:"parent"`
	Renews         domain.Key    `json:"renews"`
	RenewedBy      domain.Key    `json:"renewed_by"`
	Document       domain.Hash   `json:"document"`
	EffectiveOn    domain.Date   `json:"effective_on"`
	EndedOn        domain.Date   `json:"ended_on"`
	FirstProjectOn domain.Date   `json:"first_project_on"` // the earliest start of a project
	Term           domain.Period `json:"term"`
	Areas          []Area        `json:"areas"`
	Prior          []Prior       `json:"prior"` // cooperation before it

	Percent       *Percent    `json:"percent" sql:"-"` // earned share of the weight of all milestones; null without milestones
	RAG           string      `json:"rag" sql:"-"`     // the worst of its projects' on the day of the point; "" without milestones
	Projects      int         `json:"projects" sql:"-"`
	Milestones    int         `json:"milestones" sql:"-"`
	MilestonesMet int         `json:"milestones_met" sql:"-"`
	NextDue       domain.Date `json:"next_due" sql:"-"` // the earliest of its projects'
	Version       uint64      `json:"version" sql:"-"`
}

// Area is an area of cooperation.
type Area struct {
	Area    domain.Key  `json:"area"`
	Title   domain.Text `json:"title"`
	Parent  domain.Key  `json:"parent,omitempty"`
	Retired bool        `json:"retired,omitempty"`
}

// Prior is cooperation from before the agreement; its date may be imprecise.
type Prior struct {
	Entry domain.Key  `json:"entry"`
	Title domain.Text `json:"title"`
	Date  string      `json:"date"` // EDTF
}

var agreementTable = newTable[Agreement](orderAgreement, "agreement", versionLead...)

func agreementOf(s *agreement.State) *Agreement {
	a := &Agreement{
		Title: s.Title, Kind: s.Kind, State: s.State, Parties: s.Parties, Parent: s.Parent, Renews: s.Renews, RenewedBy: s.RenewedBy,
		Document: s.Document, EffectiveOn: s.EffectiveOn, EndedOn: s.EndedOn, FirstProjectOn: s.FirstProjectOn, Term: s.Term,
	}
	for key, signature := range s.Signatures.All() {
		if signature != (agreement.Signature{}) { // not void
			a.Signed = append(a.Signed, key)
		}
	}
	for key, area := range s.Areas.All() {
		a.Areas = append(a.Areas, Area{key, area.Title, area.Parent, area.Retired})
	}
	for key, prior := range s.Prior.All() {
		a.Prior = append(a.Prior, Prior{key, prior.Title, string(prior.Date)})
	}
	return a
}

// Agreements lists the agreements in the order in which they were drafted.
func (m *Models) Agreements(ctx context.Context, at Point, page Page) ([]Agreement, string, error) {
	return listOf(ctx, m, agreementTable, domain.Ref{}, at, page, (*query).agreement)
}

// Agreement returns one agreement, or refuses with not-found.
func (m *Models) Agreement(ctx context.Context, key domain.Key, at Point) (Agreement, error) {
	return itemOf(ctx, m, agreementTable, agreement.Ref(key), at, (*query).agreement)
}

func (q *query) agreement(a *Agreement, e found) (err error) {
	a.Agreement = keyOf(e.path)
	var sum progressRow
	if _, err = asOf(q, progressTable, e.id, &sum); err != nil {
		return err
	}
	a.Percent, a.RAG = percentOf(sum.Earned, sum.Weight), ragOf(sum.Milestones, sum.AmberOn, sum.RedOn, q.at.Day)
	a.Projects, a.Milestones, a.MilestonesMet, a.NextDue = sum.Projects, sum.Milestones, sum.MilestonesMet, sum.NextDue
	a.Version, err = q.version(e.id)
	return err
}
