package eventstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go/jetstream"
)

// EvidenceDamagedError says that what is stored under a hash is not what the
// hash names. What a reader got of it before must not be used.
type EvidenceDamagedError struct {
	Hash   string
	Reason string
}

func (e *EvidenceDamagedError) Error() string {
	return fmt.Sprintf("eventstore: evidence %s is damaged: %s", e.Hash, e.Reason)
}

// EvidenceReader reads one piece of evidence. io.EOF after Size bytes means that
// they have the hash they were asked for by; whatever is wrong with them shows
// as an *EvidenceDamagedError before the last of them.
type EvidenceReader struct {
	Hash string
	Size int64 // bytes

	ctx     context.Context
	store   *Store
	subject string // of the chunks
	seq     uint64 // of the last chunk read
	rest    []byte // of it, not handed out yet
	left    int64  // bytes that are to come after rest
	digest  hash.Hash
	err     error
}

// Evidence opens the evidence of that hash for reading, one chunk in memory at a
// time. The context is of the reading too. ErrEvidenceNotFound means that there
// is none.
func (s *Store) Evidence(ctx context.Context, hash string) (*EvidenceReader, error) {
	if !validHash(hash) {
		return nil, ErrEvidenceNotFound
	}
	info, _, err := s.evidenceInfo(ctx, hash)
	if err != nil {
		return nil, err
	}
	return s.readEvidence(ctx, hash, info), nil
}

func (s *Store) readEvidence(ctx context.Context, hash string, info jetstream.ObjectInfo) *EvidenceReader {
	return &EvidenceReader{
		Hash: hash, Size: int64(info.Size),
		ctx: ctx, store: s, subject: s.evidenceBucket().chunks(info.NUID), left: int64(info.Size), digest: sha256.New(),
	}
}

// CheckEvidence reads a file to its end: nil when it is stored and whole, else as
// reading it fails, ErrEvidenceNotFound or an *EvidenceDamagedError. Of a copy that
// may not have got it yet, it says ErrUnavailable.
func (s *Store) CheckEvidence(ctx context.Context, hash string) error {
	file, err := s.Evidence(ctx, hash)
	if errors.Is(err, ErrEvidenceNotFound) && s.copyOf != "" {
		info, _, infoErr := s.streamInfo(ctx, s.evidenceBucket().stream())
		if infoErr == nil && info.Mirror != nil && info.Mirror.Lag > 0 {
			infoErr = fmt.Errorf("eventstore: evidence %s: %w: the origin has %d pieces more than the copy", hash, ErrUnavailable, info.Mirror.Lag)
		}
		if infoErr != nil {
			return infoErr
		}
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, file)
	return err
}

// lookAtEvidence says whether a file is stored and whole, and if not at which
// sequence it is described, 0 for nowhere.
func (s *Store) lookAtEvidence(ctx context.Context, hash string) (whole bool, described uint64, err error) {
	info, described, err := s.evidenceInfo(ctx, hash)
	switch {
	case errors.Is(err, ErrEvidenceNotFound): // by the leader: what others have of it helps nobody who asks that
		return false, 0, nil
	case err == nil:
		_, err = io.Copy(io.Discard, s.readEvidence(ctx, hash, info))
	}
	if damaged := (*EvidenceDamagedError)(nil); errors.As(err, &damaged) {
		return false, described, nil
	}
	return err == nil, described, err
}

// Read hands out bytes. The last chunk is handed out only when all of them are
// known to be right.
func (r *EvidenceReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		r.err = r.next()
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close ends the reading.
func (r *EvidenceReader) Close() error {
	r.rest, r.err = nil, errors.New("eventstore: evidence: read after close")
	return nil
}

// next fetches the next chunk.
func (r *EvidenceReader) next() error {
	if r.left == 0 {
		return io.EOF
	}
	rec, err := r.store.chunkFrom(r.ctx, r.subject, r.seq+1)
	switch {
	case errors.Is(err, ErrNotFound):
		return r.damaged(fmt.Sprintf("%d of %d bytes are missing", r.left, r.Size))
	case err != nil:
		return fmt.Errorf("eventstore: read evidence %s: %w", r.Hash, err)
	case int64(len(rec.Data)) > r.left:
		return r.damaged("there are too many bytes")
	}
	r.digest.Write(rec.Data)
	r.left -= int64(len(rec.Data))
	if got := hex.EncodeToString(r.digest.Sum(nil)); r.left == 0 && got != r.Hash {
		return r.damaged("the bytes have SHA-256 " + got)
	}
	r.seq, r.rest = rec.Seq, rec.Data
	return nil
}

// chunkFrom reads the first chunk on subject from sequence seq on. A direct get
// is five times as fast as asking the leader, but may be answered by a replica
// that lags behind, or asked of one that hangs: what that does not find, the
// leader may.
func (s *Store) chunkFrom(ctx context.Context, subject string, seq uint64) (Record, error) {
	if s.isClosing() {
		return Record{}, ErrClosed
	}
	direct, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	msg, err := s.evidence.GetMsg(direct, seq, jetstream.WithGetMsgSubject(subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) || direct.Err() != nil && ctx.Err() == nil {
		return s.getFromLeader(ctx, s.evidenceBucket().stream(), fmt.Sprintf(`{"seq":%d,"next_by_subj":%q}`, seq, subject))
	}
	if err != nil {
		return Record{}, s.readError(err)
	}
	return Record{Seq: msg.Sequence, Subject: msg.Subject, Data: msg.Data, Stored: msg.Time}, nil
}

func (r *EvidenceReader) damaged(reason string) error {
	return &EvidenceDamagedError{Hash: r.Hash, Reason: reason}
}
