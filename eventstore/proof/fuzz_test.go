package proof_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Whatever a proof file has in it, it is refused, or read as what it says and no
// more: written again it is the same file. Nothing in it verifies but what was signed.
func FuzzProof(f *testing.F) {
	secret, public, err := proof.NewKey(bytes.NewReader(bytes.Repeat([]byte{1}, 64)), "milepost/test")
	require.NoError(f, err)
	signer, err := note.NewSigner(secret)
	require.NoError(f, err)
	keys, err := proof.Verifiers(public)
	require.NoError(f, err)
	event := []byte(`{"specversion":"1.0"}`)
	signed, err := proof.Checkpoint{Origin: "milepost/test", Size: 1, Root: tlog.RecordHash(event)}.Sign(signer)
	require.NoError(f, err)
	good := proof.File{Event: event, Checkpoint: signed}
	f.Add(good.Marshal())
	f.Add(proof.File{Event: []byte("another"), Index: 3, Hashes: tlog.RecordProof{{1}, {2}}, Checkpoint: signed}.Marshal())
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra \nindex 18446744073709551615\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := proof.Parse(b)
		if err != nil {
			require.ErrorIs(t, err, proof.ErrNotAProof)
			return
		}
		again, err := proof.Parse(file.Marshal())
		require.NoError(t, err)
		assert.Equal(t, file, again)
		if _, err := file.Verify(keys); err == nil {
			assert.Equal(t, event, file.Event, "nothing else was signed")
		}
	})
}

// Whatever is given as a checkpoint is refused, or signed by the key that it is
// opened with, for what it was signed for.
func FuzzCheckpoint(f *testing.F) {
	secret, public, err := proof.NewKey(bytes.NewReader(bytes.Repeat([]byte{1}, 64)), "milepost/test")
	require.NoError(f, err)
	signer, err := note.NewSigner(secret)
	require.NoError(f, err)
	keys, err := proof.Verifiers(public)
	require.NoError(f, err)
	of := proof.Checkpoint{Origin: "milepost/test", Size: 7, Root: tlog.Hash{1}}
	signed, err := of.Sign(signer)
	require.NoError(f, err)
	f.Add(signed)
	f.Add(proof.WithLines(signed, "— other AAAAAA=="))
	f.Add([]byte("milepost/test\n7\n\n\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		s, err := proof.Open(msg, keys)
		if err == nil {
			assert.Equal(t, of.Text(), s.Text(), "nothing else was signed")
		}
	})
}
