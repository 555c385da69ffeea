package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/projections"
)

const (
	mediaSQLite  = "application/vnd.sqlite3"
	headerDigest = "Milepost-Digest"
)

// ReplayLine is one line of the answer to a replay: how far it is, and as the
// last one what came of it, or why it could not be finished.
type ReplayLine struct {
	Done    *uint64               `json:"done,omitempty" doc:"Events that are replayed; after them, files that are read."`
	Total   *uint64               `json:"total,omitempty" doc:"Events that the log has; after them, files that they name."`
	Result  *projections.Replayed `json:"result,omitempty" doc:"What came of it; the last line."`
	Problem *Problem              `json:"problem,omitempty" doc:"Why it could not be finished; then the last line."`
}

// replayPause lies between two lines that say how far it is.
const replayPause = 100 * time.Millisecond

// replay serves the audit of the log.
func (s *server) replay() {
	line := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ReplayLine](), true, "ReplayLine")
	s.handle(huma.Operation{
		OperationID: "replay", Method: http.MethodPost, Path: "/v1/replay", Tags: []string{"operations"},
		Summary: "Fold the log again from the first event, and compare.",
		Description: "Each event is checked (sequence, batch, subject, version, source, hash), and what it gives is compared with the read models: " +
			"digest, Merkle root, and the rows in their tables. Each file that events name as evidence is read, and has to have the hash by which it is named. " +
			"Nothing is changed, and questions are answered meanwhile. " +
			"The answer is JSON Lines: how far it is, and as the last line the result, which names the first event and entity that differ. " +
			"One replay or rebuild runs at a time. Who breaks off the request ends it.",
		Parameters: []*huma.Param{{Name: "evidence", In: "query", Description: "Whether to read the evidence: it takes as long as its size does.",
			Schema: &huma.Schema{Type: huma.TypeBoolean, Default: true}}},
		Responses: map[string]*huma.Response{"200": {Description: "How far it is, and what came of it.", Content: map[string]*huma.MediaType{mediaLines: {Schema: line}}}},
		Errors:    []int{400, 403, 500, 503, 507},
	}, s.runReplay)
	text := &huma.Schema{Type: huma.TypeString}
	s.handle(huma.Operation{
		OperationID: "replay-models", Method: http.MethodPost, Path: "/v1/replay/models", Tags: []string{"operations"},
		Summary: "The read models as of a point, made again from the log, as a SQLite file.",
		Description: "The file is complete and indexed; its views <table>_now and <table>_history have texts and dates in place of ids and day numbers. " +
			"One replay or rebuild runs at a time.",
		Parameters: []*huma.Param{{Name: "to", In: "query", Description: "The point to stop at: an RFC 3339 instant, a civil date (its end, in the ledger's time zone) or seq:N; now when absent.",
			Schema: text, Example: "2018-12-31"}},
		Responses: map[string]*huma.Response{"200": {Description: "The file.",
			Headers: map[string]*huma.Param{
				headerSeq:    {Description: "Its last event.", Schema: &huma.Schema{Type: huma.TypeInteger}},
				headerDigest: {Description: "Its digest.", Schema: text},
			},
			Content: map[string]*huma.MediaType{mediaSQLite: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}},
		Errors: []int{400, 403, 422, 500, 503, 507},
	}, s.replayModels)
}

func (s *server) runReplay(w http.ResponseWriter, r *http.Request) error {
	evidence, err := saysTrue(r, "evidence", true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	out := patientlyTo(w)
	defer out.end()
	begun := false
	tell := func(line ReplayLine) {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", mediaLines)
		}
		if json.NewEncoder(out).Encode(line) != nil || out.Flush() != nil {
			cancel() // nobody hears it
		}
	}
	var told time.Time
	opts := projections.ReplayOptions{Progress: func(done, total uint64) {
		if done == total || time.Since(told) >= replayPause {
			told = time.Now()
			tell(ReplayLine{Done: &done, Total: &total})
		}
	}}
	if evidence {
		opts.Files = s.cfg.Store
	}
	replayed, err := s.cfg.Models.Replay(ctx, s.cfg.Store, opts)
	switch {
	case err == nil:
		tell(ReplayLine{Result: &replayed})
	case !begun:
		return err
	default:
		tell(ReplayLine{Problem: s.problem(r.Context(), err)})
	}
	return nil
}

func (s *server) replayModels(w http.ResponseWriter, r *http.Request) error {
	asked := pointText(r.URL.Query().Get("to"))
	if asked != "" && s.cfg.Models.Position().Err == nil { // else it is up to where they are, or stopped
		if err := s.await(r.Context(), 0, asked); err != nil {
			return err
		}
	}
	out := patientlyTo(w) // nothing comes before the file is made
	defer out.end()
	_, to, err := s.cfg.Models.ResolveRange(r.Context(), "", asked, projections.Page{})
	if err != nil {
		return err
	}
	file, made, err := s.cfg.Models.ReplayFile(r.Context(), s.cfg.Store, to.Seq, nil)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaSQLite)
	h.Set("Content-Disposition", `attachment; filename="replay-`+strconv.FormatUint(made.Seq, 10)+`.db"`)
	h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	h.Set(headerSeq, strconv.FormatUint(made.Seq, 10))
	h.Set(headerDigest, made.Digest)
	if _, err := io.Copy(out, file); err != nil {
		panic(http.ErrAbortHandler) // cut the answer off, so that it is not taken for whole
	}
	return nil
}
