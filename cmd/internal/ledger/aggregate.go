package ledger

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
)

// aggregate is the cached state of one aggregate.
type aggregate struct {
	ref     domain.Ref
	subject string
	kind    *domain.Aggregate

	turn chan struct{} // held by the one command that is being decided and appended

	mu       sync.Mutex
	snapshot snapshot          // guarded by mu
	loaded   bool              // guarded by mu
	commands map[uint64]uint64 // guarded by mu; hash of the command id -> its first sequence
	since    uint64            // guarded by mu; the commands are those after this sequence
}

type snapshot = domain.Snapshot

var seed = maphash.MakeSeed()

func commandHash64(id string) uint64 { return maphash.String(seed, id) }

// aggregate returns the cached aggregate of ref; it may not be loaded yet.
func (l *Ledger) aggregate(ref domain.Ref) (*aggregate, error) {
	kind, ok := catalogue.Aggregate(ref.Kind)
	if !ok {
		return nil, fmt.Errorf("ledger: no aggregates of kind %q", ref.Kind)
	}
	return l.states.getOrPut(ref, func() *aggregate {
		agreement := string(ref.Agreement)
		if agreement == "" {
			agreement = eventstore.LedgerWide
		}
		subject := eventstore.Subject(l.opts.Name, agreement, ref.Kind, string(ref.Key))
		return &aggregate{ref: ref, subject: subject, kind: kind, turn: make(chan struct{}, 1)}
	}), nil
}

// current returns the aggregate's snapshot, from the log when it is not cached.
func (l *Ledger) current(ctx context.Context, a *aggregate) (snapshot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loaded {
		return a.snapshot, nil
	}
	return l.fold(ctx, a)
}

// refresh reads what the log has beyond the cached snapshot.
func (l *Ledger) refresh(ctx context.Context, a *aggregate) (snapshot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return l.fold(ctx, a)
}

// asOf takes a snapshot on to sequence moment, and returns how far the log was seen.
func (l *Ledger) asOf(ctx context.Context, a *aggregate, s snapshot, moment uint64) (_ snapshot, seen uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, seen, err = a.evolve(s, l.log.Aggregate(ctx, a.subject, s.Seq+1), moment); err != nil {
		return s, seen, err
	}
	if a.loaded && s.Seq > a.snapshot.Seq {
		a.snapshot = s
	}
	return s, seen, nil
}

// fold evolves the snapshot by the events after it. The register has one of a while
// ago, and the sequences of what came since then; only what the register has not
// seen is searched for in the log, by its subject. So the first command on an
// aggregate costs the same however many it had before. a.mu is held.
func (l *Ledger) fold(ctx context.Context, a *aggregate) (snapshot, error) {
	from := a.snapshot.Seq + 1
	if from == 1 && l.opts.Register != nil {
		past, later, upTo, err := l.opts.Register.Past(ctx, a.ref)
		if err != nil {
			return snapshot{}, fmt.Errorf("load %s: %w", a.ref, err)
		}
		a.snapshot, a.since = past, past.Seq
		if a.snapshot, _, err = a.evolve(a.snapshot, l.log.Records(ctx, a.subject, later), math.MaxUint64); err != nil {
			return snapshot{}, err
		}
		from = upTo + 1
	}
	var err error
	if a.snapshot, _, err = a.evolve(a.snapshot, l.log.Aggregate(ctx, a.subject, from), math.MaxUint64); err != nil {
		return snapshot{}, err
	}
	a.loaded = true
	return a.snapshot, nil
}

// evolve takes a snapshot on by the next events of the aggregate up to sequence moment,
// and returns which of them it saw last. a.mu is held.
func (a *aggregate) evolve(s snapshot, events iter.Seq2[eventstore.Record, error], moment uint64) (_ snapshot, seen uint64, err error) {
	for rec, err := range events {
		if err != nil {
			return s, seen, fmt.Errorf("load %s: %w", a.ref, err)
		}
		seen = rec.Seq
		if seen > moment {
			break
		}
		env, event, err := catalogue.Decode(rec.Data)
		if err != nil {
			return s, seen, fmt.Errorf("load %s at sequence %d: %w", a.ref, rec.Seq, err)
		}
		if env.Version != s.Version+1 {
			return s, seen, fmt.Errorf("load %s: version %d follows %d at sequence %d: the log is damaged", a.ref, env.Version, s.Version, rec.Seq)
		}
		a.remember(env.CommandID, rec.Seq)
		s = snapshot{State: a.kind.Evolve(s.State, event), Seq: rec.Seq, Version: env.Version}
	}
	return s, seen, nil
}

// advance makes s the snapshot after an append of command id, unless a refresh
// got further meanwhile.
func (a *aggregate) advance(s snapshot, id string, first uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remember(id, first)
	if s.Seq > a.snapshot.Seq {
		a.snapshot, a.loaded = s, true
	}
}

// isLoaded reports whether the snapshot is more than a blank.
func (a *aggregate) isLoaded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loaded
}

func (a *aggregate) remember(id string, seq uint64) {
	if a.commands == nil {
		a.commands = make(map[uint64]uint64)
	}
	h := commandHash64(id)
	if first, ok := a.commands[h]; !ok || seq < first {
		a.commands[h] = seq
	}
}

// find returns the first sequence that command id may have among the
// aggregate's events; the record there tells whether it is really that one. Whether
// it is among those up to sequence since, the register knows.
func (a *aggregate) find(id string) (seq uint64, found bool, since uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seq, found = a.commands[commandHash64(id)]
	return seq, found, a.since
}
