package project

import "github.com/milepost-ledger/milepost/domain"

// AssessTRL is the command assess-trl.
type AssessTRL struct {
	ID
	Level int `json:"level" required:"true" min:"1" max:"9" doc:"Technology readiness level (ISO 16290): 1 basic principles observed, to 9 proven in operation."`
}

func (AssessTRL) Name() string { return "assess-trl" }

// Decide takes an assessment that evidence shows; a lower level than before
// takes a reason.
func (c AssessTRL) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	if err := in.RequireEvidence(); err != nil {
		return nil, err
	}
	if c.Level == s.TRL {
		return nil, domain.Refuse(domain.CodeNothingChanged, "level", "project %q stands at level %d since %s already", c.Project, s.TRL, s.TRLOn)
	}
	if c.Level < s.TRL {
		if err := in.RequireReason("a lower level than before"); err != nil {
			return nil, err
		}
	}
	return []domain.Event{TRLAssessed{c.ID, c.Level, on}}, nil
}

// TRLAssessed: what the project develops stands at Level since On.
type TRLAssessed struct {
	ID
	Level int         `json:"level" doc:"Technology readiness level (ISO 16290), 1 to 9."`
	On    domain.Date `json:"on" doc:"The date of the assessment."`
}

func (TRLAssessed) Type() string { return "milepost.project.trl-assessed.v1" }

func (e TRLAssessed) Apply(s *State) { s.ID, s.TRL, s.TRLOn = e.ID, e.Level, e.On }
