package fund_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
)

// books are what a clerk with nothing but the events would write down: each
// record once, as it was said last, in fractions.
type books struct {
	currencies                                   map[domain.Currency]bool
	pledged, committed, reduced, disbursed, used map[domain.Key]*big.Rat
	commitmentOf, disbursementOf                 map[domain.Key]domain.Key
}

func keep(events []domain.Event) books {
	b := books{
		map[domain.Currency]bool{}, map[domain.Key]*big.Rat{}, map[domain.Key]*big.Rat{}, map[domain.Key]*big.Rat{}, map[domain.Key]*big.Rat{}, map[domain.Key]*big.Rat{},
		map[domain.Key]domain.Key{}, map[domain.Key]domain.Key{},
	}
	rat := func(m domain.Money) *big.Rat {
		b.currencies[m.Currency] = true
		return ratOf(m.Amount)
	}
	for _, e := range events {
		switch e := e.(type) {
		case fund.Proposed:
			if e.Target.Currency != "" {
				b.currencies[e.Target.Currency] = true
			}
		case fund.FundEstablished:
			b.currencies[e.Currency] = true
		case fund.PledgeRecorded:
			b.pledged[e.Pledge] = rat(e.Value)
		case fund.FundsCommitted:
			b.committed[e.Commitment] = rat(e.Value)
		case fund.CommitmentReduced:
			b.reduced[e.Commitment] = sum(b.reduced[e.Commitment], rat(e.Value))
		case fund.FundsDisbursed:
			b.disbursed[e.Disbursement], b.commitmentOf[e.Disbursement] = rat(e.Value), e.Commitment
		case fund.ExpenditureRecorded:
			b.used[e.Expenditure], b.disbursementOf[e.Expenditure] = rat(e.Value), e.Disbursement
		}
	}
	return b
}

func ratOf(d domain.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		panic("no number: " + d)
	}
	return r
}

func sum(all ...*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, r := range all {
		if r != nil {
			total.Add(total, r)
		}
	}
	return total
}

// drawn returns the sum of those records that draw on key.
func drawn(records map[domain.Key]*big.Rat, on map[domain.Key]domain.Key, key domain.Key) *big.Rat {
	total := new(big.Rat)
	for record, amount := range records {
		if on[record] == key {
			total.Add(total, amount)
		}
	}
	return total
}

// history asks commands about funds, now and then as corrections, and calls
// each with a fund's state and all its events after every one that is accepted.
func history(t *rapid.T, asks int, each func(s *fund.State, events []domain.Event)) {
	w, events := World{}, map[domain.Ref][]domain.Event{}
	given := rapid.SampledFrom([]func() []domain.Event{Running, Funded, func() []domain.Event { return append(Funded(), disbursed("c-1", "60"), disbursed("c-2", "20")) }}).Draw(t, "given")()
	w.Evolve(domain.Ref{}, given...)
	for _, e := range given {
		if ref, e := Locate(domain.Ref{}, e); ref.Kind == fund.Kind {
			events[ref] = append(events[ref], e)
		}
	}
	for range asks {
		cmd := Funds.Draw(t, "command")
		meta := domain.Meta{Reason: "because"}
		if rapid.IntRange(0, 2).Draw(t, "correcting") == 2 {
			meta.Corrects = correcting.Corrects
		}
		happened, err := w.Ask(cmd, meta, Today)
		var refused *domain.Rejected
		if errors.As(err, &refused) {
			continue
		}
		require.NoError(t, err)
		ref := cmd.Ref()
		events[ref] = append(events[ref], happened...)
		w.Evolve(ref, happened...)
		each(w[ref].(*fund.State), events[ref])
	}
}

// Invariant 6, whatever is accepted in whatever order, reckoned a second time
// from the events alone.
func TestTheBooksBalanceInEveryHistory(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		history(t, 150, func(s *fund.State, events []domain.Event) {
			b := keep(events)
			assert.LessOrEqual(t, len(b.currencies), 1, "one currency")
			for c := range b.currencies {
				assert.Equal(t, c, s.Currency)
			}
			same := func(want *big.Rat, got domain.Decimal, what string, key domain.Key) {
				assert.Zero(t, want.Cmp(ratOf(got)), "%s of %s: %s, and not %s", what, key, want.RatString(), got)
				assert.True(t, got.Valid(), "%q is not canonical", got)
			}
			for key, p := range s.Pledges.All() {
				same(b.pledged[key], p.Amount, "pledged", key)
			}
			for key, c := range s.Commitments.All() {
				left := new(big.Rat).Sub(b.committed[key], sum(b.reduced[key]))
				paid := drawn(b.disbursed, b.commitmentOf, key)
				same(left, c.Amount, "committed", key)
				same(paid, s.Disbursed(key), "disbursed", key)
				assert.LessOrEqual(t, paid.Cmp(left), 0, "6: disbursed of %s more than committed", key)
				if pledge, ok := s.Pledges.Get(c.Pledge); ok {
					assert.Equal(t, pledge.Party, c.Party, "a pledge is made good by its party")
				}
			}
			for key, d := range s.Disbursements.All() {
				used := drawn(b.used, b.disbursementOf, key)
				same(b.disbursed[key], d.Amount, "disbursed", key)
				same(used, s.Spent(key), "spent", key)
				assert.LessOrEqual(t, used.Cmp(b.disbursed[key]), 0, "6: spent of %s more than disbursed", key)
				assert.True(t, s.Commitments.Has(d.Commitment))
			}
			assert.Equal(t, [4]int{len(b.pledged), len(b.committed), len(b.disbursed), len(b.used)},
				[4]int{s.Pledges.Len(), s.Commitments.Len(), s.Disbursements.Len(), s.Expenditures.Len()})
			seen[events[len(events)-1].Type()]++
		})
	})
	for _, e := range []domain.Event{fund.FundsCommitted{}, fund.CommitmentReduced{}, fund.ExpenditureRecorded{}} {
		Reached(t, seen[e.Type()], e.Type())
	}
}

// Invariant 10: the amounts come out the same in any order of the events of
// different records, as by effective date.
func TestReductionsCountInAnyOrder(t *testing.T) {
	committed := fund.FundsCommitted{ID: IoTFund, Commitment: "c-1", Party: City, Value: CNY("100"), On: Today}
	reduced := fund.CommitmentReduced{ID: IoTFund, Commitment: "c-1", Value: CNY("30"), On: Today}
	want := fund.Commitment{Party: City, Amount: "70", Reduced: "30", On: Today}
	for _, events := range [][]domain.Event{{committed, reduced}, {reduced, committed}} {
		c, _ := iot(Given(t, events...)).Commitments.Get("c-1")
		assert.Equal(t, want, c)
	}
	later := fund.FundEstablished{ID: IoTFund, Currency: "CNY", TargetSize: "500", Manager: Group, On: Today}
	proposed := fund.Proposed{ID: IoTFund, Title: En("F"), Target: CNY("400")}
	for _, events := range [][]domain.Event{{proposed, later}, {later, proposed}} {
		s := iot(Given(t, events...))
		assert.Equal(t, [2]any{fund.Established, domain.Decimal("500")}, [2]any{s.State, s.TargetSize})
	}
}
