package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/logs"
	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
)

// maxTries bounds how often a command is decided anew after conflicts. Within
// one process commands on one aggregate take turns, so conflicts come only
// from other processes, and once from decisions that touch two aggregates.
const maxTries = 16

// Execute decides and appends one command.
func (l *Ledger) Execute(ctx context.Context, req Request) (Receipt, error) {
	start := time.Now()
	receipt, retries, err := l.execute(ctx, req)
	l.opts.Observe(Outcome{req.Command.Name(), time.Since(start), retries, err})
	return receipt, err
}

func (l *Ledger) execute(ctx context.Context, req Request) (Receipt, int, error) {
	t, err := l.newTask(req)
	if err != nil {
		return Receipt{}, 0, err
	}
	logs.Note(ctx, slog.String("command", t.id))
	own, err := l.aggregate(t.Command.Ref())
	if err != nil {
		return Receipt{}, 0, err
	}
	held := turns{own}
	if err := held.take(ctx); err != nil {
		return Receipt{}, 0, err
	}
	defer func() { held.release() }()
	for try := range maxTries {
		d, receipt, err := l.attempt(ctx, own, t)
		if err != nil || d == nil {
			return receipt, try, err
		}
		first, err := l.log.Append(ctx, d.msgs)
		if err == nil {
			return d.settle(l, first), try, nil
		}
		if ctx.Err() != nil {
			receipt, err = l.lastLook(ctx, own, t, err)
			return receipt, try, err
		}
		if err := l.recover(ctx, err, d); err != nil {
			return Receipt{}, try, err
		}
		if len(d.touched) > len(held) { // what conflicted may be the other aggregate's
			held.release()
			held = slices.Clone(d.touched)
			if err := held.take(ctx); err != nil {
				held = nil
				return Receipt{}, try, err
			}
		}
	}
	return Receipt{}, maxTries, fmt.Errorf("%s on %s: %w", t.typ.Name, own.ref, ErrConflict)
}

// lastLook looks for a command whose caller gave up while it was being
// appended. What is not there may still come, so the outcome stays unknown.
func (l *Ledger) lastLook(ctx context.Context, own *aggregate, t *task, cause error) (Receipt, error) {
	if unknown := (*eventstore.OutcomeUnknownError)(nil); !errors.As(cause, &unknown) {
		return Receipt{}, cause
	}
	t.sent = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := l.refresh(ctx, own); err != nil {
		return Receipt{}, cause
	}
	receipt, found, err := l.lookup(ctx, own, t)
	if err != nil || !found {
		return Receipt{}, cause
	}
	return receipt, nil
}

// attempt decides the task, or returns its receipt when it is in the log
// already. It refuses only on states that the log confirms: a supposed state
// may be wrong, and a cached one may be old, by what another process wrote or
// by an append of which nobody heard.
func (l *Ledger) attempt(ctx context.Context, own *aggregate, t *task) (_ *decision, _ Receipt, err error) {
	ctx, span := traces.Start(ctx, "decide")
	defer func() { decided(span, err) }()
	w := &world{ctx: ctx, ledger: l}
	w.overlay.suppose(t, own)
	d, receipt, err := l.lookupOrDecide(w, t)
	if !isRejected(err) {
		return d, receipt, err
	}
	_, d, receipt, err = l.confirmed(ctx, w, own, t)
	return d, receipt, err
}

// lookupOrDecide looks for t among the commands of its aggregate, of the object that is
// decided on.
func (l *Ledger) lookupOrDecide(w *world, t *task) (*decision, Receipt, error) {
	own, _, err := w.snapshot(t.Command.Ref())
	if err != nil {
		return nil, Receipt{}, err
	}
	if receipt, found, err := l.lookup(w.ctx, own, t); found || err != nil {
		return nil, receipt, err
	}
	d, err := l.decide(w, t)
	return d, Receipt{}, err
}

// recover brings the cached states up to date after an append of decisions that
// failed, so that their commands can be looked for and, if they are not there, decided
// again. A decision is nil where there was nothing to append. It returns the error when
// trying again is no use.
func (l *Ledger) recover(ctx context.Context, cause error, decisions ...*decision) error {
	var touched []*aggregate
	duplicate := errors.As(cause, new(*eventstore.DuplicateError))
	for _, d := range decisions {
		if d == nil {
			continue
		}
		d.task.sent = true
		touched = append(touched, d.touched...)
		if duplicate {
			if err := l.awaitKey(ctx, d.task.id); err != nil {
				return err
			}
		}
	}
	unknown := errors.As(cause, new(*eventstore.OutcomeUnknownError))
	switch {
	case duplicate:
		return nil
	case !unknown && !errors.As(cause, new(*eventstore.ConflictError)):
		return cause
	}
	if _, err := l.present(ctx, touched); err != nil {
		if unknown {
			return cause // still unknown; err only says why
		}
		return err
	}
	return nil
}

// awaitKey waits until the key that JetStream called a duplicate can be found.
func (l *Ledger) awaitKey(ctx context.Context, key string) error {
	if l.opts.Register == nil {
		return domain.Refuse(domain.CodeKeyReused, "idempotency_key", "%q was used a moment ago for another command", key)
	}
	last, err := l.log.Last(ctx)
	if err != nil {
		return err
	}
	return l.opts.Register.Wait(ctx, last)
}

// lookup finds a command that is in the log already and returns its receipt.
func (l *Ledger) lookup(ctx context.Context, own *aggregate, t *task) (Receipt, bool, error) {
	seq, found, since := own.find(t.id)
	var err error
	switch {
	case found:
	case t.global:
		seq, found, err = l.lookupKey(ctx, t.id)
	case since > 0 && (t.local || t.sent): // else its id is new
		seq, found, err = l.opts.Register.FindCommandOf(ctx, own.ref, t.id)
	}
	if err != nil {
		return Receipt{}, false, err
	}
	if !found {
		return Receipt{}, false, nil
	}
	if t.local { // it tells by itself what was asked, and nobody is given the receipt
		return t.skipped(), true, nil
	}
	return l.receipt(ctx, t, seq)
}

// lookupKey finds a key anywhere in the ledger: this process's own of late in
// memory, everything older in the register, and what another process wrote a
// moment ago JetStream finds by the message id.
func (l *Ledger) lookupKey(ctx context.Context, key string) (uint64, bool, error) {
	seq, ok := l.recent.get(key)
	if ok || l.opts.Register == nil {
		return seq, ok, nil
	}
	old, err := l.past.seq(ctx, l.log)
	if err != nil {
		return 0, false, err
	}
	if err := l.opts.Register.Wait(ctx, old); err != nil {
		return 0, false, err
	}
	return l.opts.Register.FindCommand(ctx, key)
}

// receipt reads the events of t's command from the log, one of which is at seq: the
// first, unless a snapshot was made in the middle of the command.
func (l *Ledger) receipt(ctx context.Context, t *task, seq uint64) (Receipt, bool, error) {
	first, err := l.firstOf(ctx, t, seq)
	if err != nil {
		return Receipt{}, false, err
	}
	r := Receipt{CommandID: t.id, Command: t.typ.Name, Replayed: true}
	for seq := first; ; seq++ {
		rec, err := l.log.Get(ctx, seq)
		if errors.Is(err, eventstore.ErrNotFound) {
			break
		}
		if err != nil {
			return Receipt{}, false, fmt.Errorf("read receipt: %w", err)
		}
		env, err := domain.DecodeEnvelope(rec.Data)
		if err != nil {
			return Receipt{}, false, err
		}
		if env.CommandID != t.id {
			break
		}
		if env.CommandHash != t.hash {
			return Receipt{}, false, domain.Refuse(domain.CodeKeyReused, "idempotency_key",
				"%q was used at sequence %d for another command: use a new key", t.id, rec.Seq)
		}
		if len(r.Events) == 0 {
			r.Agreement, r.Aggregate, r.RecordedAt = env.Ref.Agreement, env.Ref.Path(), env.Time
		}
		if env.Ref.Agreement == r.Agreement && env.Ref.Path() == r.Aggregate {
			r.Version = env.Version
		}
		r.Seq = rec.Seq
		r.Events = append(r.Events, EventRef{rec.Seq, env.ID, env.Type})
	}
	return r, len(r.Events) > 0, nil
}

// firstOf goes back from an event of t's command to the first. One before it that cannot
// be read as an event is none of it.
func (l *Ledger) firstOf(ctx context.Context, t *task, seq uint64) (uint64, error) {
	for ; seq > 1; seq-- {
		rec, err := l.log.Get(ctx, seq-1)
		if errors.Is(err, eventstore.ErrNotFound) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read receipt: %w", err)
		}
		if env, err := domain.DecodeEnvelope(rec.Data); err != nil || env.CommandID != t.id {
			break
		}
	}
	return seq, nil
}

// Decode reads a request from the JSON object of the command name.
func Decode(name string, raw []byte) (Request, error) {
	typ, _, err := catalogue.Command(name)
	if err != nil {
		return Request{}, err
	}
	cmd, meta, err := typ.Decode(raw)
	return Request{Command: cmd, Meta: meta}, err
}
