package web

import (
	"context"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/projections"
)

// agreementCrumbs begins a page within an agreement: it returns the agreement, or
// refuses with not-found, and sets the page's section, which is its tab, and the way
// to it: the overview, the agreement, and whatever more there is.
func (v *visit) agreementCrumbs(ctx context.Context, section string, more ...crumb) (projections.Agreement, error) {
	a, err := v.models.Agreement(ctx, v.Agreement, v.At)
	if err != nil {
		return a, err
	}
	v.knowAgreement(a)
	v.Section = section
	v.Crumbs = append([]crumb{{v.Say("Overview"), "/"}, {v.Plain(a.Title), agreementPath(v.Agreement)}}, more...)
	return a, nil
}

// Tabs are the pages of the agreement that are there and that the asker may see;
// none where the page is about no agreement.
func (v *visit) Tabs() (tabs []section) {
	if v.Agreement == "" {
		return nil
	}
	of := string(v.Agreement)
	for _, tab := range []struct {
		section
		pattern string
	}{
		{section{"agreement", v.Say("Agreement"), v.Link(agreementPath(v.Agreement))}, "GET /agreements/{agreement}"},
		{section{"projects", v.Say("Projects"), v.Link(agreementPath(v.Agreement, "projects"))}, "GET /agreements/{agreement}/projects"},
		{section{"results", v.Say("Results"), v.Link(agreementPath(v.Agreement, "results"))}, "GET /agreements/{agreement}/results"},
		{section{"funds", v.Say("Funds"), v.Link(agreementPath(v.Agreement, "funds"))}, "GET /agreements/{agreement}/funds"},
		{section{"meetings", v.Say("Meetings"), v.Link(agreementPath(v.Agreement, "meetings"))}, "GET /agreements/{agreement}/meetings"},
		{section{"changes", v.Say("Changes"), v.LinkWith("/changes", "agreement", of)}, "GET /changes"},
		{section{"audit", v.Say("Audit"), v.LinkWith("/audit", "agreement", of)}, "GET /audit"},
	} {
		if right, ok := access.Route(tab.pattern); ok && v.Principal.Begin(right) {
			tabs = append(tabs, tab.section)
		}
	}
	return tabs
}
