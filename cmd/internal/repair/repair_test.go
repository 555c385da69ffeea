package repair_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/repair"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// refs are the aggregates that events are of, in turn.
var refs = []domain.Ref{
	{Kind: "party", Key: "city"},
	{Agreement: "a", Kind: "project", Key: "site"},
	{Agreement: "b", Kind: "project", Key: "lab"},
	{Agreement: "a", Kind: "fund", Key: "seed"},
}

// history is a log as it was.
func history(n int) (log []eventstore.Record) {
	versions := map[domain.Ref]uint64{}
	for i := range n {
		ref := refs[i*7%len(refs)]
		if i%3 == 0 {
			ref = refs[1]
		}
		versions[ref]++
		log = append(log, eventstore.Record{Seq: uint64(i) + 1, Subject: subject(ref), Data: event(ref, versions[ref], i)})
	}
	return log
}

func event(ref domain.Ref, version uint64, n int) []byte {
	env := domain.Envelope{
		ID: fmt.Sprintf("01900000-0000-7000-8000-%012d", n), Source: "/ledgers/main", Ref: ref, Type: "milepost.test.v1", Version: version,
		Time: time.Date(2026, 11, 28, 12, 0, n, 0, time.UTC), Actor: "li.wei", CommandID: fmt.Sprint(n), Data: []byte(`{}`),
	}
	return env.Append(nil)
}

func subject(ref domain.Ref) string {
	agreement := string(ref.Agreement)
	if agreement == "" {
		agreement = eventstore.LedgerWide
	}
	return eventstore.Subject("main", agreement, ref.Kind, string(ref.Key))
}

func events(log []eventstore.Record) repair.Events {
	return func(context.Context) iter.Seq2[eventstore.Record, error] {
		return func(yield func(eventstore.Record, error) bool) {
			for _, rec := range log {
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}

func leaves(log []eventstore.Record) repair.Leaves {
	return func(_ context.Context, from, to uint64) (list []tlog.Hash, err error) {
		if to > uint64(len(log)) {
			return nil, errors.New("behind")
		}
		for _, rec := range log[from-1 : to] {
			list = append(list, tlog.RecordHash(rec.Data))
		}
		return list, nil
	}
}

func signed(log []eventstore.Record, size int) proof.Checkpoint {
	var tree proof.Frontier
	for _, rec := range log[:size] {
		tree.Append(tlog.RecordHash(rec.Data))
	}
	return proof.Checkpoint{Origin: "milepost/main", Size: uint64(size), Root: tree.Root()}
}

// of is the part of a log that belongs to an agreement.
func of(log []eventstore.Record, agreement string) (part []eventstore.Record) {
	for _, rec := range log {
		if _, a, _, _, _ := eventstore.ParseSubject(rec.Subject); a == agreement {
			part = append(part, eventstore.Record{Seq: rec.Seq, Data: rec.Data}) // as a bundle has it
		}
	}
	return part
}

func numbered(log []eventstore.Record) []eventstore.Record {
	for i := range log {
		log[i].Seq = uint64(i) + 1
	}
	return log
}

func made(t require.TestingT, p *repair.Plan) (log []eventstore.Record) {
	for rec, err := range p.Records(context.Background()) {
		require.NoError(t, err)
		log = append(log, rec)
	}
	return log
}

// Whatever is done to what was signed, and wherever the hashes come from: with a
// source that has everything the log becomes what it was, and what followed the
// checkpoint stays.
func TestProperty_wholeSourceRestoresAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "events")
		was := history(n)
		size := rapid.IntRange(1, n).Draw(rt, "signed")
		log := slices.Clone(was)
		shifted := false
		for range rapid.IntRange(0, 4).Draw(rt, "damages") {
			if len(log) == 0 {
				break
			}
			i := rapid.IntRange(0, min(size, len(log))-1).Draw(rt, "at")
			switch rapid.IntRange(0, 5).Draw(rt, "damage") {
			case 0:
				log[i].Data = []byte(`{"changed":true}`)
			case 1:
				log, shifted = slices.Delete(log, i, i+1), true
			case 2:
				log, shifted = slices.Insert(log, i, eventstore.Record{Subject: log[i].Subject, Data: []byte(`{"more":true}`)}), true
			case 3:
				j := rapid.IntRange(0, min(size, len(log))-1).Draw(rt, "with")
				log[i], log[j] = log[j], log[i]
			case 4:
				log, shifted = log[:i], true
			case 5:
				log[i].Subject = subject(domain.Ref{Agreement: "c", Kind: "project", Key: "else"})
			}
		}
		if shifted { // then nobody knows what was at the end
			log, was = log[:min(len(log), size)], was[:size]
		}
		log = numbered(log)
		if !shifted && rapid.Bool().Draw(rt, "a gap") {
			i := rapid.IntRange(0, size-1).Draw(rt, "of")
			log = slices.Delete(log, i, i+1)
		}
		in := repair.Input{Ledger: "main", Signed: signed(was, size), Log: events(log), Source: events(was)}
		if rapid.Bool().Draw(rt, "read models") {
			in.Leaves = leaves(log) // of the damaged one: they are not believed
			if rapid.Bool().Draw(rt, "good") {
				in.Leaves = leaves(was)
			}
		}
		p, err := repair.Make(context.Background(), in)
		require.NoError(t, err)
		require.Equal(t, was, made(t, p))
		require.Equal(t, uint64(len(was)), p.Last)
		if slices.EqualFunc(log, was, func(a, b eventstore.Record) bool {
			return a.Subject == b.Subject && a.Seq == b.Seq && string(a.Data) == string(b.Data)
		}) {
			require.Empty(t, p.Damaged)
		} else {
			require.NotEmpty(t, p.Damaged)
		}
	})
}

func TestMake(t *testing.T) {
	ctx := context.Background()
	was := history(20)
	make := func(log, source []eventstore.Record, size int, remembered repair.Leaves) (*repair.Plan, error) {
		return repair.Make(ctx, repair.Input{Ledger: "main", Signed: signed(was, size), Log: events(log), Source: events(source), Leaves: remembered})
	}
	damaged := func(at ...int) []eventstore.Record {
		log := slices.Clone(was)
		for _, i := range at {
			log[i].Data = []byte(`{}`)
		}
		return log
	}
	unproven := new(*repair.UnprovenError)

	t.Run("a part of the source is enough, if it has what is damaged", func(t *testing.T) {
		p, err := make(damaged(0, 3), of(was, "a"), 20, nil) // sequences 1 and 4 are of a
		require.NoError(t, err)
		assert.Equal(t, []repair.Damage{{Seq: 1, What: repair.Changed, From: repair.FromSource}, {Seq: 4, What: repair.Changed, From: repair.FromSource}}, p.Damaged)
		assert.Equal(t, was, made(t, p))
	})
	t.Run("else what cannot be proven is named", func(t *testing.T) {
		_, err := make(damaged(0, 2, 3, 6), of(was, "b"), 20, leaves(was))
		require.ErrorAs(t, err, unproven)
		assert.Equal(t, []uint64{1, 4, 7}, (*unproven).Seqs)
		require.ErrorContains(t, err, "at sequence 1, 4, 7")
		_, err = make(damaged(0), of(was, "b"), 20, nil)
		require.ErrorAs(t, err, unproven)
		assert.Nil(t, (*unproven).Seqs)
		require.ErrorContains(t, err, "is not known")
	})
	t.Run("an event of the source that was changed is not taken", func(t *testing.T) {
		_, err := make(damaged(4), damaged(4), 20, leaves(was))
		require.ErrorAs(t, err, unproven)
		assert.Equal(t, []uint64{5}, (*unproven).Seqs)
	})
	t.Run("an older source and what the log has since", func(t *testing.T) {
		p, err := make(damaged(2), was[:10], 20, nil)
		require.NoError(t, err)
		assert.Equal(t, was, made(t, p))
	})
	t.Run("an event that was put in pushes none off the end", func(t *testing.T) {
		log := numbered(slices.Insert(slices.Clone(was), 5, eventstore.Record{Subject: was[5].Subject, Data: []byte("{}")}))
		p, err := make(log, of(was, "none"), 18, leaves(was))
		require.NoError(t, err)
		assert.Equal(t, uint64(1), p.Dropped)
		assert.Equal(t, was, made(t, p))
	})
	t.Run("what was not signed must follow on", func(t *testing.T) {
		log := damaged(2)
		log[18].Data = event(refs[0], 99, 99)
		p, err := make(log, was, 15, nil)
		require.NoError(t, err)
		var last error
		for _, err := range p.Records(ctx) {
			last = err
		}
		require.ErrorContains(t, last, "sequence 19 does not follow: it is version 99 of party/city")
	})
	// the source has them, and nothing proves that it has them as they were
	for name, c := range map[string]struct {
		log    []eventstore.Record
		last   uint64 // that the log had
		unread []uint64
		lost   []uint64
	}{
		"a gap in what was not signed":        {slices.Delete(slices.Clone(was), 17, 18), 20, []uint64{18}, []uint64{18, 19, 20}},
		"an end that cannot be read":          {was[:17], 20, []uint64{18, 19, 20}, []uint64{18, 19, 20}},
		"and damage before it":                {slices.Delete(slices.Clone(was), 2, 3)[:16], 20, []uint64{18, 19, 20}, []uint64{18, 19, 20}},
		"all of what was not signed":          {was[:15], 16, []uint64{16}, []uint64{16}},
		"from before the checkpoint":          {was[:13], 17, []uint64{16, 17}, []uint64{16, 17}},
		"a signed event again behind the gap": {append(slices.Clone(was[:17]), eventstore.Record{Seq: 19, Subject: was[4].Subject, Data: was[4].Data}), 19, []uint64{18}, []uint64{18}},
	} {
		t.Run(name, func(t *testing.T) {
			in := repair.Input{Ledger: "main", Signed: signed(was, 15), Log: events(c.log), Last: c.last, Source: events(was)}
			_, err := repair.Make(ctx, in)
			lost := new(*repair.LostError)
			require.ErrorAs(t, err, lost)
			assert.Equal(t, repair.LostError{Unread: c.unread, Lost: c.lost}, **lost)
			require.ErrorContains(t, err, repair.CodeEventsLost)

			in.AcceptLoss = true
			p, err := repair.Make(ctx, in)
			require.NoError(t, err)
			assert.Equal(t, c.lost, p.Lost)
			assert.False(t, p.Whole())
			assert.Equal(t, was[:c.unread[0]-1], made(t, p), "the log ends before what is lost")
			assert.Equal(t, c.unread[0]-1, p.Last)
		})
	}
	t.Run("what was signed is never given up", func(t *testing.T) {
		_, err := repair.Make(ctx, repair.Input{Ledger: "main", Signed: signed(was, 15), Log: events(was[:14]), Last: 16, Source: events(nil), Leaves: leaves(was), AcceptLoss: true})
		require.ErrorAs(t, err, unproven)
		assert.Equal(t, []uint64{15}, (*unproven).Seqs)
	})
	t.Run("an event of another ledger is none of this", func(t *testing.T) {
		log := damaged(2)
		log[19].Data = []byte(`{"specversion":"1.0"}`)
		p, err := make(log, was, 15, nil)
		require.NoError(t, err)
		var last error
		for _, err := range p.Records(ctx) {
			last = err
		}
		require.ErrorContains(t, last, "sequence 20 does not follow")
	})
	t.Run("a source that breaks off", func(t *testing.T) {
		broken := errors.New("the source has ended")
		_, err := repair.Make(ctx, repair.Input{Ledger: "main", Signed: signed(was, 20), Log: events(was), Source: func(context.Context) iter.Seq2[eventstore.Record, error] {
			return func(yield func(eventstore.Record, error) bool) { yield(eventstore.Record{}, broken) }
		}})
		require.ErrorIs(t, err, broken)
	})
}
