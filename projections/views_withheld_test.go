package projections_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/projections"
)

func TestAViewSeesTheEvidenceOfItsEvents(t *testing.T) {
	l, main, log := secretive(t)
	seen, secret := domain.Hash(strings.Repeat("5e", 32)), domain.Hash(strings.Repeat("0c", 32))
	note := func(id project.MilestoneID, h domain.Hash) {
		ref, e := domaintest.Locate(id.Ref(), project.ProgressReported{MilestoneID: id, Percent: 7})
		l.record(ref, e, domain.Meta{Actor: "li.wei", Evidence: []domain.Hash{h}})
	}
	note(domaintest.Milestone("site"), seen)
	note(project.MilestoneID{Agreement: "framework", Project: "harbour-tunnel", Milestone: "breakthrough"}, secret)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	reach(t, main, l.seq)
	m := open(t, v, noSecrets)
	for hash, want := range map[domain.Hash]bool{seen: true, secret: false, domaintest.Text1: true, "x": false} {
		sees, err := m.SeesEvidence(t.Context(), hash)
		require.NoError(t, err)
		assert.Equal(t, want, sees, hash)
		sees, err = main.SeesEvidence(t.Context(), hash)
		require.NoError(t, err)
		assert.True(t, sees)
	}
}

func TestAViewKnowsWhatATextNames(t *testing.T) {
	_, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	m := open(t, v, noSecrets)
	scoped := open(t, v, projections.View{Agreements: []domain.Key{"other"}})
	for text, want := range map[string]bool{
		`area "secrets" is in use`: true, "project/harbour-tunnel/milestone/x": true, "the Tunnel under the harbour, say": true,
		"milestone breakthrough": true, "Breakthrough at last": true, "harbour-tunnels": false, "project iot-base": false, "a tunnel under a harbour": false,
		"": false, "site": false,
	} {
		assert.Equal(t, want, m.Names(text), text)
		assert.False(t, main.Names(text), text)
	}
	assert.True(t, scoped.Names(`agreement "framework" is active`))
}

// A command about what a view withholds is refused as the rules refuse one about
// what is not there: the two cannot be told apart.
func TestWhatAViewWithholdsIsNotThereForCommands(t *testing.T) {
	l, main, log := secretive(t)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	m := open(t, v, projections.View{Restricted: noSecrets.Restricted, Internal: true})
	none := open(t, v, projections.View{Agreements: []domain.Key{"other"}})
	instead := strings.NewReplacer("harbour-tunnel", "nothing", "secrets", "nothing", "tunnels", "nothing")
	site := domaintest.Milestone("site")
	for _, cmd := range []domain.Command{
		project.Approve{ID: harbour},
		project.Schedule{ID: harbour, Milestone: "portal", Title: text("Portal"), Due: day("2025-01-01"), Confirming: []domain.Key{domaintest.City}},
		project.ChangeScope{ID: domaintest.Base, Areas: []domain.Key{"tunnels"}},
		project.Propose{Agreement: "framework", Project: "town", Title: text("Town"), Kind: "town", Areas: []domain.Key{"iot", "secrets"}},
		agreement.AddArea{ID: framework, Area: "caves", Parent: "tunnels", Title: text("Caves")},
		agreement.RetireArea{ID: framework, Area: "tunnels"},
		indicator.Define{
			Agreement: "framework", Indicator: "length", Title: text("Length"), Level: "output", Measure: "unit", Unit: "m", Project: "harbour-tunnel",
			Beneficiary: domaintest.City, Reporter: domaintest.Group,
		},
		restriction.Restrict{Of: restriction.Of{Agreement: "framework", Project: "harbour-tunnel"}},
		restriction.Restrict{Of: restriction.Of{Agreement: "framework", Area: "secrets"}},
	} {
		var is *domain.Rejected
		require.ErrorAs(t, m.Refuses(t.Context(), cmd.Ref(), false, domaintest.Raw(cmd, domain.Meta{})), &is, "%s", cmd.Name())
		// what is not there is left to the rules
		other := instead.Replace(string(domaintest.Raw(cmd, domain.Meta{})))
		typ, _, err := catalogue.Command(cmd.Name())
		require.NoError(t, err)
		absent, meta, err := typ.Decode([]byte(other))
		require.NoError(t, err)
		require.NoError(t, m.Refuses(t.Context(), absent.Ref(), false, []byte(other)), "%s", other)
		_, err = l.world.Ask(absent, meta, day("2024-06-10"))
		var should *domain.Rejected
		require.ErrorAs(t, err, &should, "%s", other)
		assert.Equal(t, *should, domain.Rejected{Code: is.Code, Field: is.Field, Message: instead.Replace(is.Message)}, "%s", cmd.Name())
		assert.NoError(t, main.Refuses(t.Context(), cmd.Ref(), false, domaintest.Raw(cmd, domain.Meta{})))
		// and of an agreement that is not in the view everything is
		if cmd.Ref().Agreement != "" {
			refused(t, none.Refuses(t.Context(), cmd.Ref(), false, domaintest.Raw(cmd, domain.Meta{})), domain.CodeNotFound)
		}
	}
	for _, cmd := range []domain.Command{
		project.ReportProgress{MilestoneID: site, Percent: 3}, project.Propose{Agreement: "framework", Project: "town", Title: text("Town"), Kind: "town", Areas: []domain.Key{"iot"}},
		agreement.Draft{Agreement: "new", Kind: agreement.KindFramework, Title: text("New")},
	} {
		assert.NoError(t, m.Refuses(t.Context(), cmd.Ref(), true, domaintest.Raw(cmd, domain.Meta{})), cmd.Name())
	}
	// A draft may be of an agreement that is not there, but not of one that is.
	draft := func(key, parent domain.Key) error {
		cmd := agreement.Draft{Agreement: key, Kind: agreement.KindSubsidiary, Title: text("New"), Parent: parent}
		return none.Refuses(t.Context(), cmd.Ref(), true, domaintest.Raw(cmd, domain.Meta{}))
	}
	assert.NoError(t, draft("new", "other"))
	assert.Equal(t, domain.NotFound("agreement", "agreement", "framework"), draft("framework", "other"))
	assert.Equal(t, domain.NotFound("parent", "agreement", "framework"), draft("new", "framework"))
	// A decision names what it is about by paths, and a fund the project by its key.
	decide := meeting.RecordDecision{ID: meeting.ID{Agreement: "framework", Meeting: "m-1"}, Decision: "d", Title: text("D"), Affects: []string{"project/iot-base", "project/harbour-tunnel/milestone/breakthrough"}}
	assert.Equal(t, meeting.NoEntity("affects[1]", "framework", "project/harbour-tunnel/milestone/breakthrough"), m.Refuses(t.Context(), decide.Ref(), false, domaintest.Raw(decide, domain.Meta{})))
	pay := fund.Disburse{ID: fund.ID{Agreement: "framework", Fund: "iot-fund"}, Disbursement: "d", Commitment: "c", Project: "harbour-tunnel", Value: domaintest.CNY("1")}
	assert.Equal(t, domain.NotFound("project", "project", "harbour-tunnel"), m.Refuses(t.Context(), pay.Ref(), false, domaintest.Raw(pay, domain.Meta{})))
}

// Who may do what is in a view for those who see it, but for what is withheld from
// them.
func TestWhoMayDoWhatIsInternal(t *testing.T) {
	l, main, log := secretive(t)
	l.do(access.GrantAccess{Principal: "li", Grant: "reads", Called: "Li Wei", Role: "viewer", Agreement: "framework"})
	l.do(access.GrantAccess{Principal: "li", Grant: "digs", Role: "viewer", Agreement: "framework", Cleared: []string{"project/harbour-tunnel"}})
	l.do(restriction.Restrict{Of: restriction.Of{Agreement: "framework", Area: "secrets"}})
	reach(t, main, l.seq)
	v := viewsOf(t, main, log, projections.ViewsOptions{})
	for _, c := range []struct {
		view  projections.View
		sees  [3]bool // the last events
		named int     // grants
	}{
		{projections.View{}, [3]bool{}, 0},
		{noSecrets, [3]bool{}, 0},
		{projections.View{Internal: true, Agreements: []domain.Key{}}, [3]bool{true, true, true}, 2},
		{projections.View{Internal: true, Restricted: noSecrets.Restricted}, [3]bool{true, false, false}, 1},
	} {
		m := open(t, v, c.view)
		for i, want := range c.sees {
			seen, err := m.SeesEvent(t.Context(), l.seq-2+uint64(i))
			require.NoError(t, err)
			assert.Equal(t, want, seen, "%+v %d", c.view, i)
		}
		principals, _, err := m.Principals(t.Context(), projections.Point{Seq: l.seq}, projections.Page{})
		require.NoError(t, err)
		grants := 0
		for _, p := range principals {
			grants += len(p.Grants)
		}
		assert.Equal(t, c.named, grants, "%+v", c.view)
	}
}

// A load that has forgotten an aggregate folds it again without what is withheld.
func TestALoadForgetsWhatIsWithheld(t *testing.T) {
	l, log := inMemory(t)
	l.given(domaintest.Funded()...)
	l.do(project.Propose{Agreement: "framework", Project: "harbour-tunnel", Title: text("Tunnel"), Kind: "town", Areas: []domain.Key{"iot"}})
	fundRef := fund.Ref("framework", "iot-fund")
	pay := func(key, to domain.Key) {
		l.record(fundRef, fund.FundsDisbursed{ID: fund.ID{Agreement: "framework", Fund: "iot-fund"}, Disbursement: key, Commitment: "c-1", Project: to, Value: domaintest.CNY("7"), On: day("2024-06-01")}, domain.Meta{Actor: "li.wei"})
	}
	pay("secret", "harbour-tunnel")
	for i := range 1100 {
		id := domaintest.Milestone("site")
		l.record(id.Ref(), project.ProgressReported{MilestoneID: id, Percent: i % 100}, domain.Meta{Actor: "li.wei"})
	}
	pay("open", "iot-base")
	view := projections.View{Restricted: []projections.Restriction{{Agreement: "framework", Project: "harbour-tunnel"}}}
	loaded, done := viewOf(t, log, view)
	defer done()
	steps := []uint64{l.seq - 1, l.seq}
	followed, done := followedView(t, log, view, func() (next uint64) {
		next, steps = steps[0], steps[1:]
		return next
	})
	defer done()
	assert.Equal(t, followed.Position().Digest, loaded.Position().Digest)
	assert.NotContains(t, cells(t, loaded), "secret")
}

// What tells of something withheld is withheld with it, and what that began too.
func TestWhatAViewWithholdsWithARestrictedProject(t *testing.T) {
	l, log := inMemory(t)
	l.given(domaintest.Funded()...)
	l.given(agreement.AreaAdded{ID: framework, Area: "secrets", Title: text("Secrets")})
	quiet := project.ID{Agreement: "framework", Project: "quiet-town"}
	framed, paying, held := framework.Agreement, fund.ID{Agreement: "framework", Fund: "iot-fund"}, meeting.ID{Agreement: "framework", Meeting: "m-1"}
	altered := amendment.ID{Agreement: framed, Amendment: "alter"}
	on := day("2024-06-01")
	gone := map[uint64]bool{}
	put := func(withheld bool, ref domain.Ref, e domain.Event) {
		gone[l.record(ref, e, domain.Meta{Actor: "li.wei"})] = withheld
	}
	// given a project that is paid, decided on and amended, and only then comes into a restricted area
	put(true, quiet.Ref(), project.Proposed{ID: quiet, Title: text("Town"), Kind: "town", Areas: []domain.Key{"iot"}})
	put(true, paying.Ref(), fund.FundsDisbursed{ID: paying, Disbursement: "d-9", Commitment: "c-1", Project: "quiet-town", Value: domaintest.CNY("7"), On: on})
	put(true, paying.Ref(), fund.ExpenditureRecorded{ID: paying, Expenditure: "e-9", Disbursement: "d-9", Title: text("Bricks"), Value: domaintest.CNY("7"), On: on})
	put(false, held.Ref(), meeting.MeetingScheduled{ID: held, Mechanism: "coordination", Title: text("Spring"), On: on})
	put(true, held.Ref(), meeting.DecisionRecorded{ID: held, Decision: "hush", Title: text("Hush"), Affects: []string{"project/quiet-town", "project/iot-base"}})
	put(true, framework.Ref(), agreement.DecisionRecorded{ID: framework, Decision: "hush", Meeting: "m-1", On: on, Affects: []string{"project/quiet-town", "project/iot-base"}})
	put(true, domaintest.Base.Ref(), project.MilestoneRescheduled{MilestoneID: domaintest.Milestone("site"), Due: on, Forecast: on, Decision: "hush"})
	put(true, domaintest.Base.Ref(), project.GatePassed{ID: domaintest.Base, Gate: "design", Decision: "hush", On: on})
	put(true, domaintest.Base.Ref(), project.GateFailed{ID: domaintest.Base, Gate: "design", On: on})
	put(true, altered.Ref(), amendment.AmendmentProposed{
		ID: altered, Rationale: text("More"), Party: domaintest.City, Parties: []domain.Key{domaintest.City}, Document: domaintest.Text2, On: on,
		Changes: []domain.Clause{domain.Clause(`{"command":"add-obligation","obligation":"o"}`), domain.Clause(`{"command":"approve-baseline","project":"quiet-town"}`)},
	})
	put(true, altered.Ref(), amendment.Signed{ID: altered, Party: domaintest.City, Signatory: "S", Date: on, Document: domaintest.Text2})
	put(true, framework.Ref(), agreement.Amended{ID: framework, Amendment: "alter", Document: domaintest.Text2, On: on})
	put(false, domaintest.Base.Ref(), project.MilestoneReforecast{MilestoneID: domaintest.Milestone("site"), Forecast: on})
	put(true, quiet.Ref(), project.ScopeChanged{ID: quiet, Areas: []domain.Key{"secrets"}})
	// when a view is made of it, in one go or one event after the other
	view := projections.View{Restricted: []projections.Restriction{{Agreement: "framework", Area: "secrets"}}}
	once, done := viewOf(t, log, view)
	defer done()
	next := l.seq - uint64(len(gone))
	followed, done := followedView(t, log, view, func() uint64 { next++; return next - 1 })
	defer done()
	// then it has none of this
	for _, m := range []*projections.Models{once, followed} {
		for seq, withheld := range gone {
			seen, err := m.SeesEvent(t.Context(), seq)
			require.NoError(t, err)
			assert.Equal(t, !withheld, seen, "%d: %s", seq, log.records[seq-1].Data)
		}
		dump := cells(t, m)
		for _, secret := range []string{"quiet-town", "d-9", "e-9", "hush", "alter"} {
			assert.NotContains(t, dump, secret)
		}
	}
	assert.Equal(t, once.Position().Digest, followed.Position().Digest)
}
