package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

const (
	mediaLines = "application/x-ndjson" // commands as JSON Lines
	mediaJSON  = "application/json"     // a package by OCDS
)

// imports serves the import of files of any length.
func (s *server) imports() {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ledger.Summary](), true, "Summary")
	object := &huma.Schema{Type: huma.TypeObject}
	s.handle(huma.Operation{
		OperationID: "import", Method: http.MethodPost, Path: "/v1/import", Tags: []string{"commands"},
		Summary: "Carry out the commands of a file.",
		Description: "A file of commands, one JSON object a line with the command's name in its field `command`, or an OCDS release or " +
			"record package. Commands go into the log in atomic batches, in order; the first that is refused stops the import with its " +
			"line, and all before it stays. The same file can be imported again, after any interruption: nothing is added twice.\n\n" +
			"A CSV file or an Excel workbook is a milestone plan, see /v1/plan-template: all of its rows are carried out in one atomic " +
			"append, or, when anything is wrong with one of them, none; the problem's errors then name each cell to put right.",
		Parameters: append(planParams(), &huma.Param{Name: headerActor, In: "header", Description: "Who asks, where a command does not say.", Schema: &huma.Schema{Type: huma.TypeString}}),
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			mediaLines: {Schema: &huma.Schema{Type: huma.TypeString, Description: "JSON Lines; a line may have 1 MiB."}},
			mediaJSON:  {Schema: object},

			sheet.MediaCSV:  {Schema: &huma.Schema{Type: huma.TypeString, Description: "A milestone plan, in UTF-8."}},
			sheet.MediaXLSX: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "A milestone plan: the first sheet of the workbook."}},
		}},
		Responses: map[string]*huma.Response{"200": answer("What the import did.", schema)},
		Errors:    []int{400, 403, 409, 413, 415, 422, 500, 503, 507},
	}, s.runImport)
}

func (s *server) runImport(w http.ResponseWriter, r *http.Request) error {
	media, err := requireMedia(r, mediaLines, mediaJSON, sheet.MediaCSV, sheet.MediaXLSX)
	if err != nil {
		return err
	}
	actor, err := actorOf(r.Header)
	if err != nil {
		return err
	}
	if media == sheet.MediaCSV || media == sheet.MediaXLSX {
		return s.importPlan(w, r, media, actor)
	}
	if r.URL.RawQuery != "" {
		return newProblem(CodeInvalidParameter, "", "Only a sheet takes parameters: send CSV or a workbook, or leave them out.")
	}
	release, err := s.admit()
	if err != nil {
		return err
	}
	defer release()
	body := patiently(w, r)
	items := ledger.Lines(body)
	if media == mediaJSON {
		if items, err = ocds.Commands(body, s.keep(r.Context())); err != nil {
			return err
		}
	}
	whole, end := uncut(r.Context()) // a batch under way is not left without an answer
	defer end()
	sum, err := s.cfg.Ledger.Import(whole, s.asActor(r.Context(), items, actor), func() error { return mayImport(r.Context()) })
	s.metrics.imported.Add(float64(sum.Commands))
	if sum.Commands > 0 {
		s.showImported(r.Context())
	}
	if err != nil {
		p := *problemOf(err)
		if errors.Is(err, errStopping) {
			p = *newProblem(CodeStopping, "", fmt.Sprintf("The server stops. Of what was sent all up to number %d is in the ledger, and nothing behind it. "+
				"Send the same again: what is there is skipped.", sum.Lines))
		}
		p.Summary = &sum
		return &p
	}
	writeJSON(w, http.StatusOK, sum)
	return nil
}

// mayImport refuses an import of whom it is not the right any more, since one can
// take hours to arrive, and one that is told to end.
func mayImport(ctx context.Context) error {
	if isCut(ctx) {
		return errStopping
	}
	right, _ := access.Route("POST /v1/import")
	return stillMay(ctx, right)
}

// keep stores what a package says, which its commands cite as evidence.
func (s *server) keep(ctx context.Context) ocds.Keep {
	return func(name domain.Hash, content []byte) error {
		_, err := s.cfg.Store.PutEvidence(ctx, bytes.NewReader(content), string(name))
		return err
	}
}

// showImported waits until the read models show what was imported, so that who
// asks next sees it, but not for ever. The import is done whether they do or not.
func (s *server) showImported(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, importPause)
	defer cancel()
	last, err := s.cfg.Store.Last(ctx)
	if err == nil {
		err = errors.Join(s.cfg.Models.Wait(ctx, last), s.cfg.Access.Wait(ctx, last))
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Logger.WarnContext(ctx, "the read models do not show the import yet", "error", err)
	}
}

// asActor names who gives the commands that name nobody: actor, or where that is
// "" the asker, who is an administrator and is recorded beside whoever is named.
func (s *server) asActor(ctx context.Context, items iter.Seq[ledger.Item], actor string) iter.Seq[ledger.Item] {
	principal := string(access.From(ctx).Key)
	return func(yield func(ledger.Item) bool) {
		for item := range items {
			item.Meta.Actor = cmp.Or(item.Meta.Actor, actor, principal)
			item.Meta.Principal = principal
			if !yield(item) {
				return
			}
		}
	}
}

// rebuild serves the making of new read models.
func (s *server) rebuild() {
	rebuilt := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[projections.Rebuilt](), true, "Rebuilt")
	s.handle(huma.Operation{
		OperationID: "rebuild", Method: http.MethodPost, Path: "/v1/rebuild", Tags: []string{"operations"},
		Summary: "Make the read models again from the log.",
		Description: "The new ones are made beside those that serve, and take their place when they are done. The answer says whether " +
			"they are identical; it is 200 when they are not, too.",
		Responses: map[string]*huma.Response{"200": answer("What came of it.", rebuilt)},
		Errors:    []int{400, 403, 500, 503, 507},
	}, func(w http.ResponseWriter, r *http.Request) error {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // it takes as long as the log is
		rebuilt, err := s.cfg.Models.Rebuild(r.Context(), s.cfg.Store, nil)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, rebuilt)
		return nil
	})
}
