package project

import "github.com/milepost-ledger/milepost/domain"

// Colours of a milestone.
const (
	Green = "green"
	Amber = "amber"
	Red   = "red"
)

// Slip returns the days between the effective baseline and the date met, or
// the forecast while it is not met: milestone trend analysis plots it over
// time. More than 0 is late. It is not ok without a baseline.
func (m Milestone) Slip() (days int, ok bool) {
	if m.Baseline == 0 || m.Forecast == 0 && m.MetOn == 0 {
		return 0, false
	}
	if m.MetOn != 0 {
		return int(m.MetOn - m.Baseline), true
	}
	return int(m.Forecast - m.Baseline), true
}

// Expected returns when the milestone is achieved as seen on today: the date
// met or claimed, else the forecast, which cannot lie in the past.
func (m Milestone) Expected(today domain.Date) domain.Date {
	switch {
	case m.MetOn != 0:
		return m.MetOn
	case m.State == Claimed:
		return m.ClaimedOn
	}
	return max(m.Forecast, today)
}

// reference returns the date that colour is measured against: the effective
// baseline, and where none was approved the agreed date, which moves only by
// a decision or an amendment.
func (m Milestone) reference() domain.Date {
	if m.Baseline != 0 {
		return m.Baseline
	}
	return m.Due
}

// RAG returns the colour of the milestone as seen on today: amber and red when
// it is expected, or was met, later than the tolerance allows (PRINCE2's
// tolerance on time). What a review judged partially met is amber and what it
// judged not met is red. A cancelled milestone has no colour.
func (m Milestone) RAG(t Tolerance, today domain.Date) string {
	t = t.OrDefault()
	switch m.State {
	case Dropped:
		return ""
	case NotMet:
		return Red
	case PartiallyMet:
		return Amber
	}
	switch slip := int(m.Expected(today) - m.reference()); {
	case m.reference() == 0:
		return Green
	case slip > t.Red:
		return Red
	case slip > t.Amber:
		return Amber
	}
	return Green
}

// RAGDates returns the first day on which the milestone is amber and the first
// on which it is red if nothing more happens to it: 1 where it is so already,
// 0 where it never will be. From redOn it is red, else from amberOn amber, else
// green, as RAG says on each day: a read model stores the two and need not be
// touched when days pass.
func (m Milestone) RAGDates(t Tolerance) (amberOn, redOn domain.Date) {
	t = t.OrDefault()
	switch m.State {
	case Dropped:
		return 0, 0
	case NotMet:
		return 1, 1
	case PartiallyMet:
		return 1, 0
	}
	return m.exceeds(t.Amber), m.exceeds(t.Red)
}

// exceeds returns the first day on which the slip is more than days.
func (m Milestone) exceeds(days int) domain.Date {
	limit := m.reference() + domain.Date(days)
	switch {
	case m.reference() == 0:
		return 0
	case m.Expected(0) > limit:
		return 1
	case m.MetOn != 0 || m.State == Claimed:
		return 0
	}
	return limit + 1 // expected later with each day past the forecast
}
