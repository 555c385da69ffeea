package projections_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// showing puts an answer where JSON tells it.
func showing[T any](t *testing.T) func(items T, err error) string {
	return func(items T, err error) string {
		t.Helper()
		require.NoError(t, err)
		return toJSON(t, items)
	}
}

// first drops the cursor of a list that is at its end.
func first[T any](t *testing.T) func(items []T, next string, err error) string {
	return func(items []T, next string, err error) string {
		t.Helper()
		require.NoError(t, err)
		require.Empty(t, next)
		return toJSON(t, items)
	}
}

func TestCooperationReadModels(t *testing.T) {
	// given a mechanism that met, decided and assigned; an obligation that is
	// claimed and one that is late; an amendment that one party signed; a gate
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.do(agreement.EstablishMechanism{
		ID: framework, Mechanism: "coordination", Kind: "coordination", Title: text("Coordination"), Cadence: "quarterly",
		Members: []domain.Key{domaintest.City, domaintest.Group},
	})
	l.do(meeting.Schedule{Agreement: "framework", Meeting: "spring", Mechanism: "coordination", Title: text("Spring"), On: day("2024-06-10")})
	id := meeting.ID{Agreement: "framework", Meeting: "spring"}
	l.do(meeting.Hold{ID: id, Attendees: []meeting.Attendee{{Party: domaintest.City, Name: "Li Wei"}}, Minutes: domaintest.Text1})
	l.do(meeting.RecordDecision{ID: id, Decision: "d-1", Title: text("Go on"), Affects: []string{"project/iot-base"}})
	l.do(meeting.AssignAction{ID: id, Action: "visit", Title: text("Visit"), Owner: domaintest.Group, Due: day("2024-06-20")})
	l.do(meeting.AssignAction{ID: id, Action: "report", Title: text("Report"), Owner: domaintest.City, Due: day("2024-07-20")})
	l.do(meeting.DropAction{ActionID: meeting.ActionID{Agreement: "framework", Meeting: "spring", Action: "report"}}, domain.Meta{Reason: "not needed"})
	l.do(meeting.ConfirmMinutes{ID: id, Party: domaintest.City, Minutes: domaintest.Text1})
	owe := func(key domain.Key, due string, value domain.Money) {
		l.do(agreement.AddObligation{ID: framework, Obligation: key, Title: text(string(key)), Debtor: domaintest.City, Beneficiary: domaintest.Group, Due: day(due), Value: value})
	}
	owe("land", "2024-06-30", domaintest.CNY("1500000.5"))
	owe("permits", "2024-06-30", domain.Money{})
	l.do(agreement.ClaimFulfilment{ObligationID: agreement.ObligationID{Agreement: "framework", Obligation: "permits"}, Party: domaintest.City, FulfilledOn: day("2024-06-09")},
		domain.Meta{Evidence: []domain.Hash{domaintest.File}})
	l.do(amendment.Propose{
		Agreement: "framework", Amendment: "longer", Title: text("Longer"), Rationale: text("More time"), Party: domaintest.Group, Document: domaintest.Text2,
		Changes: []domain.Clause{domaintest.ClauseOf(agreement.AddArea{ID: framework, Area: "chips", Title: text("Chips")})},
	}, domain.Meta{Reason: "scope-change"})
	l.do(amendment.Sign{ID: amendment.ID{Agreement: "framework", Amendment: "longer"}, Party: domaintest.Group, Signatory: "A. Person", Date: day("2024-06-10"), Document: domaintest.Text2})
	l.do(project.PassGate{GateReview: project.GateReview{ID: base, Gate: "design", Title: text("Design"), Decision: "d-1"}})
	l.do(project.AssessTRL{ID: base, Level: 4}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, l.seq)
	ctx, at, page := t.Context(), projections.Point{Seq: l.seq, Day: day("2024-07-01")}, projections.Page{}

	t.Run("mechanisms", func(t *testing.T) {
		want := `{"mechanism": "coordination", "agreement": "framework", "title": {"en": "Coordination"}, "kind": "coordination", "state": "established",
			"members": ["wuxi", "cethik"], "cadence": "quarterly", "established_on": "2024-06-10", "dissolved_on": null}`
		assert.JSONEq(t, "["+want+"]", first[projections.Mechanism](t)(m.Mechanisms(ctx, "framework", at, page)))
		assert.JSONEq(t, want, showing[projections.Mechanism](t)(m.Mechanism(ctx, "framework", "coordination", at)))
	})
	t.Run("obligations, of which one is late", func(t *testing.T) {
		land := `{"obligation": "land", "agreement": "framework", "title": {"en": "land"}, "debtor": "wuxi", "beneficiary": "cethik", "due": "2024-06-30",
			"value": {"amount": "1500000.5", "currency": "CNY"}, "state": "open", "claimed_on": null, "fulfilled_on": null, "overdue": true}`
		assert.JSONEq(t, `[`+land+`,
			{"obligation": "permits", "agreement": "framework", "title": {"en": "permits"}, "debtor": "wuxi", "beneficiary": "cethik", "due": "2024-06-30",
			"value": null, "state": "fulfilment-claimed", "claimed_on": "2024-06-09", "fulfilled_on": null, "overdue": true}]`,
			first[projections.Obligation](t)(m.Obligations(ctx, "framework", at, page)))
		assert.JSONEq(t, land, showing[projections.Obligation](t)(m.Obligation(ctx, "framework", "land", at)))
		inTime, err := m.Obligation(ctx, "framework", "land", projections.Point{Seq: l.seq, Day: day("2024-06-30")})
		require.NoError(t, err)
		assert.False(t, inTime.Overdue)
	})
	t.Run("amendments", func(t *testing.T) {
		want := `{"amendment": "longer", "agreement": "framework", "title": {"en": "Longer"}, "rationale": {"en": "More time"}, "reason_code": "scope-change",
			"note": "", "state": "proposed", "proposed_by": "cethik", "proposed_on": "2024-06-10", "parties": ["wuxi", "cethik"],
			"signatures": [{"party": "cethik", "signatory": "A. Person", "date": "2024-06-10"}], "document": "` + string(domaintest.Text2) + `", "term": {},
			"changes": [{"command": "add-area", "agreement": "framework", "area": "chips", "title": {"en": "Chips"}}], "effective_on": null, "ended_on": null, "version": 2}`
		assert.JSONEq(t, "["+want+"]", first[projections.Amendment](t)(m.Amendments(ctx, "framework", at, page)))
		assert.JSONEq(t, want, showing[projections.Amendment](t)(m.Amendment(ctx, "framework", "longer", at)))
	})
	t.Run("meetings", func(t *testing.T) {
		want := `{"meeting": "spring", "agreement": "framework", "mechanism": "coordination", "title": {"en": "Spring"}, "agenda": null, "state": "held", "on": "2024-06-10",
			"members": ["wuxi", "cethik"], "attendees": [{"party": "wuxi", "name": "Li Wei"}], "minutes": "` + string(domaintest.Text1) + `", "confirmed_by": ["wuxi"],
			"confirmed_on": null, "confirmed": false, "decisions": 1, "actions": 1, "actions_open": 1, "version": 7}`
		assert.JSONEq(t, "["+want+"]", first[projections.Meeting](t)(m.Meetings(ctx, "framework", at, page)))
		assert.JSONEq(t, want, showing[projections.Meeting](t)(m.Meeting(ctx, "framework", "spring", at)))
	})
	t.Run("decisions and actions, of a meeting and of all", func(t *testing.T) {
		decision := `[{"decision": "d-1", "meeting": "spring", "agreement": "framework", "on": "2024-06-10", "title": {"en": "Go on"}, "affects": ["project/iot-base"]}]`
		actions := `[{"action": "visit", "meeting": "spring", "agreement": "framework", "title": {"en": "Visit"}, "owner": "cethik", "due": "2024-06-20", "state": "open", "done_on": null, "overdue": true},
			{"action": "report", "meeting": "spring", "agreement": "framework", "title": {"en": "Report"}, "owner": "wuxi", "due": "2024-07-20", "state": "dropped", "done_on": null, "overdue": false}]`
		for _, of := range []domain.Key{"spring", ""} {
			assert.JSONEq(t, decision, first[projections.Decision](t)(m.Decisions(ctx, "framework", of, at, page)))
			assert.JSONEq(t, actions, first[projections.Action](t)(m.Actions(ctx, "framework", of, at, page)))
		}
	})
	t.Run("gates and TRL", func(t *testing.T) {
		assert.JSONEq(t, `[{"gate": "design", "project": "iot-base", "agreement": "framework", "title": {"en": "Design"}, "outcome": "passed", "on": "2024-06-10", "decision": "d-1"}]`,
			first[projections.Gate](t)(m.Gates(ctx, "framework", "iot-base", at, page)))
		p, err := m.Project(ctx, "framework", "iot-base", at)
		require.NoError(t, err)
		assert.Equal(t, [3]int{4, 1, 0}, [3]int{p.TRL, p.GatesPassed, p.GatesFailed})
		assert.Equal(t, day("2024-06-10"), p.TRLOn)
	})
	t.Run("what is not there is not found", func(t *testing.T) {
		errs := []error{}
		_, err := m.Mechanism(ctx, "framework", "nothing", at)
		errs = append(errs, err)
		_, err = m.Obligation(ctx, "framework", "land", projections.Point{Seq: 3})
		errs = append(errs, err)
		_, err = m.Meeting(ctx, "nothing", "spring", at)
		errs = append(errs, err)
		_, _, err = m.Decisions(ctx, "framework", "nothing", at, page)
		errs = append(errs, err)
		_, _, err = m.Obligations(ctx, "nothing", at, page)
		errs = append(errs, err)
		_, _, err = m.Funds(ctx, "framework", projections.Point{}, page)
		errs = append(errs, err)
		for i, err := range errs {
			var r *domain.Rejected
			require.ErrorAs(t, err, &r, i)
			assert.Equal(t, domain.CodeNotFound, r.Code, i)
		}
	})
}

func TestResultReadModels(t *testing.T) {
	// given a fund that spent something, and an indicator with a verified actual
	l, log := inMemory(t)
	l.given(domaintest.Funded()...)
	l.given(domaintest.Measured()[len(domaintest.Running()):]...)
	l.do(fund.Disburse{ID: domaintest.IoTFund, Disbursement: "dis-1", Commitment: "c-1", Project: "iot-base", Milestone: "launch", Value: domaintest.CNY("60.25")})
	l.do(fund.RecordExpenditure{ID: domaintest.IoTFund, Expenditure: "e-1", Disbursement: "dis-1", Title: text("Works"), Value: domaintest.CNY("12.5")})
	l.do(indicator.ReportActual{PeriodID: domaintest.JobsIn("2023"), Party: domaintest.Group, Value: "45"})
	l.do(indicator.VerifyActual{PeriodID: domaintest.JobsIn("2023"), Party: domaintest.City})
	l.do(indicator.SetTarget{PeriodID: domaintest.JobsIn("2024"), Value: "200"})
	l.do(indicator.ReportActual{PeriodID: domaintest.JobsIn("2024"), Party: domaintest.Group, Value: "110"})
	l.do(agreement.AddObligation{ID: framework, Obligation: "land", Title: text("Land"), Debtor: domaintest.City, Beneficiary: domaintest.Group, Due: day("2024-06-30"), Value: domaintest.CNY("7.5")})
	l.do(agreement.AddObligation{ID: framework, Obligation: "plant", Title: text("Plant"), Debtor: domaintest.City, Beneficiary: domaintest.Group, Due: day("2025-06-30"), Value: domaintest.CNY("2.5")})
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, l.seq)
	ctx, at, page := t.Context(), projections.Point{Seq: l.seq, Day: day("2024-07-01")}, projections.Page{}

	t.Run("funds", func(t *testing.T) {
		want := `{"fund": "iot-fund", "agreement": "framework", "title": {"en": "IoT fund"}, "state": "established", "currency": "CNY", "target_size": "1000", "manager": "cethik",
			"established_on": "2018-06-01", "closed_on": null, "pledged": "150", "committed": "100", "disbursed": "60.25", "spent": "12.5", "version": 6}`
		assert.JSONEq(t, "["+want+"]", first[projections.Fund](t)(m.Funds(ctx, "framework", at, page)))
		assert.JSONEq(t, want, showing[projections.Fund](t)(m.Fund(ctx, "framework", "iot-fund", at)))
	})
	t.Run("what was moved in a fund", func(t *testing.T) {
		const common = `"fund": "iot-fund", "agreement": "framework", "currency": "CNY"`
		assert.JSONEq(t, `[{`+common+`, "pledge": "p-1", "party": "wuxi", "amount": "150", "on": "2018-06-01", "committed": "100"}]`,
			first[projections.Pledge](t)(m.Pledges(ctx, "framework", "iot-fund", at, page)))
		assert.JSONEq(t, `[{`+common+`, "commitment": "c-1", "party": "wuxi", "pledge": "p-1", "amount": "100", "reduced": "0", "on": "2018-06-01", "disbursed": "60.25"}]`,
			first[projections.Commitment](t)(m.Commitments(ctx, "framework", "iot-fund", at, page)))
		assert.JSONEq(t, `[{`+common+`, "disbursement": "dis-1", "commitment": "c-1", "party": "wuxi", "project": "iot-base", "milestone": "launch", "amount": "60.25", "on": "2024-06-10", "spent": "12.5"}]`,
			first[projections.Disbursement](t)(m.Disbursements(ctx, "framework", "iot-fund", at, page)))
		assert.JSONEq(t, `[{`+common+`, "expenditure": "e-1", "disbursement": "dis-1", "party": "wuxi", "project": "iot-base", "title": {"en": "Works"}, "amount": "12.5", "on": "2024-06-10"}]`,
			first[projections.Expenditure](t)(m.Expenditures(ctx, "framework", "iot-fund", at, page)))
	})
	t.Run("indicators with the latest of their actuals", func(t *testing.T) {
		want := `{"indicator": "jobs", "agreement": "framework", "title": {"en": "Jobs created"}, "level": "outcome", "measure": "unit", "unit": "jobs", "ascending": true,
			"baseline": "20", "baseline_on": "2018-01-01", "beneficiary": "wuxi", "reporter": "cethik", "verifier": "wuxi", "summable": true, "project": "", "area": "",
			"actual_period": "2024", "actual": "110", "actual_text": null, "verified_period": "2023", "verified": "45", "verified_text": null, "verified_progress": "0.25",
			"first_verified_on": "2024-06-10", "progress_period": "2024", "progress": "0.5", "periods": 2, "version": 6}`
		assert.JSONEq(t, "["+want+"]", first[projections.Indicator](t)(m.Indicators(ctx, "framework", at, page)))
		assert.JSONEq(t, want, showing[projections.Indicator](t)(m.Indicator(ctx, "framework", "jobs", at)))
	})
	t.Run("periods", func(t *testing.T) {
		const common = `"indicator": "jobs", "agreement": "framework", "baseline": "20", "target_text": null, "actual_text": null, "locked": false, "reported_on": "2024-06-10"`
		assert.JSONEq(t, `[
			{`+common+`, "period": "2023", "start": "2023-01-01", "end": "2023-12-31", "target": "120", "actual": "45", "state": "verified", "verified": true, "progress": "0.25", "verified_on": "2024-06-10"},
			{`+common+`, "period": "2024", "start": "2024-01-01", "end": "2024-12-31", "target": "200", "actual": "110", "state": "reported", "verified": false, "progress": "0.5", "verified_on": null}]`,
			first[projections.IndicatorPeriod](t)(m.Periods(ctx, "framework", "jobs", at, page)))
	})
	t.Run("results", func(t *testing.T) {
		results, _, err := m.Results(ctx, "framework", projections.ByBeneficiary, at, page)
		require.NoError(t, err)
		require.Len(t, results, 2)
		assert.JSONEq(t, `{"key": "wuxi", "indicator": "", "title": null, "level": "outcome", "measure": "unit", "unit": "jobs", "period": "2023", "baseline": "20", "target": "120", "target_text": null,
			"actual": "45", "actual_text": null, "verified": "45", "progress": "0.25", "indicators": 1, "reported": 1, "verified_count": 1}`, toJSON(t, results[0]))
		_, _, err = m.Results(ctx, "framework", "colour", at, page)
		var r *domain.Rejected
		require.ErrorAs(t, err, &r)
		assert.Equal(t, [2]string{projections.CodeInvalidGrouping, "by"}, [2]string{r.Code, r.Field})
	})
	t.Run("funding", func(t *testing.T) {
		assert.JSONEq(t, `[{"key": "wuxi", "currency": "CNY", "pledged": "150", "committed": "100", "disbursed": "60.25", "spent": "12.5"}]`,
			first[projections.Funding](t)(m.Funding(ctx, "framework", projections.ByParty, at, page)))
		assert.JSONEq(t, `[{"key": "iot-base", "currency": "CNY", "pledged": "", "committed": "", "disbursed": "60.25", "spent": "12.5"}]`,
			first[projections.Funding](t)(m.Funding(ctx, "framework", projections.ByProject, at, page)))
	})
	t.Run("balance", func(t *testing.T) {
		const none = `{"count": 0, "open": 0, "claimed": 0, "fulfilled": 0, "breached": 0, "waived": 0, "overdue": 0, "value": [], "value_fulfilled": []}`
		const two = `{"count": 2, "open": 2, "claimed": 0, "fulfilled": 0, "breached": 0, "waived": 0, "overdue": 1, "value": [{"amount": "10", "currency": "CNY"}], "value_fulfilled": []}`
		assert.JSONEq(t, `[
			{"party": "wuxi", "owes": `+two+`, "owed": `+none+`, "verified": 1,
			"put_in": [{"key": "wuxi", "currency": "CNY", "pledged": "150", "committed": "100", "disbursed": "60.25", "spent": "12.5"}],
			"results": [{"indicator": "jobs", "title": {"en": "Jobs created"}, "level": "outcome", "measure": "unit", "unit": "jobs", "period": "2023", "verified": "45", "verified_text": null, "progress": "0.25"}]},
			{"party": "cethik", "owes": `+none+`, "owed": `+two+`, "verified": 0, "put_in": [], "results": []}]`,
			first[projections.PartyBalance](t)(m.Balance(ctx, "framework", at, page)))
	})
	t.Run("balance when something was fulfilled, waived or breached", func(t *testing.T) {
		// when
		land, plant := agreement.ObligationID{Agreement: "framework", Obligation: "land"}, agreement.ObligationID{Agreement: "framework", Obligation: "plant"}
		l.do(agreement.ClaimFulfilment{ObligationID: land, Party: domaintest.City, FulfilledOn: day("2024-06-09")}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
		l.do(agreement.ConfirmFulfilment{ObligationID: land, Party: domaintest.Group})
		reach(t, m, l.do(agreement.WaiveObligation{ObligationID: plant, Party: domaintest.Group}, domain.Meta{Reason: "settled"}))
		items, _, err := m.Balance(ctx, "framework", projections.Point{Seq: l.seq, Day: at.Day}, page)
		// then
		require.NoError(t, err)
		assert.JSONEq(t, `{"count": 2, "open": 0, "claimed": 0, "fulfilled": 1, "breached": 0, "waived": 1, "overdue": 0,
			"value": [{"amount": "7.5", "currency": "CNY"}], "value_fulfilled": [{"amount": "7.5", "currency": "CNY"}]}`, toJSON(t, items[0].Owes))
	})
}

// A list of parts of several aggregates is read page by page without a gap.
func TestPagesOfWhatIsBelow(t *testing.T) {
	// given action items of meetings in turn
	l, log := inMemory(t)
	l.signed(framework)
	l.do(agreement.EstablishMechanism{
		ID: framework, Mechanism: "coordination", Kind: "coordination", Title: text("C"), Cadence: "quarterly", Members: []domain.Key{domaintest.City, domaintest.Group},
	})
	for _, key := range []domain.Key{"m-0", "m-1", "m-2"} {
		l.do(meeting.Schedule{Agreement: "framework", Meeting: key, Mechanism: "coordination", Title: text("M"), On: day("2024-06-10")})
		l.do(meeting.Hold{ID: meeting.ID{Agreement: "framework", Meeting: key}, Attendees: []meeting.Attendee{{Party: domaintest.City, Name: "Li Wei"}}})
	}
	want := []string{}
	for i := range 10 {
		key := domain.Key(fmt.Sprint("a-", i))
		l.do(meeting.AssignAction{ID: meeting.ID{Agreement: "framework", Meeting: domain.Key(fmt.Sprint("m-", i%3))}, Action: key, Title: text("A"), Owner: domaintest.City, Due: day("2024-07-01")})
		want = append(want, string(key))
	}
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, l.seq)
	at, page, got := projections.Point{Seq: l.seq, Day: day("2024-07-01")}, projections.Page{Limit: 3}, []string{}
	for {
		// when
		items, next, err := m.Actions(t.Context(), "framework", "", at, page)
		require.NoError(t, err)
		for _, i := range items {
			got = append(got, string(i.Action))
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	// then
	assert.Equal(t, want, got)
}
