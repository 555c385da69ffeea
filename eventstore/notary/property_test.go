package notary_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Whatever is appended, and whenever checkpoints are signed, countersigned and
// read again: of each tree, those that are kept are beginnings of one another and
// of the log, as an independent implementation proves.
func TestProperty_keptCheckpointsAreOfOneHistory(t *testing.T) {
	ctx := context.Background()
	wuxi, dutch := newParty(t, "wuxi.example/witness"), newParty(t, "dutch.example/witness")
	r := newRig(t) // one store for all: opening it takes longest
	rapid.Check(t, func(rt *rapid.T) {
		require.NoError(t, os.RemoveAll(r.notes))
		n := r.notary(with(&live{r}))
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			agreement := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(rt, "tree")
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0, 1:
				r.append(rapid.SliceOfN(rapid.SampledFrom([]string{"-", "a", "b", "c"}), 1, 5).Draw(rt, "events")...)
			case 2:
				if _, err := n.Checkpoint(ctx, agreement); err != nil {
					require.ErrorIs(t, err, notary.ErrNoTree)
				}
			case 3:
				s, err := n.Checkpoint(ctx, agreement)
				if err == nil {
					p := rapid.SampledFrom([]*party{wuxi, dutch}).Draw(rt, "party")
					_, err = n.Cosign(ctx, p.sign(t, s), wuxi.Witness, dutch.Witness)
					require.NoError(t, err)
				}
			case 4:
				n = r.notary(with(&live{r}))
			}
		}
		x := indexOf(r.records())
		for _, agreement := range []string{"", "a", "b", "c"} {
			whole := x.tree(agreement)
			last := proof.Checkpoint{Size: uint64(whole.size), Root: proof.EmptyRoot}
			if whole.size > 0 {
				var err error
				last.Root, err = tlog.TreeHash(whole.size, whole)
				require.NoError(t, err)
			}
			for _, s := range n.Kept(agreement) {
				consistent(t, whole, s.Checkpoint, last)
			}
		}
		require.NoError(t, n.ScrubOnce(ctx))
	})
}

// consistent proves that a tree begins with another, and has the proof verified.
func consistent(t require.TestingT, whole *tree, older, newer proof.Checkpoint) {
	require.LessOrEqual(t, older.Size, newer.Size)
	var hashes [][]byte
	if older.Size > 0 && older.Size < newer.Size {
		p, err := tlog.ProveTree(int64(newer.Size), int64(older.Size), whole)
		require.NoError(t, err)
		for _, h := range p {
			hashes = append(hashes, h[:])
		}
	}
	require.NoError(t, merkle.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, hashes, older.Root[:], newer.Root[:]))
}
