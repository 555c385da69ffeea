package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

// Problem is an error as the API answers it, after RFC 9457.
type Problem struct {
	Type      string          `json:"type" format:"uri-reference" doc:"Stable name of the kind of problem: /problems/<code>."`
	Title     string          `json:"title" doc:"The kind of problem in words."`
	Status    int             `json:"status" doc:"HTTP status."`
	Detail    string          `json:"detail" doc:"What is wrong this time, and what to do."`
	Code      string          `json:"code" doc:"Stable code; it never changes its meaning."`
	Field     string          `json:"field,omitempty" doc:"The field, parameter or header to blame."`
	Asked     *uint64         `json:"asked,omitempty" doc:"The sequence that was asked for."`
	Reached   *uint64         `json:"reached,omitempty" doc:"The sequence that the read models have reached."`
	Line      int             `json:"line,omitempty" doc:"The line of an import that was refused."`
	Summary   *ledger.Summary `json:"summary,omitempty" doc:"What an import did before it stopped."`
	Errors    []CellProblem   `json:"errors,omitempty" doc:"Everything that is wrong with a sheet, by row and column."`
	Reasons   []string        `json:"reasons,omitempty" doc:"Why the server is not ready."`
	RequestID string          `json:"request_id,omitempty" doc:"Names this request in the server's log."`

	cause      error         // for the server's log
	retryAfter time.Duration // of a 503: when it is worth while to try again; a second when 0
}

func (p *Problem) Error() string { return p.Detail }
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus, ContentType and GetHeaders make a Problem an error of huma's.
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return problemType }
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		h.Set("Retry-After", strconv.Itoa(seconds(max(p.retryAfter, minRetry))))
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="milepost"`) // Basic, too, is taken, but browsers shall not ask for a password
	}
	return h
}

const problemType = "application/problem+json"

// Codes of the API's own; those of rules are with the rules, and those of
// points in time and cursors in package projections.
const (
	CodeConflict         = "conflict"               // others kept changing the same aggregate
	CodeTooLarge         = "too-large"              // the body, or a line of an import
	CodeMediaType        = "unsupported-media-type" // the body is not JSON
	CodeEmptyBody        = "empty-body"             // evidence without bytes
	CodeEvidenceDamaged  = "evidence-damaged"       // what is stored has not the hash it is stored under
	CodeUnknownParameter = "unknown-parameter"      // a query parameter that the path does not have
	CodeInvalidParameter = "invalid-parameter"      // a parameter or header of the wrong form
	CodeUnknownRoute     = "unknown-route"          // no such address
	CodeMethod           = "method-not-allowed"     // the address is there, the method is not
	CodeUnauthenticated  = "unauthenticated"        // nobody is known by what was sent
	CodeForbidden        = "forbidden"              // it takes a right that the asker has not
	CodeForbiddenHost    = "forbidden-host"         // a host name that is not loopback
	CodeForbiddenOrigin  = "forbidden-origin"       // a browser sent it from another site
	CodeReadOnlyCopy     = "read-only-copy"         // nothing can be written here; the origin is named
	CodeInsecure         = "https-required"         // asked of a proxy by http
	CodeOverloaded       = "overloaded"             // too much is going on already
	CodeNoRoom           = "no-room"                // the disk is full
	CodeBusy             = "busy"                   // a replay or a rebuild is under way
	CodeLogDamaged       = "log-damaged"            // the log is not whole: an event is missing, or is not what it should be
	CodeUnavailable      = "unavailable"            // the log does not answer
	CodeBehind           = "behind"                 // the read models have not got there yet
	CodeNotReady         = "not-ready"              // starting, or stopped
	CodeStopping         = "stopping"               // the server is told to stop: ask another one, or in a moment
	CodeOutcomeUnknown   = "outcome-unknown"        // written or not: send it again with the same key
	CodeTimeout          = "timeout"                // it took too long; nothing was written
	CodeUnsigned         = "checkpoint-not-signed"  // a checkpoint without a valid signature of the ledger
	CodeNoCosignature    = "no-cosignature"         // a checkpoint without a valid countersignature by a registered key
	CodeTooMany          = "too-many-cosignatures"  // a checkpoint that has as many countersignatures as one can have
	CodeFuture           = "cosignature-in-future"  // a countersignature of a time that has not come
	CodeForeign          = "checkpoint-foreign"     // a checkpoint of another ledger, or of another history
	CodeLogDisagrees     = "log-disagrees"          // the log is not what was signed
	CodeBuildFailed      = "build-failed"           // new read models could not be made; those before serve on
	CodeInternal         = "internal"               // a fault of the server
)

// statuses holds the status of each code. A code that is not here is a rule's,
// and its status is 422.
var statuses = map[string]int{
	domain.CodeMalformed:               http.StatusBadRequest,
	CodeUnknownParameter:               http.StatusBadRequest,
	CodeInvalidParameter:               http.StatusBadRequest,
	projections.CodeInvalidAsOf:        http.StatusBadRequest,
	projections.CodeInvalidCursor:      http.StatusBadRequest,
	projections.CodeInvalidLimit:       http.StatusBadRequest,
	projections.CodeInvalidRange:       http.StatusBadRequest,
	projections.CodeInvalidEntity:      http.StatusBadRequest,
	projections.CodeContradiction:      http.StatusBadRequest,
	CodeUnauthenticated:                http.StatusUnauthorized,
	CodeForbidden:                      http.StatusForbidden,
	CodeForbiddenHost:                  http.StatusForbidden,
	CodeForbiddenOrigin:                http.StatusForbidden,
	CodeReadOnlyCopy:                   http.StatusForbidden,
	CodeInsecure:                       http.StatusForbidden,
	domain.CodeNotFound:                http.StatusNotFound,
	domain.CodeUnknownCommand:          http.StatusNotFound,
	catalogue.CodeUnknownEvent:         http.StatusNotFound,
	CodeUnknownRoute:                   http.StatusNotFound,
	CodeMethod:                         http.StatusMethodNotAllowed,
	CodeConflict:                       http.StatusConflict,
	CodeForeign:                        http.StatusConflict,
	domain.CodeStaleVersion:            http.StatusPreconditionFailed,
	CodeTooLarge:                       http.StatusRequestEntityTooLarge,
	CodeMediaType:                      http.StatusUnsupportedMediaType,
	CodeBuildFailed:                    http.StatusInternalServerError,
	CodeInternal:                       http.StatusInternalServerError,
	CodeEvidenceDamaged:                http.StatusInternalServerError,
	CodeLogDamaged:                     http.StatusInternalServerError,
	CodeBusy:                           http.StatusServiceUnavailable,
	CodeOverloaded:                     http.StatusServiceUnavailable,
	CodeNoRoom:                         http.StatusInsufficientStorage,
	CodeUnavailable:                    http.StatusServiceUnavailable,
	CodeBehind:                         http.StatusServiceUnavailable,
	CodeNotReady:                       http.StatusServiceUnavailable,
	CodeStopping:                       http.StatusServiceUnavailable,
	CodeOutcomeUnknown:                 http.StatusServiceUnavailable,
	CodeTimeout:                        http.StatusServiceUnavailable,
	CodeLogDisagrees:                   http.StatusServiceUnavailable,
	projections.CodeInvalidEffectiveAt: http.StatusBadRequest,
}

func statusOf(code string) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusUnprocessableEntity
}

// newProblem makes the problem of a code.
func newProblem(code, field, detail string) *Problem {
	title := []rune(strings.ReplaceAll(code, "-", " "))
	title[0] = unicode.ToUpper(title[0])
	return &Problem{Type: "/problems/" + code, Title: string(title), Status: statusOf(code), Detail: detail, Code: code, Field: field}
}

// problemOf is the one place where an error becomes an answer.
func problemOf(err error) *Problem {
	var (
		problem  *Problem
		line     *ledger.LineError
		rejected *domain.Rejected
		asOf     *projections.AsOfError
		behind   *projections.BehindError
		unknown  *eventstore.OutcomeUnknownError
		conflict *eventstore.ConflictError
		tooLarge *http.MaxBytesError
		mismatch *eventstore.EvidenceMismatchError
		damaged  *eventstore.EvidenceDamagedError
		unsigned *proof.UnsignedError
		foreign  *notary.ForeignCheckpointError
		future   *notary.FutureCosignatureError
		disagree *notary.DisagreeError
		differs  *projections.Difference
		copied   *eventstore.CopyError
		build    *projections.BuildError
	)
	var p *Problem
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.Is(err, errStopping):
		p = stoppingProblem()
	case errors.As(err, &line):
		of := *problemOf(line.Err)
		p = &of
		p.Line = line.Line
		if errors.As(line.Err, &rejected) {
			p.Status = http.StatusUnprocessableEntity // of the lines, whatever the line's own status would be
		}
	case errors.As(err, &copied):
		p = newProblem(CodeReadOnlyCopy, "", "This is a copy of the ledger, which can only be read. Write to, and get signatures from, its origin: "+copied.Origin+".")
	case errors.As(err, &rejected):
		p = newProblem(rejected.Code, rejected.Field, rejected.Message)
	case errors.As(err, &asOf):
		p = newProblem(asOf.Code, asOf.Field, asOf.Message)
	case errors.As(err, &behind):
		p = newProblem(CodeBehind, "", "The read models have not reached the sequence asked for; ask again in a moment.")
		if behind.Err != nil {
			p = newProblem(CodeNotReady, "", "The read models have stopped; the server's log and /readyz say why.")
		}
		p.Asked, p.Reached = &behind.Asked, &behind.Reached
	case errors.As(err, &unknown):
		p = newProblem(CodeOutcomeUnknown, "", "The log did not say whether it took the command. Send the same command again with the same idempotency key: it is done once.")
	case errors.Is(err, ledger.ErrConflict), errors.As(err, &conflict):
		p = newProblem(CodeConflict, "", "Others changed the same aggregate at every try. Nothing was written; send it again.")
	case errors.As(err, &tooLarge):
		p = newProblem(CodeTooLarge, "", "The body is longer than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes.")
	case errors.Is(err, eventstore.ErrTooLarge):
		p = newProblem(CodeTooLarge, "", "The command makes an event that is longer than the log takes. Nothing was written.")
	case errors.Is(err, eventstore.ErrEvidenceTooLarge):
		p = newProblem(CodeTooLarge, "", "The file is longer than "+strconv.Itoa(eventstore.MaxEvidence)+" bytes. Nothing was stored.")
	case errors.Is(err, eventstore.ErrEvidenceEmpty):
		p = newProblem(CodeEmptyBody, "", "The body has no bytes, which prove nothing. Send the file's bytes as the body.")
	case errors.As(err, &mismatch):
		p = newProblem(agreement.CodeHashMismatch, "sha256", "The bytes have SHA-256 "+mismatch.Got+", not "+mismatch.Want+
			" as announced. Nothing was stored; send the file again.")
	case errors.Is(err, eventstore.ErrEvidenceNotFound):
		p = newProblem(domain.CodeNotFound, "sha256", "No such evidence is stored. If an event names it, what was stored of it is damaged: attach the file again, from a backup if nobody else has it.")
	case errors.As(err, &damaged):
		p = newProblem(CodeEvidenceDamaged, "", "What is stored of this evidence is damaged, and is not handed out. Attach the file again, from a backup if nobody else has it.")
	case errors.As(err, &unsigned):
		p = newProblem(CodeUnsigned, "", "This is not a checkpoint that this ledger signed, or a signature in it is wrong. Get one from /v1/checkpoint, and hand it in with a countersignature.")
	case errors.Is(err, notary.ErrNoCosignature):
		p = newProblem(CodeNoCosignature, "", "The checkpoint has no valid countersignature by a key that a party has registered. Register the key with register-witness, and sign with it.")
	case errors.Is(err, notary.ErrTooManyCosignatures):
		p = newProblem(CodeTooMany, "", "The checkpoint has as many countersignatures as one can have. Countersign the next one.")
	case errors.As(err, &future):
		p = newProblem(CodeFuture, "", "The countersignature is of "+future.At.Format(time.RFC3339)+", which has not come. Set the clock of the machine that made it.")
	case errors.As(err, &foreign):
		p = newProblem(CodeForeign, "", "It was not taken: "+foreign.What+". Keep the checkpoint: where the ledger's key signed it, it is evidence.")
	case errors.As(err, &disagree):
		p = newProblem(CodeLogDisagrees, "", "The log is not what was signed, and nothing is signed any more: "+disagree.Error())
	case errors.As(err, &differs):
		p = newProblem(CodeLogDamaged, "", "The log is not whole: "+differs.Error()+". Restore the ledger from a backup.")
	case errors.Is(err, access.ErrUnavailable):
		p = newProblem(CodeUnavailable, "", "The server does not know at present who may do what, so it lets nobody in. Try again in a moment.")
	case errors.Is(err, projections.ErrBusy):
		p = newProblem(CodeBusy, "", "The log is being replayed, or the read models are being made. One of these runs at a time; try again when it is done.")
	case errors.Is(err, eventstore.ErrOverloaded):
		p = newProblem(CodeOverloaded, "", "Too many appends wait already. Nothing was written; try again in a moment.")
	case errors.Is(err, eventstore.ErrNoRoom), errors.Is(err, syscall.ENOSPC):
		p = newProblem(CodeNoRoom, "", "There is no room left where the ledger is kept. Nothing was written; make room there, and send it again: nothing else has to be done.")
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrClosed), errors.Is(err, projections.ErrClosed):
		p = newProblem(CodeUnavailable, "", "The ledger does not answer at present. Nothing was written; try again in a moment.")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		p = newProblem(CodeTimeout, "", "It took too long and was given up. Nothing was written; try again in a moment.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		p = newProblem(domain.CodeMalformed, "", "The body ended too early.")
	case errors.As(err, &build): // by nothing that is said above
		p = newProblem(CodeBuildFailed, "", "The new read models could not be made, and those before serve on. milepost status says why; mend that, and ask again.")
	default:
		p = newProblem(CodeInternal, "", "The server failed. Its log says why, by the request id.")
	}
	p.cause = err
	return p
}

// stoppingProblem answers what the server does not wait for any longer.
func stoppingProblem() *Problem {
	return newProblem(CodeStopping, "", "The server stops, and gave this up. Nothing of it was written; ask again in a moment.")
}

// write answers with the problem.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone hears nothing
}
