package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
)

// Amendment is an amendment of an agreement, as of a point.
type Amendment struct {
	Amendment   domain.Key           `json:"amendment" sql:"-"`
	Agreement   domain.Key           `json:"agreement" sql:"-"`
	Title       domain.Text          `json:"title"`
	Rationale   domain.Text          `json:"rationale"`
	ReasonCode  string               `json:"reason_code"`
	Note        string               `json:"note"`
	State       string               `json:"state"` // proposed, in-effect, rejected, withdrawn
	ProposedBy  domain.Key           `json:"proposed_by"`
	ProposedOn  domain.Date          `json:"proposed_on"`
	Parties     []domain.Key         `json:"parties"`    // whose signatures it takes
	Signatures  []AmendmentSignature `json:"signatures"` // given so far
	Document    domain.Hash          `json:"document"`
	Term        domain.Period        `json:"term"`    // the agreement's from then on; empty where it stays
	Changes     []domain.Clause      `json:"changes"` // the commands that it carries out
	EffectiveOn domain.Date          `json:"effective_on"`
	EndedOn     domain.Date          `json:"ended_on"` // rejected or withdrawn
	Version     uint64               `json:"version" sql:"-"`
}

// AmendmentSignature is a party's signature of an amendment.
type AmendmentSignature struct {
	Party     domain.Key  `json:"party"`
	Signatory string      `json:"signatory"`
	Date      domain.Date `json:"date"`
}

var amendmentTable = newTable[Amendment](orderAmendment, "amendment", versionLead...)

func amendmentOf(s *amendment.State) *Amendment {
	a := &Amendment{
		Title: s.Title, Rationale: s.Rationale, ReasonCode: s.ReasonCode, Note: s.Note, State: s.State, ProposedBy: s.ProposedBy,
		ProposedOn: s.ProposedOn, Parties: s.Parties, Document: s.Document, Term: s.Term, Changes: s.Changes,
		EffectiveOn: s.EffectiveOn, EndedOn: s.EndedOn,
	}
	for key, signature := range s.Signatures.All() {
		a.Signatures = append(a.Signatures, AmendmentSignature{key, signature.Signatory, signature.Date})
	}
	return a
}

// Amendments lists the amendments of an agreement in the order in which they
// were proposed, or refuses with not-found.
func (m *Models) Amendments(ctx context.Context, of domain.Key, at Point, page Page) ([]Amendment, string, error) {
	return listOf(ctx, m, amendmentTable, agreement.Ref(of), at, page, (*query).amendment)
}

// Amendment returns one amendment, or refuses with not-found.
func (m *Models) Amendment(ctx context.Context, of, key domain.Key, at Point) (Amendment, error) {
	return itemOf(ctx, m, amendmentTable, amendment.Ref(of, key), at, (*query).amendment)
}

func (q *query) amendment(i *Amendment, e found) (err error) {
	i.Amendment, i.Agreement = keyOf(e.path), e.agreement
	i.Version, err = q.version(e.id)
	return err
}
