package notary_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

func TestCosign(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.append("a", "b", "a")
	p, stranger := newParty(t, "wuxi.example/witness"), newParty(t, "else.example/witness")
	n := r.notary(func(o *notary.Options) { o.Index = &live{r} })
	r.checkpoint(n, "a")
	s := r.checkpoint(n, "")
	foreign := new(*notary.ForeignCheckpointError)
	before := func() string { return string(n.Kept("")[0].Note) }
	bare := before()

	t.Run("refused", func(t *testing.T) {
		forked, beyond, other, older := s.Checkpoint, s.Checkpoint, s.Checkpoint, s.Checkpoint
		forked.Root[0] ^= 1
		beyond.Size = 4
		other.Origin = "milepost/other"
		older.Size = 2 // with the root of 3

		_, err := n.Cosign(ctx, stranger.sign(t, s), p.Witness)
		require.ErrorIs(t, err, notary.ErrNoCosignature)
		_, err = n.Cosign(ctx, s.Note, p.Witness)
		require.ErrorIs(t, err, notary.ErrNoCosignature)
		for what, c := range map[string]proof.Checkpoint{"is of ledger other": other, "had another root at 3": forked, "only 3": beyond, "had another root at 2": older} {
			_, err = n.Cosign(ctx, p.sign(t, r.forge(c)), p.Witness)
			require.ErrorAs(t, err, foreign, what)
			require.ErrorContains(t, err, what)
			assert.Equal(t, c, (*foreign).Signed.Checkpoint, "what was signed is there to show")
		}
		msg := p.sign(t, s)
		msg[len(msg)-20] ^= 1
		_, err = n.Cosign(ctx, msg, p.Witness)
		require.ErrorAs(t, err, new(*proof.UnsignedError))

		anothers := newRig(t) // a note of this ledger's name by another key
		_, err = n.Cosign(ctx, p.sign(t, anothers.forge(s.Checkpoint)), p.Witness)
		require.ErrorAs(t, err, new(*proof.UnsignedError))

		assert.Equal(t, bare, before(), "nothing of all this was kept")
	})
	t.Run("kept, once", func(t *testing.T) {
		msg := p.sign(t, s)
		for range 2 {
			got, err := n.Cosign(ctx, msg, p.Witness)
			require.NoError(t, err)
			require.Len(t, got.Cosignatures, 1)
			assert.Equal(t, string(msg), before())
		}
		// of a note that was handed in, what nobody vouches for is dropped
		signed, err := stranger.Cosign(proof.Signed{Checkpoint: s.Checkpoint, Note: msg})
		require.NoError(t, err)
		_, err = n.Cosign(ctx, signed, p.Witness)
		require.NoError(t, err)
		assert.Equal(t, string(msg), before())
	})
	t.Run("a later one replaces it, an earlier one does not", func(t *testing.T) {
		first, second := p.sign(t, s), p.sign(t, s)
		for _, msg := range [][]byte{second, first} {
			_, err := n.Cosign(ctx, msg, p.Witness)
			require.NoError(t, err)
			assert.Equal(t, string(second), before())
		}
		_, err := n.Cosign(ctx, stranger.sign(t, s), p.Witness, stranger.Witness)
		require.NoError(t, err)
		assert.Len(t, n.Kept("")[0].Unverified, 2)
	})
	t.Run("of a key that was given up, the line is dropped", func(t *testing.T) {
		_, err := n.Cosign(ctx, p.sign(t, s), p.Witness) // and not the stranger's any more
		require.NoError(t, err)
		kept := n.Kept("")[0].Unverified
		require.Len(t, kept, 1)
		assert.Equal(t, p.Name(), kept[0].Name)
	})
	t.Run("of a time that has not come", func(t *testing.T) {
		was := before()
		early := newParty(t, "early.example/witness")
		early.at = time.Now().Add(time.Hour)
		_, err := n.Cosign(ctx, early.sign(t, s), early.Witness)
		require.ErrorAs(t, err, new(*notary.FutureCosignatureError))
		assert.Equal(t, was, before())
	})
	t.Run("as many as a note can have", func(t *testing.T) {
		var all []*proof.Witness
		for i := range 100 {
			one := newParty(t, fmt.Sprintf("party-%d.example", i))
			all = append(all, one.Witness)
			_, err := n.Cosign(ctx, one.sign(t, s), all...)
			if i < 99 {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, notary.ErrTooManyCosignatures)
		}
		assert.Len(t, n.Kept("")[0].Unverified, 99)
	})
	t.Run("of an agreement's tree", func(t *testing.T) {
		got, err := n.Cosign(ctx, p.sign(t, r.checkpoint(n, "a")), p.Witness)
		require.NoError(t, err)
		assert.Equal(t, "milepost/main/a", got.Origin)
		_, err = n.Cosign(ctx, p.sign(t, r.forge(proof.Checkpoint{Origin: "milepost/main/none", Size: 1, Root: s.Root})), p.Witness)
		require.ErrorAs(t, err, foreign)
	})
	t.Run("without an index older trees are not known", func(t *testing.T) {
		r.append("b")
		plain := r.notary()
		r.checkpoint(plain, "")
		two := r.forge(proof.Checkpoint{Origin: "milepost/main", Size: 2, Root: s.Root})
		_, err := plain.Cosign(ctx, p.sign(t, two), p.Witness)
		require.ErrorContains(t, err, "index")
	})
}
