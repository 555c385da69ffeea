package projections_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// oracle says what a view withholds of a whole log by the types of its events,
// again and again until nothing is added: in no order, and by no JSON.
type oracle struct {
	view   projections.View
	events []logged
	gone   map[string]bool // "framework:project/iot-base"
	grown  bool
}

// logged is an event of a log.
type logged struct {
	env   domain.Envelope
	event domain.Event
}

// withheldOf returns the sequences that the view withholds.
func withheldOf(t tb, view projections.View, records []eventstore.Record) map[uint64]bool {
	t.Helper()
	o := &oracle{view: view, gone: map[string]bool{}}
	for _, r := range records {
		env, e, err := catalogue.Decode(r.Data)
		require.NoError(t, err)
		o.events = append(o.events, logged{env, e})
	}
	for _, r := range view.Restricted {
		if r.Project != "" {
			o.add(r.Agreement, "project/"+string(r.Project))
		}
		if r.Area != "" {
			o.add(r.Agreement, "area/"+string(r.Area))
		}
	}
	for o.grown = true; o.grown; {
		o.grown = false
		for _, l := range o.events {
			o.grow(l)
		}
	}
	withheld := map[uint64]bool{}
	gates := map[string]bool{} // whether the first that was said of one was withheld
	for i, l := range o.events {
		name := ""
		switch e := l.event.(type) {
		case project.GatePassed:
			name = l.env.Ref.String() + "/" + string(e.Gate)
		case project.GateFailed:
			name = l.env.Ref.String() + "/" + string(e.Gate)
		}
		hidden := o.hides(l) || gates[name]
		if _, said := gates[name]; name != "" && !said {
			gates[name] = hidden
		}
		if hidden {
			withheld[records[i].Seq] = true
		}
	}
	return withheld
}

func (o *oracle) add(of domain.Key, path string) {
	if name := string(of) + ":" + path; !o.gone[name] {
		o.gone[name], o.grown = true, true
	}
}

func (o *oracle) is(of domain.Key, kind string, keys ...domain.Key) bool {
	return slices.ContainsFunc(keys, func(k domain.Key) bool { return o.gone[string(of)+":"+kind+"/"+string(k)] })
}

func (o *oracle) affects(of domain.Key, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		for name := range o.gone {
			if path := string(of) + ":" + path; path == name || strings.HasPrefix(path, name+"/") {
				return true
			}
		}
		return false
	})
}

// grow adds what an event has withheld beside itself.
func (o *oracle) grow(l logged) {
	of := l.env.Ref.Agreement
	switch e := l.event.(type) {
	case agreement.AreaAdded:
		if o.is(of, "area", e.Parent) {
			o.add(of, "area/"+string(e.Area))
		}
	case project.Proposed:
		if o.is(of, "area", e.Areas...) {
			o.add(of, "project/"+string(e.Project))
		}
	case project.ScopeChanged:
		if o.is(of, "area", e.Areas...) {
			o.add(of, "project/"+string(e.Project))
		}
	case indicator.Defined:
		if o.is(of, "project", e.Project) || o.is(of, "area", e.Area) {
			o.add(of, "indicator/"+string(e.Indicator))
		}
	case amendment.AmendmentProposed:
		for _, c := range e.Changes {
			var said struct {
				Project, Area, Parent, Indicator, Decision, Amendment domain.Key
				Areas                                                 []domain.Key
			}
			_ = json.Unmarshal(c, &said)
			if o.is(of, "project", said.Project) || o.is(of, "area", append(said.Areas, said.Area)...) || said.Area != "" && o.is(of, "area", said.Parent) ||
				o.is(of, "indicator", said.Indicator) || o.is(of, "decision", said.Decision) || o.is(of, "amendment", said.Amendment) {
				o.add(of, "amendment/"+string(e.Amendment))
			}
		}
	case meeting.DecisionRecorded:
		if o.affects(of, e.Affects) {
			o.add(of, "decision/"+string(e.Decision))
		}
	case agreement.DecisionRecorded:
		if o.affects(of, e.Affects) {
			o.add(of, "decision/"+string(e.Decision))
		}
	case fund.FundsDisbursed:
		if o.is(of, "project", e.Project) {
			o.add(of, "fund/"+string(e.Fund)+"/disbursement/"+string(e.Disbursement))
		}
	}
}

// hides reports whether the view has not got an event.
func (o *oracle) hides(l logged) bool {
	ref := l.env.Ref
	of := ref.Agreement
	switch {
	case of == "" && ref.Kind != party.Kind && ref.Kind != keyring.Kind:
		return !o.view.Internal
	case of == "":
		return false
	case o.view.Agreements != nil && !slices.Contains(o.view.Agreements, of):
		return true
	case o.gone[string(of)+":"+ref.Path()]:
		return true
	}
	disbursed := func(f, d domain.Key) bool { return o.is(of, "fund/"+string(f)+"/disbursement", d) }
	switch e := l.event.(type) {
	case agreement.AreaAdded:
		return o.is(of, "area", e.Area, e.Parent)
	case agreement.AreaRetired:
		return o.is(of, "area", e.Area)
	case agreement.ProjectStarted:
		return o.is(of, "project", e.Project)
	case agreement.ProjectResumed:
		return o.is(of, "project", e.Project)
	case agreement.DecisionRecorded:
		return o.is(of, "decision", e.Decision)
	case meeting.DecisionRecorded:
		return o.is(of, "decision", e.Decision)
	case agreement.Amended:
		return o.is(of, "amendment", e.Amendment)
	case agreement.FundsDisbursed:
		return o.is(of, "project", e.Project)
	case fund.FundsDisbursed:
		return o.is(of, "project", e.Project)
	case fund.ExpenditureRecorded:
		return disbursed(e.Fund, e.Disbursement)
	case project.BaselineApproved:
		return o.is(of, "decision", e.Decision) || o.is(of, "amendment", e.Amendment)
	case project.MilestoneRescheduled:
		return o.is(of, "decision", e.Decision) || o.is(of, "amendment", e.Amendment)
	case project.MilestoneJudged:
		return o.is(of, "decision", e.Decision)
	case project.GatePassed:
		return o.is(of, "decision", e.Decision)
	case project.GateFailed:
		return o.is(of, "decision", e.Decision)
	}
	return false
}
