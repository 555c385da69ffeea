package project

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Codes of the refusals of a claim or a confirmation.
const (
	CodeClaimantOnlyConfirmer = "claimant-only-confirmer" // nobody else would confirm it
	CodeDependencyNotMet      = "dependency-not-met"      // what it depends on was not met by then
	CodeAlreadyConfirmed      = "already-confirmed"
)

// Claim is the command claim-achievement.
type Claim struct {
	MilestoneID
	Party domain.Key  `json:"party" required:"true" doc:"The party of the agreement that claims it."`
	MetOn domain.Date `json:"met_on" required:"true" doc:"The date on which it was achieved."`
}

func (Claim) Name() string { return "claim-achievement" }

// ActingParty is the party in whose name it is asked.
func (c Claim) ActingParty() domain.Key { return c.Party }

// Decide takes the claim for others to confirm.
func (c Claim) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled)
	if err != nil {
		return nil, err
	}
	if err := in.NotFuture("met_on", c.MetOn); err != nil {
		return nil, err
	}
	if err := in.RequireEvidence(); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	if !a.HasParty(c.Party) {
		return nil, notAParty("party", c.Party, c.Agreement)
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if len(m.Confirming) == 1 && m.Confirming[0] == c.Party {
		return nil, domain.Refuse(CodeClaimantOnlyConfirmer, "party",
			"%q alone would confirm its own claim; let another party claim it, or schedule the milestone with another to confirm", c.Party)
	}
	late := s.notMetBy(m, c.MetOn)
	if err := requireDependencies(in, c.Milestone, late, c.MetOn); err != nil {
		return nil, err
	}
	return []domain.Event{AchievementClaimed{c.MilestoneID, c.Party, c.MetOn, late}}, nil
}

// notMetBy returns what m depends on that was not met by a date; cancelled
// milestones keep nobody waiting.
func (s *State) notMetBy(m Milestone, date domain.Date) []domain.Key {
	var late []domain.Key
	for _, on := range m.DependsOn {
		if d, _ := s.Milestones.Get(on); d.State != Dropped && (d.State != Met || d.MetOn > date) {
			late = append(late, on)
		}
	}
	return late
}

func requireDependencies(in domain.Input, milestone domain.Key, late []domain.Key, metOn domain.Date) error {
	if len(late) == 0 || in.Reason != "" {
		return nil
	}
	return domain.Refuse(CodeDependencyNotMet, "met_on", "milestone %q depends on %s, not met by %s; settle that first, or give a reason",
		milestone, domain.Join(late, ", "), metOn)
}

// AchievementClaimed: Party says that the milestone was achieved on MetOn,
// with a reason for what it depends on and was not met by then.
type AchievementClaimed struct {
	MilestoneID
	Party   domain.Key   `json:"party" doc:"The party that claims it."`
	MetOn   domain.Date  `json:"met_on" doc:"The date on which it was achieved."`
	Despite []domain.Key `json:"despite,omitzero" doc:"Milestones that it depends on and that are not met by then; the reason says why."`
}

func (AchievementClaimed) Type() string { return "milepost.project.achievement-claimed.v1" }

func (e AchievementClaimed) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m = m.noClaim()
		m.State, m.ClaimedBy, m.ClaimedOn, m.Despite = Claimed, e.Party, e.MetOn, e.Despite
		return m
	})
}

// Confirm is the command confirm-achievement.
type Confirm struct {
	MilestoneID
	Party domain.Key `json:"party" required:"true" doc:"The confirming party."`
}

func (Confirm) Name() string { return "confirm-achievement" }

// ActingParty is the party in whose name it is asked.
func (c Confirm) ActingParty() domain.Key { return c.Party }

// Decide takes each confirming party's confirmation once; the last one makes
// the milestone met in the same decision. What it depends on may have been
// reopened since the claim, so that is looked at again.
func (c Confirm) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Claimed)
	if err != nil {
		return nil, err
	}
	if err := m.mayConfirm(c.Party, in); err != nil {
		return nil, err
	}
	if slices.Contains(m.ConfirmedBy, c.Party) {
		return nil, domain.Refuse(CodeAlreadyConfirmed, "party", "%q has confirmed milestone %q already", c.Party, c.Milestone)
	}
	events := []domain.Event{AchievementConfirmed(c)}
	for _, p := range m.Confirming {
		if p != c.Party && !slices.Contains(m.ConfirmedBy, p) {
			return events, nil
		}
	}
	late := s.notMetBy(m, m.ClaimedOn)
	unexplained := slices.DeleteFunc(slices.Clone(late), func(k domain.Key) bool { return slices.Contains(m.Despite, k) })
	if err := requireDependencies(in, c.Milestone, unexplained, m.ClaimedOn); err != nil {
		return nil, err
	}
	return append(events, MilestoneMet{c.MilestoneID, m.ClaimedOn, late}), nil
}

// mayConfirm refuses whoever is not asked to confirm the milestone.
func (m Milestone) mayConfirm(party domain.Key, in domain.Input) error {
	if !slices.Contains(m.Confirming, party) {
		return domain.Refuse(domain.CodeWrongParty, "party", "%q is not asked to confirm it; %s can", party, domain.Join(m.Confirming, " and "))
	}
	return in.ActsFor(party)
}

// AchievementConfirmed: a confirming party agrees with the claim.
type AchievementConfirmed struct {
	MilestoneID
	Party domain.Key `json:"party" doc:"The party that confirmed it."`
}

func (AchievementConfirmed) Type() string { return "milepost.project.achievement-confirmed.v1" }

func (e AchievementConfirmed) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.ConfirmedBy = with(m.ConfirmedBy, e.Party)
		return m
	})
}

// MilestoneMet: every confirming party has confirmed that the milestone was
// achieved on MetOn, for a reason before the milestones in Despite.
type MilestoneMet struct {
	MilestoneID
	MetOn   domain.Date  `json:"met_on" doc:"The date on which it was achieved."`
	Despite []domain.Key `json:"despite,omitzero" doc:"Milestones that it depends on and that are not met by then; the reason says why."`
}

func (MilestoneMet) Type() string { return "milepost.project.milestone-met.v1" }

func (e MilestoneMet) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.State, m.MetOn, m.Despite = Met, e.MetOn, e.Despite
		return m
	})
}

// Dispute is the command dispute-achievement.
type Dispute struct {
	MilestoneID
	Party domain.Key `json:"party" required:"true" doc:"The confirming party that disputes the claim."`
}

func (Dispute) Name() string { return "dispute-achievement" }

// ActingParty is the party in whose name it is asked.
func (c Dispute) ActingParty() domain.Key { return c.Party }

// Decide lets a confirming party dispute a claim, for a reason.
func (c Dispute) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Claimed)
	if err != nil {
		return nil, err
	}
	if err := m.mayConfirm(c.Party, in); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a dispute"); err != nil {
		return nil, err
	}
	return []domain.Event{AchievementDisputed(c)}, nil
}

// AchievementDisputed: the claim is void, and all its confirmations with it.
type AchievementDisputed struct {
	MilestoneID
	Party domain.Key `json:"party" doc:"The party that disputed it."`
}

func (AchievementDisputed) Type() string { return "milepost.project.achievement-disputed.v1" }

func (e AchievementDisputed) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m = m.noClaim()
		m.State = Scheduled
		return m
	})
}
