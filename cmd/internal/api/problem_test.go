package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// Every error that the packages below return has one status and one code.
func TestProblemOf(t *testing.T) {
	refused := func(code string) error { return domain.Refuse(code, "field", "why") }
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"malformed":             {refused(domain.CodeMalformed), 400, "malformed"},
		"unknown command":       {refused(domain.CodeUnknownCommand), 404, "unknown-command"},
		"not found":             {refused(domain.CodeNotFound), 404, "not-found"},
		"stale version":         {refused(domain.CodeStaleVersion), 412, "stale-version"},
		"unknown field":         {refused(domain.CodeUnknownField), 422, "unknown-field"},
		"missing field":         {refused(domain.CodeMissingField), 422, "missing-field"},
		"invalid value":         {refused(domain.CodeInvalidValue), 422, "invalid-value"},
		"already exists":        {refused(domain.CodeAlreadyExists), 422, "already-exists"},
		"wrong state":           {refused(domain.CodeWrongState), 422, "wrong-state"},
		"wrong party":           {refused(domain.CodeWrongParty), 422, "wrong-party"},
		"reason required":       {refused(domain.CodeReasonRequired), 422, "reason-required"},
		"nothing changed":       {refused(domain.CodeNothingChanged), 422, "nothing-changed"},
		"future date":           {refused(domain.CodeFutureDate), 422, "future-date"},
		"key reused":            {refused(domain.CodeKeyReused), 422, "idempotency-key-reused"},
		"a rule to come":        {refused("not-invented-yet"), 422, "not-invented-yet"},
		"cursor":                {refused(projections.CodeInvalidCursor), 400, "invalid-cursor"},
		"limit":                 {refused(projections.CodeInvalidLimit), 400, "invalid-limit"},
		"as of":                 {&projections.AsOfError{Code: projections.CodeInvalidAsOf, Field: "as_of"}, 400, "invalid-as-of"},
		"range":                 {&projections.AsOfError{Code: projections.CodeInvalidRange, Field: "from"}, 400, "invalid-range"},
		"as of to come":         {&projections.AsOfError{Code: projections.CodeAsOfInFuture, Field: "as_of"}, 422, "as-of-in-future"},
		"as of too early":       {&projections.AsOfError{Code: projections.CodeAsOfBeforeFirst, Field: "as_of"}, 422, "as-of-before-first"},
		"behind":                {&projections.BehindError{Asked: 9, Reached: 4}, 503, "behind"},
		"stopped":               {&projections.BehindError{Asked: 9, Reached: 4, Err: io.EOF}, 503, "not-ready"},
		"models closed":         {projections.ErrClosed, 503, "unavailable"},
		"conflict":              {ledger.ErrConflict, 409, "conflict"},
		"conflict of the store": {&eventstore.ConflictError{Subject: "s"}, 409, "conflict"},
		"overloaded":            {eventstore.ErrOverloaded, 503, "overloaded"},
		"busy":                  {projections.ErrBusy, 503, "busy"},
		"log damaged":           {&projections.Difference{Code: projections.DiffersGap, Seq: 3}, 500, "log-damaged"},
		"unavailable":           {eventstore.ErrUnavailable, 503, "unavailable"},
		"closed":                {eventstore.ErrClosed, 503, "unavailable"},
		"outcome unknown":       {&eventstore.OutcomeUnknownError{Err: context.DeadlineExceeded}, 503, "outcome-unknown"},
		"event too large":       {eventstore.ErrTooLarge, 413, "too-large"},
		"body too large":        {&http.MaxBytesError{Limit: MaxBody}, 413, "too-large"},
		"body cut off":          {io.ErrUnexpectedEOF, 400, "malformed"},
		"body too slow":         {os.ErrDeadlineExceeded, 503, "timeout"},
		"given up":              {context.DeadlineExceeded, 503, "timeout"},
		"client gone":           {context.Canceled, 503, "timeout"},
		"build failed":          {&projections.BuildError{Err: errors.New("hunter2")}, 500, "build-failed"},
		"build given up":        {&projections.BuildError{Err: context.Canceled}, 503, "timeout"},
		"a gap":                 {&eventstore.GapError{Want: 3, Got: 5}, 500, "internal"},
		"anything else":         {errors.New("the password is hunter2"), 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			// when it comes wrapped
			p := problemOf(fmt.Errorf("while doing it: %w", c.err))

			// then
			assert.Equal(t, c.status, p.Status)
			assert.Equal(t, c.code, p.Code)
			assert.Equal(t, "/problems/"+c.code, p.Type)
			assert.NotEmpty(t, p.Detail+p.Title)
			assert.NotContains(t, p.Detail, "hunter2", "what went wrong inside is for the log")
			assert.Equal(t, c.status == 503, p.GetHeaders().Get("Retry-After") != "")

			// and a line of an import that is refused is 422, whatever its own status
			line := problemOf(&ledger.LineError{Line: 7, Err: c.err})
			assert.Equal(t, 7, line.Line)
			assert.Equal(t, c.code, line.Code)
			var rejected *domain.Rejected
			if errors.As(c.err, &rejected) {
				assert.Equal(t, 422, line.Status)
			} else {
				assert.Equal(t, c.status, line.Status)
			}
		})
	}
}

func TestProblemSaysHowFarTheReadModelsAre(t *testing.T) {
	p := problemOf(&projections.BehindError{Asked: 9, Reached: 0})

	w := httptest.NewRecorder()
	p.write(w)

	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.EqualValues(t, 9, got["asked"])
	assert.EqualValues(t, 0, got["reached"], "zero is an answer, too")
	assert.Equal(t, problemType, w.Header().Get("Content-Type"))
}

func TestCodesAreKebabCase(t *testing.T) {
	for code, status := range statuses {
		assert.Regexp(t, regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), code)
		assert.NotEmpty(t, http.StatusText(status), code)
		assert.GreaterOrEqual(t, status, 400, code)
	}
}
