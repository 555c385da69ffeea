package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

var (
	// ErrNotFound: there is no record with that sequence.
	ErrNotFound = errors.New("eventstore: no such record")
	// ErrClosed: the store is closing or closed. Nothing of the append was
	// written.
	ErrClosed = errors.New("eventstore: closed")
	// ErrOverloaded: as many appends as Config.MaxPending allows already
	// wait. Nothing was written and nothing was sent; try again later.
	ErrOverloaded = errors.New("eventstore: too many appends are waiting")
	// ErrUnavailable: the log cannot take appends, or answer, at present (no
	// connection, no leader). Nothing was written; try again later.
	ErrUnavailable = errors.New("eventstore: the log is not available")
	// ErrNoRoom: the disk is full, or the server may not store more. Nothing was
	// written; once there is room, appends succeed again by themselves.
	ErrNoRoom = durable.ErrNoRoom
	// ErrTooLarge: the append has more than MaxMessages messages, or a
	// message more than MaxData bytes. Nothing was sent.
	ErrTooLarge = errors.New("eventstore: append too large")
)

// ConflictError says that a subject was not at its expected sequence. Nothing
// of the append was written. Read the aggregate again and decide again.
type ConflictError struct {
	// Subject whose expectation failed. JetStream does not say which one it
	// was: when the append touched several, this is the first of them.
	Subject  string
	Expected uint64
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("eventstore: %s is not at sequence %d any more", e.Subject, e.Expected)
}

// DuplicateError says that a message id of the append is in the log already,
// within the last DuplicateWindow. Nothing of this append was written.
type DuplicateError struct {
	// ID is the message id, if the append had only one.
	ID string
	// Seq is the record that has the id, 0 if the server did not tell.
	Seq uint64
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("eventstore: message id %q is in the log already (sequence %d)", e.ID, e.Seq)
}

// OutcomeUnknownError says that the append was sent and no answer came: all
// of it may be in the log, or may yet get there, or none of it. It is never
// there in part. Read the aggregate and look for what was appended; appending
// again with the same expectation is safe, because at most one can succeed.
type OutcomeUnknownError struct{ Err error }

func (e *OutcomeUnknownError) Error() string {
	return "eventstore: sent, but the outcome is unknown: " + e.Err.Error()
}

func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// LossyStreamError says that the stream, or the server, is configured in a
// way which may lose or change acknowledged records. The store refuses to
// open; it never alters the stream.
type LossyStreamError struct {
	Stream  string
	Setting string // as JetStream's own JSON names it, e.g. max_msgs
	Got     string
	Want    string
}

func (e *LossyStreamError) Error() string {
	return fmt.Sprintf("eventstore: stream %s has %s = %s, the ledger needs %s", e.Stream, e.Setting, e.Got, e.Want)
}

// LockedError says that another process has the directory open. Nothing was
// touched.
type LockedError struct{ Dir string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("eventstore: %s is in use by another process", e.Dir)
}

// OccupiedError says that there is something where is to be restored: in a
// directory, or of the ledger on a server. Nothing was touched.
type OccupiedError struct {
	Dir    string // "" for a server
	Server string // its address, without the user
	Ledger string
	Has    string
	Busy   bool // by another Restore, which goes on
}

func (e *OccupiedError) Error() string {
	switch {
	case e.Busy:
		return fmt.Sprintf("eventstore: ledger %s is being restored on %s by another: let that come to its end, or stop it", e.Ledger, e.Server)
	case e.Server != "":
		return fmt.Sprintf("eventstore: there is %s of ledger %s on %s: restore onto a server, or into an account of it, that has nothing of this ledger", e.Has, e.Ledger, e.Server)
	}
	return fmt.Sprintf("eventstore: there is %s in %s: restore into a directory that is empty, or not there yet", e.Has, e.Dir)
}

// UnfinishedRestoreError says that a restore into the directory, or of the ledger on
// an external server, was interrupted, or has not ended yet: what is there is no ledger.
type UnfinishedRestoreError struct {
	Dir    string // "" for a server
	Ledger string
}

func (e *UnfinishedRestoreError) Error() string {
	if e.Dir == "" {
		return fmt.Sprintf("eventstore: the restore of ledger %s on this server did not come to its end, so there is no ledger: restore it again", e.Ledger)
	}
	return fmt.Sprintf("eventstore: a restore into %s did not come to its end, so there is no ledger: restore into it again", e.Dir)
}

// RestoredElsewhereError says that what is in the directory belongs to a ledger that was
// being restored onto an external server, and may be whole there: its keys and its
// checkpoints may be nowhere else. Nothing was removed.
type RestoredElsewhereError struct {
	Dir    string // that has them
	Ledger string
	Server string // without a user; "" if it is not known
	Asked  string // the server that cannot tell; "" if none was given
}

func (e *RestoredElsewhereError) Error() string {
	server := cmp.Or(e.Server, "an external server")
	what := fmt.Sprintf("eventstore: %s has what belongs to ledger %s, which was being restored onto %s and may be whole there", e.Dir, e.Ledger, server)
	if e.Asked == "" {
		return what + ": give that server with --nats"
	}
	return fmt.Sprintf("%s; %s cannot tell: give that server, with the user of that ledger, with --nats; only who is sure that the ledger is not there removes %s by hand", what, e.Asked, e.Dir)
}

// OtherLedgerError says that the data directory holds another ledger.
type OtherLedgerError struct{ Dir, Has, Given string }

func (e *OtherLedgerError) Error() string {
	return fmt.Sprintf("eventstore: %s holds ledger %s, not %s: name that one, or give another directory", e.Dir, e.Has, e.Given)
}

// TimezoneError says that the ledger was created with another time zone.
type TimezoneError struct{ Ledger, Has, Given string }

func (e *TimezoneError) Error() string {
	return fmt.Sprintf("eventstore: ledger %s was made with time zone %s, which cannot change to %s: leave the time zone out", e.Ledger, e.Has, e.Given)
}

// GapError says that the log did not hand out the next sequence. Records were
// lost or are not readable; whoever reads must stop.
type GapError struct {
	Want uint64 // the sequence that had to come
	Got  uint64 // the sequence that came, or the one the log would give next
}

func (e *GapError) Error() string {
	return fmt.Sprintf("eventstore: the log goes on with sequence %d, expected %d", e.Got, e.Want)
}

// DamagedError says that the records from a sequence to the end of the log cannot
// be read: what is on the disk has not the checksum that it was written with.
type DamagedError struct {
	Seq  uint64 // the first one after the last that can be read
	Last uint64 // the last one that there was
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("eventstore: the log cannot be read from sequence %d to its end at %d", e.Seq, e.Last)
}

// TornBatchError says that an atomic batch is in the log only in part, which
// can happen when a server crashes and loses what it had staged. The records
// of the batch were never acknowledged together; whoever reads must stop.
type TornBatchError struct {
	Batch string
	Seq   uint64 // the first record that does not go on with the batch, or the last of the log
}

func (e *TornBatchError) Error() string {
	return fmt.Sprintf("eventstore: atomic batch %s is torn at sequence %d", e.Batch, e.Seq)
}

// NoLedgerError says that the log of a ledger is not there that was to be.
type NoLedgerError struct{ Ledger string }

func (e *NoLedgerError) Error() string {
	return fmt.Sprintf("eventstore: there is no ledger %s", e.Ledger)
}

// ConnectError says that there is no connection to the server, and that nothing was
// asked of it yet.
type ConnectError struct {
	Address string // without users and passwords; empty for an embedded server
	Err     error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("eventstore: connect to %s: %v", e.Address, e.Err)
}

func (e *ConnectError) Unwrap() error { return e.Err }

// SubjectError says that a subject cannot name an aggregate of this ledger.
type SubjectError struct {
	Subject string
	Reason  string
}

func (e *SubjectError) Error() string {
	return fmt.Sprintf("eventstore: bad subject %q: %s", e.Subject, e.Reason)
}

// JetStream error codes this package acts on. They are matched by number:
// the texts carry values and have changed between versions.
const (
	codeWrongLastSequence     = 10071 // the subject moved on
	codeWrongLastSequenceBusy = 10164 // the subject is being written by somebody else
	codeDuplicateInFlight     = 10158 // same message id, not stored yet (replicated)
	codeDuplicateInBatch      = 10201 // same message id, met in a batch
	codeBatchIncomplete       = 10176 // a message of the batch went missing, or its staging expired
	codeBatchTooManyInFlight  = 10210 // the server stages too many batches
	codeNoLeader              = 10008 // the cluster, or the stream, has no leader at present
	codeNoPeers               = 10005 // the cluster has too few servers for the replicas asked for
	codeConsumerStore         = 10012 // a consumer could not be made, as where its files cannot be read
	codeNotClustered          = 10074 // more replicas than one are asked of a server that is alone
	codeNoResources           = 10023 // as much is stored as the server may store
	codeNoStorage             = 10047 // the same, of an account
)

func apiCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

func isConflict(err error) bool {
	c := apiCode(err)
	return c == codeWrongLastSequence || c == codeWrongLastSequenceBusy
}

func isDuplicate(err error) bool {
	c := apiCode(err)
	return c == codeDuplicateInFlight || c == codeDuplicateInBatch
}

func isNoRoom(err error) bool {
	c := apiCode(err)
	return c == codeNoResources || c == codeNoStorage || errors.Is(err, ErrNoRoom)
}

// errorKind is the short name of an append's outcome, for metrics.
func errorKind(err error) string {
	var (
		conflict  *ConflictError
		duplicate *DuplicateError
		unknown   *OutcomeUnknownError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &conflict) || isConflict(err):
		return "conflict"
	case errors.As(err, &duplicate) || isDuplicate(err):
		return "duplicate"
	case errors.As(err, &unknown):
		return "unknown"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	case isNoRoom(err):
		return "no-room"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	default:
		return "rejected"
	}
}
