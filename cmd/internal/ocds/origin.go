package ocds

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// origin says where in a release something was published, and with which id.
// The import gives it as the reason of the command that records the thing: a
// reader of the ledger sees where it comes from, and the export puts it there
// again, under the id that a key may not hold.
type origin struct {
	place string // names of fields from the release on: "contracts/implementation/milestones"
	id    string
}

// Places in a release.
const (
	inParties        = "parties"
	inContracts      = "contracts"
	inMilestones     = "contracts/milestones"
	inImplementation = "contracts/implementation/milestones"
	inTransactions   = "contracts/implementation/transactions"
	inPayer          = inTransactions + "/payer"
	inPayee          = inTransactions + "/payee"
	inAmendments     = "contracts/amendments"
	inAgreedMetrics  = "contracts/agreedMetrics"
	inMetrics        = "contracts/implementation/metrics"
	inObservations   = "/observations"
)

const (
	originBegins = "Published in "
	originID     = " with the id "
	originOf     = " of " // the process, of a contract
)

// reason is the origin in words, "" where the id is too long to be a reason.
func (o origin) reason() string {
	s := originBegins + o.place + originID + o.id
	if len(s) > 500 {
		return ""
	}
	return s
}

// parseOrigin is the inverse of reason. It takes an origin at one of the places
// only, or where none are given at any.
func parseOrigin(reason string, places ...string) (o origin, ok bool) {
	rest, ok := strings.CutPrefix(reason, originBegins)
	if ok {
		o.place, o.id, ok = strings.Cut(rest, originID)
	}
	return o, ok && o.id != "" && (len(places) == 0 || slices.Contains(places, o.place))
}

// contractOrigin is the origin of a contract, which tells its process too.
func contractOrigin(ocid, id string) origin { return origin{inContracts + originOf + ocid, id} }

// process returns the ocid of a contract's origin, "" where it is no contract's.
func (o origin) process() string {
	ocid, _ := strings.CutPrefix(o.place, inContracts+originOf)
	if ocid == o.place {
		return ""
	}
	return ocid
}

// from is the meta of a command that records what was published at a place.
func from(place, id string) domain.Meta { return domain.Meta{Reason: origin{place, id}.reason()} }
