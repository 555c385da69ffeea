package proof_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	formatlog "github.com/transparency-dev/formats/log"
	formatnote "github.com/transparency-dev/formats/note"
	formatproof "github.com/transparency-dev/formats/proof"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// keys are a ledger's and a party's.
type keys struct {
	ledgerSecret, ledger string
	partySecret, party   string
	signer               note.Signer
	cosigner             *proof.Cosigner
	witness              *proof.Witness
	verifiers            []note.Verifier
}

var cosignedAt = time.Date(2026, 11, 28, 9, 30, 15, 0, time.UTC)

func newKeys(t require.TestingT) keys {
	var k keys
	var err error
	k.ledgerSecret, k.ledger, err = proof.NewKey(rand.Reader, "milepost/main")
	require.NoError(t, err)
	k.partySecret, k.party, err = proof.NewKey(rand.Reader, "wuxi.example/witness")
	require.NoError(t, err)
	k.signer, err = note.NewSigner(k.ledgerSecret)
	require.NoError(t, err)
	k.cosigner, err = proof.NewCosigner(k.partySecret, func() time.Time { return cosignedAt })
	require.NoError(t, err)
	k.witness, err = proof.NewWitness(k.party)
	require.NoError(t, err)
	k.verifiers, err = proof.Verifiers(k.ledger)
	require.NoError(t, err)
	return k
}

// tree is a tree with all its stored hashes.
type tree struct {
	events [][]byte
	hashes []tlog.Hash
}

func (r *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		list[i] = r.hashes[x]
	}
	return list, nil
}

func (r *tree) append(t require.TestingT, event []byte) {
	more, err := tlog.StoredHashes(int64(len(r.events)), event, r)
	require.NoError(t, err)
	r.events, r.hashes = append(r.events, event), append(r.hashes, more...)
}

func (r *tree) checkpoint(t require.TestingT, size int) proof.Checkpoint {
	root := proof.EmptyRoot
	if size > 0 {
		var err error
		root, err = tlog.TreeHash(int64(size), r)
		require.NoError(t, err)
	}
	return proof.Checkpoint{Origin: proof.Origin("main", ""), Size: uint64(size), Root: root}
}

func grown(t *rapid.T) *tree {
	r := &tree{}
	for range rapid.IntRange(1, 70).Draw(t, "events") {
		r.append(t, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "event"))
	}
	return r
}

func slices(hashes []tlog.Hash) [][]byte {
	list := make([][]byte, len(hashes))
	for i := range hashes {
		list[i] = hashes[i][:]
	}
	return list
}

// What this package writes is what implementations that know nothing of it read:
// those of transparency-dev, and of Go's checksum database.
func TestIndependently(t *testing.T) {
	t.Run("checkpoints and countersignatures", func(t *testing.T) {
		// given a checkpoint that the ledger signed and a party countersigned
		k, r := newKeys(t), &tree{}
		for _, e := range []string{"a", "b", "c"} {
			r.append(t, []byte(e))
		}
		signed, err := r.checkpoint(t, 3).Sign(k.signer)
		require.NoError(t, err)
		opened, err := proof.Open(signed, k.verifiers)
		require.NoError(t, err)
		both, err := k.cosigner.Cosign(opened)
		require.NoError(t, err)
		// then others read it, with both signatures
		theirs, err := formatnote.NewVerifierForCosignatureV1(k.party)
		require.NoError(t, err)
		c, rest, n, err := formatlog.ParseCheckpoint(both, "milepost/main", k.verifiers[0], theirs)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.Len(t, n.Sigs, 2)
		require.Equal(t, uint64(3), c.Size)
		require.Equal(t, opened.Root[:], c.Hash)
		at, err := formatnote.CoSigV1Timestamp(n.Sigs[1])
		require.NoError(t, err)
		require.True(t, at.Equal(cosignedAt))
		// and what they countersign is read here
		signer, err := formatnote.NewSignerForCosignatureV1(k.partySecret)
		require.NoError(t, err)
		again, err := note.Sign(n, signer)
		require.NoError(t, err)
		opened, err = proof.Open(again, k.verifiers, k.witness)
		require.NoError(t, err)
		require.NotEmpty(t, opened.Cosignatures)
		require.Equal(t, "wuxi.example/witness", opened.Cosignatures[0].Name)
	})

	t.Run("frontiers, inclusion and consistency", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			r, f := grown(t), &proof.Frontier{}
			for i, e := range r.events {
				require.Equal(t, r.checkpoint(t, i).Root, f.Root())
				f.Append(tlog.RecordHash(e))
				require.Equal(t, uint64(i+1), f.Size())
			}
			c := r.checkpoint(t, len(r.events))
			require.Equal(t, c.Root, f.Root())

			index := rapid.IntRange(0, len(r.events)-1).Draw(t, "index")
			included, err := tlog.ProveRecord(int64(c.Size), int64(index), r)
			require.NoError(t, err)
			leaf := tlog.RecordHash(r.events[index])
			require.NoError(t, proof.CheckInclusion(c, uint64(index), leaf, included))
			require.NoError(t, merkle.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), c.Size, leaf[:], slices(included), c.Root[:]))

			older := r.checkpoint(t, rapid.IntRange(1, len(r.events)).Draw(t, "older"))
			consistent, err := tlog.ProveTree(int64(c.Size), int64(older.Size), r)
			require.NoError(t, err)
			require.NoError(t, proof.CheckConsistency(older, c, consistent))
			require.NoError(t, merkle.VerifyConsistency(rfc6962.DefaultHasher, older.Size, c.Size, slices(consistent), older.Root[:], c.Root[:]))
		})
	})

	t.Run("proof files", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			k, r := newKeys(t), grown(t)
			note, err := r.checkpoint(t, len(r.events)).Sign(k.signer)
			require.NoError(t, err)
			index := rapid.IntRange(0, len(r.events)-1).Draw(t, "index")
			hashes, err := tlog.ProveRecord(int64(len(r.events)), int64(index), r)
			require.NoError(t, err)
			ours := proof.File{Event: append([]byte{}, r.events[index]...), Index: uint64(index), Hashes: hashes, Checkpoint: note}

			var theirs formatproof.TLogProof
			require.NoError(t, theirs.Unmarshal(ours.Marshal()))
			require.Equal(t, ours.Event, theirs.ExtraData)
			require.Equal(t, ours.Index, theirs.Index)
			require.Equal(t, string(ours.Checkpoint), string(theirs.Checkpoint))
			require.Equal(t, string(ours.Marshal()), string(theirs.Marshal()))

			parsed, err := proof.Parse(theirs.Marshal())
			require.NoError(t, err)
			_, err = parsed.Verify(k.verifiers)
			require.NoError(t, err)
		})
	})
}
