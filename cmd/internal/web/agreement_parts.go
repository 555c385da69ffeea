package web

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// signature is a party's, of the present text, or the want of it.
type signature struct {
	Party     domain.Key
	Signatory string
	Date      domain.Date // 0 where the party has not signed
}

// signatures finds who signed when. The read models of agreements have who did; what
// the signatures say is in the changes.
func (a *agreementAnswer) signatures(ctx context.Context) error {
	for _, party := range a.Of.Parties {
		s := signature{Party: party}
		if slices.Contains(a.Of.Signed, party) {
			found, err := a.models.Changes(ctx, projections.ChangeQuery{
				To: a.At, Agreement: a.Agreement, Entity: "agreement/" + string(a.Agreement) + "/signature/" + string(party), Net: true,
			})
			if err != nil {
				return err
			}
			for _, c := range found.Changes {
				switch c.Field {
				case "signatory":
					err = json.Unmarshal(c.New, &s.Signatory)
				case "date":
					err = json.Unmarshal(c.New, &s.Date)
				}
				if err != nil {
					return err
				}
			}
		}
		a.Signatures = append(a.Signatures, s)
	}
	return nil
}

// AmendedBy is the amendment that the present text comes from; nil where it is as it
// was signed.
func (a agreementAnswer) AmendedBy() *projections.Amendment {
	for i := range a.Amendments {
		if m := &a.Amendments[i]; m.EffectiveOn != 0 && m.Document == a.Of.Document {
			return m
		}
	}
	return nil
}

// area is an area of cooperation with those below it.
type area struct {
	projections.Area
	Below []area
}

// areasOf makes a tree of the areas below one.
func areasOf(all []projections.Area, parent domain.Key, depth int) (tree []area) {
	for _, one := range all {
		if one.Parent == parent && depth < 20 { // nobody nests deeper, and a cycle would
			tree = append(tree, area{one, areasOf(all, one.Area, depth+1)})
		}
	}
	return tree
}

// areaList is what the template of a tree of areas is given, at each level.
type areaList struct {
	*visit
	Items []area
}

func (v *visit) AreaList(items []area) areaList { return areaList{v, items} }

// mechanism is a mechanism with its last and its next meeting.
type mechanism struct {
	projections.Mechanism
	Last, Next *projections.Meeting
}

func (a *agreementAnswer) mechanisms(ctx context.Context) error {
	bodies, err := everyOf(ctx, a.Agreement, a.At, a.models.Mechanisms)
	if err != nil {
		return err
	}
	meetings, err := everyOf(ctx, a.Agreement, a.At, a.models.Meetings)
	if err != nil {
		return err
	}
	for _, body := range bodies {
		m := mechanism{Mechanism: body}
		for i, meeting := range meetings {
			switch {
			case meeting.Mechanism != body.Mechanism:
			case meeting.State == "held" && (m.Last == nil || meeting.On >= m.Last.On):
				m.Last = &meetings[i]
			case meeting.State == "scheduled" && (m.Next == nil || meeting.On < m.Next.On):
				m.Next = &meetings[i]
			}
		}
		a.Mechanisms = append(a.Mechanisms, m)
	}
	return nil
}

// debts is what one party owes another.
type debts struct {
	Debtor, Beneficiary domain.Key
	Items               []projections.Obligation
}

// obligations groups them by who owes whom.
func (a *agreementAnswer) obligations(ctx context.Context) error {
	all, err := everyOf(ctx, a.Agreement, a.At, a.models.Obligations)
	for _, o := range all {
		i := slices.IndexFunc(a.Obligations, func(d debts) bool { return d.Debtor == o.Debtor && d.Beneficiary == o.Beneficiary })
		if i < 0 {
			i = len(a.Obligations)
			a.Obligations = append(a.Obligations, debts{Debtor: o.Debtor, Beneficiary: o.Beneficiary})
		}
		a.Obligations[i].Items = append(a.Obligations[i].Items, o)
	}
	return err
}

// Settle are links to what can be done about an obligation in its state.
func (v *visit) Settle(o projections.Obligation) []*doLink {
	do := func(command string, party domain.Key) *doLink {
		fields := []any{"agreement", o.Agreement, "obligation", o.Obligation}
		if party != "" {
			fields = append(fields, "party", party)
		}
		return v.Do(command, fields...)
	}
	switch o.State {
	case "open":
		return v.May([]*doLink{do("claim-fulfilment", o.Debtor)})
	case "breached":
		return v.May([]*doLink{do("claim-fulfilment", o.Debtor), do("waive-obligation", "")})
	case "fulfilment-claimed":
		return v.May([]*doLink{do("confirm-fulfilment", o.Beneficiary), do("dispute-fulfilment", o.Beneficiary)})
	}
	return nil
}
