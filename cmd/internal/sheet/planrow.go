package sheet

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// planRow is a milestone to be scheduled.
type planRow struct {
	row
	command project.Schedule
	errors  Errors
	after   []int // rows that it depends on, by place in Plan.rows
}

// of returns the error of the row's field, nil when there is none.
func (r *planRow) of(field string) *CellError {
	for _, e := range r.errors {
		if field != "" && outer(e.Field) == field {
			return e
		}
	}
	return nil
}

// outer is the field that a refusal is about or within: title of "title.zh",
// confirming of "confirming[1]".
func outer(field string) string {
	if i := strings.IndexAny(field, ".["); i >= 0 {
		return field[:i]
	}
	return field
}

// rowReader makes the command of a row, or finds everything that its
// declaration refuses: what is refused is replaced by something that is not, so
// that the decoder goes on to the next error.
type rowReader struct {
	plan *Plan
	planRow
	body map[string]any // the command in JSON
}

func (p *Plan) readRow(r row, agreement, under domain.Key) planRow {
	reader := rowReader{p, planRow{row: r}, map[string]any{"agreement": agreement}}
	if under != "" {
		reader.body["project"] = under
	}
	reader.fill()
	reader.decode()
	return reader.planRow
}

// fill puts the cells into the body.
func (r *rowReader) fill() {
	for i, c := range r.cells {
		if i >= len(r.plan.columns) || r.plan.columns[i].field.Name == "" {
			if !c.empty() {
				r.refuse("", i, domain.Refuse(domain.CodeUnknownField, "", "the column has no heading"))
			}
			continue
		}
		name := r.plan.columns[i].field.Name
		v, err := r.plan.columns[i].value(c)
		if err != nil {
			r.refuse(name, i, err)
			continue
		}
		if text, ok := v.(map[string]string); ok {
			if before, ok := r.body[name].(map[string]string); ok {
				maps.Copy(text, before)
			}
		}
		if v != nil && r.of(name) == nil {
			r.body[name] = v
		}
	}
}

// decode reads the body as the command's own decoder does.
func (r *rowReader) decode() {
	for {
		raw, err := json.Marshal(r.body)
		if err != nil {
			panic(err) // keys, texts and numbers
		}
		cmd, _, err := planned.Decode(raw)
		var refused *domain.Rejected
		if !errors.As(err, &refused) {
			r.command, _ = cmd.(project.Schedule)
			return
		}
		field, at := outer(refused.Field), r.plan.columnOf(refused.Field)
		switch {
		case r.of(field) != nil: // even the stand-in was refused: what is left cannot be known
			return
		case at < 0: // what is said beside the sheet
			r.refuse(field, at, err)
			return
		case refused.Code == domain.CodeMissingField:
			refused = domain.Refuse(refused.Code, field, "is empty and required: %s", r.plan.columns[at].field.Doc)
		}
		r.refuse(field, at, refused)
	}
}

func (r *rowReader) refuse(field string, at int, err error) {
	r.errors = append(r.errors, r.plan.table.refused(r.number, at, err))
	if i := indexColumn(r.plan.columns, field); i >= 0 && field != "" {
		r.body[field] = standIn(r.plan.columns[i].field)
	}
}
