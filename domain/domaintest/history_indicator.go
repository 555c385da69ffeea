package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

// ofIndicator are commands about the indicators of an agreement.
func ofIndicator(t *rapid.T, agreement domain.Key) asks {
	return asks{}
}
