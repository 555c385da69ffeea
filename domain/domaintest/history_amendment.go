package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

// ofAmendment are commands about the amendments of an agreement.
func ofAmendment(t *rapid.T, agreement domain.Key) asks {
	return asks{}
}
