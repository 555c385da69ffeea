package witness_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/cmd/internal/witness"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// operator runs a ledger, honestly or not: it signs whatever tree it likes.
type operator struct {
	t         *testing.T
	key       signing.Key
	rotations []signing.Rotation
	keys      []string
	hashes    []tlog.Hash
	size      int64
	handed    [][]byte
	refuse    error
}

func newOperator(t *testing.T) *operator {
	k, err := signing.NewKey(filepath.Join(t.TempDir(), "key"), "milepost/test")
	require.NoError(t, err)
	return &operator{t: t, key: k, keys: []string{k.Public}}
}

func (o *operator) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		list[i] = o.hashes[x]
	}
	return list, nil
}

func (o *operator) append(events ...string) {
	for _, e := range events {
		more, err := tlog.StoredHashes(o.size, []byte(e), o)
		require.NoError(o.t, err)
		o.hashes, o.size = append(o.hashes, more...), o.size+1
	}
}

// cut makes the log end earlier.
func (o *operator) cut(size int64) { o.hashes, o.size = o.hashes[:tlog.StoredHashCount(size)], size }

func (o *operator) rotate() {
	k, err := signing.NewKey(filepath.Join(o.t.TempDir(), "key"), "milepost/test")
	require.NoError(o.t, err)
	statement, err := signing.Statement(o.key, domain.VerifierKey(k.Public))
	require.NoError(o.t, err)
	o.rotations = append(o.rotations, signing.Rotation{Old: domain.VerifierKey(o.key.Public), Key: domain.VerifierKey(k.Public), Statement: statement})
	o.key, o.keys = k, append(o.keys, k.Public)
}

func (o *operator) Keys(context.Context) ([]string, []signing.Rotation, error) {
	return o.keys, o.rotations, nil
}

func (o *operator) Grown(_ context.Context, agreement string, from uint64) ([]byte, tlog.TreeProof, error) {
	root, err := tlog.TreeHash(o.size, o)
	require.NoError(o.t, err)
	signer, err := note.NewSigner(o.key.Secret)
	require.NoError(o.t, err)
	msg, err := proof.Checkpoint{Origin: proof.Origin("test", agreement), Size: uint64(o.size), Root: root}.Sign(signer)
	require.NoError(o.t, err)
	if from == 0 || int64(from) >= o.size {
		return msg, nil, nil
	}
	hashes, err := tlog.ProveTree(o.size, int64(from), o)
	return msg, hashes, err
}

func (o *operator) HandIn(_ context.Context, note []byte) error {
	o.handed = append(o.handed, note)
	return o.refuse
}

// party is a witness and its directory.
func party(t *testing.T, o witness.Ledger, trusted string) (w *witness.Witness, dir string, key *proof.Witness) {
	secret, public, err := proof.NewKey(rand.Reader, "city.example")
	require.NoError(t, err)
	cosigner, err := proof.NewCosigner(secret, func() time.Time { return time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC) })
	require.NoError(t, err)
	key, err = proof.NewWitness(public)
	require.NoError(t, err)
	dir = filepath.Join(t.TempDir(), "state")
	return witness.New(dir, cosigner, o, trusted), dir, key
}

func TestCosign(t *testing.T) {
	// given a ledger with three events
	o := newOperator(t)
	o.append("a", "b", "c")
	w, dir, key := party(t, o, "")
	// when a party looks at it, and again when it has grown
	c, err := w.Cosign(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, [2]uint64{3, 0}, [2]uint64{c.Size, c.Before})
	o.append("d", "e")
	c, err = w.Cosign(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, [2]uint64{5, 3}, [2]uint64{c.Size, c.Before})
	// then both checkpoints were handed in, countersigned
	verifiers, err := proof.Verifiers(o.keys...)
	require.NoError(t, err)
	require.Len(t, o.handed, 2)
	for i, size := range []uint64{3, 5} {
		signed, err := proof.Open(o.handed[i], verifiers, key)
		require.NoError(t, err)
		require.Equal(t, size, signed.Size)
		require.Len(t, signed.Cosignatures, 1)
	}
	// and the last one is remembered, as is the key
	remembered, err := os.ReadFile(filepath.Join(dir, "milepost_test.checkpoint"))
	require.NoError(t, err)
	require.Equal(t, string(o.handed[1]), string(remembered))
	trusted, err := os.ReadFile(filepath.Join(dir, "ledger.vkey"))
	require.NoError(t, err)
	require.Equal(t, o.keys[0]+"\n", string(trusted))
	// and each tree is remembered by itself
	c, err = w.Cosign(t.Context(), "wuxi-2017")
	require.NoError(t, err)
	require.Equal(t, "milepost/test/wuxi-2017", c.Origin)
	require.Zero(t, c.Before)
}

// What is countersigned is remembered even if the ledger never hears of it: the
// countersignature has left.
func TestCosign_remembersBeforeItHandsIn(t *testing.T) {
	o := newOperator(t)
	o.append("a", "b")
	w, _, _ := party(t, o, "")
	o.refuse = os.ErrDeadlineExceeded
	_, err := w.Cosign(t.Context(), "")
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	o.refuse = nil
	c, err := w.Cosign(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, uint64(2), c.Before)
}

// fast is a ledger that shows one process one history and the next another, while
// the first has not yet remembered what it saw.
type fast struct {
	*operator
	meanwhile func()
}

func (f *fast) Grown(ctx context.Context, agreement string, from uint64) ([]byte, tlog.TreeProof, error) {
	note, hashes, err := f.operator.Grown(ctx, agreement, from)
	f.meanwhile()
	return note, hashes, err
}

func TestCosign_oneProcessAtATime(t *testing.T) {
	// given two processes with one memory
	o := &fast{operator: newOperator(t), meanwhile: func() {}}
	o.append("a")
	w, dir, _ := party(t, o, "")
	_, err := w.Cosign(t.Context(), "")
	require.NoError(t, err)
	secret, _, err := proof.NewKey(rand.Reader, "city.example")
	require.NoError(t, err)
	cosigner, err := proof.NewCosigner(secret, time.Now)
	require.NoError(t, err)
	second := witness.New(dir, cosigner, o.operator, "")
	// when the second asks while the first compares
	o.append("b")
	o.meanwhile = func() {
		o.cut(1)
		o.append("x")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = second.Cosign(ctx, "")
	}
	_, first := w.Cosign(t.Context(), "")
	// then it waits, and sees the fork afterwards
	require.NoError(t, first)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = second.Cosign(t.Context(), "")
	require.ErrorAs(t, err, new(*witness.ConflictError))
}

func TestCosign_refusesForksAndRollbacks(t *testing.T) {
	for name, row := range map[string]struct {
		misbehave func(*operator)
		want      any
	}{
		"the end is gone": {func(o *operator) { o.cut(2) }, new(*proof.RollbackError)},
		"another history of the same length": {func(o *operator) {
			o.cut(2)
			o.append("x")
		}, new(*proof.ForkError)},
		"another history that went on": {func(o *operator) {
			o.cut(1)
			o.append("x", "c", "d", "e")
		}, new(*proof.ForkError)},
	} {
		t.Run(name, func(t *testing.T) {
			// given a party that has seen three events
			o := newOperator(t)
			o.append("a", "b", "c")
			w, dir, _ := party(t, o, "")
			_, err := w.Cosign(t.Context(), "")
			require.NoError(t, err)
			before, err := os.ReadFile(filepath.Join(dir, "milepost_test.checkpoint"))
			require.NoError(t, err)
			// when the ledger shows something else
			row.misbehave(o)
			_, err = w.Cosign(t.Context(), "")
			// then it is refused, nothing is handed in, and what was seen stays
			conflict := new(witness.ConflictError)
			require.ErrorAs(t, err, &conflict)
			require.ErrorAs(t, err, row.want)
			require.Len(t, o.handed, 1)
			after, err := os.ReadFile(filepath.Join(dir, "milepost_test.checkpoint"))
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			// and both checkpoints are there, each signed by the ledger
			verifiers, err := proof.Verifiers(o.keys...)
			require.NoError(t, err)
			require.Len(t, conflict.Files, 2)
			for _, file := range conflict.Files {
				msg, err := os.ReadFile(file)
				require.NoError(t, err)
				_, err = proof.Open(msg, verifiers)
				require.NoError(t, err)
			}
			// and it is refused again
			_, err = w.Cosign(t.Context(), "")
			require.ErrorAs(t, err, &conflict)
		})
	}
}

// elsewhere shows the tree of another agreement than it is asked for.
type elsewhere struct{ *operator }

func (e elsewhere) Grown(ctx context.Context, _ string, from uint64) ([]byte, tlog.TreeProof, error) {
	return e.operator.Grown(ctx, "other", from)
}

func TestCosign_anotherTree(t *testing.T) {
	o := elsewhere{newOperator(t)}
	o.append("a")
	w, _, _ := party(t, o, "")
	_, err := w.Cosign(t.Context(), "wuxi")
	conflict := new(witness.ConflictError)
	require.ErrorAs(t, err, &conflict)
	require.ErrorContains(t, err, "the checkpoint is of milepost/test/other, not of milepost/test/wuxi")
	require.Len(t, conflict.Files, 1, "nothing was seen before")
	require.Contains(t, err.Error(), conflict.Files[0])
	require.Empty(t, o.handed)
}

func TestCosign_keys(t *testing.T) {
	t.Run("a rotation is followed", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, o.key.Public)
		_, err := w.Cosign(t.Context(), "")
		require.NoError(t, err)
		o.append("b")
		o.rotate()
		o.rotate()
		c, err := w.Cosign(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, uint64(1), c.Before)
	})
	t.Run("not back to a key that was given up", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, o.key.Public)
		old := o.key
		o.rotate()
		_, err := w.Cosign(t.Context(), "")
		require.NoError(t, err)
		// when somebody goes on with the old one
		o.append("b")
		o.key = old
		_, err = w.Cosign(t.Context(), "")
		require.ErrorAs(t, err, new(*witness.KeyError))
		require.Len(t, o.handed, 1)
	})
	t.Run("another key is not", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, "")
		_, err := w.Cosign(t.Context(), "")
		require.NoError(t, err)
		other := newOperator(t)
		o.key, o.keys = other.key, other.keys
		_, err = w.Cosign(t.Context(), "")
		require.ErrorAs(t, err, new(*witness.KeyError))
		require.Len(t, o.handed, 1)
	})
	t.Run("the one that was given counts from the first time", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, newOperator(t).key.Public)
		_, err := w.Cosign(t.Context(), "")
		require.ErrorAs(t, err, new(*witness.KeyError))
		require.Empty(t, o.handed)
	})
	t.Run("a rotation that the old key did not sign", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, o.key.Public)
		o.rotate()
		o.rotations[0].Statement = "milepost/key-rotation/v1\n"
		_, err := w.Cosign(t.Context(), "")
		require.ErrorAs(t, err, new(*signing.ChainError))
	})
	t.Run("a checkpoint that nobody signed", func(t *testing.T) {
		o := newOperator(t)
		o.append("a")
		w, _, _ := party(t, o, o.key.Public)
		o.key = newOperator(t).key
		_, err := w.Cosign(t.Context(), "")
		require.ErrorAs(t, err, new(*proof.UnsignedError))
	})
}
