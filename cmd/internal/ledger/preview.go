package ledger

import (
	"context"
	"encoding/json"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Plan says what a command would record.
type Plan struct {
	// Command is the one that was decided, with the key that was drawn for what it
	// makes where it had none: sent on, it makes what the plan speaks of.
	Command domain.Command
	Ref     domain.Ref // the aggregate that it is asked of
	Version uint64     // of that aggregate, which the plan holds for; 0 before its first event; that of the receipt where Done

	Actor     string         // of the events, as what follows; nothing of it where Done
	Party     domain.Key     // in whose name
	Effective domain.Date    // from which they hold
	Events    []PlannedEvent // in order

	// Done is the first receipt of a command whose idempotency key is in the log
	// already: executed, it gives this and records nothing.
	Done *Receipt
}

// PlannedEvent is an event that would be recorded, and what it would change.
type PlannedEvent struct {
	Ref          domain.Ref // the command's aggregate, or another that it touches
	Type         string
	Data         json.RawMessage
	Reason, Note string
	Changes      []domain.Change
}

// Preview decides a command on the present state of the log and appends nothing.
// It refuses what Execute refuses. Nothing is reserved: what others do before the
// command is executed may change what it comes to, which the version of the plan
// as the expected one keeps from happening unseen.
func (l *Ledger) Preview(ctx context.Context, req Request) (Plan, error) {
	t, err := l.newTask(req)
	if err != nil {
		return Plan{}, err
	}
	own, err := l.aggregate(t.Command.Ref())
	if err != nil {
		return Plan{}, err
	}
	// No append will tell that a cached state was old. So the first decision only
	// says what there is to look at again.
	w := &world{ctx: ctx, ledger: l}
	if _, _, err := l.lookupOrDecide(w, t); err != nil && !isRejected(err) {
		return Plan{}, err
	}
	w, d, receipt, err := l.confirmed(ctx, w, own, t)
	if err != nil {
		return Plan{}, err
	}
	if d == nil {
		return Plan{Command: req.Command, Ref: domain.ParsePath(receipt.Agreement, receipt.Aggregate), Version: receipt.Version, Done: &receipt}, nil
	}
	return d.plan(w)
}

// plan reads the decision's messages, which are what Execute would append, and
// says what each changes.
func (d *decision) plan(w *world) (Plan, error) {
	p := Plan{Command: d.task.Command, Ref: d.own.ref}
	_, s, err := w.snapshot(d.own.ref)
	if err != nil {
		return Plan{}, err
	}
	p.Version = s.Version
	states := map[domain.Ref]any{}
	for i, msg := range d.msgs {
		env, event, err := catalogue.Decode(msg.Data)
		if err != nil {
			return Plan{}, err
		}
		a := d.touched[d.of[i]]
		before, ok := states[a.ref]
		if !ok {
			_, s, err := w.snapshot(a.ref)
			if err != nil {
				return Plan{}, err
			}
			before = s.State
		}
		after := a.kind.Evolve(before, event)
		states[a.ref] = after
		planned := PlannedEvent{Ref: a.ref, Type: env.Type, Data: env.Data, Reason: env.Reason, Note: env.Note}
		a.kind.Diff(before, after, func(c domain.Change) { planned.Changes = append(planned.Changes, c) })
		p.Actor, p.Party, p.Effective = env.Actor, env.Party, env.Effective
		p.Events = append(p.Events, planned)
	}
	return p, nil
}
