package eventstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

const (
	workDir    = "rewriting"               // where Rewrite works; what is left of one is worth nothing
	nextDir    = "jetstream-rewritten"     // the new log, whole, before it takes its place
	formerDir  = "jetstream-before-repair" // with the time: the log that was replaced
	formerTime = "20060102T150405Z"
)

// Rewrite makes the log in cfg.Dir anew, for a log that was damaged: it has
// exactly the records that records returns, at sequences 1, 2 and so on, with the
// settings of the stream, what is recorded with it, and the evidence, as they
// were. It is the one thing that makes a log anew, and no store may be open.
//
// records is called once with a copy of the present log, and may read that until
// its sequence has ended; where it returns no sequence, or an error, nothing is
// changed. The sequences must be 1, 2 and so on, else the error is a *GapError.
// An append may have had other boundaries than the new batches have. Message ids,
// the times of storing and the consumers that others made are not carried over.
//
// The present log stays beside the new one, in the directory that is returned:
// jetstream-before-repair-<time>. The new one is made in a directory of its own,
// read again and compared, and on disk before anything is renamed. At whatever
// point this is interrupted, the next Open finds the one log or the other, whole:
//
//  1. the new log becomes jetstream-rewritten: Open takes the present one, and
//     removes the new one
//  2. jetstream becomes jetstream-before-repair-<time>: Open finds no log, and
//     does the third step
//  3. jetstream-rewritten becomes jetstream
func Rewrite(ctx context.Context, cfg Config, records func(present *Store) (iter.Seq2[Record, error], error)) (former string, err error) {
	if cfg.URL != "" {
		return "", errors.New("eventstore: only an embedded log can be made anew")
	}
	holder, err := newStore(cfg)
	if err != nil {
		return "", err
	}
	if err := holder.takeLock(ctx); err != nil {
		return "", errors.Join(err, holder.release())
	}
	defer func() { err = errors.Join(err, settleRewrite(cfg.Dir), holder.release()) }()
	work := filepath.Join(cfg.Dir, workDir)
	if err := os.MkdirAll(work, 0o750); err != nil {
		return "", fmt.Errorf("eventstore: make the log anew: %w", err)
	}
	present, err := OpenCopy(ctx, cfg, work)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, present.Close()) }()
	want, err := records(present)
	if err != nil || want == nil {
		return "", err
	}
	if err := makeLog(ctx, present, cfg, work, want); err != nil {
		return "", fmt.Errorf("eventstore: make the log anew: %w", err)
	}
	former = filepath.Join(cfg.Dir, formerDir+"-"+time.Now().UTC().Format(formerTime))
	for _, step := range swap(cfg.Dir, former) {
		if err := step(); err != nil {
			return "", fmt.Errorf("eventstore: put the new log in its place: %w", err)
		}
	}
	return former, nil
}

// makeLog makes a log of records below work, with all else as present has it.
func makeLog(ctx context.Context, present *Store, cfg Config, work string, records iter.Seq2[Record, error]) (err error) {
	if err := copyStreams(ctx, cfg.Dir, work, present.stream); err != nil {
		return err
	}
	cfg.Dir, cfg.Timezone, cfg.Key = work, present.timezone, present.key
	s, err := newStore(cfg)
	if err != nil {
		return err
	}
	s.metadata = present.metadata
	if err := s.start(ctx); err != nil {
		return err
	}
	sums, err := s.fill(ctx, records)
	if err == nil {
		err = s.compare(ctx, sums)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	return syncAll(filepath.Join(work, storeDir))
}

// fill appends records to an empty log, in batches, and returns a hash of each.
func (s *Store) fill(ctx context.Context, records iter.Seq2[Record, error]) (sums [][sha256.Size]byte, err error) {
	var batch []Message
	size, tips := 0, map[string]uint64{}
	write := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := s.Append(ctx, batch)
		batch, size = nil, 0 // what was sent belongs to the store
		return err
	}
	for rec, err := range records {
		if err != nil {
			return nil, err
		}
		seq := uint64(len(sums)) + 1
		if rec.Seq != seq {
			return nil, &GapError{Want: seq, Got: rec.Seq}
		}
		if len(batch) == MaxMessages || size+len(rec.Data) > maxBatchBytes {
			if err := write(); err != nil {
				return nil, err
			}
		}
		batch = append(batch, Message{Subject: rec.Subject, Data: rec.Data, Expect: tips[rec.Subject]})
		size += len(rec.Data)
		tips[rec.Subject] = seq
		sums = append(sums, sumOf(rec))
	}
	return sums, write()
}

// compare reads the log, and holds it against the hashes of what was meant.
func (s *Store) compare(ctx context.Context, sums [][sha256.Size]byte) error {
	n := 0
	for rec, err := range s.Read(ctx, 1, 0, "") {
		if err != nil {
			return err
		}
		if n == len(sums) || sumOf(rec) != sums[n] {
			return fmt.Errorf("sequence %d was not written as it is", rec.Seq)
		}
		n++
	}
	if n < len(sums) {
		return fmt.Errorf("only %d of %d records were written", n, len(sums))
	}
	return nil
}

// sumOf is a hash of what a record is; no subject has a line end.
func sumOf(rec Record) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s\n%s", rec.Seq, rec.Subject, rec.Data))
}

// swap is the steps by which the log below the work directory takes the place of
// the present one. Each is on disk before the next.
func swap(dir, former string) []func() error {
	rename := func(from, to string) func() error {
		return func() error {
			if err := os.Rename(from, to); err != nil {
				return err
			}
			return durable.SyncDir(dir)
		}
	}
	present, next := filepath.Join(dir, storeDir), filepath.Join(dir, nextDir)
	return []func() error{
		rename(filepath.Join(dir, workDir, storeDir), next),
		rename(present, former),
		rename(next, present),
	}
}

// settleRewrite ends a Rewrite that was interrupted, or has failed: where there
// is no log any more, the new one takes its place, and else the present one
// stays. The directory is locked.
func settleRewrite(dir string) error {
	present, next := filepath.Join(dir, storeDir), filepath.Join(dir, nextDir)
	if _, err := os.Stat(present); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(next, present); err == nil {
			if err := durable.SyncDir(dir); err != nil {
				return fmt.Errorf("eventstore: finish a repair: %w", err)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("eventstore: finish a repair: %w", err)
		}
	}
	for _, left := range []string{next, filepath.Join(dir, workDir)} {
		if err := errors.Join(forgetStaged(left), os.RemoveAll(left)); err != nil {
			return fmt.Errorf("eventstore: remove what a repair left: %w", err)
		}
	}
	return nil
}
