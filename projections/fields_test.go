package projections_test

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// jsonOr is a value's JSON, in which a list that is empty, a number that is 0
// and nothing are the same.
func jsonOr(raw json.RawMessage) string {
	switch s := string(raw); s {
	case "null", `""`, "[]", "0", "false":
		return ""
	default:
		return s
	}
}

// fields collects those of items by the name of their entity.
type fields struct {
	tb
	all map[string]string
}

func (f fields) add(entity string, item any, names string) {
	f.Helper()
	b, err := json.Marshal(item)
	require.NoError(f, err)
	var members map[string]json.RawMessage
	require.NoError(f, json.Unmarshal(b, &members))
	for name := range strings.FieldsSeq(names) {
		require.Contains(f, members, name)
		f.all[entity+"."+name] = jsonOr(members[name])
	}
}

// fieldsAsOf are the fields of the read models that are fields of the states.
func fieldsAsOf(t tb, m *projections.Models, at projections.Point) map[string]string {
	t.Helper()
	f := fields{t, map[string]string{}}
	ctx, page := context.Background(), projections.Page{}
	parties, _, err := m.Parties(ctx, at, page)
	require.NoError(t, err)
	for _, p := range parties {
		f.add(":party/"+string(p.Party), p, "party title kind parent")
	}
	f.access(ctx, m, at)
	agreements, _, err := m.Agreements(ctx, at, page)
	require.NoError(t, err)
	for _, a := range agreements {
		of := string(a.Agreement) + ":"
		own := of + "agreement/" + string(a.Agreement)
		f.add(own, a, "agreement title kind state parties parent renews renewed_by document effective_on ended_on first_project_on")
		mechanisms, _, err := m.Mechanisms(ctx, a.Agreement, at, page)
		require.NoError(t, err)
		for _, i := range mechanisms {
			f.add(own+"/mechanism/"+string(i.Mechanism), i, "title kind state members cadence established_on dissolved_on")
		}
		obligations, _, err := m.Obligations(ctx, a.Agreement, at, page)
		require.NoError(t, err)
		for _, i := range obligations {
			f.add(own+"/obligation/"+string(i.Obligation), i, "title debtor beneficiary due state claimed_on fulfilled_on")
		}
		amendments, _, err := m.Amendments(ctx, a.Agreement, at, page)
		require.NoError(t, err)
		for _, i := range amendments {
			f.add(of+"amendment/"+string(i.Amendment), i, "title rationale reason_code note state proposed_by proposed_on parties document changes effective_on ended_on")
		}
		f.projects(ctx, m, a.Agreement, at)
		f.meetings(ctx, m, a.Agreement, at)
		f.funds(ctx, m, a.Agreement, at)
		f.indicators(ctx, m, a.Agreement, at)
	}
	return f.all
}

func (f fields) access(ctx context.Context, m *projections.Models, at projections.Point) {
	principals, _, err := m.Principals(ctx, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range principals {
		path := ":access/" + string(x.Principal)
		f.add(path, x, "principal name")
		for _, i := range x.Grants {
			f.add(path+"/grant/"+string(i.Grant), i, "role agreement party cleared revoked")
		}
		for _, i := range x.Tokens {
			f.add(path+"/token/"+string(i.Token), i, "label expires revoked")
		}
		for _, i := range x.Identities {
			f.add(path+"/identity/"+string(i.Identity), i, "issuer subject unlinked")
		}
	}
	restrictions, _, err := m.Restrictions(ctx, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range restrictions {
		path := ":restriction/" + string(x.Agreement)
		f.add(path, x, "agreement")
		for _, i := range x.Projects {
			f.add(path+"/project/"+string(i.Key), i, "since")
		}
		for _, i := range x.Areas {
			f.add(path+"/area/"+string(i.Key), i, "since")
		}
	}
	subscribers, _, err := m.Subscribers(ctx, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range subscribers {
		f.add(":subscriber/"+string(x.Subscriber), x, "subscriber agreement from public_key cleared revoked_on")
	}
	webhooks, _, err := m.Webhooks(ctx, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range webhooks {
		f.add(":webhook/"+string(x.Webhook), x, "webhook url agreement kinds types cleared state from restarts generation")
	}
}

func (f fields) projects(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point) {
	projects, _, err := m.Projects(ctx, of, at, projections.Page{})
	require.NoError(f, err)
	for _, p := range projects {
		path := string(of) + ":project/" + string(p.Project)
		f.add(path, p, "project agreement title kind state areas lead baseline started_on ended_on trl trl_on")
		milestones, _, err := m.Milestones(ctx, of, p.Project, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range milestones {
			names := "title state baseline due forecast met_on weight type confirming depends_on claimed_by confirmed_by"
			if i.State != "met" { // all of one that is met is done
				names += " percent"
			}
			f.add(path+"/milestone/"+string(i.Milestone), i, names)
		}
		gates, _, err := m.Gates(ctx, of, p.Project, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range gates {
			f.add(path+"/gate/"+string(i.Gate), i, "title outcome on decision")
		}
	}
}

func (f fields) meetings(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point) {
	meetings, _, err := m.Meetings(ctx, of, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range meetings {
		path := string(of) + ":meeting/" + string(x.Meeting)
		f.add(path, x, "meeting agreement mechanism title agenda state on members attendees minutes confirmed_by confirmed_on")
		decisions, _, err := m.Decisions(ctx, of, x.Meeting, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range decisions {
			f.add(path+"/decision/"+string(i.Decision), i, "title affects")
		}
		actions, _, err := m.Actions(ctx, of, x.Meeting, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range actions {
			f.add(path+"/action/"+string(i.Action), i, "title owner due state done_on")
		}
	}
}

func (f fields) funds(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point) {
	funds, _, err := m.Funds(ctx, of, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range funds {
		path := string(of) + ":fund/" + string(x.Fund)
		f.add(path, x, "fund agreement title state currency target_size manager established_on closed_on")
		pledges, _, err := m.Pledges(ctx, of, x.Fund, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range pledges {
			f.add(path+"/pledge/"+string(i.Pledge), i, "party amount on")
		}
		commitments, _, err := m.Commitments(ctx, of, x.Fund, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range commitments {
			f.add(path+"/commitment/"+string(i.Commitment), i, "party pledge amount on")
		}
		disbursements, _, err := m.Disbursements(ctx, of, x.Fund, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range disbursements {
			f.add(path+"/disbursement/"+string(i.Disbursement), i, "commitment project milestone amount on")
		}
		expenditures, _, err := m.Expenditures(ctx, of, x.Fund, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range expenditures {
			f.add(path+"/expenditure/"+string(i.Expenditure), i, "disbursement title amount on")
		}
	}
}

func (f fields) indicators(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point) {
	indicators, _, err := m.Indicators(ctx, of, at, projections.Page{})
	require.NoError(f, err)
	for _, x := range indicators {
		path := string(of) + ":indicator/" + string(x.Indicator)
		f.add(path, x, "indicator agreement title level measure unit ascending baseline baseline_on beneficiary reporter verifier summable project area first_verified_on")
		periods, _, err := m.Periods(ctx, of, x.Indicator, at, projections.Page{})
		require.NoError(f, err)
		for _, i := range periods {
			f.add(path+"/period/"+string(i.Period), i, "start end target target_text actual actual_text state reported_on verified_on locked")
		}
	}
}
