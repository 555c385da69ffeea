package projections

import (
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/project"
)

// ChangeQuery asks which fields changed after From up to and with To. What is
// zero asks for nothing; what is given must hold of a change, all of it.
//
// Where To is on the effective axis, so are the changes: those of what was
// recorded by To, in the order of the dates from which they hold, each from and
// to what the field is on that axis; From is on it too, or the zero Point for
// the beginning. It takes Agreement. See ResolveEffectiveRange.
type ChangeQuery struct {
	From, To Point
	// SinceMeeting begins at a meeting instead of From: a meeting of Agreement,
	// or the last one that a mechanism, or the mechanisms of a kind, held. On the
	// effective axis that is the end of its day.
	SinceMeeting domain.Key
	// UntilMeeting ends at a meeting that was held by To, up to and with the event
	// that recorded it; on the effective axis that is the end of its day. Where it
	// is given, a mechanism or a kind in SinceMeeting means the last before it.
	UntilMeeting domain.Key

	Agreement domain.Key // and everything under it
	// Entity is a path within Agreement, or, with none, within the ledger: an
	// aggregate, "project/iot-base", with its parts, or a part of one,
	// "project/iot-base/milestone/design".
	Entity    string
	Own       bool       // of an Entity that is an aggregate, only its own fields
	Project   domain.Key // short for an Entity
	Milestone domain.Key // takes Project; the same
	Field     string

	Actor       string
	Party       domain.Key // for which the actor acted
	Type        string     // of the event
	Reason      string
	Backdated   bool // only by events effective before the day on which they were recorded
	Corrections bool // only by events that put another right

	Net  bool // one line for each field that moved: see Changes
	Page Page
}

// words name the question, but for the point as of which it is asked.
func (cq *ChangeQuery) words() []string {
	flag := strconv.FormatBool
	return []string{
		"changes", strconv.FormatUint(cq.From.Seq, 10), cq.From.Effective.String(), strconv.FormatUint(cq.To.Seq, 10), cq.To.Effective.String(), string(cq.Agreement), cq.Entity, flag(cq.Own), cq.Field, cq.Actor,
		string(cq.Party), cq.Type, cq.Reason, flag(cq.Backdated), flag(cq.Corrections), flag(cq.Net),
	}
}

// settle refuses what makes no sense, and writes Project and Milestone as the
// Entity that they are short for.
func (cq *ChangeQuery) settle() error {
	if cq.Project != "" && cq.Agreement == "" || cq.Milestone != "" && cq.Project == "" {
		return domain.Refuse(domain.CodeMissingField, "agreement", "a project is asked for with its agreement, a milestone with its project")
	}
	if cq.To.Effective != 0 && cq.Agreement == "" {
		return domain.Refuse(domain.CodeMissingField, "agreement", "the effective axis is that of an agreement: say of which")
	}
	if (cq.SinceMeeting != "" || cq.UntilMeeting != "") && cq.Agreement == "" {
		return domain.Refuse(domain.CodeMissingField, "agreement", "a meeting is asked for with its agreement")
	}
	if cq.Project != "" {
		short := project.Ref(cq.Agreement, cq.Project).Path()
		if cq.Milestone != "" {
			short += "/" + milestoneTable.name + "/" + string(cq.Milestone)
		}
		if cq.Entity != "" && cq.Entity != short && !strings.HasPrefix(cq.Entity, short+"/") {
			return domain.Refuse(CodeContradiction, "entity", "%s is no part of %s: leave one of them out", cq.Entity, short)
		}
		if cq.Entity == "" {
			cq.Entity = short
		}
	}
	if cq.Entity == "" {
		if cq.Own {
			return domain.Refuse(domain.CodeMissingField, "entity", "say whose own fields")
		}
		return nil
	}
	return cq.checkEntity()
}

// checkEntity refuses a path that no entity can have.
func (cq *ChangeQuery) checkEntity() error {
	names := strings.Split(cq.Entity, "/")
	_, known := catalogue.Aggregate(names[0])
	for _, name := range names {
		known = known && domain.Key(name).Valid()
	}
	if !known || len(names) != 2 && len(names) != 4 {
		return domain.Refuse(CodeInvalidEntity, "entity",
			"%q: want the path of an aggregate, as project/iot-base, or of a part of one, as project/iot-base/milestone/design", cq.Entity)
	}
	switch kind := names[0]; {
	case catalogue.LedgerWide(kind) && cq.Agreement != "":
		return domain.Refuse(CodeContradiction, "entity", "a %s is not under an agreement: leave one of them out", kind)
	case !catalogue.LedgerWide(kind) && cq.Agreement == "":
		return domain.Refuse(domain.CodeMissingField, "agreement", "a %s is asked for with its agreement", kind)
	case kind == agreement.Kind && names[1] != string(cq.Agreement):
		return domain.Refuse(CodeContradiction, "entity", "%s is not agreement %q: leave one of them out", cq.Entity, cq.Agreement)
	}
	return nil
}

// ask adds the conditions of the question.
func (cq *ChangeQuery) ask(c *conditions) {
	entity, aggregate := cq.Entity, ""
	if !cq.Own && strings.Count(entity, "/") == 1 { // its events tell of its parts too
		entity, aggregate = "", entity
	}
	c.changes(cq.Agreement, entity, cq.Field)
	switch {
	case aggregate != "":
		c.aggregate(cq.Agreement, aggregate)
	case entity == "":
		c.word("agreement", string(cq.Agreement))
	}
	c.word("actor", cq.Actor)
	c.word("party", string(cq.Party))
	c.word("type", cq.Type)
	c.word("reason", cq.Reason)
	if cq.Backdated {
		c.backdated()
	}
	if cq.Corrections {
		c.corrections()
	}
}
