package notary_test

import (
	"context"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// The log that is tampered with: 12 events of two agreements and of the ledger.
// There are checkpoints of the ledger at 4 (a party's) and 12, and of agreement
// "a" at all its events.
var story = [][]string{{"-"}, {"a", "a", "b"}, {"a"}, {"b"}, {"-", "b", "a"}, {"a"}, {"b", "a"}}

// The tampering table. Every row has checksums that are right.
var tampering = map[string]struct {
	change func([]eventstore.Record) []eventstore.Record
	seq    uint64 // that is named with an index
	until  uint64 // without one, the first that differs lies up to this
}{
	"an event changed": {func(l []eventstore.Record) []eventstore.Record {
		l[7].Data = changed(string(l[7].Data), "8", "9")
		return l
	}, 8, 12},
	"an event of a signed agreement changed": {func(l []eventstore.Record) []eventstore.Record {
		l[4].Data = []byte(`{}`)
		return l
	}, 5, 12},
	"dropped in the middle": {func(l []eventstore.Record) []eventstore.Record { return without(l, 5) }, 6, 12},
	"dropped in the middle, of a signed agreement": {func(l []eventstore.Record) []eventstore.Record {
		return without(l, 8)
	}, 9, 12},
	"inserted": {func(l []eventstore.Record) []eventstore.Record {
		more := l[5]
		more.Data = []byte(`{"n":99}`)
		return slices.Insert(l, 6, more)
	}, 7, 12},
	"two swapped": {func(l []eventstore.Record) []eventstore.Record {
		l[5], l[10] = l[10], l[5]
		return l
	}, 6, 12},
	"truncated at the end": {func(l []eventstore.Record) []eventstore.Record { return l[:10] }, 11, 11},
	"truncated to nothing": {func([]eventstore.Record) []eventstore.Record { return nil }, 1, 1},
	"truncated to an old checkpoint": {func(l []eventstore.Record) []eventstore.Record {
		return l[:4]
	}, 5, 5},
	"moved to another agreement": {func(l []eventstore.Record) []eventstore.Record {
		l[4].Subject = eventstore.Subject("main", "b", "project", "p")
		return l
	}, 5, 12},
	"the last of an agreement moved away": {func(l []eventstore.Record) []eventstore.Record {
		l[11].Subject = eventstore.Subject("main", "-", "project", "p")
		return l
	}, 12, 12},
	"moved into a signed agreement": {func(l []eventstore.Record) []eventstore.Record {
		l[5].Subject = eventstore.Subject("main", "a", "project", "p")
		return l
	}, 6, 12},
}

// told writes the story and has checkpoints signed.
func told(t *testing.T) (*rig, index, *notary.Notary) {
	r := newRig(t)
	for _, agreements := range story[:2] {
		r.append(agreements...)
	}
	n := r.notary()
	p := newParty(t, "wuxi.example/witness")
	_, err := n.Cosign(context.Background(), p.sign(t, r.checkpoint(n, "")), p.Witness)
	require.NoError(t, err)
	for _, agreements := range story[2:] {
		r.append(agreements...)
	}
	r.checkpoint(n, "a")
	r.checkpoint(n, "")
	require.Equal(t, []uint64{4, 12}, sizes(n.Kept("")))
	require.Equal(t, []uint64{6}, sizes(n.Kept("a")))
	x := indexOf(r.records())
	n = r.notary(with(x))
	require.NoError(t, n.ScrubOnce(context.Background()))
	return r, x, n
}

// refused says that err names where a log is not what was signed.
func refused(t *testing.T, err error) *notary.DisagreeError {
	t.Helper()
	d := (*notary.DisagreeError)(nil)
	require.ErrorAs(t, err, &d)
	return d
}

// Given a log that was signed, when somebody changes it and puts the checksums
// right, then the notary does not open: with an index it names the sequence,
// without one a range that has it.
func TestTampering(t *testing.T) {
	for name, row := range tampering {
		t.Run(name, func(t *testing.T) {
			r, x, _ := told(t)
			r.rewrite(row.change)

			_, err := r.tryNotary(with(x))
			d := refused(t, err)
			assert.Equal(t, row.seq, d.Seq, err)
			assert.Zero(t, d.Until, err)

			_, err = r.tryNotary()
			d = refused(t, err)
			assert.LessOrEqual(t, d.Seq, row.seq, err)
			assert.GreaterOrEqual(t, max(d.Until, d.Seq), row.seq, err)
			assert.LessOrEqual(t, d.Until, row.until, err)
			if d.Origin == "milepost/main" && row.seq > 4 {
				assert.Greater(t, d.Seq, uint64(4), "up to there a checkpoint agrees: %v", err)
			}

			// an index that was made from the other log is not believed
			_, err = r.tryNotary(with(indexOf(r.records())))
			assert.LessOrEqual(t, refused(t, err).Seq, row.seq, err)
		})
	}
}

// exchanged is a log that is another one from some moment on.
type exchanged struct {
	mu  sync.Mutex
	now notary.Log
}

func (e *exchanged) log() notary.Log {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *exchanged) Last(ctx context.Context) (uint64, error) { return e.log().Last(ctx) }

func (e *exchanged) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	return e.log().ReadChunks(ctx, from, to, filter)
}

// Given a notary that runs, when the log below it is exchanged, then the scrub
// finds it, and where the log is shorter also the next signature.
func TestTampering_whileRunning(t *testing.T) {
	ctx := context.Background()
	for name, row := range tampering {
		t.Run(name, func(t *testing.T) {
			r, x, _ := told(t)
			log := &exchanged{now: r.open()}
			opts := r.options()
			opts.Index = x
			indexed, err := notary.Open(ctx, log, opts)
			require.NoError(t, err)
			opts.Index = nil
			plain, err := notary.Open(ctx, log, opts)
			require.NoError(t, err)
			before := r.files()

			r.rewrite(row.change)
			log.mu.Lock()
			log.now = r.open()
			log.mu.Unlock()

			err = indexed.ScrubOnce(ctx)
			d := refused(t, err)
			assert.Equal(t, row.seq, d.Seq, err)
			assert.Zero(t, d.Until, err)

			err = plain.ScrubOnce(ctx)
			d = refused(t, err)
			assert.LessOrEqual(t, d.Seq, row.seq, err)
			assert.GreaterOrEqual(t, max(d.Until, d.Seq), row.seq, err)

			if last, err := log.Last(ctx); assert.NoError(t, err) && last < 12 {
				_, err := indexed.Checkpoint(ctx, "")
				assert.Equal(t, row.seq, refused(t, err).Seq)
				assert.Equal(t, err, indexed.Err(), "and it stays so")
			}
			assert.Equal(t, before, r.files(), "nothing was signed of it")
		})
	}
}
