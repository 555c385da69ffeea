package bundle_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
)

// Whatever is in a bundle, verifying says by a code what is wrong with it, or all of
// it holds; and no bundle holds but one with the events that were signed.
func FuzzBundle(f *testing.F) {
	good := story(f).bundled("")
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(edit(f, good, func(all []entry) []entry { return all[:len(all)-1] }))
	f.Add([]byte("no tar"))
	want := verify(f, good, bundle.Options{LedgerKey: ledgerKey.verifier()})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := bundle.Verify(t.Context(), bytes.NewReader(b), bundle.Options{LedgerKey: ledgerKey.verifier()})
		require.NoError(t, err, "what is wrong with it is in the report")
		if !r.OK {
			return
		}
		assert.Equal(t, want.Events, r.Events)
	})
}
