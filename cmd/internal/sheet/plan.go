package sheet

import (
	"errors"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

// Plan is a milestone plan: a command of each row, or what is wrong with it.
type Plan struct {
	table   *Table
	columns []column // by place; those without a heading have no field
	rows    []planRow
	order   []int // places in rows: each after those that it depends on, else as in the sheet
}

// ReadPlan reads a plan for projects of an agreement. The first row has the
// headings, in any order; a row takes its project from its column, else that
// given, which may be "" where every row has one. The error is an Errors or a
// refusal of the whole sheet. What is wrong with single rows is in Items, so
// that the ledger can say what else is.
func ReadPlan(t *Table, agreement, under domain.Key) (*Plan, error) {
	p := &Plan{table: t}
	if len(t.rows) == 0 {
		return nil, domain.Refuse(CodeEmpty, "", "%sthe sheet is empty: the first row has the headings, and each row below it one milestone", t.prefix())
	}
	if err := p.readHeadings(t.rows[0], under); err != nil {
		return nil, err
	}
	if len(t.rows) == 1 {
		return nil, domain.Refuse(CodeEmpty, "", "%sthere is no milestone below the headings", t.prefix())
	}
	for _, r := range t.rows[1:] {
		p.rows = append(p.rows, p.readRow(r, agreement, under))
	}
	p.link()
	p.sort()
	return p, nil
}

func (p *Plan) readHeadings(r row, under domain.Key) error {
	var wrong Errors
	for i, c := range r.cells {
		if c.empty() {
			p.columns = append(p.columns, column{})
			continue
		}
		col, err := parseHeading(c.text)
		if err == nil && slices.ContainsFunc(p.columns, col.same) {
			err = domain.Refuse(domain.CodeInvalidValue, col.field.Name, "the column %s is there twice", col.heading())
		}
		if err != nil {
			wrong = append(wrong, p.table.refused(r.number, i, err))
		}
		p.columns = append(p.columns, col)
	}
	for _, c := range planColumns("en") {
		if f := c.field; f.Required && indexColumn(p.columns, f.Name) < 0 && (f.Name != "project" || under == "") {
			wrong = append(wrong, p.table.blame(r.number, -1, f.Name, domain.CodeMissingField, "there is no column %s; it is required: %s", c.heading(), f.Doc))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// columnOf finds the place of the column that a refusal's field blames, -1 when
// the sheet has none: "confirming[1]" is in the column of confirming, "title.zh"
// in title_zh, or in that of another language.
func (p *Plan) columnOf(field string) int {
	name := outer(field)
	if name == "" {
		return -1
	}
	language, _ := strings.CutPrefix(field, name+".")
	if i := slices.IndexFunc(p.columns, func(c column) bool { return c.field.Name == name && c.language == language }); i >= 0 {
		return i
	}
	return indexColumn(p.columns, name)
}

// refusedRow makes a CellError of a refusal of a row's command.
func (p *Plan) refusedRow(row int, err error) *CellError {
	at := -1
	var r *domain.Rejected
	if errors.As(err, &r) {
		at = p.columnOf(r.Field)
	}
	return p.table.refused(row, at, err)
}

// refused makes a CellError of a refusal.
func (t *Table) refused(row, column int, err error) *CellError {
	var r *domain.Rejected
	if !errors.As(err, &r) {
		return t.blame(row, column, "", domain.CodeInvalidValue, "%v", err)
	}
	return t.blame(row, column, r.Field, r.Code, "%s", r.Message)
}

// Items are the commands in an order in which each milestone comes after those
// that it depends on, whatever the order of the rows: all for one call of
// ledger.ExecuteAll. A row with errors is an item with an Errors as Err.
func (p *Plan) Items() []ledger.Item {
	items := make([]ledger.Item, 0, len(p.rows))
	for _, i := range p.order {
		r := &p.rows[i]
		item := ledger.Item{Line: r.number, Request: ledger.Request{Command: r.command}}
		if len(r.errors) > 0 {
			item.Err = r.errors.sorted()
		}
		items = append(items, item)
	}
	return items
}

// Explain says of which cells the ledger refused what. What it refused only
// because it had refused another row is left out.
func (p *Plan) Explain(refused *ledger.RefusedError) Errors {
	failed := map[int]bool{}  // by row number
	said := map[string]bool{} // of no cell: once is enough
	var all Errors
	for _, line := range refused.Lines {
		var of Errors
		r := &p.rows[slices.IndexFunc(p.rows, func(r planRow) bool { return r.number == line.Line })]
		follows := slices.ContainsFunc(r.after, func(i int) bool { return failed[p.rows[i].number] })
		failed[r.number] = true
		if errors.As(line.Err, &of) {
			all = append(all, of...)
			continue
		}
		e := p.refusedRow(r.number, line.Err)
		if e.Code == domain.CodeNotFound && e.Field == "depends_on" && follows || e.Cell == "" && said[e.Text] {
			continue
		}
		said[e.Text] = said[e.Text] || e.Cell == ""
		all = append(all, e)
	}
	return all.sorted()
}
