package indicator

import "github.com/milepost-ledger/milepost/domain"

// SetTarget is the command set-target.
type SetTarget struct {
	PeriodID
	Value     domain.Decimal `json:"value,omitzero" doc:"The value to reach by the end of the period."`
	Statement domain.Text    `json:"statement,omitzero" doc:"What is to be reached, by language, where the indicator is qualitative."`
}

func (SetTarget) Name() string { return "set-target" }

// Decide sets the target of any period, past or to come, again as often as it
// takes until the period is locked.
func (c SetTarget) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	p, err := c.of(s)
	if err != nil {
		return nil, err
	}
	if err := p.mayChange(c.Period, in); err != nil {
		return nil, err
	}
	if err := s.says(c.Value, c.Statement); err != nil {
		return nil, err
	}
	return []domain.Event{TargetSet(c)}, nil
}

// CodePeriodLocked refuses to change a locked period without saying what that
// corrects, and why.
const CodePeriodLocked = "period-locked"

// mayChange refuses to change a locked period but by a correction for a reason.
func (p Period) mayChange(key ReportingPeriod, in domain.Input) error {
	if p.Locked && (in.Corrects == "" || in.Reason == "") {
		return domain.Refuse(CodePeriodLocked, "period", "period %q is locked; to put it right, name the event in corrects and give a reason", key)
	}
	return nil
}

// says refuses a value of a qualitative indicator, and words of any other.
func (s *State) says(value domain.Decimal, statement domain.Text) error {
	switch qualitative := s.Measure == Qualitative; {
	case qualitative && value != "":
		return domain.Refuse(domain.CodeInvalidValue, "value", "a qualitative indicator has no values; say it in statement")
	case qualitative && len(statement) == 0:
		return domain.Refuse(domain.CodeMissingField, "statement", "say it in words: the indicator is qualitative")
	case !qualitative && len(statement) > 0:
		return domain.Refuse(domain.CodeInvalidValue, "statement", "the indicator is measured in numbers; give the value")
	case !qualitative && value == "":
		return domain.Refuse(domain.CodeMissingField, "value", "give the value, such as \"120\"")
	}
	return nil
}

// TargetSet: this is to be reached by the end of the period.
type TargetSet struct {
	PeriodID
	Value     domain.Decimal `json:"value,omitzero" doc:"The target, of an indicator with numbers."`
	Statement domain.Text    `json:"statement,omitzero" doc:"The target in words, by language."`
}

func (TargetSet) Type() string { return "milepost.indicator.target-set.v1" }

func (e TargetSet) Apply(s *State) {
	s.edit(e.PeriodID, func(p Period) Period {
		p.Target, p.TargetText = e.Value, e.Statement
		return p
	})
}

// ProgressPlaces is how many digits Progress has behind the point.
const ProgressPlaces = 4

// Progress returns (actual - baseline) / (target - baseline) of a period, "1"
// where the target is reached; no baseline counts as 0. It is not ok where the
// target or the actual is not known, and where the target is the baseline.
func (s *State) Progress(period ReportingPeriod) (ratio domain.Decimal, ok bool) {
	p, _ := s.Periods.Get(domain.Key(period))
	if p.Target == "" || p.Actual == "" {
		return "", false
	}
	return p.Actual.Sub(s.Baseline).Per(p.Target.Sub(s.Baseline), ProgressPlaces)
}
