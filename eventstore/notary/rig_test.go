package notary_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// rig is a ledger's log in a directory, with the key of the ledger.
type rig struct {
	t       testing.TB
	cfg     eventstore.Config
	secret  string
	public  string
	store   *eventstore.Store // nil while it is closed
	notes   string            // directory of the checkpoints
	tips    map[string]uint64 // last sequence of each subject
	appends int
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, cfg: eventstore.Config{Dir: filepath.Join(dir, "data"), Ledger: "main"}, notes: filepath.Join(dir, "notes"), tips: map[string]uint64{}}
	r.secret, r.public = newKey(t, "milepost/main")
	t.Cleanup(r.close)
	return r
}

func newKey(t testing.TB, name string) (secret, public string) {
	t.Helper()
	secret, public, err := proof.NewKey(rand.Reader, name)
	require.NoError(t, err)
	return secret, public
}

func (r *rig) open() *eventstore.Store {
	r.t.Helper()
	if r.store == nil {
		s, err := eventstore.Open(context.Background(), r.cfg)
		require.NoError(r.t, err)
		r.store = s
	}
	return r.store
}

func (r *rig) close() {
	if r.store != nil {
		assert.NoError(r.t, r.store.Close())
		r.store = nil
	}
}

// append writes an event of each of the agreements, "-" for the whole ledger, in
// one append.
func (r *rig) append(agreements ...string) {
	r.t.Helper()
	var msgs []eventstore.Message
	for _, a := range agreements {
		r.appends++
		subject := eventstore.Subject("main", a, "project", "p")
		msgs = append(msgs, eventstore.Message{Subject: subject, Expect: r.tips[subject], Data: fmt.Appendf(nil, `{"n":%d,"of":%q}`, r.appends, a)})
	}
	first, err := r.open().Append(context.Background(), msgs)
	require.NoError(r.t, err)
	for i, m := range msgs {
		r.tips[m.Subject] = first + uint64(i)
	}
}

// records reads the log.
func (r *rig) records() (list []eventstore.Record) {
	r.t.Helper()
	for rec, err := range r.open().Read(context.Background(), 1, 0, "") {
		require.NoError(r.t, err)
		list = append(list, rec)
	}
	return list
}

// rewrite makes the log one of what change returns, with sequences from 1 on and
// checksums that are right.
func (r *rig) rewrite(change func([]eventstore.Record) []eventstore.Record) {
	r.t.Helper()
	r.close()
	_, err := eventstore.Rewrite(context.Background(), r.cfg, func(present *eventstore.Store) (iter.Seq2[eventstore.Record, error], error) {
		var list []eventstore.Record
		for rec, err := range present.Read(context.Background(), 1, 0, "") {
			if err != nil {
				return nil, err
			}
			list = append(list, rec)
		}
		list = change(list)
		return func(yield func(eventstore.Record, error) bool) {
			for i, rec := range list {
				rec.Seq = uint64(i) + 1
				if !yield(rec, nil) {
					return
				}
			}
		}, nil
	})
	require.NoError(r.t, err)
}

func (r *rig) options() notary.Options {
	return notary.Options{Dir: r.notes, Ledger: "main", Secret: r.secret}
}

// notary opens one that must agree.
func (r *rig) notary(change ...func(*notary.Options)) *notary.Notary {
	r.t.Helper()
	n, err := r.tryNotary(change...)
	require.NoError(r.t, err)
	return n
}

func (r *rig) tryNotary(change ...func(*notary.Options)) (*notary.Notary, error) {
	opts := r.options()
	for _, c := range change {
		c(&opts)
	}
	return notary.Open(context.Background(), r.open(), opts)
}

func (r *rig) checkpoint(n *notary.Notary, agreement string) proof.Signed {
	r.t.Helper()
	s, err := n.Checkpoint(context.Background(), agreement)
	require.NoError(r.t, err)
	return s
}

// party is a witness.
type party struct {
	*proof.Cosigner
	at time.Time
}

func newParty(t testing.TB, name string) *party {
	t.Helper()
	secret, _ := newKey(t, name)
	p := &party{at: time.Date(2026, 11, 28, 9, 30, 0, 0, time.UTC)}
	var err error
	p.Cosigner, err = proof.NewCosigner(secret, func() time.Time { return p.at })
	require.NoError(t, err)
	return p
}

// sign countersigns a checkpoint, a minute after the one before.
func (p *party) sign(t testing.TB, s proof.Signed) []byte {
	t.Helper()
	p.at = p.at.Add(time.Minute)
	msg, err := p.Cosign(s)
	require.NoError(t, err)
	return msg
}

// files are the names of all that is in the directory of the checkpoints.
func (r *rig) files() (names []string) {
	r.t.Helper()
	list, err := filepath.Glob(filepath.Join(r.notes, "*", "*"))
	require.NoError(r.t, err)
	for _, f := range list {
		rel, err := filepath.Rel(r.notes, f)
		require.NoError(r.t, err)
		names = append(names, rel)
	}
	return names
}

func (r *rig) file(tree string, size int) string {
	return filepath.Join(r.notes, tree, fmt.Sprintf("%020d.checkpoint", size))
}

// signNote writes a checkpoint that was made with any key.
func (r *rig) signNote(file string, c proof.Checkpoint, secret string) {
	r.t.Helper()
	signer, err := note.NewSigner(secret)
	require.NoError(r.t, err)
	msg, err := c.Sign(signer)
	require.NoError(r.t, err)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(r.t, os.WriteFile(file, msg, 0o600))
}

// index is made from a log that nobody tampered with.
type index struct {
	leaves []tlog.Hash
	of     []string // agreement
}

func indexOf(records []eventstore.Record) index {
	var x index
	for _, rec := range records {
		_, agreement, _, _, err := eventstore.ParseSubject(rec.Subject)
		if err != nil {
			panic(err) // of the test itself
		}
		x.leaves, x.of = append(x.leaves, tlog.RecordHash(rec.Data)), append(x.of, agreement)
	}
	return x
}

func with(x notary.Index) func(*notary.Options) { return func(o *notary.Options) { o.Index = x } }

func (x index) Leaves(_ context.Context, from, to uint64) ([]tlog.Hash, error) {
	if to > uint64(len(x.leaves)) {
		return nil, errors.New("the index does not go so far")
	}
	return x.leaves[from-1 : to], nil
}

// TreeRoot computes the root with golang.org/x/mod's stored hashes.
func (x index) TreeRoot(_ context.Context, agreement string, size uint64) (tlog.Hash, error) {
	t := x.tree(agreement)
	if size > uint64(t.size) {
		return tlog.Hash{}, errors.New("the index does not go so far")
	}
	if size == 0 {
		return proof.EmptyRoot, nil
	}
	return tlog.TreeHash(int64(size), t)
}

// tree has the stored hashes of a tree.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, x := range at {
		list[i] = t.hashes[x]
	}
	return list, nil
}

func (x index) tree(agreement string) *tree {
	t := &tree{}
	for i, leaf := range x.leaves {
		if agreement != "" && x.of[i] != agreement {
			continue
		}
		more, err := tlog.StoredHashesForRecordHash(t.size, leaf, t)
		if err != nil {
			panic(err) // of the test itself
		}
		t.hashes, t.size = append(t.hashes, more...), t.size+1
	}
	return t
}

// sizes are those of checkpoints.
func sizes(list []proof.Signed) (n []uint64) {
	for _, s := range list {
		n = append(n, s.Size)
	}
	return n
}

func changed(s string, from, to string) []byte { return []byte(strings.Replace(s, from, to, 1)) }

func without(list []eventstore.Record, i int) []eventstore.Record { return slices.Delete(list, i, i+1) }
