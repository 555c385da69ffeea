package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

// ofFund are commands about the funds of an agreement.
func ofFund(t *rapid.T, agreement domain.Key) asks {
	return asks{}
}
