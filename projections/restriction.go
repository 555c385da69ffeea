package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/restriction"
)

// Restricted is what is restricted in an agreement, as of a point: seen only by
// principals who are cleared for it. What was lifted is not in it.
type Restricted struct {
	Agreement domain.Key       `json:"agreement" sql:"-"`
	Projects  []RestrictedPart `json:"projects"`
	Areas     []RestrictedPart `json:"areas"` // with all that is in them
	Version   uint64           `json:"version" sql:"-"`
}

// RestrictedPart is a project or an area.
type RestrictedPart struct {
	Key   domain.Key  `json:"key"`
	Since domain.Date `json:"since"`
}

var restrictionTable = newTable[Restricted](orderRestriction, restriction.Kind, versionLead...)

func restrictionOf(s *restriction.State) *Restricted {
	return &Restricted{Projects: restrictedIn(s.Projects), Areas: restrictedIn(s.Areas)}
}

func restrictedIn(list domain.List[restriction.Restricted]) (parts []RestrictedPart) {
	for key, r := range list.All() {
		if r.Restricted {
			parts = append(parts, RestrictedPart{key, r.Since})
		}
	}
	return parts
}

// Restrictions lists what is restricted, by agreement, in the order in which the
// first of each was.
func (m *Models) Restrictions(ctx context.Context, at Point, page Page) ([]Restricted, string, error) {
	return listOf(ctx, m, restrictionTable, domain.Ref{}, at, page, (*query).restriction)
}

// Restriction returns what is restricted in one agreement, or refuses with
// not-found where nothing ever was.
func (m *Models) Restriction(ctx context.Context, of domain.Key, at Point) (Restricted, error) {
	return itemOf(ctx, m, restrictionTable, restriction.Ref(of), at, (*query).restriction)
}

func (q *query) restriction(r *Restricted, e found) (err error) {
	r.Agreement = keyOf(e.path)
	r.Version, err = q.version(e.id)
	return err
}
