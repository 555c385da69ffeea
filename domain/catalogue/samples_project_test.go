package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// projectSamples are of stage gates and technology readiness.
var projectSamples = []domain.Event{
	project.GatePassed{ID: base, Gate: "design", Title: title, Decision: "d-1", On: on},
	project.GateFailed{ID: base, Gate: "design", Title: title, Decision: "d-1", On: on},
	project.TRLAssessed{ID: base, Level: 6, On: on},
}
