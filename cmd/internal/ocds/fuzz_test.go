package ocds_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Whatever is in a package, it is refused with a code and words, or comes to
// commands that their declarations allow.
func FuzzPackage(f *testing.F) {
	f.Add(releases(first))
	f.Add(releases(first, later("2", "2020-07-01T00:00:00Z", `{"id":"1","status":"met","dateMet":"2020-06-30T00:00:00Z"}`)))
	f.Add(`{"records":[{"ocid":"o","releases":[` + first + `]}]}`)
	f.Add(`{"releases":[{"ocid":"o","date":"2020-01-01T00:00:00Z","contracts":[{"id":"1","value":{"amount":1e999,"currency":"CNY"}}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		items, err := ocds.Commands(strings.NewReader(text), forget)
		if err != nil {
			var refused *domain.Rejected
			require.ErrorAs(t, err, &refused)
			assert.NotEmpty(t, refused.Code)
			assert.NotEmpty(t, refused.Message)
			return
		}
		for item := range items {
			if item.Err != nil {
				continue
			}
			typ, _, err := catalogue.Command(item.Command.Name())
			require.NoError(t, err)
			if err := typ.Check(item.Command, item.Meta); err != nil { // the ledger says so, with the line
				var refused *domain.Rejected
				require.ErrorAs(t, err, &refused)
			}
		}
	})
}
