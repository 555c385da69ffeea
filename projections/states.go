package projections

import (
	lru "container/list"
	"context"
	"fmt"
	"iter"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
)

// aggregate is what the projector remembers of one aggregate: its state before
// the next event.
type aggregate struct {
	ref     domain.Ref
	subject string
	state   any
	seq     uint64 // of its last event
	version uint64
	kept    uint64       // the version of its snapshot
	waits   *lru.Element // for a snapshot; nil where it does not
	entity  entityRef    // zero until asked for
	under   entityRef    // of a project, its agreement; zero until asked for
	sums    *projectSums // of a project, as of its last row; nil if not at hand
	row     []byte       // digest encoding of the last row of its own table, nil if not at hand
	weight  int          // parts, about
	place   *lru.Element
}

// stateCache keeps the states of the aggregates that were last written to, and
// folds the others from the log. States are immutable, so it shares them
// freely.
type stateCache struct {
	log       source
	order     *reordered // the log, where it is one in another order; else nil
	view      *viewer    // nil where the whole ledger is projected
	bySubject map[string]*aggregate
	used      *lru.List // least recently used last
	keeps     bool      // snapshots are written as it goes on
	waiting   *lru.List // for one, the first for longest
	size      int       // sum of weights
	max       int
}

func newStateCache(log source, parts int) *stateCache {
	order, _ := log.(*reordered)
	return &stateCache{log: log, order: order, bySubject: map[string]*aggregate{}, used: lru.New(), waiting: lru.New(), max: parts}
}

// get returns the aggregate as it was before d: one that is not at hand is
// folded from its snapshot and the events since then, neither of which has one that
// no event has spoken of yet.
func (c *stateCache) get(kind *domain.Aggregate, d *decoded, s domain.Snapshot, weight int, events iter.Seq2[eventstore.Record, error]) (*aggregate, error) {
	a := &aggregate{ref: d.env.Ref, subject: d.rec.Subject, state: s.State, seq: s.Seq, version: s.Version, kept: s.Version, weight: max(weight, 1)}
	if err := c.fold(kind, a, d.rec.Seq, events); err != nil {
		return nil, err
	}
	a.place = c.used.PushFront(a)
	c.bySubject[a.subject] = a
	c.size += a.weight
	return a, nil
}

// subjectOf is the subject under which the events of an aggregate are stored.
func subjectOf(ledger string, ref domain.Ref) string {
	scope := eventstore.LedgerWide
	if ref.Agreement != "" {
		scope = string(ref.Agreement)
	}
	return eventstore.Subject(ledger, scope, ref.Kind, string(ref.Key))
}

// refOf is the inverse of subjectOf.
func refOf(subject string) (ref domain.Ref, ok bool) {
	_, scope, kind, key, err := eventstore.ParseSubject(subject)
	if scope == eventstore.LedgerWide {
		scope = ""
	}
	return domain.Ref{Agreement: domain.Key(scope), Kind: kind, Key: domain.Key(key)}, err == nil
}

// cached returns the aggregate of a subject if it is at hand. While there is room for
// as many again, it is not worth noting which was used last: none is about to be
// forgotten.
func (c *stateCache) cached(subject string) (*aggregate, bool) {
	a, ok := c.bySubject[subject]
	if ok && c.size > c.max/2 {
		c.used.MoveToFront(a.place)
	}
	return a, ok
}

// fold takes a on by its events before sequence end.
func (c *stateCache) fold(kind *domain.Aggregate, a *aggregate, end uint64, events iter.Seq2[eventstore.Record, error]) error {
	for rec, err := range events {
		if err != nil {
			return fmt.Errorf("fold %s: %w", a.ref, err)
		}
		if rec.Seq >= end {
			break
		}
		env, e, err := catalogue.Decode(rec.Data)
		if err != nil {
			return fmt.Errorf("fold %s: %w", a.ref, &EventError{Seq: rec.Seq, Err: err})
		}
		if err := c.follows(a, &env, rec.Seq); err != nil {
			return err
		}
		a.state, a.seq, a.version = kind.Evolve(a.state, e), rec.Seq, env.Version
		a.weight++
	}
	return nil
}

// follows refuses an event that is not the next of an aggregate. In another
// order events are counted anew: a version is then how many were folded. In a
// view some are missing, but they come in order.
func (c *stateCache) follows(a *aggregate, env *domain.Envelope, seq uint64) error {
	if c.order != nil {
		env.Version = a.version + 1
	}
	next := env.Version == a.version+1 || c.view != nil && env.Version > a.version
	if env.Ref != a.ref || !next {
		return &VersionError{Seq: seq, Ref: a.ref, Want: a.version + 1, Got: env.Version}
	}
	return nil
}

// grown notes that an event gave a some more parts.
func (c *stateCache) grown(a *aggregate, parts int) {
	a.weight += parts
	c.size += parts
}

// shrink forgets what was not used for longest, each when keep has seen it. It is
// called between batches only: an aggregate that is not at hand has then no event
// that is not in the register.
func (c *stateCache) shrink(keep func(*aggregate) error) error {
	for c.size > c.max && c.used.Len() > 1 {
		a := c.used.Remove(c.used.Back()).(*aggregate)
		delete(c.bySubject, a.subject)
		c.size -= a.weight
		c.waitNoMore(a)
		if err := keep(a); err != nil {
			return err
		}
	}
	return nil
}

// moved notes that a is at version from event seq on. It waits for a snapshot when so
// much has happened since the last that to write all of it again is worth it.
func (c *stateCache) moved(a *aggregate, state any, seq, version uint64) {
	a.state, a.seq, a.version = state, seq, version
	if c.keeps && a.waits == nil && (version-a.kept)*partsAnEvent >= uint64(a.weight) {
		a.waits = c.waiting.PushBack(a)
	}
}

func (c *stateCache) waitNoMore(a *aggregate) {
	if a.waits != nil {
		c.waiting.Remove(a.waits)
		a.waits = nil
	}
}

// aggregate returns the aggregate that d belongs to, as it was before. It refuses
// an event that is stored under the subject of another.
func (p *projector) aggregate(ctx context.Context, kind *domain.Aggregate, d *decoded) (*aggregate, error) {
	a, cached := p.states.cached(d.rec.Subject)
	if cached && a.ref == d.env.Ref {
		return a, nil
	}
	if cached || d.rec.Subject != subjectOf(p.ledger, d.env.Ref) {
		return nil, &SubjectError{Seq: d.rec.Seq, Ref: d.env.Ref, Subject: d.rec.Subject}
	}
	e, known, err := p.findAggregate(d.env.Ref)
	if err != nil {
		return nil, err
	}
	var s domain.Snapshot
	var weight int
	var later []uint64
	switch {
	case !known: // this is its first event
	case p.entities.whole: // a load, or a replay, that has forgotten it or meets it for the first time
		if s, weight, err = p.aside.read(kind, d.rec.Subject, e.id); err != nil {
			return nil, err
		}
	default:
		if s, weight, err = readSnapshot(p.conn, kind, d.rec.Subject, e.id); err != nil {
			return nil, err
		}
		// The log would search every record between the first and the last of
		// the subject; the register has their sequences.
		if later, err = historyAfter(p.conn, e.id, s.Seq); err != nil {
			return nil, err
		}
	}
	return p.states.get(kind, d, s, weight, p.states.log.Records(ctx, d.rec.Subject, later))
}
