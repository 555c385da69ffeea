package meeting

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

// RecordDecision is the command record-decision.
type RecordDecision struct {
	ID
	Decision domain.Key  `json:"decision,omitzero" doc:"Key of the decision, one in the whole agreement, chosen once; a UUID when absent."`
	Title    domain.Text `json:"title" required:"true" doc:"What was decided, by language."`
	Affects  []string    `json:"affects,omitzero" max:"200" doc:"Paths of what it is about: project/iot-base, project/iot-base/milestone/site, fund/, indicator/, mechanism/, obligation/ or area/ with a key; none for the whole agreement."`
}

func (RecordDecision) Name() string { return "record-decision" }

// WithKey fills in an absent key of the decision.
func (c RecordDecision) WithKey(key domain.Key) domain.Command {
	c.Decision = c.Decision.Or(key)
	return c
}

// Decide records a decision of a meeting that was held, as long as its minutes
// are not confirmed by all. Its name is one in the whole agreement: the event
// on the agreement makes sure that no other meeting takes it. A correction may
// have it affect more, never less: others may have cited it.
func (c RecordDecision) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Held); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("decision", c.Decision); err != nil {
		return nil, err
	}
	if err := s.unconfirmed("meeting", "record the decision in another meeting"); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	for i, path := range c.Affects {
		field := fmt.Sprintf("affects[%d]", i)
		if slices.Contains(c.Affects[:i], path) {
			return nil, domain.Refuse(domain.CodeInvalidValue, field, "%q is given twice", path)
		}
		if err := requireEntity(in.World, field, a, path); err != nil {
			return nil, err
		}
	}
	next := agreement.Decision{Meeting: c.Meeting, On: s.On, Affects: c.Affects}
	if was, taken := a.Decisions.Get(c.Decision); taken {
		if err := c.mayReplace(was, next, in); err != nil {
			return nil, err
		}
	}
	return []domain.Event{
		DecisionRecorded(c),
		domain.On(a.Ref(), agreement.DecisionRecorded{ID: a.ID, Decision: c.Decision, Meeting: c.Meeting, On: next.On, Affects: next.Affects}),
	}, nil
}

func (c RecordDecision) mayReplace(was, next agreement.Decision, in domain.Input) error {
	switch {
	case was.Meeting != c.Meeting:
		return domain.Refuse(domain.CodeAlreadyExists, "decision", "meeting %q took a decision %q; choose another key", was.Meeting, c.Decision)
	case in.Corrects == "":
		return domain.Refuse(domain.CodeAlreadyExists, "decision", "decision %q is recorded; to put it right, name the event in corrects", c.Decision)
	case len(was.Affects) == 0 && len(next.Affects) > 0:
		return domain.Refuse(domain.CodeInvalidValue, "affects", "decision %q affects the whole agreement and others may have cited it; give none", c.Decision)
	}
	for _, path := range was.Affects {
		if !next.Covers(path) {
			return domain.Refuse(domain.CodeInvalidValue, "affects", "decision %q affects %s and others may have cited it; give that as well", c.Decision, path)
		}
	}
	return nil
}

// requireEntity refuses in the name of field unless path names an entity of
// the agreement. Entities never cease to exist once they do.
func requireEntity(w domain.World, field string, a *agreement.State, path string) error {
	words := strings.Split(path, "/")
	for _, w := range words {
		if !domain.Key(w).Valid() {
			return notAPath(field, path)
		}
	}
	var found bool
	var err error
	switch kind, key := words[0], domain.Key(words[len(words)-1]); {
	case len(words) == 2 && kind == "area":
		found = a.Areas.Has(key)
	case len(words) == 2 && kind == "mechanism":
		found = a.Mechanisms.Has(key)
	case len(words) == 2 && kind == "obligation":
		found = a.Obligations.Has(key)
	case len(words) == 2 && kind == fund.Kind:
		_, found, err = load[fund.State](w, fund.Ref(a.Agreement, key))
	case len(words) == 2 && kind == indicator.Kind:
		_, found, err = load[indicator.State](w, indicator.Ref(a.Agreement, key))
	case len(words) == 2 && kind == project.Kind:
		_, found, err = load[project.State](w, project.Ref(a.Agreement, key))
	case len(words) == 4 && kind == project.Kind && words[2] == "milestone":
		var p *project.State
		p, found, err = load[project.State](w, project.Ref(a.Agreement, domain.Key(words[1])))
		found = found && p.Milestones.Has(key)
	default:
		return notAPath(field, path)
	}
	if err == nil && !found {
		return NoEntity(field, a.Agreement, path)
	}
	return err
}

// NoEntity refuses because an agreement has no entity at path.
func NoEntity(field string, of domain.Key, path string) error {
	return domain.Refuse(domain.CodeNotFound, field, "agreement %q has no %s; say what the decision is about by its path", of, path)
}

func notAPath(field, path string) error {
	return domain.Refuse(domain.CodeInvalidValue, field,
		"%q is no path; give project/<key>, project/<key>/milestone/<key>, fund/<key>, indicator/<key>, mechanism/<key>, obligation/<key> or area/<key>", path)
}

// load returns the state of another aggregate, and whether there is one.
func load[S any](w domain.World, ref domain.Ref) (*S, bool, error) {
	state, err := w.State(ref)
	s, _ := state.(*S)
	return s, s != nil, err
}

// DecisionRecorded: the meeting decided this.
type DecisionRecorded struct {
	ID
	Decision domain.Key  `json:"decision" doc:"Key of the decision."`
	Title    domain.Text `json:"title" doc:"Title by language."`
	Affects  []string    `json:"affects,omitzero" doc:"Paths of the entities that it is about, such as project/iot-base."`
}

func (DecisionRecorded) Type() string { return "milepost.meeting.decision-recorded.v1" }

func (e DecisionRecorded) Apply(s *State) {
	s.ID = e.ID
	s.Decisions = s.Decisions.With(e.Decision, Decision{e.Title, e.Affects})
}
