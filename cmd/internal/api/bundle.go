package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

const (
	mediaTar = "application/x-tar"
	headerAt = "Milepost-At"

	// maxBundles is how many are made at once. Each has the states of all that it
	// tells of in memory.
	maxBundles = 2
)

// bundles serves what verifies without a server.
func (s *server) bundles() {
	room := make(chan struct{}, maxBundles)
	s.bundle("", "/v1/bundle", "the whole ledger", room)
	s.bundle("agreement-", "/v1/agreements/{agreement}/bundle", "an agreement", room)
}

// bundle serves the bundles of a kind.
func (s *server) bundle(prefix, path, of string, room chan struct{}) {
	var params []*huma.Param
	if prefix != "" {
		params = append(params, &huma.Param{Name: "agreement", In: "path", Required: true, Description: "Key of the agreement.",
			Schema: &huma.Schema{Type: huma.TypeString, Pattern: domain.KeyPattern}, Example: "wuxi-2017"})
	}
	text := &huma.Schema{Type: huma.TypeString}
	s.handle(huma.Operation{
		OperationID: "get-" + prefix + "bundle", Method: http.MethodGet, Path: path, Tags: []string{"evidence"},
		Summary: "All that proves the history of " + of + ", in one file that verifies without a server.",
		Description: "The events as they are stored, the kept checkpoints with their countersignatures, and the keys, as a tar archive that " +
			"`milepost verify` checks offline. It is as of now: the tree is signed first. An answer that breaks off is not a bundle, and verify says so.",
		Parameters: append(params, &huma.Param{Name: "evidence", In: "query", Description: "With the stored files that events name.",
			Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false}}),
		Responses: map[string]*huma.Response{"200": {Description: "The bundle.",
			Content: map[string]*huma.MediaType{mediaTar: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
			Headers: map[string]*huma.Param{
				headerSeq:             {Description: "The sequence that it is as of.", Schema: &huma.Schema{Type: huma.TypeInteger}},
				headerAt:              {Description: "Ledger time of that sequence; absent before the first.", Schema: text},
				"Content-Disposition": {Description: "The name of the file.", Schema: text},
			}}},
		Errors: []int{400, 403, 404, 500, 503},
	}, func(w http.ResponseWriter, r *http.Request) error {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			return newProblem(CodeOverloaded, "", "Too many bundles are being made; try again in a moment.")
		}
		return s.getBundle(w, r)
	})
}

func (s *server) getBundle(w http.ResponseWriter, r *http.Request) error {
	agreement := domain.Key(r.PathValue("agreement"))
	evidence, err := saysTrue(r, "evidence", false)
	if err != nil {
		return err
	}
	if err := s.seesTree(r.Context(), agreement); err != nil {
		return err
	}
	if err := seesAll(access.From(r.Context()), agreement); err != nil {
		return err
	}
	if _, err := s.checkpoint(r.Context(), string(agreement)); err != nil { // of what does not exist, or cannot be signed
		return err
	}
	out := patientlyTo(w) // the answer begins when all has been read
	defer out.end()
	b, err := bundle.Source{
		Ledger: s.cfg.Name, Timezone: s.cfg.Store.Timezone(), Log: s.cfg.Store, Files: s.cfg.Store, Notary: s.cfg.Notary, Trees: caughtUp{s},
	}.Prepare(r.Context(), agreement, evidence)
	if wrong := (*bundle.Failure)(nil); errors.As(err, &wrong) {
		return newProblem(CodeLogDisagrees, "", "The log is not what was signed, so there is nothing to prove: "+wrong.Error())
	}
	if err != nil {
		return err
	}
	seq := strconv.FormatUint(b.Manifest.Seq, 10)
	_, at, err := s.point(r.Context(), Question{AsOf: "seq:" + seq}, projections.Page{})
	if err != nil {
		return err
	}
	name := s.cfg.Name
	if agreement != "" {
		name += "-" + string(agreement)
	}
	h := w.Header()
	h.Set("Content-Type", mediaTar)
	h.Set("Content-Disposition", `attachment; filename="`+name+"-"+seq+`.bundle"`)
	h.Set(headerSeq, seq)
	if !at.At.IsZero() {
		h.Set(headerAt, at.At.UTC().Format(time.RFC3339Nano))
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if err := b.Write(r.Context(), out, nil); err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "a bundle broke off", "agreement", agreement, "error", err)
		panic(http.ErrAbortHandler) // cut the answer off, so that it is not taken for whole
	}
	return nil
}

// caughtUp proves events once the read models have what the newest checkpoint
// covers.
type caughtUp struct{ s *server }

func (c caughtUp) ProveInclusion(ctx context.Context, agreement domain.Key, tree tlog.Tree, index uint64) (tlog.RecordProof, error) {
	if err := c.s.awaitTrees(ctx); err != nil {
		return nil, err
	}
	return c.s.cfg.Models.ProveInclusion(ctx, agreement, tree, index)
}
