package project

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// CodeDependencyCycle refuses a dependency of a milestone on itself, directly
// or through others.
const CodeDependencyCycle = "dependency-cycle"

// AddDependency is the command add-dependency.
type AddDependency struct {
	MilestoneID
	On domain.Key `json:"on" required:"true" doc:"The milestone that has to be met before it."`
}

func (AddDependency) Name() string { return "add-dependency" }

// Decide makes a scheduled milestone depend on another, unless that one
// depends on it already.
func (c AddDependency) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled)
	if err != nil {
		return nil, err
	}
	if !s.Milestones.Has(c.On) {
		return nil, domain.NotFound("on", "milestone", c.On)
	}
	if slices.Contains(m.DependsOn, c.On) {
		return nil, domain.Refuse(domain.CodeNothingChanged, "on", "milestone %q depends on %q already", c.Milestone, c.On)
	}
	if path := s.path(c.On, c.Milestone, map[domain.Key]bool{}); path != nil {
		return nil, domain.Refuse(CodeDependencyCycle, "on", "%s -> %s: a milestone cannot depend on itself; remove one of these dependencies first",
			c.Milestone, strings.Join(path, " -> "))
	}
	return []domain.Event{DependencyAdded(c)}, nil
}

// path returns the milestones along which from depends on to, both named, or
// nil. A fold by effective date may hold cycles, so it goes nowhere twice.
func (s *State) path(from, to domain.Key, seen map[domain.Key]bool) []string {
	if from == to {
		return []string{string(to)}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	m, _ := s.Milestones.Get(from)
	for _, next := range m.DependsOn {
		if path := s.path(next, to, seen); path != nil {
			return append([]string{string(from)}, path...)
		}
	}
	return nil
}

// DependencyAdded: the milestone is not to be met before On.
type DependencyAdded struct {
	MilestoneID
	On domain.Key `json:"on" doc:"The milestone that has to be met before it."`
}

func (DependencyAdded) Type() string { return "milepost.project.dependency-added.v1" }

func (e DependencyAdded) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.DependsOn = with(m.DependsOn, e.On)
		return m
	})
}

// RemoveDependency is the command remove-dependency.
type RemoveDependency struct {
	MilestoneID
	On domain.Key `json:"on" required:"true" doc:"The milestone that it no longer has to wait for."`
}

func (RemoveDependency) Name() string { return "remove-dependency" }

// Decide removes a dependency of a scheduled milestone.
func (c RemoveDependency) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.DependsOn, c.On) {
		return nil, domain.Refuse(domain.CodeNothingChanged, "on", "milestone %q does not depend on %q", c.Milestone, c.On)
	}
	return []domain.Event{DependencyRemoved(c)}, nil
}

// DependencyRemoved: the milestone no longer waits for On.
type DependencyRemoved struct {
	MilestoneID
	On domain.Key `json:"on" doc:"The milestone that it no longer has to wait for."`
}

func (DependencyRemoved) Type() string { return "milepost.project.dependency-removed.v1" }

func (e DependencyRemoved) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.DependsOn = without(m.DependsOn, e.On)
		return m
	})
}

// with returns keys and key, once; states share slices, so it is a new one.
func with(keys []domain.Key, key domain.Key) []domain.Key {
	if slices.Contains(keys, key) {
		return keys
	}
	return append(slices.Clip(keys), key)
}

// without returns keys without key, nil when none is left.
func without(keys []domain.Key, key domain.Key) []domain.Key {
	var rest []domain.Key
	for _, k := range keys {
		if k != key {
			rest = append(rest, k)
		}
	}
	return rest
}
