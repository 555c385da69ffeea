package web

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// input is a field of a form, or a part of one.
type input struct {
	*visit
	Kind        string // which template shows it
	Name, ID    string
	Label, Help string
	Tag         string // of a language
	Required    bool
	Value       string
	Placeholder string
	Error       string
	Min, Max    *int
	Options     []option // to choose from
	More        bool     // what is not among the options may be said, too
	Chosen      []string // of several, those that are said
	Fields      []*input // parts
	Refreshes   bool     // what others have to choose from goes by it
}

// option is something to choose.
type option struct {
	Value, Title string
	Chosen       bool
}

// extra is how many empty rows there are to go on with.
const extra = 3

// input is the input of a field, by its type.
func (f *form) input(ctx context.Context, field domain.Field, path string) (*input, error) {
	in := &input{
		visit: f.visit, Kind: "line", Name: path, ID: idOf(path), Label: f.FieldLabel(f.typ.Name, field.Name), Help: f.Say(field.Doc),
		Required: field.Required, Value: f.values.Get(path), Min: field.Min, Max: field.Max,
	}
	if field.Name == secretHash[f.typ.Name] {
		in.Required, in.Help = false, f.Say("Leave it empty: the server makes the token, and shows it once. Or say the SHA-256 of one that was made elsewhere.")
	}
	if example, ok := field.Example.(string); ok && field.Format != "date" {
		in.Placeholder = example
	}
	var err error
	switch {
	case field.Type == "text":
		f.languages(in, field)
	case field.Type == "boolean":
		in.Kind = "select"
		in.Options = []option{{Value: "true", Title: f.Say("Yes")}, {Value: "false", Title: f.Say("No")}}
	case field.Type == "integer":
		in.Kind = "number"
	case field.Type == "object":
		in.Kind = "group"
		err = f.parts(ctx, in, field.Fields)
	case field.Type == "array" && field.Items.Type == "object":
		in.Kind = "rows"
		for i := range rows(f.values, path) + extra {
			row := &input{visit: f.visit, Kind: "row", Name: fmt.Sprintf("%s[%d]", path, i), Label: strconv.Itoa(i + 1)}
			row.ID = idOf(row.Name)
			if err = f.parts(ctx, row, field.Items.Fields); err != nil {
				break
			}
			in.Fields = append(in.Fields, row)
		}
	case field.Type == "array" && field.Items.Type == "command":
		in.Kind = "commands"
	case field.Type == "array":
		err = f.several(ctx, in, field)
	case field.Pattern == domain.HashPattern:
		in.Kind = "file"
	case field.Format == "date":
		in.Kind = "date"
	case field.Max != nil && *field.Max > 1000:
		in.Kind = "area"
	default:
		err = f.choose(ctx, in, field)
	}
	for i := range in.Options {
		in.Options[i].Chosen = in.Options[i].Value == in.Value || slices.Contains(in.Chosen, in.Options[i].Value)
	}
	f.blame(in)
	return in, err
}

// parts gives an input those of an object.
func (f *form) parts(ctx context.Context, in *input, fields []domain.Field) error {
	for _, part := range fields {
		p, err := f.input(ctx, part, in.Name+"."+part.Name)
		if err != nil {
			return err
		}
		in.Fields = append(in.Fields, p)
	}
	return nil
}

// languages gives a text a part for each language: those of the pages, and whatever
// other it has.
func (f *form) languages(in *input, field domain.Field) {
	in.Kind = "group"
	tags := []string{"en", "zh"}
	var others []string
	for path := range f.values {
		if tag, ok := strings.CutPrefix(path, in.Name+"."); ok && !slices.Contains(tags, tag) {
			others = append(others, tag)
		}
	}
	slices.Sort(others)
	example, _ := field.Example.(map[string]string)
	for _, tag := range append(tags, others...) {
		kind := "line"
		if field.Name != "title" {
			kind = "area" // a title is a line
		}
		path := in.Name + "." + tag
		part := &input{visit: f.visit, Kind: kind, Name: path, ID: idOf(path), Label: languageName(tag), Tag: tag, Value: f.values.Get(path), Placeholder: example[tag]}
		f.blame(part)
		in.Fields = append(in.Fields, part)
	}
}

// languageName is what a language calls itself.
func languageName(tag string) string {
	switch tag {
	case "en":
		return "English"
	case "zh":
		return "中文"
	}
	return tag
}

// several is a list: what there is to choose from, each to be ticked, and lines for
// more.
func (f *form) several(ctx context.Context, in *input, field domain.Field) error {
	in.Kind = "several"
	if field.Items.Pattern == domain.HashPattern {
		in.Kind = "files"
	}
	in.Min, in.Max = nil, nil
	in.Chosen = slices.DeleteFunc(slices.Clone(f.values[in.Name]), func(s string) bool { return s == "" })
	options, free, err := f.choices(ctx, field)
	if err != nil {
		return err
	}
	in.Options, in.More = options, free || len(options) == 0
	for _, value := range in.Chosen {
		if !slices.ContainsFunc(in.Options, func(o option) bool { return o.Value == value }) {
			in.Options = append(in.Options, option{Value: value, Title: value})
		}
	}
	return nil
}

// choose has a field chosen from what there is, and where that is not all that may be
// said, typed as well.
func (f *form) choose(ctx context.Context, in *input, field domain.Field) error {
	options, free, err := f.choices(ctx, field)
	if err != nil || len(options) == 0 {
		return err
	}
	in.Options, in.Kind = options, "select"
	if free {
		in.Kind = "suggest"
		return nil
	}
	if in.Value != "" && !slices.ContainsFunc(options, func(o option) bool { return o.Value == in.Value }) {
		in.Options = append(in.Options, option{Value: in.Value, Title: in.Value})
	}
	in.Refreshes = slices.Contains(scopes, in.Name) || present[f.typ.Name] != nil && slices.Contains(subjects, in.Name) && !f.acting()
	return nil
}

// blame shows at an input what is wrong with it, or with a part of it that has no
// input of its own.
func (f *form) blame(in *input) {
	if f.problem == nil || f.problem.Field == "" {
		return
	}
	field := f.problem.Field
	within := len(in.Fields) == 0 && (strings.HasPrefix(field, in.Name+"[") || strings.HasPrefix(field, in.Name+"."))
	if field != in.Name && !within {
		return
	}
	in.Error = f.refusal(f.problem)
	if line, ok := strings.CutPrefix(field, in.Name+"["); ok && in.Kind == "commands" {
		number, rest, _ := strings.Cut(line, "]")
		if n, err := strconv.Atoi(number); err == nil {
			in.Error = strings.TrimSpace(f.Say("Line %d", n+1)+" "+strings.TrimPrefix(rest, ".")) + ": " + in.Error
		}
	}
	if f.blamed == nil {
		f.blamed = in
	}
}

// idOf makes an id of a path, which may have come in a request: an id has letters,
// digits and '-', and so can stand in a tag as it is.
func idOf(path string) string {
	return "f-" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		case r == ']':
			return -1
		}
		return '-'
	}, path)
}

// Attributes say to those who hear the page what others see: that it is needed, that it
// is wrong, and where that is explained.
func (in *input) Attributes() template.HTMLAttr {
	attributes := `aria-describedby="` + in.ID + `-help"`
	if in.Error != "" {
		attributes = `aria-invalid="true" aria-describedby="` + in.ID + `-error ` + in.ID + `-help"`
	}
	if in.Required && len(in.Fields) == 0 && in.Kind != "several" && in.Kind != "files" {
		attributes += ` aria-required="true"` // which a group of inputs cannot be
	}
	return template.HTMLAttr(attributes)
}

// Blank are the lines of a list to go on with.
func (in *input) Blank() []int { return make([]int, extra) }
