package restriction_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/restriction"
)

var (
	base = restriction.Of{Agreement: "framework", Project: "iot-base"}
	iot  = restriction.Of{Agreement: "framework", Area: "iot"}
)

func TestRestrict(t *testing.T) {
	on := domain.MustDate("2024-06-01")
	s := domaintest.Given(t, domaintest.Running()...).
		When(restriction.Restrict{Of: base}).Then(restriction.Imposed{Of: base, Since: domaintest.Today}).
		When(restriction.Restrict{Of: iot}, domain.Meta{Effective: on}).Then(restriction.Imposed{Of: iot, Since: on})
	state := domaintest.StateOf[restriction.State](s, restriction.Ref("framework"))
	project, _ := state.Projects.Get("iot-base")
	area, _ := state.Areas.Get("iot")
	assert.Equal(t, restriction.Restricted{Restricted: true, Since: domaintest.Today}, project)
	assert.Equal(t, restriction.Restricted{Restricted: true, Since: on}, area)
	assert.Equal(t, domain.Key("framework"), state.Agreement)

	s.When(restriction.Restrict{Of: base}).Refused(domain.CodeNothingChanged, "project")
	s.When(restriction.Restrict{Of: iot}).Refused(domain.CodeNothingChanged, "area")
	for what, c := range map[string]struct {
		of          restriction.Of
		code, field string
	}{
		"no agreement":                     {restriction.Of{Project: "iot-base"}, domain.CodeMissingField, "agreement"},
		"neither a project nor an area":    {restriction.Of{Agreement: "framework"}, domain.CodeMissingField, "project"},
		"both":                             {restriction.Of{Agreement: "framework", Project: "iot-base", Area: "iot"}, domain.CodeMissingField, "project"},
		"an agreement that there is not":   {restriction.Of{Agreement: "second", Project: "iot-base"}, domain.CodeNotFound, "agreement"},
		"a project that there is not":      {restriction.Of{Agreement: "framework", Project: "town"}, domain.CodeNotFound, "project"},
		"an area that there is not":        {restriction.Of{Agreement: "framework", Area: "chips"}, domain.CodeNotFound, "area"},
		"an area by the key of a project":  {restriction.Of{Agreement: "framework", Area: "iot-base"}, domain.CodeNotFound, "area"},
		"a project by the key of an area ": {restriction.Of{Agreement: "framework", Project: "iot"}, domain.CodeNotFound, "project"},
	} {
		t.Run(what, func(t *testing.T) {
			domaintest.Given(t, domaintest.Running()...).When(restriction.Restrict{Of: c.of}).Refused(c.code, c.field)
		})
	}
}

func TestLift(t *testing.T) {
	domaintest.Given(t, domaintest.Running()...).When(restriction.Lift{Of: base}).Refused(domain.CodeNothingChanged, "project")
	s := domaintest.Given(t, append(domaintest.Running(), restriction.Imposed{Of: base, Since: domaintest.Today}, restriction.Imposed{Of: iot, Since: domaintest.Today})...).
		When(restriction.Lift{Of: base}).Then(restriction.Lifted{Of: base})
	s.When(restriction.Lift{Of: base}).Refused(domain.CodeNothingChanged, "project")
	s.When(restriction.Lift{Of: restriction.Of{Agreement: "framework", Area: "chips"}}).Refused(domain.CodeNothingChanged, "area")
	s.When(restriction.Lift{Of: restriction.Of{Agreement: "framework"}}).Refused(domain.CodeMissingField, "project")

	// the area stands as it was, and what was lifted can be restricted again
	state := domaintest.StateOf[restriction.State](s, restriction.Ref("framework"))
	area, _ := state.Areas.Get("iot")
	project, _ := state.Projects.Get("iot-base")
	assert.True(t, area.Restricted)
	assert.Zero(t, project)
	s.On("2024-07-01").When(restriction.Restrict{Of: base}).Then(restriction.Imposed{Of: base, Since: domain.MustDate("2024-07-01")})
}

// In every history, what is restricted is what was restricted last and not
// lifted since, and no command is accepted that would leave it as it is.
func TestWhatIsRestrictedIsWhatTheLastEventSays(t *testing.T) {
	reached := 0
	rapid.Check(t, func(t *rapid.T) {
		want := map[restriction.Of]bool{}
		end := domaintest.HistoryOf(t, domaintest.Running(), domaintest.Access, 80, func(_ domaintest.World, s domaintest.Step) {
			for _, e := range s.Events {
				switch e := e.(type) {
				case restriction.Imposed:
					assert.False(t, want[e.Of], "restricted twice")
					want[e.Of] = true
				case restriction.Lifted:
					assert.True(t, want[e.Of], "lifted and not restricted")
					want[e.Of] = false
					reached++
				}
			}
		})
		for of, restricted := range want {
			s := end[of.Ref()].(*restriction.State)
			p, _ := s.Projects.Get(of.Project)
			a, _ := s.Areas.Get(of.Area)
			assert.Equal(t, restricted, p.Restricted || a.Restricted, "%+v", of)
		}
	})
	domaintest.Reached(t, reached, "something is lifted")
}
