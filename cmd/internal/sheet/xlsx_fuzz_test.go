package sheet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/milepost-ledger/milepost/domain"
)

// Whatever is in a workbook, it is a plan, or refused with a code and words.
func FuzzPlanFromXLSX(f *testing.F) {
	var empty bytes.Buffer
	if err := (Template{}).WriteXLSX(&empty); err != nil {
		f.Fatal(err)
	}
	f.Add(empty.Bytes())
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := ReadXLSX(bytes.NewReader(b))
		if err == nil {
			_, err = ReadPlan(table, "wuxi", "base")
		}
		var refused *domain.Rejected
		var wrong Errors
		switch {
		case err == nil, errors.As(err, &wrong) && len(wrong) > 0:
		case errors.As(err, &refused) && refused.Code != "" && refused.Message != "":
		default:
			t.Fatalf("%v", err)
		}
	})
}
