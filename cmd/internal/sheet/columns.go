package sheet

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// planned is the command that each row of a plan stands for; its declaration
// in the catalogue is that of the columns.
var planned = func() domain.CommandType {
	typ, _, err := catalogue.Command("schedule-milestone")
	if err != nil {
		panic(err) // the catalogue has lost it
	}
	return typ
}()

// column is what stands under one heading of a plan: a field of the command,
// or, of a text, one language.
type column struct {
	field    domain.Field
	language string
}

// heading is the column's name: "due", "title_zh".
func (c column) heading() string {
	if c.language != "" {
		return c.field.Name + "_" + c.language
	}
	return c.field.Name
}

// planColumns are the columns of a plan, in the order of the declaration. The
// agreement is said beside the sheet, and so may be the project.
func planColumns(languages ...string) []column {
	var columns []column
	for _, f := range planned.Fields {
		switch {
		case f.Name == "agreement":
		case f.Type == "text":
			for _, l := range languages {
				columns = append(columns, column{f, l})
			}
		default:
			columns = append(columns, column{field: f})
		}
	}
	return columns
}

// parseHeading finds the column of a heading, however it is spaced and cased.
func parseHeading(heading string) (column, error) {
	name := strings.NewReplacer(" ", "_", "-", "_").Replace(heading)
	for _, c := range planColumns("") {
		f := c.field
		if strings.EqualFold(name, f.Name) {
			if f.Type == "text" {
				return column{f, "en"}, nil
			}
			return c, nil
		}
		if f.Type != "text" || len(name) <= len(f.Name) || !strings.EqualFold(name[:len(f.Name)+1], f.Name+"_") {
			continue
		}
		language := strings.ReplaceAll(name[len(f.Name)+1:], "_", "-")
		if i := strings.IndexByte(language, '-'); i < 0 {
			language = strings.ToLower(language)
		}
		sample, _ := json.Marshal(map[string]string{language: "x"}) // strings
		if err := new(domain.Text).UnmarshalJSON(sample); err != nil {
			return c, domain.Refuse(domain.CodeUnknownField, f.Name, "%q: %v", heading, err)
		}
		return column{f, language}, nil
	}
	var known []string
	for _, c := range planColumns("en", "zh") {
		known = append(known, c.heading())
	}
	return column{}, domain.Refuse(domain.CodeUnknownField, "", "%q is no column of a plan; it has %s", heading, strings.Join(known, ", "))
}

// value makes of a cell what the field is in JSON, nil where the cell is empty.
// Whether the value is allowed is for the command's own decoder to say.
func (c column) value(of cell) (any, error) {
	switch {
	case of.kind == formula:
		return nil, domain.Refuse(CodeFormula, c.field.Name, "holds the formula =%s; put its value there (copy, then paste values)", of.text)
	case of.kind == fault:
		return nil, domain.Refuse(domain.CodeInvalidValue, c.field.Name, "holds the error %s", of.text)
	case of.text == "":
		return nil, nil
	}
	switch {
	case c.field.Format == "date" && of.kind == number:
		return nil, domain.Refuse(domain.CodeInvalidValue, c.field.Name, "want a date, got the number %s: format the cell as a date, or write YYYY-MM-DD", of.text)
	case c.field.Type == "integer":
		n, err := strconv.ParseFloat(of.text, 64)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
			return nil, domain.Refuse(domain.CodeInvalidValue, c.field.Name, "want a whole number, got %s", of.text)
		}
		return int(n), nil
	case c.field.Type == "array":
		return listOf(of.text), nil
	case c.field.Type == "text":
		return map[string]string{c.language: of.text}, nil
	}
	return of.text, nil
}

// listOf divides a list as people write one, in Chinese too.
func listOf(s string) []string {
	var list []string
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune(";,；，、\n", c) }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// standIn is some value that the field allows. It takes the place of one that
// was refused, so that the next error of the row can be found.
func standIn(f domain.Field) any {
	switch {
	case f.Type == "text":
		return map[string]string{"en": "x"}
	case f.Type == "integer" && f.Min != nil:
		return *f.Min
	case f.Type == "integer":
		return 1
	case f.Type == "array":
		return []any{standIn(*f.Items)}
	case f.Format == "date":
		return "2000-01-01"
	case len(f.Enum) > 0:
		return f.Enum[0]
	}
	return "x"
}

// describe says what a column takes, in the words of the catalogue.
func (c column) describe() string {
	var b strings.Builder
	if c.field.Required {
		b.WriteString("Required. ")
	}
	b.WriteString(c.field.Doc)
	if c.language != "" {
		fmt.Fprintf(&b, " In the language %q; one more column for each language.", c.language)
	}
	switch {
	case c.field.Format == "date":
		b.WriteString(" A date cell, or text as YYYY-MM-DD.")
	case len(c.field.Enum) > 0:
		b.WriteString(" One of: " + strings.Join(c.field.Enum, ", ") + ".")
	case c.field.Type == "array":
		b.WriteString(" Several are separated by semicolons or commas.")
	case c.field.Type == "integer" && c.field.Min != nil && c.field.Max != nil:
		fmt.Fprintf(&b, " %d to %d.", *c.field.Min, *c.field.Max)
	case c.field.Pattern == domain.KeyPattern:
		b.WriteString(" A key: a-z, 0-9 and hyphens.")
	}
	return b.String()
}

func (c column) same(other column) bool {
	return c.field.Name == other.field.Name && c.language == other.language
}

func indexColumn(columns []column, field string) int {
	return slices.IndexFunc(columns, func(c column) bool { return c.field.Name == field })
}
