package notary_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func TestCheckpoint(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	n := r.notary()

	// given an empty log, its tree is signed and that of an agreement is not
	empty := r.checkpoint(n, "")
	assert.Equal(t, proof.Checkpoint{Origin: "milepost/main", Root: proof.EmptyRoot}, empty.Checkpoint)
	_, err := n.Checkpoint(ctx, "a")
	require.ErrorIs(t, err, notary.ErrNoTree)

	// when events come, then the trees are of them, signed with the ledger's key, and on disk
	r.append("-", "a", "b")
	r.append("a")
	x := indexOf(r.records())
	for agreement, size := range map[string]uint64{"": 4, "a": 2, "b": 1} {
		s := r.checkpoint(n, agreement)
		root, err := x.TreeRoot(ctx, agreement, size)
		require.NoError(t, err)
		assert.Equal(t, proof.Checkpoint{Origin: proof.Origin("main", agreement), Size: size, Root: root}, s.Checkpoint)
		v, err := note.NewVerifier(r.public)
		require.NoError(t, err)
		_, err = note.Open(s.Note, note.VerifierList(v))
		require.NoError(t, err)
		again := r.checkpoint(n, agreement)
		assert.Equal(t, string(s.Note), string(again.Note))
	}
	assert.Equal(t, uint64(4), n.Size())
	want := []string{
		"agreement-a/00000000000000000002.checkpoint",
		"agreement-b/00000000000000000001.checkpoint",
		"ledger/00000000000000000004.checkpoint",
	}
	assert.Equal(t, want, r.files(), "one that nobody countersigned makes place for the next")

	// and after a restart it goes on from there
	r.close()
	n = r.notary()
	assert.Equal(t, []uint64{4}, sizes(n.Kept("")))
	assert.Equal(t, []string{r.public}, n.Keys())
	r.append("b")
	assert.Equal(t, uint64(5), r.checkpoint(n, "").Size)
	assert.Equal(t, uint64(2), r.checkpoint(n, "b").Size)
	require.NoError(t, n.Err())
}

func TestKept_newestAndEachWitnessesNewest(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	wuxi, dutch := newParty(t, "wuxi.example/witness"), newParty(t, "dutch.example/witness")
	r.append("a")
	n := r.notary(func(o *notary.Options) { o.Index = &live{r} })
	for i, signs := range [][]*party{{wuxi}, {wuxi, dutch}, {}, {dutch}, {}, {}} {
		s := r.checkpoint(n, "")
		for _, p := range signs {
			_, err := n.Cosign(ctx, p.sign(t, s), wuxi.Witness, dutch.Witness)
			require.NoError(t, err)
		}
		assert.Equal(t, [][]uint64{{1}, {2}, {2, 3}, {2, 4}, {2, 4, 5}, {2, 4, 6}}[i], sizes(n.Kept("")))
		r.append("a")
	}
	assert.Equal(t, []string{
		"ledger/00000000000000000002.checkpoint", "ledger/00000000000000000004.checkpoint", "ledger/00000000000000000006.checkpoint",
	}, r.files())

	// a countersignature of an older tree, that was not kept, is kept
	root, err := (&live{r}).TreeRoot(ctx, "", 5)
	require.NoError(t, err)
	five := r.forge(proof.Checkpoint{Origin: "milepost/main", Size: 5, Root: root})
	_, err = n.Cosign(ctx, wuxi.sign(t, five), wuxi.Witness)
	require.NoError(t, err)
	assert.Equal(t, []uint64{4, 5, 6}, sizes(n.Kept("")))
	r.close()
	assert.Equal(t, []uint64{4, 5, 6}, sizes(r.notary().Kept("")))
}

// live is an index of the log as it is.
type live struct{ *rig }

func (l *live) Leaves(ctx context.Context, from, to uint64) ([]tlog.Hash, error) {
	return indexOf(l.records()).Leaves(ctx, from, to)
}

func (l *live) TreeRoot(ctx context.Context, agreement string, size uint64) (tlog.Hash, error) {
	return indexOf(l.records()).TreeRoot(ctx, agreement, size)
}

// forge signs any checkpoint with the ledger's key.
func (r *rig) forge(c proof.Checkpoint) proof.Signed {
	r.t.Helper()
	signer, err := note.NewSigner(r.secret)
	require.NoError(r.t, err)
	msg, err := c.Sign(signer)
	require.NoError(r.t, err)
	keys, err := proof.Verifiers(r.public)
	require.NoError(r.t, err)
	s, err := proof.Open(msg, keys)
	require.NoError(r.t, err)
	return s
}

// shorter is a log that sometimes ends before its end, as when an older copy of
// the disk was mounted for a while.
type shorter struct {
	notary.Log
	by uint64
}

func (s *shorter) Last(ctx context.Context) (uint64, error) {
	last, err := s.Log.Last(ctx)
	return last - s.by, err
}

func TestCheckpoint_onceTheLogWentBack(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.append("a", "a", "b")
	log := &shorter{Log: r.open()}
	n, err := notary.Open(ctx, log, r.options())
	require.NoError(t, err)
	s := r.checkpoint(n, "")
	// when the log has lost its end
	log.by = 1
	_, err = n.Checkpoint(ctx, "")
	bad := new(*notary.DisagreeError)
	require.ErrorAs(t, err, bad)
	require.Equal(t, uint64(3), (*bad).Until)
	// then nothing is signed, also when it seems to be there again
	log.by = 0
	_, again := n.Checkpoint(ctx, "")
	require.Equal(t, err, again)
	p := newParty(t, "wuxi.example/witness")
	_, again = n.Cosign(ctx, p.sign(t, s), p.Witness)
	require.Equal(t, err, again)
	require.Equal(t, err, n.Err())
}

func TestOpen_noteThatIsNone(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.append("a", "a")
	n := r.notary()
	s := r.checkpoint(n, "")
	r.checkpoint(n, "a")
	other, _ := newKey(t, "milepost/main")
	for name, spoil := range map[string]func(file string){
		"damaged": func(file string) {
			damaged := append([]byte{}, s.Note...)
			damaged[len(damaged)-20] ^= 1
			require.NoError(t, os.WriteFile(file, damaged, 0o600))
		},
		"cut":            func(file string) { require.NoError(t, os.Truncate(file, 30)) },
		"empty":          func(file string) { require.NoError(t, os.Truncate(file, 0)) },
		"by another key": func(file string) { r.signNote(file, s.Checkpoint, other) },
		"unsigned":       func(file string) { require.NoError(t, os.WriteFile(file, []byte(s.Text()), 0o600)) },
		"of another size": func(file string) {
			r.signNote(file, proof.Checkpoint{Origin: s.Origin, Size: 1, Root: s.Root}, r.secret)
		},
		"of another ledger": func(file string) { r.signNote(file, proof.Checkpoint{Origin: "milepost/x", Size: 2}, r.secret) },
		"of another tree":   func(file string) { r.signNote(file, proof.Checkpoint{Origin: "milepost/main/a", Size: 2}, r.secret) },
		"not a file": func(file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Mkdir(file, 0o750))
		},
	} {
		file := r.file("ledger", 2)
		spoil(file)
		_, err := r.tryNotary()
		bad := new(*notary.NoteError)
		require.ErrorAs(t, err, bad, name)
		assert.Equal(t, file, (*bad).File, name)
		require.NoError(t, os.RemoveAll(file))
		require.NoError(t, os.WriteFile(file, s.Note, 0o600))
	}
	_, err := notary.Open(ctx, r.open(), notary.Options{Dir: r.notes, Ledger: "main", Secret: "no key"})
	require.ErrorContains(t, err, "no signer key")
	require.NotContains(t, err.Error(), "no key\"")
	r.notary() // and as they were they are right
}

func TestOpen_interruptedWriteIsCleanedUp(t *testing.T) {
	r := newRig(t)
	r.append("a")
	r.checkpoint(r.notary(), "")
	left := filepath.Join(r.notes, "ledger", "."+filepath.Base(r.file("ledger", 2))+"-1234.part")
	require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))
	r.notary()
	assert.Equal(t, []string{"ledger/00000000000000000001.checkpoint"}, r.files())
}

func TestOpen_rotatedKey(t *testing.T) {
	r := newRig(t)
	r.append("a")
	p := newParty(t, "wuxi.example/witness")
	n := r.notary()
	_, err := n.Cosign(context.Background(), p.sign(t, r.checkpoint(n, "")), p.Witness)
	require.NoError(t, err)
	former := r.public
	r.secret, r.public = newKey(t, "milepost/main")

	// without the former key, what it signed is nobody's
	_, err = r.tryNotary()
	require.ErrorAs(t, err, new(*notary.NoteError))

	// with it, both are good, and the present one signs
	n = r.notary(func(o *notary.Options) { o.Former = []string{former} })
	assert.Equal(t, []string{former, r.public}, n.Keys())

	// and signs again what has not grown since, with what the parties signed of it
	was := n.Kept("")[0]
	now := r.checkpoint(n, "")
	keys, err := proof.Verifiers(r.public)
	require.NoError(t, err)
	opened, err := proof.Open(now.Note, keys, p.Witness)
	require.NoError(t, err, "whoever knows the present key alone reads it")
	assert.Equal(t, was.Checkpoint, opened.Checkpoint)
	assert.Len(t, opened.Cosignatures, 1)
	assert.Equal(t, string(now.Note), string(r.checkpoint(n, "").Note))
	r.append("a")
	s := r.checkpoint(n, "")
	require.Equal(t, []uint64{1, 2}, sizes(n.Kept("")))
	assert.NotEqual(t, was.Key, s.Key)
}

func TestNewest(t *testing.T) {
	r := newRig(t)
	r.append("a")
	_, err := notary.Newest(r.notes, "main", r.public)
	require.ErrorIs(t, err, fs.ErrNotExist)
	p := newParty(t, "wuxi.example/witness")
	n := r.notary()
	_, err = n.Cosign(context.Background(), p.sign(t, r.checkpoint(n, "")), p.Witness)
	require.NoError(t, err)
	for range 12 { // more digits
		r.append("a")
	}
	r.checkpoint(n, "a")
	s := r.checkpoint(n, "")
	got, err := notary.Newest(r.notes, "main", r.public)
	require.NoError(t, err)
	assert.Equal(t, s, got)

	_, other := newKey(t, "milepost/main")
	bad := new(*notary.NoteError)
	_, err = notary.Newest(r.notes, "main", other)
	require.ErrorAs(t, err, bad)
	assert.Equal(t, r.file("ledger", 13), (*bad).File)
}

// Given a notary that runs, then a checkpoint follows each event, and the scrub
// goes round.
func TestRun(t *testing.T) {
	r := newRig(t)
	r.append("a", "b")
	n := r.notary(func(o *notary.Options) {
		o.Every, o.ScrubRate, o.ScrubRest = time.Millisecond, 100_000, time.Millisecond
	})
	assert.Equal(t, notary.ScrubOff, n.Scrub().State)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	wait := func(what string, cond func() bool) {
		require.Eventually(t, cond, 20*time.Second, time.Millisecond, what)
	}
	wait("the first checkpoint", func() bool { return n.Size() == 2 })
	r.append("a")
	wait("the next", func() bool { return n.Size() == 3 })
	passes := n.Scrub().Passes
	wait("a pass over all of it", func() bool { return n.Scrub().Passes > passes+1 })
	assert.Equal(t, uint64(3), n.Scrub().Until)
	require.NoError(t, n.Err())
	cancel()
	require.NoError(t, <-ended)
}

// Given a notary that runs, when its checkpoints cannot be written, then it says
// so after a while, and no more when they can.
func TestRun_cannotSign(t *testing.T) {
	r := newRig(t)
	r.append("a")
	n := r.notary(func(o *notary.Options) { o.Every = time.Millisecond })
	require.NoError(t, os.WriteFile(r.notes, []byte("in the way"), 0o600)) // of the directory
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	require.Eventually(t, func() bool { return errors.As(n.Err(), new(*notary.SigningError)) }, 20*time.Second, time.Millisecond)
	require.ErrorContains(t, n.Err(), "no checkpoint could be signed since")
	require.NoError(t, os.Remove(r.notes))
	require.Eventually(t, func() bool { return n.Err() == nil && n.Size() == 1 }, 20*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

// Given a notary that runs, when the log is exchanged, then the scrub stops and
// says so.
func TestRun_tamperedWith(t *testing.T) {
	r, x, _ := told(t)
	log := &exchanged{now: r.open()}
	opts := r.options()
	opts.Index, opts.ScrubRate, opts.ScrubRest = x, 100_000, time.Millisecond
	n, err := notary.Open(context.Background(), log, opts)
	require.NoError(t, err)
	r.rewrite(func(l []eventstore.Record) []eventstore.Record {
		l[2].Data = []byte("{}")
		return l
	})
	log.mu.Lock()
	log.now = r.open()
	log.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	require.Eventually(t, func() bool { return n.Scrub().State == notary.ScrubFailed }, 20*time.Second, time.Millisecond)
	assert.Equal(t, uint64(3), refused(t, n.Err()).Seq)
	assert.Zero(t, n.Scrub().Passes)
	cancel()
	require.NoError(t, <-ended)
}
