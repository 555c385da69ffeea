package repair

import (
	"context"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
)

// fetch takes the events that are not at their sequence into memory, each by its
// hash: out of the log first, then out of the source.
func (p *Plan) fetch(ctx context.Context, leaves []tlog.Hash, log surveyed) error {
	missing := map[tlog.Hash]uint64{}
	for _, d := range p.Damaged {
		if d.Seq <= p.Size && log.leaves[d.Seq] != leaves[d.Seq-1] {
			missing[leaves[d.Seq-1]] = d.Seq
		}
	}
	for _, events := range []Events{p.input.Log, p.input.Source} {
		if len(missing) == 0 {
			break
		}
		for rec, err := range events(ctx) {
			if err != nil {
				return err
			}
			leaf := tlog.RecordHash(rec.Data)
			if seq, ok := missing[leaf]; ok {
				p.restored[seq] = rec.Data
				delete(missing, leaf)
			}
		}
	}
	for _, seq := range missing { // it was there when it was surveyed
		return fmt.Errorf("repair: the event of sequence %d is not there any more", seq)
	}
	return nil
}

// Records yields the log that is made: each event that was signed, at its
// sequence, and what follows, all under their own subjects. The error says which
// event does not follow from those before it.
func (p *Plan) Records(ctx context.Context) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		versions := map[string]uint64{}
		next := uint64(1)
		put := func(data []byte) (bool, error) {
			subject, env, err := subjectOf(p.input.Ledger, data)
			if err == nil && env.Version != versions[subject]+1 {
				err = fmt.Errorf("it is version %d of %s, of which the one before is %d", env.Version, env.Ref, versions[subject])
			}
			if err != nil {
				return false, fmt.Errorf("repair: sequence %d does not follow: %w", next, err)
			}
			versions[subject] = env.Version
			rec := eventstore.Record{Seq: next, Subject: subject, Data: data}
			next++
			return yield(rec, nil), nil
		}
		// what is restored, up to the next sequence that the log has as it should be
		fill := func(until uint64) (more bool, err error) {
			for more = true; more && err == nil && next < until && p.restored[next] != nil; {
				more, err = put(p.restored[next])
			}
			return more, err
		}
		for rec, err := range p.input.Log(ctx) {
			more := true
			if err == nil && (rec.Seq > p.Size && !p.dropped[rec.Seq] || rec.Seq <= p.Size && p.restored[rec.Seq] == nil) {
				if more, err = fill(min(rec.Seq, p.Size+1)); more && err == nil {
					more, err = put(rec.Data)
				}
			}
			if err != nil {
				yield(eventstore.Record{}, err)
				return
			}
			if !more {
				return
			}
		}
		if more, err := fill(p.Size + 1); err != nil {
			yield(eventstore.Record{}, err)
		} else if more && next <= p.Last {
			yield(eventstore.Record{}, fmt.Errorf("repair: the log has changed meanwhile, at sequence %d", next))
		}
	}
}
