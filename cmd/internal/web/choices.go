package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// refers says what fields name that are not called after it.
var refers = map[string]string{
	"renews": "agreement", "by": "agreement",
	"parties": "party", "members": "party", "confirming": "party", "lead": "party", "debtor": "party", "beneficiary": "party",
	"reporter": "party", "verifier": "party", "owner": "party", "manager": "party", "acting_for": "party",
	"depends_on": "milestone", "on": "milestone", "areas": "area", "affects": "path", "cleared": "path",
}

// parents says what the field parent of a command names.
var parents = map[string]string{"register-party": "party", "change-party": "party", "add-area": "area", "draft-agreement": "agreement"}

// scopes are the fields by which what others name is listed: of this agreement, of
// that project.
var scopes = []string{"agreement", "project", "fund", "meeting", "indicator", "principal"}

// subjects are those by which it is said what a command changes, and so what the form
// begins with.
var subjects = []string{"milestone", "mechanism", "amendment", "party"}

// freely are what may be said though it is not there yet, or as well as what is.
var freely = []string{"gate", "period", "currency", "types", "path"}

// source lists what there is of a kind, and returns whether that is not all.
type source func(ctx context.Context, f *form) ([]option, bool, error)

// sources has the source of each kind of thing that a field can name.
var sources = map[string]source{
	"agreement": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Agreements(ctx, f.At, all)
		return listed(f, items, next, err, func(a projections.Agreement) (domain.Key, domain.Text) { return a.Agreement, a.Title })
	},
	"party":   partyOptions,
	"area":    areaOptions,
	"project": projectOptions,
	"milestone": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Milestones(ctx, f.key("agreement"), f.key("project"), f.At, all)
		return listed(f, items, next, err, func(m projections.Milestone) (domain.Key, domain.Text) { return m.Milestone, m.Title })
	},
	"gate": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Gates(ctx, f.key("agreement"), f.key("project"), f.At, all)
		return listed(f, items, next, err, func(g projections.Gate) (domain.Key, domain.Text) { return g.Gate, g.Title })
	},
	"mechanism": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Mechanisms(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(m projections.Mechanism) (domain.Key, domain.Text) { return m.Mechanism, m.Title })
	},
	"meeting": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Meetings(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(m projections.Meeting) (domain.Key, domain.Text) { return m.Meeting, m.Title })
	},
	"decision": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Decisions(ctx, f.key("agreement"), "", f.At, all)
		return listed(f, items, next, err, func(d projections.Decision) (domain.Key, domain.Text) { return d.Decision, d.Title })
	},
	"action": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Actions(ctx, f.key("agreement"), f.key("meeting"), f.At, all)
		return listed(f, items, next, err, func(a projections.Action) (domain.Key, domain.Text) { return a.Action, a.Title })
	},
	"amendment": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Amendments(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(a projections.Amendment) (domain.Key, domain.Text) { return a.Amendment, a.Title })
	},
	"obligation": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Obligations(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(o projections.Obligation) (domain.Key, domain.Text) { return o.Obligation, o.Title })
	},
	"indicator": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Indicators(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(i projections.Indicator) (domain.Key, domain.Text) { return i.Indicator, i.Title })
	},
	"period": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Periods(ctx, f.key("agreement"), f.key("indicator"), f.At, all)
		return listed(f, items, next, err, func(p projections.IndicatorPeriod) (domain.Key, domain.Text) { return p.Period, nil })
	},
	"fund": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Funds(ctx, f.key("agreement"), f.At, all)
		return listed(f, items, next, err, func(x projections.Fund) (domain.Key, domain.Text) { return x.Fund, x.Title })
	},
	"pledge": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Pledges(ctx, f.key("agreement"), f.key("fund"), f.At, all)
		return listed(f, items, next, err, func(p projections.Pledge) (domain.Key, domain.Text) {
			return p.Pledge, domain.Text{f.Code: f.Money(p.Amount, p.Currency) + " · " + string(p.Party)}
		})
	},
	"commitment": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Commitments(ctx, f.key("agreement"), f.key("fund"), f.At, all)
		return listed(f, items, next, err, func(c projections.Commitment) (domain.Key, domain.Text) {
			return c.Commitment, domain.Text{f.Code: f.Money(c.Amount, c.Currency) + " · " + string(c.Party)}
		})
	},
	"disbursement": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Disbursements(ctx, f.key("agreement"), f.key("fund"), f.At, all)
		return listed(f, items, next, err, func(d projections.Disbursement) (domain.Key, domain.Text) {
			return d.Disbursement, domain.Text{f.Code: f.Money(d.Amount, d.Currency) + " · " + string(d.Project)}
		})
	},
	"principal": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Principals(ctx, f.At, all)
		return listed(f, items, next, err, func(p projections.Principal) (domain.Key, domain.Text) {
			return p.Principal, domain.Text{f.Code: p.Name}
		})
	},
	"grant": func(ctx context.Context, f *form) ([]option, bool, error) {
		p, err := f.models.Principal(ctx, f.key("principal"), f.At)
		held := slices.DeleteFunc(p.Grants, func(g projections.Grant) bool { return g.Revoked })
		return listed(f, held, "", err, func(g projections.Grant) (domain.Key, domain.Text) {
			return g.Grant, domain.Text{f.Code: f.Label(g.Role) + " · " + f.over(g.Agreement)}
		})
	},
	"token": func(ctx context.Context, f *form) ([]option, bool, error) {
		p, err := f.models.Principal(ctx, f.key("principal"), f.At)
		held := slices.DeleteFunc(p.Tokens, func(t projections.Token) bool { return t.Revoked })
		return listed(f, held, "", err, func(t projections.Token) (domain.Key, domain.Text) {
			return t.Token, domain.Text{f.Code: t.Label}
		})
	},
	"identity": func(ctx context.Context, f *form) ([]option, bool, error) {
		p, err := f.models.Principal(ctx, f.key("principal"), f.At)
		held := slices.DeleteFunc(p.Identities, func(i projections.Identity) bool { return i.Unlinked })
		return listed(f, held, "", err, func(i projections.Identity) (domain.Key, domain.Text) {
			return i.Identity, domain.Text{f.Code: i.Issuer + " · " + i.Subject}
		})
	},
	"subscriber": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Subscribers(ctx, f.At, all)
		return listed(f, items, next, err, func(s projections.Subscriber) (domain.Key, domain.Text) { return s.Subscriber, nil })
	},
	"webhook": func(ctx context.Context, f *form) ([]option, bool, error) {
		items, next, err := f.models.Webhooks(ctx, f.At, all)
		return listed(f, items, next, err, func(w projections.Webhook) (domain.Key, domain.Text) {
			return w.Webhook, domain.Text{f.Code: w.URL}
		})
	},
	"path": pathOptions,
	"reason": func(_ context.Context, f *form) ([]option, bool, error) {
		if asks[f.typ.Name] == "reason" {
			return nil, true, nil // in words
		}
		return f.codes(domain.ReasonCodes), asks[f.typ.Name] != "code", nil
	},
	"currency": func(_ context.Context, f *form) ([]option, bool, error) {
		return plain("CNY", "USD", "EUR", "HKD"), true, nil
	},
	"kinds": func(_ context.Context, f *form) (options []option, more bool, err error) {
		for _, a := range catalogue.Aggregates {
			options = append(options, option{Value: a.Kind, Title: f.Label(a.Kind)})
		}
		return options, false, nil
	},
}

// all asks for as much of a list as one answer has.
var all = projections.Page{Limit: projections.MaxLimit}

// choices are what a field may be: its codes, or what there is of what it names. free
// is that something else may be said as well.
func (f *form) choices(ctx context.Context, field domain.Field) (options []option, free bool, err error) {
	if field.Enum != nil {
		return f.codes(field.Enum), false, nil
	}
	kind := field.Name
	switch {
	case kind == f.creates() || f.typ.Name == "add-subscriber" && kind == "subscriber" || kind == "cleared" && field.Type == "boolean":
		return nil, true, nil // it is being named
	case kind == "parent":
		kind = parents[f.typ.Name]
	case refers[kind] != "":
		kind = refers[kind]
	}
	list, ok := sources[kind]
	if !ok {
		return nil, true, nil
	}
	options, more, err := list(ctx, f)
	if refused(err) { // what it would be of is not there: say it all the same
		return nil, true, nil
	}
	if field.Name == "party" && f.acting() {
		may := f.parties()
		if _, everybody := f.Principal.Parties(f.right()); !everybody && !f.Principal.Administers(f.key("agreement")) {
			options = slices.DeleteFunc(options, func(o option) bool { return !slices.Contains(may, domain.Key(o.Value)) })
		}
	}
	return options, more || slices.Contains(freely, kind) || f.typ.Name == "grant-access", err
}

// listed makes options of a list.
func listed[T any](f *form, items []T, next string, err error, of func(T) (domain.Key, domain.Text)) ([]option, bool, error) {
	options := make([]option, 0, len(items))
	for _, item := range items {
		key, title := of(item)
		o := option{Value: string(key), Title: string(key)}
		if text := f.Plain(title); text != "" && text != o.Title {
			o.Title = text + " · " + o.Value
		}
		options = append(options, o)
	}
	return options, next != "", err
}

// codes makes options of the ledger's codes.
func (f *form) codes(codes []string) []option {
	options := make([]option, len(codes))
	for i, code := range codes {
		options[i] = option{Value: code, Title: f.Label(code)}
	}
	return options
}

func plain(values ...string) []option {
	options := make([]option, len(values))
	for i, value := range values {
		options[i] = option{Value: value, Title: value}
	}
	return options
}

// over says which agreement, or the whole ledger.
func (v *visit) over(agreement domain.Key) string {
	if agreement == "" {
		return v.Say("the whole ledger")
	}
	return string(agreement)
}

// partyOptions are the parties, those of the agreement first.
func partyOptions(ctx context.Context, f *form) ([]option, bool, error) {
	items, next, err := f.models.Parties(ctx, f.At, all)
	if err != nil {
		return nil, false, err
	}
	options, more, _ := listed(f, items, next, nil, func(p projections.Party) (domain.Key, domain.Text) { return p.Party, p.Title })
	if of := f.key("agreement"); of != "" {
		if a, err := f.models.Agreement(ctx, of, f.At); err == nil {
			within := func(o option) bool { return slices.Contains(a.Parties, domain.Key(o.Value)) }
			slices.SortStableFunc(options, func(a, b option) int {
				switch {
				case within(a) == within(b):
					return 0
				case within(a):
					return -1
				}
				return 1
			})
		}
	}
	return options, more, nil
}

func areaOptions(ctx context.Context, f *form) ([]option, bool, error) {
	a, err := f.models.Agreement(ctx, f.key("agreement"), f.At)
	areas := slices.DeleteFunc(slices.Clone(a.Areas), func(x projections.Area) bool { return x.Retired })
	return listed(f, areas, "", err, func(x projections.Area) (domain.Key, domain.Text) { return x.Area, x.Title })
}

func projectOptions(ctx context.Context, f *form) ([]option, bool, error) {
	items, next, err := f.models.Projects(ctx, f.key("agreement"), f.At, all)
	return listed(f, items, next, err, func(p projections.Project) (domain.Key, domain.Text) { return p.Project, p.Title })
}

// pathOptions are the projects and areas of the agreement, by their paths.
func pathOptions(ctx context.Context, f *form) (options []option, more bool, err error) {
	for _, of := range []struct {
		kind string
		list source
	}{{"project", projectOptions}, {"area", areaOptions}} {
		found, _, err := of.list(ctx, f)
		if err != nil {
			return nil, true, err
		}
		for _, o := range found {
			options = append(options, option{Value: of.kind + "/" + o.Value, Title: f.Label(of.kind) + ": " + o.Title})
		}
	}
	return options, true, nil
}
