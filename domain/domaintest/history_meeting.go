package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
)

// ofMeeting are commands about the meetings of an agreement.
func ofMeeting(t *rapid.T, agreement domain.Key) asks {
	return asks{}
}
