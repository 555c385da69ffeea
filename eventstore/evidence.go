package eventstore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MaxEvidence is how many bytes one piece of evidence may have.
const MaxEvidence = 100 << 20

// evidenceChunk is how much of a file one message holds: what every client of
// JetStream's object stores takes, and what an upload or a download keeps in
// memory.
const evidenceChunk = 128 << 10

var (
	// ErrEvidenceTooLarge: the bytes are more than MaxEvidence. Nothing was
	// stored.
	ErrEvidenceTooLarge = fmt.Errorf("eventstore: evidence has more than %d bytes", MaxEvidence)
	// ErrEvidenceEmpty: there are no bytes, which prove nothing. Nothing was
	// stored.
	ErrEvidenceEmpty = errors.New("eventstore: evidence has no bytes")
	// ErrEvidenceNotFound: no evidence of that hash is stored.
	ErrEvidenceNotFound = errors.New("eventstore: no such evidence")
)

// EvidenceMismatchError says that bytes are not those that were announced.
// Nothing was stored.
type EvidenceMismatchError struct {
	Want string // the hash that was announced
	Got  string // the hash of the bytes
}

func (e *EvidenceMismatchError) Error() string {
	return fmt.Sprintf("eventstore: the bytes have SHA-256 %s, not %s", e.Got, e.Want)
}

// Evidence names a stored file by what it holds.
type Evidence struct {
	Hash string // SHA-256 of the bytes, 64 lower-case hexadecimal digits
	Size int64  // bytes
	New  bool   // false when it was there already, and nothing was written
}

// PutEvidence stores the bytes of r under their SHA-256 and returns when they
// are on disk, as an append does. If want is not empty it is the hash that the
// bytes must have, else the error is an *EvidenceMismatchError.
//
// The bytes are held in a file until they are whole and known: an upload that
// breaks off, is too large or is not what was announced leaves nothing. When
// the store fails half-way, what was written of the file stays unseen and
// takes room; putting it again is safe. What is stored already is read, and where
// it is damaged the file is stored anew: so whoever has it can make it whole.
func (s *Store) PutEvidence(ctx context.Context, r io.Reader, want string) (Evidence, error) {
	if s.isClosing() {
		return Evidence{}, ErrClosed
	}
	if err := s.Writable(); err != nil {
		return Evidence{}, err
	}
	file, err := s.spool(ctx, r)
	if err != nil {
		return Evidence{}, err
	}
	defer file.discard()
	e := Evidence{Hash: file.hash, Size: file.size}
	if want != "" && want != e.Hash {
		return Evidence{}, &EvidenceMismatchError{Want: want, Got: e.Hash}
	}
	whole, described, err := s.lookAtEvidence(ctx, e.Hash)
	if err != nil || whole {
		return e, err
	}
	if e.New, err = s.storeEvidence(ctx, e, file, described); err != nil {
		return Evidence{}, fmt.Errorf("eventstore: store evidence %s: %w", e.Hash, s.readError(err))
	}
	return e, nil
}

// HasEvidence reports whether evidence of that hash is stored. What is stored
// once is never removed.
func (s *Store) HasEvidence(ctx context.Context, hash string) (bool, error) {
	_, _, err := s.evidenceInfo(ctx, hash)
	if !errors.Is(err, ErrEvidenceNotFound) {
		return err == nil, err
	}
	if s.replicas <= 1 || !validHash(hash) {
		return false, nil
	}
	object := s.evidenceBucket().object(hash)
	last, _, err := s.lastOf(ctx, s.evidenceBucket().stream(), []string{object}, 0)
	if errors.Is(err, errUnreadable) {
		err = &EvidenceDamagedError{Hash: hash, Reason: err.Error()}
	}
	return last[object] > 0, err
}

// EvidenceHashes lists all evidence that is stored, ascending. It does not say that
// a file is whole: see [Store.CheckEvidence].
func (s *Store) EvidenceHashes(ctx context.Context) ([]string, error) {
	prefix := s.evidenceBucket().meta("")
	hashes := []string{}
	for total := 1; len(hashes) < total; {
		before := len(hashes)
		page, all, err := s.subjects(ctx, s.evidenceBucket().stream(), prefix+">", before)
		if err != nil {
			return nil, fmt.Errorf("eventstore: list evidence: %w", err)
		}
		for subject := range page {
			name, err := base64.URLEncoding.DecodeString(strings.TrimPrefix(subject, prefix))
			if err != nil || !validHash(string(name)) {
				return nil, fmt.Errorf("eventstore: list evidence: %s is not one of this store", subject)
			}
			hashes = append(hashes, string(name))
		}
		if total = all; len(hashes) == before {
			break
		}
	}
	slices.Sort(hashes)
	return slices.Compact(hashes), nil // what is stored meanwhile moves the pages
}

// ensureEvidence creates the object store of the ledger's evidence beside the
// log, or checks the one which is there. Its messages and subjects are those
// of JetStream's object stores, so any client can read it; its settings are
// those of the log: nothing in it can be replaced, purged or deleted.
func (s *Store) ensureEvidence(ctx context.Context) error {
	b := s.evidenceBucket()
	want := streamConfig(b.stream(), s.replicas, b.chunks(">"), b.meta(">"))
	st, err := s.findStream(ctx, s.js, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && s.cfg.Follow {
		return &NoCopyError{Ledger: s.cfg.Ledger + "'s evidence"}
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if s.cfg.mark != "" {
			want.Metadata[restoreKey] = mark{id: s.cfg.mark}.String()
		}
		st, err = s.makeStream(ctx, want)
	}
	if err != nil {
		return fmt.Errorf("eventstore: stream %s: %w", want.Name, err)
	}
	got := st.CachedInfo().Config
	if s.cfg.mark != "" && markOf(got).id != s.cfg.mark {
		return s.occupied("evidence (stream " + want.Name + ")")
	}
	want.Replicas = max(want.Replicas, got.Replicas)
	s.evidence = st
	if s.cfg.Follow {
		return checkCopy(got, s.cfg.Ledger)
	}
	return compareConfig(got, want)
}

// EvidenceBucket is the name of the JetStream object store.
func (s *Store) EvidenceBucket() string { return string(s.evidenceBucket()) }

func (s *Store) evidenceBucket() bucket { return bucket(streamName(s.cfg.Ledger)) }

// bucket is the name of an object store; the rest follows JetStream's layout.
type bucket string

func (b bucket) stream() string          { return "OBJ_" + string(b) }
func (b bucket) chunks(id string) string { return "$O." + string(b) + ".C." + id }
func (b bucket) meta(name string) string { return "$O." + string(b) + ".M." + name }

// object is the subject of the message that makes a file visible.
func (b bucket) object(hash string) string {
	return b.meta(base64.URLEncoding.EncodeToString([]byte(hash)))
}

// evidenceInfo reads what the object store says of a file, and at which sequence it
// does.
func (s *Store) evidenceInfo(ctx context.Context, hash string) (info jetstream.ObjectInfo, described uint64, err error) {
	b := s.evidenceBucket()
	rec, err := s.getFromLeader(ctx, b.stream(), `{"last_by_subj":`+strconv.Quote(b.object(hash))+`}`)
	if errors.Is(err, ErrNotFound) {
		return info, 0, ErrEvidenceNotFound
	}
	if err != nil {
		return info, 0, fmt.Errorf("eventstore: evidence %s: %w", hash, err)
	}
	if err := json.Unmarshal(rec.Data, &info); err != nil || info.Size == 0 || info.Size > MaxEvidence || info.Deleted {
		return info, rec.Seq, &EvidenceDamagedError{Hash: hash, Reason: "its description is not one of this store"}
	}
	return info, rec.Seq, nil
}

// storeEvidence writes the chunks of a file and then, when all are on disk, the
// message that makes it visible, in place of the one at sequence former, 0 for none.
// It reports whether this call did so: another may have stored the same bytes
// meanwhile.
func (s *Store) storeEvidence(ctx context.Context, e Evidence, r io.Reader, former uint64) (bool, error) {
	b := s.evidenceBucket()
	id := rand.Text() // of this upload: those of others are not mixed with it
	chunks := uint32(0)
	for chunk := make([]byte, evidenceChunk); ; chunks++ {
		n, err := io.ReadFull(r, chunk)
		if err == io.EOF {
			break
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return false, err
		}
		if err := s.publishEvidence(ctx, b.chunks(id), chunk[:n]); err != nil {
			return false, err
		}
	}
	digest, err := hex.DecodeString(e.Hash)
	if err != nil {
		return false, err
	}
	info, err := json.Marshal(jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: e.Hash, Opts: &jetstream.ObjectMetaOptions{ChunkSize: evidenceChunk}},
		Bucket:     string(b), NUID: id, Size: uint64(e.Size), Chunks: chunks,
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(digest),
	})
	if err != nil {
		return false, err
	}
	err = s.publishEvidence(ctx, b.object(e.Hash), info, jetstream.WithExpectLastSequencePerSubject(former))
	if isConflict(err) {
		there, lookErr := s.HasEvidence(ctx, e.Hash)
		if there || lookErr != nil {
			return false, lookErr
		}
		err = fmt.Errorf("%w: the same file is being stored: %w", ErrUnavailable, err)
	}
	return err == nil, err
}

// publishEvidence writes one message and waits until it is on disk. Chunks are
// sent one at a time and expect nothing: what the server holds of them in memory
// stays small only as long as it looks none of them up.
func (s *Store) publishEvidence(ctx context.Context, subject string, data []byte, opts ...jetstream.PublishOpt) error {
	if err := s.room(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	_, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data}, append(opts, jetstream.WithExpectStream(s.evidenceBucket().stream()))...)
	return err
}

// validHash says whether a name can be that of evidence.
func validHash(hash string) bool {
	return len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == ""
}
