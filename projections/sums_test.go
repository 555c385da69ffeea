package projections_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// number is a decimal as a fraction, which is reckoned without our own code.
func number(d domain.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return new(big.Rat) // "" is no number, and adds nothing
	}
	return r
}

// movement is money that the events moved, told apart by fund and key.
type movement struct {
	party, project, of domain.Key
	amount, reduced    *big.Rat
}

// moved are the movements of the first seq events, with corrections in place of
// what they correct.
func moved(events []happened, seq uint64) (all [4]map[string]movement) {
	for i := range all {
		all[i] = map[string]movement{}
	}
	for _, e := range events[:seq] {
		of := func(key domain.Key) string { return e.ref.String() + "/" + string(key) }
		switch x := e.event.(type) {
		case fund.PledgeRecorded:
			all[0][of(x.Pledge)] = movement{party: x.Party, amount: number(x.Value.Amount)}
		case fund.FundsCommitted:
			c := movement{party: x.Party, of: x.Pledge, amount: number(x.Value.Amount), reduced: new(big.Rat)}
			if was, corrected := all[1][of(x.Commitment)]; corrected { // what it was reduced by stays
				c.reduced, c.amount = was.reduced, c.amount.Sub(c.amount, was.reduced)
			}
			all[1][of(x.Commitment)] = c
		case fund.CommitmentReduced:
			c := all[1][of(x.Commitment)]
			c.amount, c.reduced = new(big.Rat).Sub(c.amount, number(x.Value.Amount)), new(big.Rat).Add(c.reduced, number(x.Value.Amount))
			all[1][of(x.Commitment)] = c
		case fund.FundsDisbursed:
			all[2][of(x.Disbursement)] = movement{project: x.Project, of: x.Commitment, amount: number(x.Value.Amount)}
		case fund.ExpenditureRecorded:
			all[3][of(x.Expenditure)] = movement{of: x.Disbursement, amount: number(x.Value.Amount)}
		}
	}
	// Whose money it was is what stands now of what it was drawn from.
	for i, kind := range []int{2, 3} {
		for name, m := range all[kind] {
			from := all[i+1][name[:strings.LastIndex(name, "/")+1]+string(m.of)]
			if m.party = from.party; kind == 3 {
				m.project = from.project
			}
			all[kind][name] = m
		}
	}
	return all
}

// sumWhere sums up what counts.
func sumWhere(all map[string]movement, counts func(name string, m movement) bool) *big.Rat {
	sum := new(big.Rat)
	for name, m := range all {
		if counts(name, m) {
			sum.Add(sum, m.amount)
		}
	}
	return sum
}

// equalNumbers requires that a decimal is a number, exactly.
func equalNumbers(t tb, want *big.Rat, got domain.Decimal, name string) {
	t.Helper()
	require.Zero(t, want.Cmp(number(got)), "%s: want %s, got %s", name, want.FloatString(10), got)
}

// What funds hold, as of any point, is what the events say when they are
// summed up without the read models.
func TestFundsAreTheSumsOfTheirEvents(t *testing.T) {
	spent := 0
	check(t, func(t *rapid.T) {
		// given a history about funds
		l, log := inMemory(t)
		l.wander(t, 10)
		_, _ = l.try(fund.Disburse{ID: domaintest.IoTFund, Disbursement: "d-0", Commitment: "c-1", Project: "iot-base", Value: domaintest.CNY("10")}, domain.Meta{})
		_, _ = l.try(fund.RecordExpenditure{ID: domaintest.IoTFund, Expenditure: "e-0", Disbursement: "d-0", Value: domaintest.CNY("2.5")}, domain.Meta{})
		for range 50 {
			_, _ = l.try(domaintest.Funds.Draw(t, "command"), domain.Meta{
				Reason: "scope-change", Corrects: rapid.SampledFrom([]string{"", "", "01900000-0000-7000-8000-000000000001"}).Draw(t, "corrects"),
			})
		}
		m, done := live(t, log)
		defer done()
		at := projections.Point{Seq: uint64(rapid.IntRange(20, int(l.seq)).Draw(t, "as of")), Day: day("2024-06-10")}
		if rapid.Bool().Draw(t, "now") {
			at.Seq = l.seq
		}
		// when
		all := moved(l.events, at.Seq)
		ctx, page := context.Background(), projections.Page{}
		funds, _, err := m.Funds(ctx, "framework", at, page)
		require.NoError(t, err)
		// then each fund is the sum of what was moved in it
		for _, f := range funds {
			prefix := fund.Ref("framework", f.Fund).String() + "/"
			in := func(name string, _ movement) bool { return name[:len(prefix)] == prefix }
			for i, got := range []domain.Decimal{f.Pledged, f.Committed, f.Disbursed, f.Spent} {
				equalNumbers(t, sumWhere(all[i], in), got, fmt.Sprint(prefix, i))
			}
			spent += len(all[3])
			// and each movement the sum of what draws on it
			commitments, _, err := m.Commitments(ctx, "framework", f.Fund, at, page)
			require.NoError(t, err)
			for _, c := range commitments {
				equalNumbers(t, sumWhere(all[2], func(name string, m movement) bool { return in(name, m) && m.of == c.Commitment }), c.Disbursed, "of "+string(c.Commitment))
				equalNumbers(t, all[1][prefix+string(c.Commitment)].reduced, c.Reduced, "reductions of "+string(c.Commitment))
			}
			pledges, _, err := m.Pledges(ctx, "framework", f.Fund, at, page)
			require.NoError(t, err)
			for _, p := range pledges {
				equalNumbers(t, sumWhere(all[1], func(name string, m movement) bool { return in(name, m) && m.of == p.Pledge }), p.Committed, "of "+string(p.Pledge))
			}
			disbursements, _, err := m.Disbursements(ctx, "framework", f.Fund, at, page)
			require.NoError(t, err)
			for _, d := range disbursements {
				of := all[2][prefix+string(d.Disbursement)]
				require.Equal(t, [2]domain.Key{of.party, of.project}, [2]domain.Key{d.Party, d.Project})
				equalNumbers(t, sumWhere(all[3], func(name string, m movement) bool { return in(name, m) && m.of == d.Disbursement }), d.Spent, "of "+string(d.Disbursement))
			}
			expenditures, _, err := m.Expenditures(ctx, "framework", f.Fund, at, page)
			require.NoError(t, err)
			for _, e := range expenditures {
				of := all[3][prefix+string(e.Expenditure)]
				require.Equal(t, [2]domain.Key{of.party, of.project}, [2]domain.Key{e.Party, e.Project})
			}
		}
		requireFunding(t, m, at, all)
	})
	domaintest.Reached(t, spent, "an expenditure")
}

// requireFunding requires the sums by party and by project; there is one
// currency in all histories that establish funds.
func requireFunding(t tb, m *projections.Models, at projections.Point, all [4]map[string]movement) {
	t.Helper()
	byParty, _, err := m.Funding(context.Background(), "framework", projections.ByParty, at, projections.Page{})
	require.NoError(t, err)
	sums := map[domain.Key][4]domain.Decimal{}
	for _, f := range byParty {
		s := sums[f.Key] // a fund that is only explored may be in another currency
		for i, d := range []domain.Decimal{f.Pledged, f.Committed, f.Disbursed, f.Spent} {
			s[i] = s[i].Add(d)
		}
		sums[f.Key] = s
	}
	for _, party := range []domain.Key{domaintest.City, domaintest.Group, domaintest.Stranger} {
		for i := range all {
			equalNumbers(t, sumWhere(all[i], func(_ string, m movement) bool { return m.party == party }), sums[party][i], string(party))
		}
	}
	byProject, _, err := m.Funding(context.Background(), "framework", projections.ByProject, at, projections.Page{})
	require.NoError(t, err)
	for _, f := range byProject {
		require.Empty(t, f.Pledged+f.Committed)
		to := func(_ string, m movement) bool { return m.project == f.Key }
		equalNumbers(t, sumWhere(all[2], to), f.Disbursed, string(f.Key))
		equalNumbers(t, sumWhere(all[3], to), f.Spent, string(f.Key))
	}
	require.Len(t, byProject, len(projectsOf(all[2])))
}

func projectsOf(all map[string]movement) map[domain.Key]bool {
	projects := map[domain.Key]bool{}
	for _, m := range all {
		projects[m.project] = true
	}
	return projects
}

// measured is what the events say of one period of an indicator.
type measured struct {
	target, actual domain.Decimal
	state          string
}

// Results by any grouping, as of any point, are what the events say when they
// are summed up without the read models: only what may be summed is summed.
func TestResultsAreTheSumsOfTheirEvents(t *testing.T) {
	sums, single := 0, 0
	check(t, func(t *rapid.T) {
		// given a history about indicators, of which several may be summed
		l, log := inMemory(t)
		l.wander(t, 5)
		for i, key := range []domain.Key{"trust", "jobs-2", "jobs-3"} {
			define := indicator.Define{
				Agreement: "framework", Indicator: key, Title: text("I"), Level: indicator.Outcome, Measure: indicator.Unit, Unit: "jobs", Baseline: domain.Decimal(fmt.Sprint(i)),
				Beneficiary: domaintest.City, Reporter: domaintest.Group, Verifier: domaintest.City, Summable: i != 0,
			}
			if i == 1 {
				define.Project = "iot-base"
			}
			_, _ = l.try(define, domain.Meta{})
			target := indicator.SetTarget{PeriodID: indicator.PeriodID{Agreement: "framework", Indicator: key, Period: "2023"}, Value: "50"}
			_, _ = l.try(target, domain.Meta{})
		}
		for range 40 {
			cmd := domaintest.Indicators.Draw(t, "command")
			other := rapid.SampledFrom([]domain.Key{"jobs", "jobs-2", "jobs-3", "trust"}).Draw(t, "which")
			switch c := cmd.(type) { // of more indicators than the generator knows
			case indicator.SetTarget:
				c.Indicator = other
				cmd = c
			case indicator.ReportActual:
				c.Indicator = other
				cmd = c
			case indicator.VerifyActual:
				c.Indicator = other
				cmd = c
			}
			_, _ = l.try(cmd, domain.Meta{Reason: "scope-change"})
		}
		m, done := live(t, log)
		defer done()
		at := projections.Point{Seq: uint64(rapid.IntRange(int(l.seq)/2, int(l.seq)).Draw(t, "as of")), Day: day("2024-06-10")}
		by := rapid.SampledFrom([]string{projections.ByPeriod, projections.ByArea, projections.ByProject, projections.ByBeneficiary}).Draw(t, "by")
		// when
		results, _, err := m.Results(context.Background(), "framework", by, at, projections.Page{})
		require.NoError(t, err)
		// then
		want := naiveResults(l.events[:at.Seq], by)
		require.Len(t, results, len(want))
		for _, r := range results {
			name := fmt.Sprint(r.Key, r.Indicator, r.Level, r.Unit, r.Measure, r.Period)
			w, ok := want[name]
			require.True(t, ok, name)
			for i, got := range []domain.Decimal{r.Baseline, r.Target, r.Actual, r.Verified} {
				equalNumbers(t, w.sums[i], got, fmt.Sprint(name, i))
			}
			require.Equal(t, [3]int{w.indicators, w.reported, w.verified}, [3]int{r.Indicators, r.Reported, r.VerifiedCount}, name)
			if whole := new(big.Rat).Sub(w.both[1], w.both[0]); whole.Sign() == 0 || !w.progress {
				require.Empty(t, r.Progress, name)
			} else {
				ratio := new(big.Rat).Quo(new(big.Rat).Sub(w.both[2], w.both[0]), whole)
				off, _ := new(big.Rat).Sub(ratio, number(r.Progress)).Float64()
				require.InDelta(t, 0, off, 0.00005000001, name)
			}
			if r.Indicators > 1 {
				sums++
			}
			if r.Indicator != "" {
				single++
				require.Equal(t, 1, r.Indicators)
			}
		}
	})
	domaintest.Reached(t, sums, "a sum of several")
	domaintest.Reached(t, single, "an indicator by itself")
}

// naiveResult is a result as fractions.
type naiveResult struct {
	sums                           [4]*big.Rat // baseline, target, actual, verified
	both                           [3]*big.Rat // baseline, target, actual of those with both
	progress                       bool
	indicators, reported, verified int
}

func naiveResults(events []happened, by string) map[string]*naiveResult {
	defined := map[domain.Key]indicator.Defined{}
	periods := map[domain.Key]map[domain.Key]measured{}
	areas := map[domain.Key][]domain.Key{}
	edit := func(id indicator.PeriodID, f func(*measured)) {
		if periods[id.Indicator] == nil {
			periods[id.Indicator] = map[domain.Key]measured{}
		}
		x := periods[id.Indicator][domain.Key(id.Period)]
		f(&x)
		periods[id.Indicator][domain.Key(id.Period)] = x
	}
	for _, e := range events {
		if e.ref.Agreement != "framework" {
			continue
		}
		switch x := e.event.(type) {
		case project.Proposed:
			areas[x.Project] = x.Areas
		case project.ScopeChanged:
			if len(x.Areas) > 0 {
				areas[x.Project] = x.Areas
			}
		case indicator.Defined:
			defined[x.Indicator] = x
		case indicator.TargetSet:
			edit(x.PeriodID, func(m *measured) { m.target = x.Value })
		case indicator.ActualReported:
			edit(x.PeriodID, func(m *measured) { m.actual, m.state = x.Value, "reported" })
		case indicator.ActualVerified:
			edit(x.PeriodID, func(m *measured) { m.state = "verified" })
		case indicator.ActualReturned:
			edit(x.PeriodID, func(m *measured) { m.state = "returned" })
		case indicator.PeriodLocked:
			edit(x.PeriodID, func(*measured) {})
		}
	}
	all := map[string]*naiveResult{}
	for key, d := range defined {
		for period, p := range periods[key] {
			var groups []domain.Key
			switch by {
			case "period":
				groups = []domain.Key{period}
			case "project":
				groups = []domain.Key{d.Project}
			case "beneficiary":
				groups = []domain.Key{d.Beneficiary}
			default:
				if groups = []domain.Key{d.Area}; d.Area == "" && len(areas[d.Project]) > 0 {
					groups = areas[d.Project]
				}
			}
			for _, g := range slices.Compact(slices.Clone(groups)) {
				single := key
				if d.Summable {
					single = ""
				}
				name := fmt.Sprint(g, single, d.Level, d.Unit, d.Measure, period)
				r := all[name]
				if r == nil {
					r = &naiveResult{}
					for i := range r.sums {
						r.sums[i] = new(big.Rat)
					}
					for i := range r.both {
						r.both[i] = new(big.Rat)
					}
					all[name] = r
				}
				r.add(d.Baseline, p)
			}
		}
	}
	return all
}

func (r *naiveResult) add(baseline domain.Decimal, p measured) {
	r.indicators++
	r.sums[0].Add(r.sums[0], number(baseline))
	r.sums[1].Add(r.sums[1], number(p.target))
	if p.state != "reported" && p.state != "verified" {
		return
	}
	r.reported++
	r.sums[2].Add(r.sums[2], number(p.actual))
	if p.state == "verified" {
		r.verified++
		r.sums[3].Add(r.sums[3], number(p.actual))
	}
	if p.target != "" && p.actual != "" {
		r.progress = true
		for i, d := range []domain.Decimal{baseline, p.target, p.actual} {
			r.both[i].Add(r.both[i], number(d))
		}
	}
}
