package proof_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

func TestOrigin(t *testing.T) {
	for origin, want := range map[string][2]string{
		"milepost/main":           {"main", ""},
		"milepost/main/wuxi-2017": {"main", "wuxi-2017"},
	} {
		ledger, agreement, err := proof.ParseOrigin(origin)
		require.NoError(t, err)
		require.Equal(t, want, [2]string{ledger, agreement})
		require.Equal(t, origin, proof.Origin(ledger, agreement))
	}
	for _, bad := range []string{"", "milepost/", "milepost//a", "milepost/main/", "milepost/main/a/b", "other/main"} {
		_, _, err := proof.ParseOrigin(bad)
		require.Error(t, err, bad)
	}
}

// story is a tree of five events with a proof file of the third.
func story(t *testing.T) (keys, *tree, proof.File) {
	k, r := newKeys(t), &tree{}
	for _, e := range []string{`{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`, `{"n":5}`} {
		r.append(t, []byte(e))
	}
	signed, err := r.checkpoint(t, 5).Sign(k.signer)
	require.NoError(t, err)
	hashes, err := tlog.ProveRecord(5, 2, r)
	require.NoError(t, err)
	return k, r, proof.File{Event: r.events[2], Index: 2, Hashes: hashes, Checkpoint: signed}
}

func TestOpen(t *testing.T) {
	k, r, _ := story(t)
	signed, err := r.checkpoint(t, 5).Sign(k.signer)
	require.NoError(t, err)
	opened, err := proof.Open(signed, k.verifiers, k.witness)
	require.NoError(t, err)
	require.Equal(t, r.checkpoint(t, 5), opened.Checkpoint)
	require.True(t, strings.HasPrefix(k.ledger, opened.Key+"+"))
	require.Empty(t, opened.Cosignatures)

	t.Run("one that only a party signed is not the ledger's", func(t *testing.T) {
		only, err := r.checkpoint(t, 5).Sign(k.cosigner)
		require.NoError(t, err)
		_, err = proof.Open(only, k.verifiers, k.witness)
		require.ErrorAs(t, err, new(*proof.UnsignedError))
	})
	t.Run("nor one that another key signed", func(t *testing.T) {
		other := newKeys(t)
		_, err := proof.Open(signed, other.verifiers)
		require.ErrorAs(t, err, new(*proof.UnsignedError))
	})
	t.Run("a changed size, root or signature shows", func(t *testing.T) {
		both, err := k.cosigner.Cosign(opened)
		require.NoError(t, err)
		for _, change := range [][2]string{{"\n5\n", "\n6\n"}, {"milepost/main\n", "milepost/mine\n"}, {opened.Root.String(), proof.EmptyRoot.String()}} {
			changed := bytes.Replace(both, []byte(change[0]), []byte(change[1]), 1)
			require.NotEqual(t, string(both), string(changed))
			_, err := proof.Open(changed, k.verifiers, k.witness)
			require.ErrorAs(t, err, new(*proof.UnsignedError), change[0])
		}
		// a countersignature whose time was moved
		c := opened
		c.Note, err = k.cosigner.Cosign(opened)
		require.NoError(t, err)
		at := bytes.LastIndexByte(c.Note, ' ') + 1 + 8 // within the time
		c.Note[at] ^= 1
		_, err = proof.Open(c.Note, k.verifiers, k.witness)
		require.Error(t, err)
	})
	t.Run("what is signed must be a checkpoint", func(t *testing.T) {
		root := opened.Root.String() // a digit whose last bits say nothing stands before its =
		spelt := strings.NewReplacer("A=", "B=", "E=", "F=", "I=", "J=", "M=", "N=", "Q=", "R=", "U=", "V=", "Y=", "Z=", "c=", "d=", "g=", "h=", "k=", "l=", "o=", "p=", "s=", "t=", "w=", "x=", "0=", "1=", "4=", "5=", "8=", "9=").Replace(root)
		require.NotEqual(t, root, spelt)
		for _, text := range []string{"milepost/main\n5\n" + root + "\nmore\n", "milepost/main\n5\n" + root + "\n\n— wuxi.example/witness AAAA\n", "milepost/main\n5\n" + spelt + "\n",
			"milepost/main\n5\n", "milepost/main\n05\n" + opened.Root.String() + "\n", "milepost/main\n5\nroot\n", "else\n5\n" + opened.Root.String() + "\n"} {
			signed, err := note.Sign(&note.Note{Text: text}, k.signer)
			require.NoError(t, err)
			_, err = proof.Open(signed, k.verifiers)
			require.Error(t, err, text)
			require.False(t, strings.Contains(err.Error(), "not signed"), err)
		}
	})
	t.Run("a countersignature is added once", func(t *testing.T) {
		both, err := k.cosigner.Cosign(opened)
		require.NoError(t, err)
		opened, err := proof.Open(both, k.verifiers, k.witness)
		require.NoError(t, err)
		require.Len(t, opened.Cosignatures, 1)
		require.Equal(t, cosignedAt, opened.Cosignatures[0].At)
		require.Equal(t, string(both), string(proof.WithLines(both, opened.Cosignatures[0].Line)))
	})
}

func TestFile(t *testing.T) {
	k, r, f := story(t)
	signed, err := f.Verify(k.verifiers)
	require.NoError(t, err)
	require.Equal(t, uint64(5), signed.Size)

	t.Run("another event, another place, another tree", func(t *testing.T) {
		changed := f
		changed.Event = []byte(`{"n":9}`)
		_, err := changed.Verify(k.verifiers)
		require.ErrorAs(t, err, new(*proof.InclusionError))
		moved := f
		moved.Index = 3
		_, err = moved.Verify(k.verifiers)
		require.ErrorAs(t, err, new(*proof.InclusionError))
		beyond := f
		beyond.Index = 5
		_, err = beyond.Verify(k.verifiers)
		require.ErrorAs(t, err, new(*proof.InclusionError))
		r.append(t, []byte(`{"n":6}`))
		larger := f
		larger.Checkpoint, err = r.checkpoint(t, 6).Sign(k.signer)
		require.NoError(t, err)
		_, err = larger.Verify(k.verifiers)
		require.ErrorAs(t, err, new(*proof.InclusionError))
	})
	t.Run("what is not whole is no proof file", func(t *testing.T) {
		whole := f.Marshal()
		require.True(t, proof.IsFile(whole))
		head := bytes.Index(whole, []byte("\n\n"))
		for _, bad := range [][]byte{
			nil, whole[:head], []byte("c2sp.org/tlog-proof@v1\n\nx"), bytes.Replace(whole, []byte("index 2"), []byte("index 02"), 1),
			bytes.Replace(whole, []byte("extra "), []byte("extra !"), 1), bytes.Replace(whole, []byte("v1\n"), []byte("v2\n"), 1),
			bytes.Replace(whole, []byte(f.Hashes[0].String()), []byte("AAAA"), 1),
		} {
			_, err := proof.Parse(bad)
			require.ErrorIs(t, err, proof.ErrNotAProof, string(bad))
		}
		_, err := proof.Parse(whole[:len(whole)-40])
		require.NoError(t, err) // the checkpoint is cut, and Open says so
	})
}

func TestCheckConsistency(t *testing.T) {
	_, r, _ := story(t)
	three, five := r.checkpoint(t, 3), r.checkpoint(t, 5)
	hashes, err := tlog.ProveTree(5, 3, r)
	require.NoError(t, err)
	require.NoError(t, proof.CheckConsistency(three, five, hashes))
	require.NoError(t, proof.CheckConsistency(five, five, nil))
	require.NoError(t, proof.CheckConsistency(r.checkpoint(t, 0), five, nil))

	require.ErrorAs(t, proof.CheckConsistency(five, three, hashes), new(*proof.RollbackError))
	forked := three
	forked.Root = five.Root
	require.ErrorAs(t, proof.CheckConsistency(forked, five, hashes), new(*proof.ForkError))
	require.ErrorAs(t, proof.CheckConsistency(forked, three, nil), new(*proof.ForkError))
	require.ErrorAs(t, proof.CheckConsistency(three, five, hashes[1:]), new(*proof.ForkError))
	elsewhere := five
	elsewhere.Origin = "milepost/other"
	require.ErrorAs(t, proof.CheckConsistency(three, elsewhere, hashes), new(*proof.ForkError))
}

func TestKeys(t *testing.T) {
	k := newKeys(t)
	vkey, err := proof.VerifierKey(k.partySecret)
	require.NoError(t, err)
	require.Equal(t, k.party, vkey)
	for _, bad := range []string{"", "PRIVATE+KEY+a+b+c", k.party} {
		_, err := proof.NewCosigner(bad, nil)
		require.Error(t, err)
		if bad != "" {
			require.NotContains(t, err.Error(), bad, "a secret must not be in an error")
		}
	}
	_, _, err = proof.NewKey(strings.NewReader(strings.Repeat("x", 64)), "a name")
	require.Error(t, err)
	_, err = proof.NewWitness("wuxi+00000000+AAAA")
	require.Error(t, err)
	key, err := proof.ReadKey([]byte(k.party + "\n"))
	require.NoError(t, err)
	require.Equal(t, k.party, key)
	_, err = proof.ReadKey([]byte("a\nb\n"))
	require.Error(t, err)
}

func TestUnverified(t *testing.T) {
	k, r, _ := story(t)
	signed, err := r.checkpoint(t, 5).Sign(k.signer)
	require.NoError(t, err)
	c, err := proof.Unverified(bytes.Replace(signed, []byte("\n5\n"), []byte("\n6\n"), 1))
	require.NoError(t, err)
	require.Equal(t, uint64(6), c.Size, "what it says, signed or not")
	for _, bad := range [][]byte{nil, []byte("milepost/main\n5\n"), signed[:len(signed)/2]} {
		_, err := proof.Unverified(bad)
		require.Error(t, err)
	}
}

// The hash by which a signature names its key has 32 bits: whoever tries four
// thousand million keys has one with the hash of another party, or of the ledger.
func TestOpen_ambiguousKeys(t *testing.T) {
	k, r, _ := story(t)
	signed, err := r.checkpoint(t, 5).Sign(k.signer)
	require.NoError(t, err)
	bare, err := proof.Open(signed, k.verifiers)
	require.NoError(t, err)
	both, err := k.cosigner.Cosign(bare)
	require.NoError(t, err)
	other := newKeys(t).witness.Named(k.witness)

	t.Run("one key of two parties", func(t *testing.T) {
		again, err := proof.NewWitness(k.party)
		require.NoError(t, err)
		opened, err := proof.Open(both, k.verifiers, k.witness, again)
		require.NoError(t, err)
		require.Len(t, opened.Cosignatures, 1)
		require.Equal(t, k.party, opened.Cosignatures[0].Key)
	})
	t.Run("another key of the same name and hash", func(t *testing.T) {
		for _, list := range [][]*proof.Witness{{k.witness, other}, {other, k.witness}} {
			opened, err := proof.Open(both, k.verifiers, list...)
			require.NoError(t, err)
			require.Len(t, opened.Cosignatures, 1)
			require.Equal(t, k.party, opened.Cosignatures[0].Key, "it is told by the whole key whose it is")
		}
		_, err := proof.Open(both, k.verifiers, other)
		require.ErrorAs(t, err, new(*note.InvalidSignatureError))
	})
	t.Run("and one of the name and hash of the ledger's", func(t *testing.T) {
		opened, err := proof.Open(both, k.verifiers, k.witness, other.Named(k.verifiers[0]))
		require.NoError(t, err)
		require.Len(t, opened.Cosignatures, 1)
	})
}
