package agreement

import "github.com/milepost-ledger/milepost/domain"

// CodeNotYet refuses what becomes possible with time: an expiry before the
// end of the term, a renewal by what has not taken effect, a breach before the
// due date is past.
const CodeNotYet = "not-yet"

// Suspend is the command suspend-agreement.
type Suspend struct{ ID }

func (Suspend) Name() string { return "suspend-agreement" }

// Decide suspends an agreement in effect, for a reason.
func (c Suspend) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusActive); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a suspension"); err != nil {
		return nil, err
	}
	return []domain.Event{Suspended(c)}, nil
}

// Suspended: the agreement is not in effect until it is resumed.
type Suspended struct{ ID }

func (Suspended) Type() string     { return "milepost.agreement.suspended.v1" }
func (e Suspended) Apply(s *State) { s.ID, s.State = e.ID, StatusSuspended }

// Resume is the command resume-agreement.
type Resume struct{ ID }

func (Resume) Name() string { return "resume-agreement" }

// Decide resumes a suspended agreement.
func (c Resume) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusSuspended); err != nil {
		return nil, err
	}
	return []domain.Event{Resumed(c)}, nil
}

// Resumed: the agreement is in effect again.
type Resumed struct{ ID }

func (Resumed) Type() string     { return "milepost.agreement.resumed.v1" }
func (e Resumed) Apply(s *State) { s.ID, s.State = e.ID, StatusActive }

// Terminate is the command terminate-agreement.
type Terminate struct{ ID }

func (Terminate) Name() string { return "terminate-agreement" }

// Decide ends an agreement before its time, for a reason. It ends on the
// effective date, which may lie ahead: notice is given before it runs out.
func (c Terminate) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusActive, StatusSuspended); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a termination"); err != nil {
		return nil, err
	}
	return []domain.Event{Terminated{c.ID, in.EffectiveOn()}}, nil
}

// Terminated: the agreement ended on On, before its term had run out.
type Terminated struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Terminated) Type() string     { return "milepost.agreement.terminated.v1" }
func (e Terminated) Apply(s *State) { s.end(e.ID, StatusTerminated, e.On) }

// Complete is the command complete-agreement.
type Complete struct{ ID }

func (Complete) Name() string { return "complete-agreement" }

// Decide ends an agreement whose purpose is fulfilled.
func (c Complete) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusActive); err != nil {
		return nil, err
	}
	return []domain.Event{Completed{c.ID, in.EffectiveOn()}}, nil
}

// Completed: the agreement ended on On with its purpose fulfilled.
type Completed struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Completed) Type() string     { return "milepost.agreement.completed.v1" }
func (e Completed) Apply(s *State) { s.end(e.ID, StatusCompleted, e.On) }

// Expire is the command expire-agreement.
type Expire struct{ ID }

func (Expire) Name() string { return "expire-agreement" }

// Decide ends an agreement whose last day is past; that was the day it ended.
func (c Expire) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusActive, StatusSuspended); err != nil {
		return nil, err
	}
	if s.Term.End == 0 {
		return nil, domain.Refuse(CodeNotYet, "agreement", "agreement %q has no last day; end it with complete-agreement or terminate-agreement", c.Agreement)
	}
	if s.Term.End >= in.Today {
		return nil, domain.Refuse(CodeNotYet, "agreement", "the term of agreement %q runs until %s; to end it earlier use terminate-agreement", c.Agreement, s.Term.End)
	}
	return []domain.Event{Expired{c.ID, s.Term.End}}, nil
}

// Expired: the term ran out, On being its last day.
type Expired struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Expired) Type() string     { return "milepost.agreement.expired.v1" }
func (e Expired) Apply(s *State) { s.end(e.ID, StatusExpired, e.On) }

// Renew is the command renew-agreement.
type Renew struct {
	ID
	By domain.Key `json:"by" required:"true" doc:"The agreement that takes its place; it says that it renews this one, and is signed."`
}

func (Renew) Name() string { return "renew-agreement" }

// Decide lets an agreement that renews this one, and has taken effect, take
// its place. Both facts are for ever once true, so no event on it is needed.
func (c Renew) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusActive, StatusSuspended); err != nil {
		return nil, err
	}
	by, err := Load(in.World, "by", c.By)
	if err != nil {
		return nil, err
	}
	if by.Renews != c.Agreement {
		return nil, domain.Refuse(domain.CodeInvalidValue, "by", "agreement %q does not say that it renews %q; a draft says so with revise-draft", c.By, c.Agreement)
	}
	if by.EffectiveOn == 0 {
		return nil, domain.Refuse(CodeNotYet, "by", "agreement %q has not taken effect; each party signs it first", c.By)
	}
	return []domain.Event{Renewed{c.ID, c.By, by.EffectiveOn}}, nil
}

// Renewed: agreement By took the place of this one on On, its first day.
type Renewed struct {
	ID
	By domain.Key  `json:"by" doc:"The agreement that takes its place."`
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Renewed) Type() string { return "milepost.agreement.renewed.v1" }

func (e Renewed) Apply(s *State) {
	s.end(e.ID, StatusRenewed, e.On)
	s.RenewedBy = e.By
}

func (s *State) end(id ID, status string, on domain.Date) {
	s.ID, s.State, s.EndedOn = id, status, on
}

// ProjectStarted is put here by start-project. It counts early results, and
// its append checks that the agreement did not change since it was seen to be
// in effect: so no project starts while it is being suspended.
type ProjectStarted struct {
	ID
	Project domain.Key  `json:"project" doc:"Key of the project."`
	On      domain.Date `json:"on" doc:"The date on which it holds."`
}

func (ProjectStarted) Type() string { return "milepost.agreement.project-started.v1" }

func (e ProjectStarted) Apply(s *State) {
	s.ID = e.ID
	s.ProjectsStarted++
	if s.FirstProjectOn == 0 || e.On < s.FirstProjectOn {
		s.FirstProjectOn = e.On
	}
}

// ProjectResumed is put here by resume-project. It changes nothing: it stands
// here only so that its append checks, as that of ProjectStarted does, that
// the agreement is still in effect.
type ProjectResumed struct {
	ID
	Project domain.Key  `json:"project" doc:"Key of the project."`
	On      domain.Date `json:"on" doc:"The date on which it holds."`
}

func (ProjectResumed) Type() string     { return "milepost.agreement.project-resumed.v1" }
func (e ProjectResumed) Apply(s *State) { s.ID = e.ID }
