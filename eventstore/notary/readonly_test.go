package notary_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

var errCopy = errors.New("a copy")

func (r *rig) readOnly(o *notary.Options) {
	o.Secret, o.Former, o.ReadOnly = "", []string{r.public}, errCopy
}

// The notary of a copy has no key: it shows what the origin signed, and nothing
// else.
func TestReadOnly_showsWhatWasSigned(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.append("a", "a", "-")
	_, err := r.notary(r.readOnly).Checkpoint(ctx, "")
	require.ErrorIs(t, err, errCopy, "nothing was signed")

	signed := r.checkpoint(r.notary(), "")
	r.append("a")
	n := r.notary(r.readOnly)
	shown, err := n.Checkpoint(ctx, "")
	require.NoError(t, err)
	assert.Equal(t, string(signed.Note), string(shown.Note), "as far as it was signed")
	_, err = n.Checkpoint(ctx, "a")
	assert.ErrorIs(t, err, errCopy)
	p := newParty(t, "city")
	_, err = n.Cosign(ctx, p.sign(t, signed))
	assert.ErrorIs(t, err, errCopy)
	assert.Equal(t, []string{r.public}, n.Keys())
	assert.Len(t, n.Kept(""), 1)

	// It has nothing to complain of, running.
	running, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	fast := r.notary(r.readOnly, func(o *notary.Options) { o.Every, o.Dir = time.Millisecond, t.TempDir() })
	require.NoError(t, fast.Run(running))
	assert.NoError(t, fast.Err())
}

// A copy may be behind what was signed, but not other than that.
func TestReadOnly_comparesTheCopy(t *testing.T) {
	r := newRig(t)
	r.append("a", "a", "-")
	r.checkpoint(r.notary(), "")
	r.rewrite(func(list []eventstore.Record) []eventstore.Record { return list[:2] })
	r.notary(r.readOnly) // behind
	_, err := r.tryNotary()
	refused(t, err)

	r = newRig(t)
	r.append("a", "a", "-")
	r.checkpoint(r.notary(), "")
	r.rewrite(func(list []eventstore.Record) []eventstore.Record {
		list[1].Data = append(list[1].Data, ' ')
		return list
	})
	_, err = r.tryNotary(r.readOnly)
	refused(t, err)
}
