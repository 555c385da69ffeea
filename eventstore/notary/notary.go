package notary

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Log is what is watched over; *eventstore.Store is one.
type Log interface {
	ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error]
	Last(ctx context.Context) (uint64, error)
}

// Index remembers the hashes of all records. Nothing that is signed comes from
// it: it says where a log differs, and of which tree an older checkpoint is.
type Index interface {
	// Leaves returns the leaf hashes of a range of sequences.
	Leaves(ctx context.Context, from, to uint64) ([]tlog.Hash, error)
	// TreeRoot returns the root that a tree had; agreement "" is the ledger's.
	TreeRoot(ctx context.Context, agreement string, size uint64) (tlog.Hash, error)
}

// Options of a notary.
type Options struct {
	Dir    string   // for the checkpoints; made if it is not there
	Ledger string   // name of the ledger
	Secret string   // the signer key, as proof.NewKey makes it
	Former []string // verifier keys that signed before it, the first one first
	// ReadOnly, if set, makes a notary that signs nothing and takes no
	// countersignature, and needs no Secret: it compares the log with what is in
	// Dir, and answers with this error where a signature is asked for that is not
	// there.
	ReadOnly error
	Index    Index
	Logger   *slog.Logger // nil discards

	Every     time.Duration // at most this long after a record it is in a checkpoint; 1 s when 0
	ScrubRate int           // records that the scrub reads in a second; 0 turns it off
	ScrubRest time.Duration // between two passes of the scrub; 10 min when 0

	// Patience is how long Open waits for the comparison of the whole log; 0 is until
	// its end. What takes longer goes on beside what the caller does.
	Patience time.Duration

	// Progress, if set, is called while Open reads the log.
	Progress func(done, total uint64)
}

// Notary signs and keeps checkpoints of one log. It is safe for use by many
// goroutines.
type Notary struct {
	log    Log
	opts   Options
	signer note.Signer
	keys   []string

	first *beginning
	mu    sync.Mutex // taken with lock
	trees *trees     // guarded by mu
	notes *notes     // written to with mu; read at any time

	// What is asked for while the log is being read, which may take long.
	disagree atomic.Pointer[DisagreeError] // the log went back on what was read
	failing  atomic.Pointer[SigningError]  // Run cannot sign

	scrub scrub
}

// Open reads the whole log, compares it with every checkpoint in opts.Dir, and
// returns a notary that goes on from there. The error is a *DisagreeError when
// the log is another one than was signed, a *NoteError when a checkpoint is not
// the ledger's. Where opts.Patience ended before, Run returns what is found.
func Open(ctx context.Context, log Log, opts Options) (*Notary, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Every <= 0 {
		opts.Every = time.Second
	}
	if opts.ScrubRest <= 0 {
		opts.ScrubRest = 10 * time.Minute
	}
	keys := append([]string{}, opts.Former...)
	var signer note.Signer
	if opts.ReadOnly == nil {
		var err error
		if signer, err = note.NewSigner(opts.Secret); err != nil {
			return nil, errors.New("notary: the ledger's key is no signer key") // which must not be in an error
		}
		present, err := proof.VerifierKey(opts.Secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, present)
	}
	verifiers, err := proof.Verifiers(keys...)
	if err != nil {
		return nil, err
	}
	n := &Notary{log: log, opts: opts, signer: signer, keys: keys}
	if n.notes, err = readNotes(opts.Dir, opts.Ledger, verifiers); err != nil {
		return nil, err
	}
	if err := n.begin(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// ErrNoTree: there is no agreement of that key in the log.
var ErrNoTree = errors.New("notary: no event of such an agreement is in the log")

// Keys are the verifier keys of the ledger, from the first to the present one.
func (n *Notary) Keys() []string { return n.keys }

// Checkpoint signs the tree of an agreement, or with "" that of the ledger, as
// it is at the end of the log, and returns it when it is on disk. One that is
// read only returns the newest that is kept.
func (n *Notary) Checkpoint(ctx context.Context, agreement string) (proof.Signed, error) {
	if err := n.lock(ctx); err != nil {
		return proof.Signed{}, err
	}
	defer n.mu.Unlock()
	if err := n.advance(ctx); err != nil {
		return proof.Signed{}, err
	}
	if agreement != "" && n.opts.ReadOnly == nil { // the ledger's goes as far as each: a start looks at that alone
		if _, err := n.sign(""); err != nil {
			return proof.Signed{}, err
		}
	}
	return n.sign(agreement)
}

// sign signs a tree as it was last read, with the present key. n.mu is held.
func (n *Notary) sign(agreement string) (proof.Signed, error) {
	f := n.trees.of(agreement)
	if agreement != "" && f.Size() == 0 {
		return proof.Signed{}, ErrNoTree
	}
	last, ok := n.notes.latest(agreement)
	switch {
	case n.opts.ReadOnly != nil && ok:
		return last, nil
	case n.opts.ReadOnly != nil:
		return last, n.opts.ReadOnly
	}
	same := ok && last.Size == f.Size()
	if same && last.Key == proof.KeyName(n.signer.Name(), n.signer.KeyHash()) {
		return last, nil
	}
	c := proof.Checkpoint{Origin: proof.Origin(n.opts.Ledger, agreement), Size: f.Size(), Root: f.Root()}
	msg, err := c.Sign(n.signer)
	if err != nil {
		return proof.Signed{}, err
	}
	if same { // by a key that was given up: what parties signed does not name it
		for _, line := range newestOfEach(last.Unverified) {
			msg = proof.WithLines(msg, line)
		}
	}
	return n.notes.put(agreement, msg)
}

// advance reads what the log has beyond the trees, and the last record before it
// again. n.mu is held. Once the log has turned out to be another one, nothing is
// signed any more.
func (n *Notary) advance(ctx context.Context) error {
	if d := n.disagree.Load(); d != nil {
		return d
	}
	last, err := n.log.Last(ctx)
	if err != nil {
		return fmt.Errorf("notary: %w", err)
	}
	read := n.trees.ledger.Size()
	if last < read {
		return n.wentBack(ctx, last+1, fmt.Sprintf("the log ends at sequence %d, and went on to %d before", last, read))
	}
	if last == read {
		return nil
	}
	for chunk, err := range n.log.ReadChunks(ctx, max(read, 1), last, "") {
		if err != nil {
			return fmt.Errorf("notary: read the log: %w", err)
		}
		if first := chunk[0]; first.Seq == read {
			if tlog.RecordHash(first.Data) != n.trees.last {
				return n.wentBack(ctx, read, "its bytes were others when they were read before")
			}
			chunk = chunk[1:]
		}
		for _, rec := range chunk {
			if _, err := n.trees.append(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// wentBack notes that the log is not what was read of it, up to until. n.mu is
// held.
func (n *Notary) wentBack(ctx context.Context, until uint64, what string) error {
	was := proof.Checkpoint{Origin: proof.Origin(n.opts.Ledger, ""), Size: n.trees.ledger.Size(), Root: n.trees.ledger.Root()}
	err := (&comparison{log: n.log, opts: &n.opts}).locate(ctx, was, until, what)
	if d := (*DisagreeError)(nil); errors.As(err, &d) {
		n.disagree.Store(d)
	}
	return err
}

// Kept returns the notes of all kept checkpoints of a tree by ascending size,
// with the countersignatures that were handed in.
func (n *Notary) Kept(agreement string) []proof.Signed {
	return n.notes.of(agreement) // never written to
}

// Size is how many records the newest checkpoint of the ledger covers.
func (n *Notary) Size() uint64 {
	last, _ := n.notes.latest("")
	return last.Size
}

// SigningError says that the end of the log has not been signed for a while: the
// checkpoints cannot be written, or the log cannot be read.
type SigningError struct {
	Since time.Time
	Err   error
}

func (e *SigningError) Error() string {
	return fmt.Sprintf("notary: no checkpoint could be signed since %s: %v", e.Since.UTC().Format(time.RFC3339), e.Err)
}

func (e *SigningError) Unwrap() error { return e.Err }

// failingGrace is how long Run may fail to sign before it is told: a log that is
// elsewhere is out of reach at times.
const failingGrace = 10 // times Options.Every

// Err is what is wrong, nil while all agrees: a *DisagreeError when the log is not
// what was signed, a *SigningError when Run has not been able to sign for a while.
// It never waits.
func (n *Notary) Err() error {
	if d := n.disagree.Load(); d != nil {
		return d
	}
	if err := n.Scrub().Err; err != nil {
		return err
	}
	if f := n.failing.Load(); f != nil && time.Since(f.Since) > failingGrace*n.opts.Every {
		return f
	}
	return nil
}
