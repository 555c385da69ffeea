package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// task is one command on its way through the write path.
type task struct {
	Request
	typ    domain.CommandType
	id     string // the idempotency key, or one of our own
	global bool   // the key may have been used anywhere in the ledger
	sent   bool   // it was appended, and may be in the log

	unless      string // a refusal with this code means that it is done
	actingField string // the field that says in whose name it is asked
}

// newTask checks the request against the command's declaration and completes it.
func (l *Ledger) newTask(req Request) (*task, error) {
	typ, _, err := catalogue.Command(req.Command.Name())
	if err != nil {
		return nil, err
	}
	if err := typ.Check(req.Command, req.Meta); err != nil {
		return nil, err
	}
	t := &task{Request: req, typ: typ, id: req.Meta.IdempotencyKey}
	if t.hash == "" {
		t.hash = hashOf(req)
	}
	t.global = t.id != "" && !req.local
	if t.id == "" {
		t.id = newID()
	}
	if c, ok := req.Command.(domain.Creating); ok {
		t.Command = c.WithKey(domain.Key(newID()))
	}
	if t.Meta.Actor == "" {
		t.Meta.Actor = "anonymous"
	}
	t.actingField = "acting_for"
	if c, ok := req.Command.(domain.Acting); ok && t.Meta.ActingFor == "" {
		t.Meta.ActingFor, t.actingField = c.ActingParty(), "party"
	}
	return t, nil
}

// skipped is what an import counts of a command with which nothing is left to do.
func (t *task) skipped() Receipt {
	return Receipt{CommandID: t.id, Command: t.typ.Name, Replayed: true}
}

// hashOf identifies what a request asks for, however its JSON was written: the
// same key with the same hash is the same command. What depends on the moment
// (default dates, the expected version) is not in it, nor is who asks: a file
// that somebody else imports again still adds nothing. More is hashed with it.
func hashOf(req Request, more ...string) string {
	buf := hashing.Get().(*bytes.Buffer)
	defer hashing.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	meta := req.Meta
	meta.IdempotencyKey, meta.ExpectedVersion, meta.Actor = "", nil, ""
	_ = enc.Encode(req.Command.Name()) // a buffer takes every write, and commands are plain structs
	_ = enc.Encode(req.Command)
	_ = enc.Encode(meta)
	for _, s := range more {
		_ = enc.Encode(s)
	}
	sum := sha256.Sum256(buf.Bytes())
	return hex.EncodeToString(sum[:16])
}

var hashing = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// world shows a decision the states of other aggregates, and notes which.
type world struct {
	ctx     context.Context
	ledger  *Ledger
	overlay overlay
	earlier overlay // beneath overlay: after commands that are being appended, or of one moment
	looked  []look  // as first seen: the append expects what was decided on. There are few, so a list does
}

// look is a state that a decision has seen, of the object that knows which commands led
// to it: the cache may forget that, and make another one meanwhile.
type look struct {
	*aggregate
	snapshot snapshot
}

// seen appends the aggregates that were looked at.
func (w *world) seen(to []*aggregate) []*aggregate {
	for i := range w.looked {
		to = append(to, w.looked[i].aggregate)
	}
	return to
}

// overlay holds states that are not, or not yet, those of the log: after
// commands that are decided but not appended, and blank ones, see suppose.
type overlay map[domain.Ref]look

// suppose lets a command that makes something new be decided without a look at
// the log, as if its aggregate did not exist: the append checks just that. If
// it does exist after all, the append conflicts or the decision is refused, and
// both are tried again on what the log says. It saves a read for each new
// aggregate, which an import would feel.
func (o *overlay) suppose(t *task, own *aggregate) {
	_, creating := t.Command.(domain.Creating)
	if _, decided := (*o)[own.ref]; decided || !creating || own.isLoaded() {
		return
	}
	if *o == nil {
		*o = overlay{}
	}
	(*o)[own.ref] = look{own, snapshot{}}
}

func (w *world) snapshot(ref domain.Ref) (*aggregate, snapshot, error) {
	for i := range w.looked {
		if l := &w.looked[i]; l.ref == ref {
			return l.aggregate, l.snapshot, nil
		}
	}
	seen, ok := w.overlay[ref]
	if !ok {
		seen, ok = w.earlier[ref]
	}
	if !ok {
		a, err := w.ledger.aggregate(ref)
		if err != nil {
			return nil, snapshot{}, err
		}
		s, err := w.ledger.current(w.ctx, a)
		if err != nil {
			return a, s, err
		}
		seen = look{a, s}
	}
	w.looked = append(w.looked, seen)
	return seen.aggregate, seen.snapshot, nil
}

// State implements domain.World. What has no key does not exist: a change of an
// amendment may lack one, and the rules refuse it as they do what is not there.
func (w *world) State(ref domain.Ref) (any, error) {
	if ref.Key == "" {
		return nil, nil
	}
	_, s, err := w.snapshot(ref)
	return s.State, err
}

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

// needless reports whether a refusal says that nothing is left to do.
func (t *task) needless(err error) bool {
	var r *domain.Rejected
	return t.unless != "" && errors.As(err, &r) && r.Code == t.unless
}

func isRejected(err error) bool {
	var r *domain.Rejected
	return errors.As(err, &r)
}
