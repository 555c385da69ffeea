package api

import (
	"context"
	"io"
	"net/http"
	"time"
)

// importPause is how long who sends or takes what is long may pause.
const importPause = time.Minute

// patientReader reads a body that takes as long as it takes, as long as something
// comes and the request is not told to end.
type patientReader struct {
	ctx  context.Context
	body io.Reader
	conn *http.ResponseController
}

// patiently reads the body of a request, the answer to which comes when all of it
// is here and done.
func patiently(w http.ResponseWriter, r *http.Request) *patientReader {
	in := &patientReader{r.Context(), r.Body, http.NewResponseController(w)}
	_ = in.conn.SetWriteDeadline(time.Time{}) // a test's recorder has no deadline
	context.AfterFunc(in.ctx, func() {
		if isCut(in.ctx) {
			_ = in.conn.SetReadDeadline(time.Now()) // wake it
		}
	})
	return in
}

func (r *patientReader) Read(b []byte) (int, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(importPause))
	if isCut(r.ctx) { // after the deadline is set, or the one that wakes it would be lost
		return 0, errStopping
	}
	n, err := r.body.Read(b)
	if err != nil && err != io.EOF && isCut(r.ctx) {
		err = errStopping
	}
	return n, err
}

// patientWriter writes a body that takes as long as it takes, as long as the
// client takes something.
type patientWriter struct {
	body io.Writer
	conn *http.ResponseController
}

func (w *patientWriter) Write(b []byte) (int, error) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(importPause))
	return w.body.Write(b)
}
