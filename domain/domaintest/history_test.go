package domaintest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

const asks = 100 // of which a sixth or so is accepted

// Whatever is accepted, in whatever order, the invariants of the domain hold.
func TestInvariantsHoldInEveryHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := History(t, asks, func(w World, s Step) {
			for _, e := range s.Events {
				switch e := e.(type) {
				case project.Started:
					a, _ := w[agreement.Ref(e.Agreement)].(*agreement.State)
					assert.Equal(t, agreement.StatusActive, a.State, "9: no project starts otherwise")
				case fund.FundsDisbursed:
					a, _ := w[agreement.Ref(e.Agreement)].(*agreement.State)
					assert.Equal(t, agreement.StatusActive, a.State, "9: no funds are disbursed otherwise")
				case project.MilestoneMet:
					checkMet(t, w, s, e)
				case indicator.ActualReported:
					checkLocked(t, w, s, e)
				case party.WitnessRotated:
					checkHandOver(t, w, s, e)
				}
			}
			after := World{}
			for ref, state := range w {
				after[ref] = state
			}
			after.Evolve(s.Command.Ref(), s.Events...)
			checkMoves(t, w, after, s)
		})
		for _, state := range end {
			switch state := state.(type) {
			case *agreement.State:
				checkSignatures(t, state)
			case *project.State:
				checkNoCycle(t, state)
			case *fund.State:
				checkBooks(t, state)
			case *indicator.State:
				checkProgress(t, state)
			}
		}
	})
}

// Invariant 2: in effect only when each party signed the one document, which
// stands until an amendment takes its place.
func checkSignatures(t *rapid.T, s *agreement.State) {
	if s.EffectiveOn == 0 {
		assert.Contains(t, []string{agreement.StatusDrafted, agreement.StatusUnderConsultation}, s.State)
		return
	}
	var last domain.Date
	first, _ := s.Signatures.Get(s.Parties[0])
	for _, p := range s.Parties {
		signature, _ := s.Signatures.Get(p)
		assert.NotZero(t, signature.Date, "2: %s signed", p)
		assert.Equal(t, first.Document, signature.Document, "2: one document")
		last = max(last, signature.Date)
	}
	if s.Amendments.Len() == 0 {
		assert.Equal(t, first.Document, s.Document, "2: the one in force")
	}
	assert.Equal(t, last, s.EffectiveOn)
}

// Invariants 3 and 5, at the moment at which a milestone is met.
func checkMet(t *rapid.T, w World, s Step, e project.MilestoneMet) {
	p := w[e.Ref()].(*project.State)
	m, _ := p.Milestones.Get(e.Milestone)
	assert.LessOrEqual(t, e.MetOn, Today, "3: not in the future")
	confirmed := append(slices.Clone(m.ConfirmedBy), s.Command.(project.Confirm).Party)
	for _, c := range m.Confirming {
		assert.Contains(t, confirmed, c, "3: each confirmed")
	}
	assert.NotEqual(t, []domain.Key{m.ClaimedBy}, confirmed, "3: never the claimant alone")
	for _, on := range m.DependsOn {
		if d, _ := p.Milestones.Get(on); d.State != project.Dropped && !slices.Contains(e.Despite, on) {
			assert.Equal(t, project.Met, d.State, "5: met before")
			assert.LessOrEqual(t, d.MetOn, e.MetOn, "5: met before")
		}
	}
}

// A party's key names its successor, which it never had before.
func checkHandOver(t *rapid.T, w World, s Step, e party.WitnessRotated) {
	was := w[s.Command.Ref()].(*party.State)
	assert.Equal(t, was.Witness, e.Old)
	assert.NoError(t, domain.VerifyRotation(e.Old, e.Key, string(e.Statement)))
	assert.NotContains(t, append(slices.Clone(was.FormerWitnesses), was.Witness), e.Key)
}

// Invariant 4: which command may move which date, and with what. An amendment
// moves them by its clauses, for its own reason.
func checkMoves(t *rapid.T, before, after World, s Step) {
	reason := s.Meta.Reason
	_, amended := s.Command.(amendment.Sign)
	if amended {
		reason = before[s.Command.Ref()].(*amendment.State).ReasonCode
	}
	for ref, state := range after {
		was, _ := before[ref].(*project.State)
		is, _ := state.(*project.State)
		if was == nil || is == nil || was == is {
			continue
		}
		for key, m := range is.Milestones.All() {
			old, ok := was.Milestones.Get(key)
			if !ok {
				continue
			}
			if old.Due != m.Due || old.Forecast != m.Forecast {
				assert.Contains(t, domain.ReasonCodes, reason, "4: a move has a reason code")
			}
			if old.Due != m.Due && !amended {
				c := s.Command.(project.Reschedule)
				assert.True(t, (c.Decision != "") != (c.Amendment != ""), "4: an agreed date moves by a citation")
				a := before[agreement.Ref(c.Agreement)].(*agreement.State)
				assert.True(t, a.Decisions.Has(c.Decision) || a.Amendments.Has(c.Amendment), "4: of what was decided or is in effect")
			}
			if old.Baseline != m.Baseline && !amended {
				assert.IsType(t, project.ApproveBaseline{}, s.Command, "4: only a baseline moves a baseline")
			}
		}
	}
}

// Invariant 5: what a milestone depends on can be taken away, leaf by leaf.
func checkNoCycle(t *rapid.T, s *project.State) {
	done := map[domain.Key]bool{}
	for range s.Milestones.Len() {
		for key, m := range s.Milestones.All() {
			done[key] = done[key] || !slices.ContainsFunc(m.DependsOn, func(on domain.Key) bool { return !done[on] })
		}
	}
	for key := range s.Milestones.All() {
		assert.True(t, done[key], "5: %s is in a cycle", key)
	}
}

// recorded returns the events of a random history with their aggregates.
func recorded(t *rapid.T) (refs []domain.Ref, events []domain.Event) {
	History(t, asks, func(_ World, s Step) {
		for _, e := range s.Events {
			ref, e := Locate(s.Command.Ref(), e)
			refs, events = append(refs, ref), append(events, e)
		}
	})
	return refs, events
}

// told is all that Diff tells of a state, from nothing.
func told(ref domain.Ref, before, after any) map[string]string {
	a, _ := catalogue.Aggregate(ref.Kind)
	all := map[string]string{}
	a.Diff(before, after, func(c domain.Change) {
		all[c.Part+"."+c.Field] = string(domain.EncodeValue(c.Before)) + "=>" + string(domain.EncodeValue(c.After))
	})
	return all
}

// Invariant 10: any order will do, and no state ever changes once it is there.
func TestEvolveAcceptsAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refs, events := recorded(t)
		order := make([]int, len(events))
		for i := range order {
			order[i] = i
		}
		w := World{}
		type kept struct {
			ref   domain.Ref
			state any
			told  map[string]string
		}
		var states []kept
		for _, i := range rapid.Permutation(order).Draw(t, "order") {
			w.Evolve(refs[i], domain.On(refs[i], events[i]))
			states = append(states, kept{refs[i], w[refs[i]], told(refs[i], nil, w[refs[i]])})
		}
		for _, s := range states {
			assert.Equal(t, s.told, told(s.ref, nil, s.state), "a state changed after the fact")
		}
	})
}

// Invariant 12: the changes from one state to the next add up to the change
// from the first to the last.
func TestDiffComposes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refs, events := recorded(t)
		w, sum := World{}, map[domain.Ref]map[string]string{}
		for i, e := range events {
			ref := refs[i]
			a, _ := catalogue.Aggregate(ref.Kind)
			before := w[ref]
			w.Evolve(ref, domain.On(ref, e))
			if sum[ref] == nil {
				sum[ref] = map[string]string{}
			}
			a.Diff(before, w[ref], func(c domain.Change) {
				field := c.Part + "." + c.Field
				assert.Equal(t, sum[ref][field], said(c.Before), "%s of %s before %s", field, ref, e.Type())
				sum[ref][field] = said(c.After)
			})
			a.Diff(w[ref], w[ref], func(c domain.Change) { t.Fatalf("no change, and yet %+v", c) })
		}
		for ref, state := range w {
			a, _ := catalogue.Aggregate(ref.Kind)
			a.Diff(nil, state, func(c domain.Change) {
				field := c.Part + "." + c.Field
				assert.Equal(t, said(c.After), sum[ref][field], "%s of %s", field, ref)
				delete(sum[ref], field)
			})
			for field, left := range sum[ref] {
				assert.Empty(t, left, "%s of %s is told by the steps and not by the whole", field, ref)
			}
		}
	})
}

// said is the value of a field in a change; 0 and false are what they are from
// nothing on, and are told only when they replace something.
func said(v any) string {
	switch s := string(domain.EncodeValue(v)); s {
	case "0", "false":
		return ""
	default:
		return s
	}
}
