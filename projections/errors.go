package projections

import (
	"errors"
	"fmt"
	"syscall"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// ErrClosed: the read models are closed.
var ErrClosed = errors.New("projections: closed")

// ErrBusy: read models are being made, or the log is replayed; there is one of
// these at a time.
var ErrBusy = errors.New("projections: read models are being made or the log is replayed already; try again when that is done")

// errOfView: it is asked of the read models of the whole ledger.
var errOfView = errors.New("projections: the read models of a view are not rebuilt, and not held against the log: ask those of the whole ledger")

// GapError: the log gave another sequence than the next. Nothing of it was
// projected; following again from the position is safe.
type GapError struct{ Want, Got uint64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("projections: the log gave sequence %d after %d: some are missing or came twice", e.Got, e.Want-1)
}

// VersionError: an event's version is not the next of its aggregate. The log
// is not one that the ledger wrote.
type VersionError struct {
	Seq       uint64
	Ref       domain.Ref
	Want, Got uint64
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("projections: event %d says that it is version %d of %s; the next is %d", e.Seq, e.Got, e.Ref, e.Want)
}

// SubjectError: an event is stored under a subject that is not its aggregate's.
// Who reads only that aggregate, or subscribes to it, would not see it.
type SubjectError struct {
	Seq     uint64
	Ref     domain.Ref // that the event tells of
	Subject string
}

func (e *SubjectError) Error() string {
	return fmt.Sprintf("projections: event %d tells of %s and is stored under subject %s", e.Seq, e.Ref, e.Subject)
}

// EventError: an event cannot be projected, most often because its type is not
// known to this version (*catalogue.UnknownEventError). The projector stops
// before it; nothing is skipped.
type EventError struct {
	Seq uint64
	Err error
}

func (e *EventError) Error() string { return fmt.Sprintf("projections: event %d: %v", e.Seq, e.Err) }
func (e *EventError) Unwrap() error { return e.Err }

// ForeignLogError: the read models were made from another log than the one to
// follow, or from one that has lost its end. `milepost rebuild` makes them anew.
type ForeignLogError struct {
	Seq  uint64 // the position
	Last uint64 // of the log
}

func (e *ForeignLogError) Error() string {
	if e.Last < e.Seq {
		return fmt.Sprintf("projections: the read models are at sequence %d, and the log ends at %d: restore the log, or make the read models again with milepost rebuild", e.Seq, e.Last)
	}
	return fmt.Sprintf("projections: event %d in the log is not the one the read models were made from: make them again with milepost rebuild", e.Seq)
}

// BehindError: the read models have not reached what was asked for. Ask again
// later, or find out why they stopped: Err, if they did.
type BehindError struct {
	Asked, Reached uint64
	Err            error // why they will not get there, nil when they may
}

func (e *BehindError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("projections: stopped at sequence %d: %v", e.Reached, e.Err)
	}
	return fmt.Sprintf("projections: at sequence %d, not yet at %d", e.Reached, e.Asked)
}

func (e *BehindError) Unwrap() error { return e.Err }

// TablesError: the tables do not hold what the projector wrote; somebody
// edited the file, or it is damaged. `milepost rebuild` makes them anew.
type TablesError struct {
	Seq       uint64     // the first sequence whose rows differ
	Table     string     // where one row is to blame, else ""
	Agreement domain.Key // and Entity: what that row is about; "" where it is about none
	Entity    string
	What      string
}

func (e *TablesError) Error() string {
	return fmt.Sprintf("projections: the tables differ from what was written, from sequence %d on: %s", e.Seq, e.What)
}

// TreeError: the stored hashes do not give the Merkle tree that was named. Either
// it is not a tree of this log, or the file was edited; VerifyTables tells.
type TreeError struct {
	Tree string // key of the agreement, "-" for the ledger's
	What string
}

func (e *TreeError) Error() string {
	if e.Tree == ledgerTree {
		return "projections: the ledger's Merkle tree: " + e.What
	}
	return fmt.Sprintf("projections: the Merkle tree of agreement %s: %s", e.Tree, e.What)
}

// Codes of refused questions.
const (
	CodeInvalidAsOf        = "invalid-as-of"        // not an instant, a date or seq:N
	CodeAsOfInFuture       = "as-of-in-future"      // later than now, or than the last event
	CodeAsOfBeforeFirst    = "as-of-before-first"   // before the first event
	CodeInvalidRange       = "invalid-range"        // from lies after to
	CodeInvalidCursor      = "invalid-cursor"       // not a cursor of this question
	CodeInvalidLimit       = "invalid-limit"        // outside 1 to MaxLimit
	CodeInvalidEntity      = "invalid-entity"       // not the path of an entity
	CodeContradiction      = "contradiction"        // two conditions that nothing can meet
	CodeMeetingNotHeld     = "meeting-not-held"     // no such meeting was held by then
	CodeInvalidEffectiveAt = "invalid-effective-at" // not a date that exists

	CodeInvalidTreeSize  = "invalid-tree-size"  // a size that the Merkle tree has not reached
	CodeInvalidLeafIndex = "invalid-leaf-index" // a leaf that is not in the tree
)

// AsOfError refuses a point in time.
type AsOfError struct {
	Code    string // one of CodeInvalidAsOf, CodeAsOfInFuture, CodeAsOfBeforeFirst, CodeInvalidRange, CodeInvalidEffectiveAt
	Field   string // as_of, from, to or effective_at
	Message string
}

func (e *AsOfError) Error() string { return e.Field + ": " + e.Message }

// ofDisk makes of what SQLite says of a disk that is full, or of a damaged file, what
// everybody else says.
func ofDisk(err error) error {
	switch code := sqlite.ErrCode(err); {
	case code == sqlite.ResultFull, code == sqlite.ResultIOErrSHMSize, errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", durable.ErrNoRoom, err)
	case damaged(err):
		return fmt.Errorf("%w; the read models are damaged: stop the server and remove the file to have it made again from the log", err)
	}
	return err
}

// damaged reports whether SQLite cannot make anything of a file.
func damaged(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB
}
