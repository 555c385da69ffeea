package projections

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// projector turns events into rows on one connection. Whoever holds
// Models.work owns it. After an error that is not a stopError it must be
// thrown away: its caches may know of rows that were rolled back.
type projector struct {
	ledger     string
	conn       *sqlite.Conn // nil for a fold, which writes no rows
	words      *wordWriter
	entities   *entityWriter
	states     *stateCache
	aside      aside // what a load or a replay forgets of them
	rollups    *rollups
	waitlists  *waitlists
	trees      *trees
	digests    digestRows
	chain      *chain           // of who writes the rows
	view       *viewer          // nil where the whole ledger is projected
	stored     *storedSnapshots // of the tables that a fold is compared with; else nil
	named      *namedFiles      // that a fold met; nil where nobody asks
	at         position
	room       []cell
	memo       memo
	zone       *time.Location // of the ledger: where a day ends
	out        *rowBuffer     // rows not yet written
	text       []byte
	parts      []string          // that the event at hand changed
	ownChanged bool              // a field of the aggregate itself was changed
	newParts   int               // that the event at hand made
	kind       *domain.Aggregate // of the event at hand
	keeper     keeper            // of its rows
	changes    changes
	event      eventRow  // room
	waits      [2][]wait // room

	writeChange func(domain.Change) // p.change
	rows        int                 // of the last commit
}

// newProjector goes on from what the tables hold; load says that they are new.
func newProjector(conn *sqlite.Conn, log source, load bool, opts Options) (*projector, error) {
	at, err := readPosition(conn)
	if err != nil {
		return nil, err
	}
	p := newFold(log, load, at, opts)
	p.conn, p.states.keeps = conn, !load
	if opts.View == nil {
		return p, nil
	}
	known, err := readWithheld(conn, *opts.View, load)
	if err != nil {
		return nil, err
	}
	p.view = newViewer(opts, known, load)
	p.states.view = p.view
	if load {
		p.beginView(opts)
	}
	return p, nil
}

// newFold makes a projector whose rows go into the digest and nowhere else.
func newFold(log source, whole bool, at position, opts Options) *projector {
	return &projector{
		ledger: opts.Ledger, at: at, zone: opts.Location, chain: newChain(at.digest, at.mark), out: &rowBuffer{},
		words: newWordWriter(whole), entities: newEntityWriter(whole),
		states: newStateCache(log, opts.CacheParts), aside: aside{dir: opts.Dir}, rollups: newRollups(whole), waitlists: newWaitlists(whole),
		trees: newTrees(whole, opts.CacheParts/treeParts),
	}
}

// next is the sequence of the event at hand.
func (p *projector) next() uint64 { return p.at.seq + 1 }

// stopError is why the projector stopped before an event, with everything
// before it written and nothing of it.
type stopError struct{ error }

func (e stopError) Unwrap() error { return e.error }

// apply writes the rows of one event.
func (p *projector) apply(ctx context.Context, d *decoded) error {
	if d.rec.Seq != p.next() {
		return stopError{&GapError{Want: p.next(), Got: d.rec.Seq}}
	}
	if d.skipped {
		p.pass(d)
		return nil
	}
	if d.err != nil {
		return stopError{&EventError{Seq: d.rec.Seq, Err: d.err}}
	}
	env := &d.env
	kind := p.kindOf(env.Ref.Kind)
	if kind == nil {
		return stopError{&EventError{Seq: d.rec.Seq, Err: fmt.Errorf("there is no aggregate of kind %q", env.Ref.Kind)}}
	}
	if p.view != nil {
		withheld, err := p.withholds(d)
		if err != nil {
			return err
		}
		if withheld {
			p.pass(d)
			return nil
		}
	}
	a, err := p.aggregate(ctx, kind, d)
	if err != nil {
		return stopError{err}
	}
	if err := p.states.follows(a, env, d.rec.Seq); err != nil {
		return stopError{err}
	}
	if err := p.write(kind, a, d); err != nil {
		return fmt.Errorf("project event %d: %w", d.rec.Seq, err)
	}
	return nil
}

// kindOf returns the aggregates of a kind, nil where there are none. Most events are of
// the kind that the last one was of.
func (p *projector) kindOf(name string) *domain.Aggregate {
	if p.kind == nil || p.kind.Kind != name {
		p.kind, _ = catalogue.Aggregate(name)
		p.keeper = kept[name]
	}
	return p.kind
}

func (p *projector) write(kind *domain.Aggregate, a *aggregate, d *decoded) error {
	env := &d.env
	if a.entity.id == 0 {
		var err error
		if a.entity, err = p.aggregateEntity(env.Ref); err != nil {
			return err
		}
	}
	before := a.state
	after := kind.Evolve(before, d.event)
	if err := p.writeChanges(kind, a, before, after); err != nil {
		return err
	}
	if err := p.keeper.write(p, a, before, after); err != nil {
		return err
	}
	if err := p.writeWaitlists(); err != nil {
		return err
	}
	p.states.moved(a, after, d.rec.Seq, env.Version)
	if p.stored != nil {
		if err := p.stored.compare(kind, a); err != nil {
			return err
		}
	}
	if p.named != nil {
		p.named.add(env, d.rec.Seq)
	}
	p.states.grown(a, p.newParts)

	index, err := p.writeLeaf(env.Ref.Agreement, d.leaf)
	if err != nil {
		return err
	}
	recorded := env.Time.UnixMicro()
	if p.at.at = max(p.at.at, recorded); p.states.order != nil {
		p.at.at = p.states.order.events[d.rec.Seq-1].at
	}
	p.at.event = env.ID
	if p.view != nil {
		p.noteShown(a, env)
	}
	p.event = eventRow{
		ID: env.ID, Type: env.Type, Agreement: string(env.Ref.Agreement), Aggregate: a.entity, Version: env.Version,
		Actor: env.Actor, Party: string(env.Party), Effective: env.Effective, RecordedAt: recorded, At: p.at.at,
		Reason: env.Reason, Note: env.Note, Backdated: env.Effective != 0 && env.Effective < domain.DateOf(env.Time, p.zone),
		Corrects: env.Corrects, Command: env.CommandID, IDStart: idStart(env.ID), CommandHash: commandHash(env.CommandID),
		Leaf: d.leaf, LeafIndex: index,
	}
	// The mark covers the rest of the row; who writes it fills it in.
	p.room = eventTable.cells(p.room[:0], &p.event, &p.memo)
	p.digests.add(eventTable.order, eventTable.name, "", p.room[:len(p.room)-1])
	p.digests.end(&p.out.digests)
	if p.conn == nil {
		p.out.leaves = append(p.out.leaves, d.leaf)
	}
	if err := p.insert(eventTable.order, eventTable.insert, p.room, int64(d.rec.Seq)); err != nil {
		return err
	}
	p.at.seq = d.rec.Seq
	return nil
}

// put writes one row: of a register by its id, or, where entity is its name,
// of a versioned table.
func put[T any](p *projector, t *table[T], entity string, row *T, lead ...int64) error {
	p.room = t.cells(p.room[:0], row, &p.memo)
	p.digests.add(t.order, t.name, entity, p.room)
	return p.insert(t.order, t.insert, p.room, lead...)
}

// putVersion writes the version of a row that holds from the event at hand on.
func putVersion[T any](p *projector, t *table[T], of entityRef, row *T) error {
	return put(p, t, of.name, row, of.id, int64(p.next()))
}

// insert puts a row into the buffer, with the ids of its words.
func (p *projector) insert(order int, query string, cells []cell, lead ...int64) error {
	if p.conn == nil {
		return nil
	}
	for i := range cells {
		if c := &cells[i]; (c.kind == columnWord || c.kind == columnJSON) && !c.null {
			var err error
			if c.i, err = p.word(c.s); err != nil {
				return err
			}
		}
	}
	p.out.add(order, query, cells, lead...)
	return nil
}

// applyAll makes the rows of a batch. It returns of how many events; with a
// stopError, of those before the one that stopped it. After any other error
// the rows are worth nothing.
func (p *projector) applyAll(ctx context.Context, batch []decoded) (n int, err error) {
	p.words.bound()
	p.entities.bound()
	if err := p.states.shrink(p.keep); err != nil {
		return 0, err
	}
	p.rollups.bound()
	p.waitlists.bound()
	p.trees.bound()
	if p.view != nil {
		defer func() { p.view.reached(p, batch[:n]) }()
	}
	for n = range batch {
		if err = ctx.Err(); err == nil {
			err = p.apply(ctx, &batch[n])
		}
		if err != nil {
			return n, err
		}
	}
	return len(batch), p.keepSome(len(batch))
}

// commit writes the rows made since the last commit, and the position, in one
// transaction.
func (p *projector) commit() (err error) {
	if err := insert(p.conn, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			_ = insert(p.conn, "ROLLBACK") // fails when SQLite rolled back already
		}
	}()
	p.rows = p.out.size
	if err := p.out.flush(p.chain, inserting(p.conn)); err != nil {
		return err
	}
	p.at.digest, p.at.mark = p.chain.now, p.chain.mark
	if err := p.writePosition(); err != nil {
		return err
	}
	if err := insert(p.conn, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
