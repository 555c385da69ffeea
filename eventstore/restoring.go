package eventstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Restoring is a ledger that Restore makes. It belongs to one goroutine.
type Restoring struct {
	cfg     Config
	store   *Store
	begun   bool   // there may be something on an external server that does not count yet
	lost    bool   // the connection to it, when that was to be undone
	next    uint64 // sequence
	batch   batchCheck
	held    []*nats.Msg // of a batch that has not ended: the server waits for the rest only so long
	waiting []awaited
	flying  int // bytes of waiting

	// Of a replicated stream the server answers for a record a moment before it takes
	// another that expects something of its subject.
	acked awaited           // the last that was answered
	free  uint64            // up to this sequence no subject is taken any more
	taken map[string]uint64 // the last record of each subject beyond that; nil where it does not matter
}

// newRestoring is one that is made in a directory of its own, in that of the ledger.
func newRestoring(cfg Config) *Restoring {
	r := &Restoring{next: 1, cfg: Config{
		Dir: filepath.Join(cfg.Dir, restoringDir), URL: cfg.URL, Creds: cfg.Creds, Replicas: cfg.Replicas, Logger: cfg.Logger, restored: true,
	}}
	if cfg.URL != "" {
		r.cfg.mark = rand.Text()
	}
	return r
}

// awaited is a record that was sent, with its batch, and is not known to be stored.
type awaited struct {
	seq      uint64
	bytes    int
	subjects []string
	ack      jetstream.PubAckFuture
}

// How much may be under way to the server: so many batches, or records in none,
// and so many bytes beside the last of them.
const (
	restoreAhead      = 256
	restoreAheadBytes = 16 << 20
)

// noDuplicates is the shortest time that a server can remember message ids for:
// those of a backup are in the log once, as it was.
const noDuplicates = 100 * time.Millisecond

// Dir is where files that belong to the data directory go.
func (r *Restoring) Dir() string { return r.cfg.Dir }

// Begin makes the empty log of a ledger, and records with it what the former one
// had, as [Store.Metadata] told it.
func (r *Restoring) Begin(ctx context.Context, ledger string, metadata map[string]string) error {
	r.cfg.Ledger = ledger
	s, err := newStore(r.cfg)
	if err != nil {
		return err
	}
	s.metadata = metadata
	err = s.start(ctx)
	r.begun = s.claimed
	if err != nil {
		return err
	}
	r.store = s
	if err := r.writeNote(); err != nil {
		return err
	}
	if s.replicas > 1 {
		r.taken = map[string]uint64{}
	}
	return r.answered(ctx)
}

// Append adds records at the sequences that they had, with the subjects, headers
// and bytes that they had, which ReadStored told. The server checks once more what
// the headers say was expected, and whether batches are whole. The time of storing
// is the server's to say, and is now.
func (r *Restoring) Append(ctx context.Context, records []Record) error {
	for _, rec := range records {
		if rec.Seq != r.next {
			return &GapError{Want: r.next, Got: rec.Seq}
		}
		if err := checkSubject(r.cfg.Ledger, rec.Subject); err != nil {
			return err
		}
		if err := r.batch.check(rec.Seq, placeOf(rec.Headers)); err != nil {
			return err
		}
		r.next++
		r.held = append(r.held, &nats.Msg{Subject: rec.Subject, Header: rec.Headers, Data: rec.Data})
		if r.batch.open() != "" {
			continue
		}
		taken, err := r.awaitSubjects(ctx)
		if err != nil {
			return err
		}
		if taken {
			err = r.sendUntilTaken(ctx, rec.Seq)
		} else if err = r.send(rec.Seq); err == nil {
			err = r.await(ctx, restoreAhead, restoreAheadBytes)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// send sends what is held: a batch, or a record in none, whose last has a sequence.
func (r *Restoring) send(seq uint64) error {
	size, last := 0, len(r.held)-1
	for _, msg := range r.held {
		size += len(msg.Data) + msgOverhead
	}
	for _, msg := range r.held[:last] { // the answer comes to the last
		if err := r.store.read.PublishMsg(msg); err != nil {
			return fmt.Errorf("eventstore: restore sequence %d: %w", seq, err)
		}
	}
	ack, err := r.store.js.PublishMsgAsync(r.held[last])
	if err != nil {
		return fmt.Errorf("eventstore: restore sequence %d: %w", seq, err)
	}
	w := awaited{seq: seq, bytes: size, ack: ack}
	if r.taken != nil {
		for _, msg := range r.held {
			w.subjects = append(w.subjects, msg.Subject)
			r.taken[msg.Subject] = seq
		}
	}
	r.held = nil
	r.waiting, r.flying = append(r.waiting, w), r.flying+size
	return nil
}

// awaitSubjects waits until the subjects of what is held are free. It reports whether one
// may still be taken: then nothing is under way.
func (r *Restoring) awaitSubjects(ctx context.Context) (taken bool, err error) {
	upTo := uint64(0)
	for _, msg := range r.held {
		upTo = max(upTo, r.taken[msg.Subject])
	}
	for upTo > r.free && len(r.waiting) > 0 {
		if err := r.await(ctx, len(r.waiting)-1, r.flying); err != nil {
			return true, err
		}
	}
	return upTo > r.free, nil
}

// sendUntilTaken sends what is held, and waits for the answer: while its subject is
// taken the server refuses it, and nothing comes in its place, for nothing else is sent.
func (r *Restoring) sendUntilTaken(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ackTimeout, ErrUnavailable)
	defer cancel()
	for held := r.held; ; r.held = held {
		err := r.send(seq)
		if err == nil {
			err = r.await(ctx, 0, 0)
		}
		if apiCode(err) != codeWrongLastSequenceBusy {
			return err
		}
		if err := confirmPaused(ctx); err != nil {
			return fmt.Errorf("eventstore: restore sequence %d: %w", seq, err)
		}
	}
}

// await waits until no more than so much is under way.
func (r *Restoring) await(ctx context.Context, most, bytes int) error {
	for len(r.waiting) > most || r.flying > bytes {
		w := r.waiting[0]
		r.waiting, r.flying = r.waiting[1:], r.flying-w.bytes
		var err error
		select {
		case ack := <-w.ack.Ok():
			if ack.Sequence != w.seq || ack.Duplicate {
				err = &GapError{Want: w.seq, Got: ack.Sequence}
			}
		case err = <-w.ack.Err():
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(ackTimeout):
			err = ErrUnavailable
		}
		if err != nil {
			return fmt.Errorf("eventstore: restore sequence %d: %w", w.seq, err)
		}
		for _, subject := range r.acked.subjects { // the server has gone on since
			if r.taken[subject] == r.acked.seq {
				delete(r.taken, subject)
			}
		}
		r.free, r.acked = r.acked.seq, w
	}
	return nil
}

// PutEvidence stores evidence, which must have that hash.
func (r *Restoring) PutEvidence(ctx context.Context, body io.Reader, hash string) error {
	_, err := r.store.PutEvidence(ctx, body, hash)
	return err
}

// Finish waits until all records are in the log, gives it the settings that a
// ledger's has, and returns it for reading; an embedded one is opened anew: what is read
// then was written, and is not what the server remembers. Nothing may be appended
// afterwards.
func (r *Restoring) Finish(ctx context.Context) (*Store, error) {
	if err := r.await(ctx, 0, 0); err != nil {
		return nil, err
	}
	if id := r.batch.open(); id != "" {
		return nil, &TornBatchError{Batch: id, Seq: r.next - 1}
	}
	if err := r.store.updateLog(ctx, func(cfg *jetstream.StreamConfig) (bool, error) {
		cfg.Duplicates = DuplicateWindow
		return true, nil
	}); err != nil {
		return nil, fmt.Errorf("eventstore: finish the restored log: %w", err)
	}
	if r.cfg.mark != "" {
		return r.store, nil
	}
	if err := r.close(); err != nil {
		return nil, err
	}
	s, err := newStore(r.cfg)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.store = s
	return s, nil
}

// answered returns when the server has worked off what it was sent. In a cluster one
// says that a stream is made before all others know who takes its records.
func (r *Restoring) answered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	msg := &nats.Msg{Subject: Subject(r.cfg.Ledger, LedgerWide, "restore", "end")}
	_, err := r.store.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequence(math.MaxInt64), // is refused, after all others
		jetstream.WithRetryAttempts(int(ackTimeout/electionPause)), jetstream.WithRetryWait(electionPause))
	if isConflict(err) {
		return nil
	}
	return fmt.Errorf("eventstore: restore: %w", r.store.readError(err))
}
