package ocds

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// types maps OCDS milestone types to ours; what is not here is a delivery.
var types = map[string]string{
	"preProcurement": "pre-procurement", "approval": "approval", "engagement": "engagement", "assessment": "assessment",
	"delivery": "delivery", "reporting": "reporting", "financing": "financing", "financial": "financing",
}

// outcomes maps the statuses that a review gives.
var outcomes = map[string]string{"partiallyMet": project.PartiallyMet, "notMet": project.NotMet}

// said is a milestone as one release has it.
type said struct {
	id     project.MilestoneID
	origin origin
	title  string
	kind   string
	status string
	due    domain.Date
	metOn  domain.Date
}

// open reports whether the published status leaves it to be achieved.
func (m said) open() bool { return m.status == "scheduled" }

// schedules schedules the milestones of a contract that are new; those that are
// there when the contract is signed are its first baseline.
func (c *converter) schedules(p *progress, k *contract, where string) error {
	p.present = nil
	for _, list := range []struct {
		milestones []milestone
		prefix     string
		place      string
	}{
		{k.Milestones, "contract-", inMilestones},
		{k.Implementation.Milestones, "implementation-", inImplementation},
	} {
		_, within, _ := strings.Cut(list.place, "/")
		for i, m := range list.milestones {
			s, err := c.milestone(p, m, list.prefix, fmt.Sprintf("%s.%s[%d]", where, strings.ReplaceAll(within, "/", "."), i))
			if err != nil {
				return err
			}
			s.origin = origin{list.place, string(m.ID)}
			p.publish(m.Documents, string(s.id.Milestone))
			p.present = append(p.present, s)
		}
	}
	for _, m := range p.present {
		if _, known := p.milestones[m.id.Milestone]; !known {
			c.schedule(p, m)
		}
	}
	if p.inEffect && !p.baselined && len(p.milestones) > 0 {
		p.baselined = true
		c.add(project.ApproveBaseline{ID: p.ids}, domain.Meta{})
	}
	return nil
}

// moves records what the present release says otherwise of milestones than the
// one before.
func (c *converter) moves(p *progress, _ *contract, _ string) error {
	for _, m := range p.present {
		c.move(p, p.milestones[m.id.Milestone], m)
		p.milestones[m.id.Milestone] = m
	}
	return nil
}

// milestone reads a milestone; what a later release leaves out stays as it was.
// One without a date is due when it was met, or else when the contract ends.
func (c *converter) milestone(p *progress, m milestone, prefix, where string) (said, error) {
	if m.ID == "" {
		return said{}, domain.Refuse(domain.CodeMissingField, where+".id", "a milestone needs its id")
	}
	key := keyOf(prefix, string(m.ID))
	before := p.milestones[key]
	due, err := c.date(m.DueDate, where+".dueDate")
	if err != nil {
		return said{}, err
	}
	metOn, err := c.date(m.DateMet, where+".dateMet")
	if err != nil {
		return said{}, err
	}
	if due = cmp.Or(due, before.due, metOn, p.term.End); due == 0 {
		return said{}, domain.Refuse(domain.CodeMissingField, where+".dueDate", "a milestone needs the date that was agreed, or its contract an end")
	}
	return said{
		id:    project.MilestoneID{Agreement: p.ids.Agreement, Project: p.ids.Project, Milestone: key},
		title: cmp.Or(m.Title, before.title, string(key)), kind: cmp.Or(types[m.Type], "delivery"),
		status: cmp.Or(m.Status, before.status, "scheduled"), due: due, metOn: cmp.Or(metOn, c.rel.effective),
	}, nil
}

func (c *converter) schedule(p *progress, m said) {
	c.add(project.Schedule{
		ID: p.ids, Milestone: m.id.Milestone, Title: c.text(m.title), Due: m.due, Type: m.kind, Confirming: p.confirming,
	}, domain.Meta{Reason: m.origin.reason()})
	m.status = "scheduled"
	p.milestones[m.id.Milestone] = m
}

// move records how a milestone differs from what was published of it before.
func (c *converter) move(p *progress, before, now said) {
	release := "release " + c.rel.ID
	if now.due != before.due && before.open() {
		c.add(project.Reforecast{MilestoneID: now.id, Forecast: now.due},
			domain.Meta{ActingFor: p.claimant, Reason: "other", Note: "Published with this date in " + release + ", without a reason."})
	}
	if now.status == before.status {
		return
	}
	published := "Published as " + now.status + " in " + release
	if !before.open() {
		c.add(project.Reopen{MilestoneID: now.id}, domain.Meta{Reason: published + ", after " + before.status})
	}
	if now.status == "met" {
		c.add(project.Claim{MilestoneID: now.id, Party: p.claimant, MetOn: now.metOn}, domain.Meta{})
		for _, party := range p.confirming {
			c.add(project.Confirm{MilestoneID: now.id, Party: party}, domain.Meta{})
		}
	}
	if outcome, judged := outcomes[now.status]; judged {
		c.add(project.Judge{MilestoneID: now.id, Outcome: outcome}, domain.Meta{Reason: published})
	}
}
