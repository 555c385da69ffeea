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
// client takes something. Between its writes there is no deadline: by HTTP/2 one ends
// the answer also while the server has nothing to say.
type patientWriter struct {
	body  io.Writer
	conn  *http.ResponseController
	pause time.Duration
}

// patientlyTo writes the body of an answer, which may be long in coming.
func patientlyTo(w http.ResponseWriter) *patientWriter {
	out := &patientWriter{w, http.NewResponseController(w), importPause}
	out.rest()
	return out
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.end()
	n, err := w.body.Write(b)
	w.rest()
	return n, err
}

// Flush sends what was written.
func (w *patientWriter) Flush() error {
	w.end()
	err := w.conn.Flush()
	w.rest()
	return err
}

// end sets the deadline of what is sent now: the last of an answer by net/http.
func (w *patientWriter) end() { _ = w.conn.SetWriteDeadline(time.Now().Add(w.pause)) }

func (w *patientWriter) rest() { _ = w.conn.SetWriteDeadline(time.Time{}) } // a test's recorder has none
