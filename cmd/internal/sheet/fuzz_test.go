package sheet

import (
	"errors"
	"strings"
	"testing"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Whatever is in a file, it is a plan whose every row is a command that its
// declaration allows, or it is refused with a code and words.
func FuzzPlanFromCSV(f *testing.F) {
	f.Add(headings + "m,M,里,2026-01-01,3,delivery,wuxi;cethik,n\nn,N,,2026-01-01,,,wuxi,\n")
	f.Add("\xef\xbb\xbfTitle;Due;Confirming\r\n\"a\"\"b\";2025-02-30;,;\r\n")
	f.Add("milestone,title,due,confirming,depends_on\na,A,2026-01-01,wuxi,b\nb,B,2026-01-01,wuxi,a\n")
	f.Add("title_zh-Hant,title_,title_a,\n\"x\ny\",,,z\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, csv string) {
		table, err := ReadCSV(strings.NewReader(csv))
		var plan *Plan
		if err == nil {
			plan, err = ReadPlan(table, "wuxi", "base")
		}
		var refused *domain.Rejected
		var wrong Errors
		switch {
		case errors.As(err, &wrong):
			for _, e := range wrong {
				if e.Code == "" || e.Text == "" {
					t.Fatalf("%q: %+v", csv, e)
				}
			}
			return
		case errors.As(err, &refused):
			if refused.Code == "" || refused.Message == "" {
				t.Fatalf("%q: %+v", csv, refused)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		seen := map[domain.Key]bool{}
		for _, item := range plan.Items() {
			if item.Err != nil {
				continue
			}
			if err := planned.Check(item.Command, item.Meta); err != nil {
				t.Fatalf("%q: row %d: %v", csv, item.Line, err)
			}
			if key := item.Command.(project.Schedule).Milestone; key != "" {
				if seen[key] {
					t.Fatalf("%q: %s twice", csv, key)
				}
				seen[key] = true
			}
		}
	})
}
