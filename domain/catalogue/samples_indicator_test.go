package catalogue_test

import "github.com/milepost-ledger/milepost/domain"

var indicatorSamples = []domain.Event{}
