package ocds

import (
	"cmp"

	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Words of OCDS for ours. What has no word there has the nearest: a cancelled
// milestone is one that was not met.
var (
	contractStatus = map[string]string{
		agreement.StatusDrafted: "pending", agreement.StatusUnderConsultation: "pending",
		agreement.StatusActive: "active", agreement.StatusSuspended: "active",
		agreement.StatusCompleted: "terminated", agreement.StatusTerminated: "terminated",
		agreement.StatusExpired: "terminated", agreement.StatusRenewed: "terminated",
	}
	milestoneStatus = map[string]string{
		project.Scheduled: "scheduled", project.Claimed: "scheduled", project.Met: "met",
		project.PartiallyMet: "partiallyMet", project.NotMet: "notMet", project.Dropped: "notMet",
	}
	milestoneType = map[string]string{"pre-procurement": "preProcurement"} // the others are the same
)

// subject returns what a release shows of an entity that changed: itself, or
// what it is a part of; nil where OCDS has no word for it.
func (x *exporter) subject(e *entity) (*entity, error) {
	kind, key, part, _ := e.of()
	switch own := x.entities[kind+"/"+string(key)]; {
	case kind == agreement.Kind && (part == "" || part == "signature"), kind == fund.Kind && part == "":
		return x.entities[agreement.Ref(x.Agreement).Path()], nil
	case kind == project.Kind && part == "milestone", kind == fund.Kind && part == "disbursement":
		return e, nil
	case kind == amendment.Kind, kind == indicator.Kind:
		return own, nil
	case kind == fund.Kind && part == "expenditure":
		var spent fund.Expenditure
		err := e.into(&spent)
		return x.entities[own.path+"/disbursement/"+string(spent.Disbursement)], err
	}
	return nil, nil
}

// show has the release say how a subject stands now.
func (r *draft) show(e *entity) error {
	switch kind, _, _, _ := e.of(); kind {
	case agreement.Kind:
		return r.showContract(e)
	case project.Kind:
		return r.showMilestone(e)
	case amendment.Kind:
		return r.showAmendment(e)
	case fund.Kind:
		return r.showTransaction(e)
	}
	return r.showIndicator(e)
}

// showContract shows the agreement as the one contract of the process, with the
// award that a contract has to have.
func (r *draft) showContract(e *entity) error {
	var a agreement.State
	if err := e.into(&a); err != nil {
		return err
	}
	parties, err := r.signatories(a.Parties)
	if err != nil {
		return err
	}
	var all, suppliers []any
	for _, p := range parties {
		all = append(all, p.reference(r.Language))
		if p.supplies {
			suppliers = append(suppliers, p.reference(r.Language))
		}
	}
	award := object{"status": "pending", "suppliers": suppliers}
	contract := object{"status": contractStatus[a.State], "period": r.period(a.Term.Start, a.Term.End), "signatories": all}
	if a.EffectiveOn != 0 {
		award["status"], contract["dateSigned"] = "active", r.begin(a.EffectiveOn)
	}
	r.put(award, "title", a.Title)
	r.put(contract, "title", a.Title)
	if contract["value"], err = r.value(); err != nil {
		return err
	}
	t := ofContract
	if was := r.said[spot{inContracts, ""}]; contract["status"] == "terminated" && was["status"] != "terminated" {
		t = ofTermination
	}
	r.say(inContracts, "", present(contract), t)
	r.say("awards", r.contract, present(award), ofAward)
	for _, p := range parties {
		if !p.supplies {
			r.say("buyer", "", p.reference(r.Language), ofContract)
			break
		}
	}
	return nil
}

// milestoneSpot is where a milestone stands: where it was published, else with
// the implementation, under the names of its project and its own.
func milestoneSpot(e *entity) spot {
	if o, ok := parseOrigin(e.reason, inMilestones, inImplementation); ok {
		return spot(o)
	}
	_, of, _, key := e.of()
	return spot{inImplementation, string(of) + "/" + string(key)}
}

// showMilestone shows a milestone: dueDate is the agreed date, dateModified the
// date of the last change after it was scheduled.
func (r *draft) showMilestone(e *entity) error {
	var m project.Milestone
	if err := e.into(&m); err != nil {
		return err
	}
	now := object{"status": milestoneStatus[m.State], "type": cmp.Or(milestoneType[m.Type], m.Type), "documents": r.attached[e]}
	r.put(now, "title", m.Title)
	if m.Due != 0 {
		now["dueDate"] = r.end(m.Due)
	}
	if m.State == project.Met && m.MetOn != 0 {
		now["dateMet"] = r.begin(m.MetOn)
	}
	if e.changed > e.first {
		now["dateModified"] = r.begin(e.changed)
	}
	at, t := milestoneSpot(e), ofImplementation
	if at.place == inMilestones {
		t = ofContractPart
	}
	r.say(at.place, at.id, present(now), t)
	return nil
}

// showAmendment shows an amendment from when it took effect: what is only
// proposed has not amended anything.
func (r *draft) showAmendment(e *entity) error {
	var a amendment.State
	if err := e.into(&a); err != nil || a.State != amendment.InEffect {
		return err
	}
	_, key, _, _ := e.of()
	id := string(key)
	if o, ok := parseOrigin(a.Note, inAmendments); ok {
		id = o.id
	}
	if _, said := r.said[spot{inAmendments, id}]; said {
		return nil // nothing of it changes any more
	}
	now := object{"date": r.begin(a.EffectiveOn), "releaseID": r.id}
	r.put(now, "rationale", a.Rationale)
	r.put(now, "description", a.Title)
	if n := len(r.releases); n > 0 {
		now["amendsReleaseID"] = r.releases[n-1]["id"]
	}
	r.say(inAmendments, id, now, ofAmendment)
	return nil
}
