package access

import (
	"slices"

	grants "github.com/milepost-ledger/milepost/domain/access"
)

// Grants lists the grants that hold. Whoever has none is known and may do nothing.
func (p *Principal) Grants() []grants.Grant { return slices.Clone(p.grants) }
