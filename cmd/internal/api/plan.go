package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// CellProblem is what is wrong with one cell of a sheet.
type CellProblem struct {
	Sheet  string `json:"sheet,omitempty" doc:"Name of the sheet; a CSV file has none."`
	Cell   string `json:"cell,omitempty" doc:"The cell, as C7; absent when it is the sheet as a whole." example:"C7"`
	Field  string `json:"field,omitempty" doc:"The field of the command that the cell is for." example:"due"`
	Code   string `json:"code" doc:"Code of the refusal."`
	Detail string `json:"detail" doc:"What is wrong, and what to do."`
}

// maxCellProblems bounds the errors of one answer.
const maxCellProblems = 1000

// sheetProblem is a sheet's errors as one problem: the first with its cell, and
// all of them in errors.
func sheetProblem(wrong sheet.Errors) *Problem {
	detail := wrong[0].Error()
	if n := len(wrong) - 1; n > 0 {
		detail += fmt.Sprintf(" (and %d more, see errors)", n)
	}
	p := newProblem(wrong[0].Code, wrong[0].Cell, detail)
	p.Status = http.StatusUnprocessableEntity // of the sheet, whatever a command's own status would be
	for _, e := range wrong[:min(len(wrong), maxCellProblems)] {
		p.Errors = append(p.Errors, CellProblem{e.Sheet, e.Cell, e.Field, e.Code, e.Text})
	}
	p.cause = wrong
	return p
}

// planParams are the parameters of the import that only sheets have.
func planParams() []*huma.Param {
	key := &huma.Schema{Type: huma.TypeString, Pattern: domain.KeyPattern}
	return []*huma.Param{
		{Name: "format", In: "query", Description: "What a sheet holds; there are only milestone plans so far, so it may be left out.",
			Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"plan"}}},
		{Name: "agreement", In: "query", Description: "The agreement of a plan; required with one.", Schema: key, Example: "wuxi-2017"},
		{Name: "project", In: "query", Description: "The project of the rows of a plan that name none.", Schema: key, Example: "iot-base"},
	}
}

// planQuestion reads the agreement and project of a plan, "" where none is given.
func planQuestion(r *http.Request) (agreement, project domain.Key, err error) {
	q := r.URL.Query()
	agreement, project = domain.Key(q.Get("agreement")), domain.Key(q.Get("project"))
	for name, k := range map[string]domain.Key{"agreement": agreement, "project": project} {
		if k != "" && !k.Valid() {
			return "", "", newProblem(CodeInvalidParameter, name, "Want a key: 1 to 64 of a-z, 0-9 and hyphens.")
		}
	}
	return agreement, project, nil
}

// importPlan carries out a milestone plan: all of it, or nothing.
func (s *server) importPlan(w http.ResponseWriter, r *http.Request, media, actor string) error {
	agreement, project, err := planQuestion(r)
	switch format := r.URL.Query().Get("format"); {
	case err != nil:
		return err
	case agreement == "":
		return newProblem(CodeInvalidParameter, "agreement", "Say of which agreement the plan is: ?agreement=<key>.")
	case format != "" && format != "plan":
		return newProblem(CodeInvalidParameter, "format", "A sheet holds a plan: format=plan.")
	case r.ContentLength > sheet.MaxFile:
		return &http.MaxBytesError{Limit: sheet.MaxFile}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, io.NopCloser(patiently(w, r)), sheet.MaxFile))
	if err != nil {
		return err
	}
	table, err := s.readSheet(r.Context(), media, body)
	if err != nil {
		return err
	}
	sum, err := s.executePlan(r.Context(), table, agreement, project, actor)
	if err != nil {
		return err
	}
	s.showImported(r.Context())
	writeJSON(w, http.StatusOK, sum)
	return nil
}

// maxSheets is how many sheets are read at once. Each can take a hundred MiB for
// a second, whatever its length.
const maxSheets = 2

// readSheet reads a sheet when its turn comes.
func (s *server) readSheet(ctx context.Context, media string, file []byte) (*sheet.Table, error) {
	select {
	case s.sheets <- struct{}{}:
		defer func() { <-s.sheets }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return sheet.Read(media, bytes.NewReader(file))
}

func (s *server) executePlan(ctx context.Context, table *sheet.Table, agreement, project domain.Key, actor string) (ledger.Summary, error) {
	plan, err := sheet.ReadPlan(table, agreement, project)
	if wrong := (sheet.Errors)(nil); errors.As(err, &wrong) {
		return ledger.Summary{}, sheetProblem(wrong)
	}
	if err != nil {
		return ledger.Summary{}, err
	}
	release, err := s.admit() // not before all of it is here: a slow client holds up nobody
	if err != nil {
		return ledger.Summary{}, err
	}
	defer release()
	if err := mayImport(ctx); err != nil {
		return ledger.Summary{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	sum, err := s.cfg.Ledger.ExecuteAll(ctx, slices.Collect(s.asActor(ctx, slices.Values(plan.Items()), actor)))
	if refused := (*ledger.RefusedError)(nil); errors.As(err, &refused) {
		return sum, sheetProblem(plan.Explain(refused))
	}
	s.metrics.imported.Add(float64(sum.Commands))
	return sum, err
}

// templateQuestion takes no effective_at: a plan is added to all that is known.
type templateQuestion struct {
	Agreement domain.Key `query:"agreement" pattern:"^[a-z0-9][a-z0-9-]{0,63}$" doc:"The agreement of the plan: the template then says which parties and projects there are." example:"wuxi-2017"`
	Project   domain.Key `query:"project" pattern:"^[a-z0-9][a-z0-9-]{0,63}$" doc:"The project of the plan: the template then has no column for it." example:"iot-base"`
	Format    string     `query:"format" enum:"xlsx,csv" default:"xlsx" doc:"The form of the file."`
	Question
}

type templateAnswer struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" doc:"The name of the file."`
	AsOfHeaders
	Body []byte
}

// planTemplate serves empty plans.
func (s *server) planTemplate() {
	file := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	op := reading("plan-template", "commands", "/v1/plan-template", "An empty milestone plan, to be filled in and imported.")
	op.Description = "Its columns, what each takes and what is checked while somebody types come from the command schedule-milestone."
	op.Responses = map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{sheet.MediaXLSX: file, sheet.MediaCSV: file}}}
	get(s, op, func(ctx context.Context, in *templateQuestion) (*templateAnswer, error) {
		models, at, err := s.point(ctx, in, projections.Page{})
		if err != nil {
			return nil, err
		}
		template := sheet.Template{Languages: []string{"en", "zh"}, Project: in.Project}
		if in.Agreement != "" {
			if err := knownOf(ctx, models, in.Agreement, at, &template); err != nil {
				return nil, err
			}
		}
		var b bytes.Buffer
		write := template.WriteXLSX
		if in.Format == "csv" {
			write = template.WriteCSV
		}
		err = write(&b)
		return &templateAnswer{forms[in.Format], `attachment; filename="plan.` + in.Format + `"`, asOfHeaders(at), b.Bytes()}, err
	})
}

// knownOf tells a template which projects and parties an agreement has.
func knownOf(ctx context.Context, models *projections.Models, of domain.Key, at projections.Point, t *sheet.Template) error {
	agreement, err := models.Agreement(ctx, of, at)
	if err != nil {
		return err
	}
	t.Parties = agreement.Parties
	if t.Project != "" {
		_, err := models.Project(ctx, of, t.Project, at)
		return err
	}
	projects, _, err := models.Projects(ctx, of, at, projections.Page{Limit: projections.MaxLimit})
	for _, p := range projects {
		t.Projects = append(t.Projects, p.Project)
	}
	return err
}
