package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// decision is what a task came to: messages to append, and the snapshots that
// hold once they are.
type decision struct {
	task    *task
	own     *aggregate
	events  []EventRef // sequences are set by settle
	now     time.Time
	msgs    []eventstore.Message
	touched []*aggregate // of all messages, one each
	after   []snapshot   // of touched; sequences are set by settle
	of      []int        // of each message: which of touched
}

// at is where the aggregate is among those touched, -1 when it is not.
func (d *decision) at(ref domain.Ref) int {
	return slices.IndexFunc(d.touched, func(a *aggregate) bool { return a.ref == ref })
}

// into puts the states after the decision into an overlay.
func (d *decision) into(states overlay) {
	for i, a := range d.touched {
		states[a.ref] = look{a, d.after[i]}
	}
}

// decide asks the task's command of the present states.
func (l *Ledger) decide(w *world, t *task) (*decision, error) {
	own, s, err := w.snapshot(t.Command.Ref())
	if err != nil {
		return nil, err
	}
	if err := t.expects(w.ctx, own.ref, s); err != nil {
		return nil, err
	}
	now := l.opts.Now().UTC().Truncate(time.Microsecond)
	in := domain.Input{Meta: t.Meta, Now: now, Today: domain.DateOf(now, l.opts.Location), World: w, SigningKey: l.opts.SigningKey}
	if in.Effective == 0 {
		in.Effective = in.Today
	}
	if in.ActingFor != "" {
		if _, err := party.Load(w, t.actingField, in.ActingFor); err != nil {
			return nil, err
		}
	}
	var corrected parts
	if in.Corrects != "" {
		if corrected, err = l.corrected(w.ctx, own, in.Corrects); err != nil {
			return nil, err
		}
	}
	events, err := t.typ.Decide(s.State, t.Command, in)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("ledger: %s decided nothing and refused nothing", t.typ.Name)
	}
	if in.Corrects != "" {
		if err := corrected.meet(own, s.State, events, in.Corrects); err != nil {
			return nil, err
		}
	}
	if err := l.checkEvidence(w.ctx, in.Evidence); err != nil { // last: a file may be large to attach for nothing
		return nil, err
	}
	d := &decision{task: t, own: own, now: now}
	for _, e := range events {
		if err := d.add(w, l.source, in, e); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// expects refuses a snapshot that is not at the version that the task expects.
// The append is made to follow the very event of the snapshot, so it is enough
// that the asker is shown that version as of there: what it is not shown may come
// between its version and the true one.
func (t *task) expects(ctx context.Context, ref domain.Ref, s snapshot) error {
	v := t.Meta.ExpectedVersion
	if v == nil {
		return nil
	}
	at := s.Version
	if t.Shown != nil {
		var err error
		if at, err = t.Shown(ctx, ref, s.Seq); err != nil {
			return fmt.Errorf("find the version of %s that is shown: %w", ref, err)
		}
	}
	if *v != at {
		return domain.Refuse(domain.CodeStaleVersion, "expected_version", "%s is at version %d, not %d: read it again", ref, at, *v)
	}
	return nil
}

// add writes one event into the decision.
func (d *decision) add(w *world, source string, in domain.Input, e domain.Event) error {
	ref := d.own.ref
	if other, ok := e.(domain.Elsewhere); ok {
		ref, e = other.Ref, other.Event
		if other.Reason != "" {
			in.Reason, in.Note = other.Reason, other.Note
		}
	}
	a, before, err := w.snapshot(ref)
	if err != nil {
		return err
	}
	n := d.at(ref)
	touched := n >= 0
	if touched {
		before = d.after[n]
	} else {
		n = len(d.touched)
		d.touched, d.after = append(d.touched, a), append(d.after, snapshot{})
	}
	env := domain.Envelope{
		ID: newID(), Source: source, Ref: a.ref, Type: e.Type(), Time: d.now, Version: before.Version + 1,
		Actor: in.Actor, Party: in.ActingFor, Effective: in.Effective, Reason: in.Reason, Note: in.Note,
		Corrects: in.Corrects, Evidence: in.Evidence, CommandID: d.task.id, CommandHash: d.task.hash, Data: domain.EncodeEvent(e),
	}
	if in.Principal != in.Actor {
		env.Principal = in.Principal
	}
	if len(d.events) > 0 {
		env.Causation = d.events[0].ID
	}
	msg := eventstore.Message{Subject: a.subject, Data: env.Append(nil)}
	if !touched {
		msg.Expect = before.Seq
	}
	// The key as message id lets JetStream refuse the same key on two aggregates
	// at once, which expected sequences alone would let pass. Hashed, because a
	// header cannot hold every key.
	if d.task.global {
		key := sha256.Sum256([]byte(d.task.id))
		msg.ID = fmt.Sprintf("%x/%d", key[:16], len(d.msgs))
	}
	d.msgs, d.of = append(d.msgs, msg), append(d.of, n)
	d.events = append(d.events, EventRef{ID: env.ID, Type: env.Type})
	d.after[n] = snapshot{State: a.kind.Evolve(before.State, e), Version: env.Version}
	return nil
}

// settle fills in the sequences, now that the messages are in the log from
// first on, and makes the states after them the cached ones.
func (d *decision) settle(l *Ledger, first uint64) Receipt {
	for i := range d.msgs {
		d.events[i].Seq = first + uint64(i)
		d.after[d.of[i]].Seq = first + uint64(i)
	}
	for i, a := range d.touched {
		a.advance(d.after[i], d.task.id, first)
	}
	if d.task.global {
		l.recent.put(d.task.id, first)
	}
	var version uint64
	if own := d.at(d.own.ref); own >= 0 {
		version = d.after[own].Version
	}
	return Receipt{
		CommandID: d.task.id, Command: d.task.typ.Name, Agreement: d.own.ref.Agreement, Aggregate: d.own.ref.Path(),
		Version: version, Seq: first + uint64(len(d.msgs)) - 1, RecordedAt: d.now, Events: d.events,
	}
}

func isRejected(err error) bool {
	var r *domain.Rejected
	return errors.As(err, &r)
}
