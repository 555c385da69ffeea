package ledger

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Log is what the write path needs of the event store.
type Log interface {
	Append(ctx context.Context, msgs []eventstore.Message) (first uint64, err error)
	Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error]
	Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error]
	Get(ctx context.Context, seq uint64) (eventstore.Record, error)
	Last(ctx context.Context) (uint64, error)
	Ends(ctx context.Context, subjects []string, newest uint64) (ends map[string]uint64, moment uint64, err error)
	HasEvidence(ctx context.Context, hash string) (bool, error)
}

// Register is an index of the log that may lag behind it by a moment.
type Register interface {
	// FindCommand finds the command of an idempotency key anywhere in the
	// ledger: the first sequence of its events.
	FindCommand(ctx context.Context, key string) (seq uint64, found bool, err error)
	// FindCommandOf is FindCommand among the events of one aggregate.
	FindCommandOf(ctx context.Context, ref domain.Ref, key string) (seq uint64, found bool, err error)
	// Past returns a snapshot of an aggregate, the sequences of its events after
	// that, and the sequence up to which there are no others. The snapshot is that
	// before the first event where there is none, and upTo 0 when it cannot say.
	Past(ctx context.Context, ref domain.Ref) (s domain.Snapshot, later []uint64, upTo uint64, err error)
	// Changed returns which parts of an aggregate its event of that id changed, "" for
	// its own fields, and up to which sequence it looked for that: 0 when it cannot say.
	Changed(ctx context.Context, ref domain.Ref, id string) (parts []string, found bool, upTo uint64, err error)
	// Wait returns when the register has seen everything up to seq.
	Wait(ctx context.Context, seq uint64) error
}

// Options of a ledger.
type Options struct {
	Name      string           // of the ledger, as in subjects
	Location  *time.Location   // the ledger's time zone, for civil dates; UTC when nil
	Now       func() time.Time // time.Now when nil
	Register  Register         // nil: keys are found only where the same aggregate has them
	CacheSize int              // aggregates whose state is kept; 20,000 when 0
	Observe   func(Outcome)    // may be nil
	// SigningKey is the key that the log was made with, "" where it was made
	// without one.
	SigningKey domain.VerifierKey
}

// Outcome is told to Options.Observe for each executed command.
type Outcome struct {
	Command  string
	Duration time.Duration
	Retries  int // conflicts and lost acknowledgements on the way
	Err      error
}

// Ledger executes commands. It is safe for use by many goroutines.
type Ledger struct {
	log    Log
	opts   Options
	source string
	states *generations[domain.Ref, *aggregate]
	recent *generations[string, uint64] // idempotency key -> first sequence, of this process
	past   horizon

	evidence *generations[domain.Hash, struct{}] // known to be stored
}

// ErrConflict says that others kept changing the same aggregate.
var ErrConflict = errors.New("ledger: others changed the same aggregate at every try; try again")

// New returns a ledger that writes to log.
func New(log Log, opts Options) *Ledger {
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.CacheSize == 0 {
		opts.CacheSize = 20_000
	}
	if opts.Observe == nil {
		opts.Observe = func(Outcome) {}
	}
	return &Ledger{
		log: traced{log}, opts: opts, source: "/ledgers/" + opts.Name,
		states: newGenerations[domain.Ref, *aggregate](opts.CacheSize),
		recent: newGenerations[string, uint64](100_000),

		evidence: newGenerations[domain.Hash, struct{}](foundEvidence),
	}
}

// Request is one command with what it carries.
type Request struct {
	Command domain.Command
	Meta    domain.Meta

	// Shown returns the version of the command's aggregate that the asker is shown
	// as of a sequence; nil where nothing is withheld from the asker. The expected
	// version is one of these, and no refusal tells another.
	Shown func(ctx context.Context, ref domain.Ref, seq uint64) (uint64, error)

	// An import sets these. A key derived from what the command asks for, which
	// includes its aggregate, can only ever be found there, so local keys are
	// looked for in the aggregate alone.
	local bool
	hash  string // hashOf, where it is known already
}

// Receipt says what a command came to.
type Receipt struct {
	CommandID  string     `json:"command_id" doc:"The idempotency key, or the id that the ledger gave the command."`
	Command    string     `json:"command" doc:"Name of the command."`
	Agreement  domain.Key `json:"agreement,omitzero" doc:"Agreement of the aggregate; absent for parties."`
	Aggregate  string     `json:"aggregate" doc:"The aggregate, as kind/key."`
	Version    uint64     `json:"version" doc:"Version of the aggregate after the command: the ETag for the next one."`
	Seq        uint64     `json:"seq" doc:"Sequence of the last event: pass it as min_seq to read your own write."`
	RecordedAt time.Time  `json:"recorded_at" doc:"When it was recorded."`
	Events     []EventRef `json:"events" doc:"What happened, in order."`
	Replayed   bool       `json:"replayed" doc:"True when the command had been done before, and this is its first receipt again."`
}

// EventRef names one stored event.
type EventRef struct {
	Seq  uint64 `json:"seq"`
	ID   string `json:"id"`
	Type string `json:"type"`
}

// newID returns a UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
