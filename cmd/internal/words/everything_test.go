package words

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Whoever adds a text adds its Chinese, and whoever takes one away takes that too.
func TestEverythingIsSaidInChinese(t *testing.T) {
	s := said{t: t, texts: map[string]string{}}
	s.declared()
	s.coded()
	s.templates("../web/pages/*.html", "../signin/*.html")
	s.sources("../web/*.go", "../signin/*.go", "../calendar/*.go", "*.go")
	require.Greater(t, len(s.texts), 900)

	chinese, files := map[string]string{}, map[string]string{}
	eachPair(func(file, english, translation string) {
		if was, twice := chinese[english]; twice {
			assert.Equal(t, was, translation, "%q is said otherwise in %s and in %s", english, files[english], file)
			return
		}
		chinese[english], files[english] = translation, file
	})
	for _, english := range slices.Sorted(maps.Keys(s.texts)) {
		translation, ok := chinese[english]
		if !assert.True(t, ok, "%q has no Chinese: put it into zh/*.txt (%s)", english, s.texts[english]) {
			continue
		}
		assert.Equal(t, verbs(english), verbs(translation), "%q takes other values in Chinese: %q", english, translation)
		assert.NotRegexp(t, "[,;:?!]$|[A-Za-z]{40}", translation, "%q has no Chinese punctuation, or is no Chinese", english)
	}
	for _, english := range slices.Sorted(maps.Keys(chinese)) {
		_, ok := s.texts[english]
		assert.True(t, ok, "nothing says %q; take it out of %s", english, files[english])
	}
}

// said is what is said, and where.
type said struct {
	t     *testing.T
	texts map[string]string
}

func (s said) add(english, where string) {
	if english != "" {
		s.texts[english] = where
	}
}

func (s said) label(code, where string) { s.add(English.Label(code), where) }

// declared adds what the catalogue declares: commands, what they take, events, and
// the names of everything that can change.
func (s said) declared() {
	s.fields("", domain.MetaFields())
	for _, a := range catalogue.Aggregates {
		s.label(a.Kind, "the catalogue")
		for _, c := range a.Commands {
			s.label(c.Name, "the catalogue")
			s.add(c.Doc, c.Name)
			s.fields(c.Name, c.Fields)
		}
		for _, e := range a.Events {
			s.add(English.EventName(e.Type), e.Type)
			s.add(e.Doc, e.Type)
			s.names(e.Fields)
		}
		empty, err := a.Events[0].Decode([]byte("{}"))
		require.NoError(s.t, err)
		s.state(reflect.TypeOf(a.Evolve(nil, empty)).Elem(), a.Kind)
	}
}

// fields adds what fields of a command, and their values, are called and explained by.
func (s said) fields(command string, fields []domain.Field) {
	s.names(fields)
	for _, f := range fields {
		s.add(English.FieldLabel(command, f.Name), command)
		for of := &f; of != nil; of = of.Items {
			s.add(of.Doc, command+"."+f.Name)
			s.fields(command, of.Fields)
		}
	}
}

// names adds the names of fields, and of the values that they are one of.
func (s said) names(fields []domain.Field) {
	for _, f := range fields {
		s.label(f.Name, "the catalogue")
		for of := &f; of != nil; of = of.Items {
			for _, value := range of.Enum {
				s.label(value, f.Name)
			}
			s.names(of.Fields)
		}
	}
}

// state adds the names of the fields and parts of a state, as changes have them.
func (s said) state(of reflect.Type, kind string) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Tag.Get("diff") == "-":
		case f.Tag.Get("part") != "":
			s.label(f.Tag.Get("part"), kind)
			part, _ := f.Type.Field(0).Type.Elem().FieldByName("value")
			s.state(part.Type.Elem(), kind)
		case f.Anonymous:
			s.state(f.Type, kind)
		default:
			s.label(name, kind)
			if f.Type.Kind() == reflect.Struct {
				s.state(f.Type, kind)
			}
		}
	}
}

// Values of constants that are labels: states, kinds and the like, by the package and the
// beginnings of the names; all of them where none is given.
var labelled = map[string][]string{
	"../../../domain/*":          nil,
	"../../../projections":       {"Trend", "Basis", "Awaits", "By", "Differs"},
	"../../../eventstore/notary": {"Scrub"},
}

// Constants of the domain's packages that are no labels.
var unlabelled = regexp.MustCompile(`^(Administrator|[A-Z]\w*Pattern|TimeFormat|[a-z].*)$`)

// spoken are packages whose codes are no problems of the API: the pages of sign-in have
// sentences of their own, and of bundles, backups and repairs only the command line speaks.
var spoken = regexp.MustCompile(`^\.\./(signin|bundle|backup|repair)/`)

// answered are codes that only answers of the API have: operations of a change, and
// the states of a subscriber and of an event.
var answered = []string{"add", "replace", "remove", "active", "cut-off", "revoked", "pending", "settled"}

// coded adds the constants by which the ledger says what state something is in, and
// what went wrong.
func (s said) coded() {
	for pattern, prefixes := range labelled {
		s.constants(pattern, func(name, value, where string) {
			named := prefixes == nil || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
			if named && !strings.HasPrefix(name, "Code") && !unlabelled.MatchString(name) {
				s.label(value, where)
			}
		})
	}
	for _, pattern := range []string{"../../../domain", "../../../domain/*", "../../../projections", "../*"} {
		s.constants(pattern, func(name, value, where string) {
			if strings.HasPrefix(name, "Code") && !spoken.MatchString(where) {
				s.label(value, where)
				s.add(value, where) // its sentence, see Language.Problem
			}
		})
	}
	for _, reason := range domain.ReasonCodes {
		s.label(reason, "domain.ReasonCodes")
	}
	for _, code := range answered {
		s.label(code, "the API")
	}
}

// constants calls f for each constant of the packages that is a text.
func (s said) constants(pattern string, f func(name, value, where string)) {
	s.parsed(pattern+"/*.go", func(file string, n ast.Node) {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			return
		}
		for _, spec := range decl.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, v := range spec.Values {
				if value, ok := literal(v); ok {
					f(spec.Names[i].Name, value, file)
				}
			}
		}
	})
}

// sources adds what Go files have said by methods of a Language, and mark for later.
func (s said) sources(patterns ...string) {
	for _, pattern := range patterns {
		s.parsed(pattern, func(file string, n ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return
			}
			var method string
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				method = f.Sel.Name
			case *ast.Ident:
				method = f.Name
			}
			var texts []string
			for _, arg := range call.Args {
				text, _ := literal(arg)
				texts = append(texts, text)
			}
			s.call(method, texts, file)
		})
	}
}

// call adds what a call says; texts are its arguments, "" for one that is no literal.
func (s said) call(method string, texts []string, where string) {
	switch {
	case len(texts) == 0:
	case method == "Say" || method == "Later":
		s.add(texts[0], where)
	case method == "Count" && len(texts) == 3:
		assert.NotEmpty(s.t, texts[2], "%s: Count takes its sentences as they are", where)
		s.add(texts[2], where)
	case method == "Label" && texts[0] != "":
		s.label(texts[0], where)
	}
}

func (s said) parsed(pattern string, visit func(file string, n ast.Node)) {
	files, err := filepath.Glob(pattern)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, files, pattern)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "domaintest") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(s.t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			visit(name, n)
			return true
		})
	}
}

func literal(e ast.Expr) (string, bool) {
	if b, ok := e.(*ast.BasicLit); ok && b.Kind == token.STRING {
		s, err := strconv.Unquote(b.Value)
		return s, err == nil
	}
	return "", false
}

// templates adds what templates say.
func (s said) templates(patterns ...string) {
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		require.NoError(s.t, err)
		require.NotEmpty(s.t, files, pattern)
		for _, name := range files {
			b, err := os.ReadFile(name)
			require.NoError(s.t, err)
			tree := parse.New(name)
			tree.Mode = parse.SkipFuncCheck
			trees := map[string]*parse.Tree{}
			_, err = tree.Parse(string(b), "", "", trees)
			require.NoError(s.t, err)
			for _, t := range trees {
				s.node(reflect.ValueOf(t.Root), name)
			}
		}
	}
}

// node adds what a part of a template says, and the parts within it.
func (s said) node(v reflect.Value, file string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Type() == reflect.TypeFor[*parse.Tree]() {
			return
		}
		if c, ok := v.Interface().(*parse.CommandNode); ok {
			s.command(c, file)
		}
		s.node(v.Elem(), file)
	case reflect.Slice:
		for i := range v.Len() {
			s.node(v.Index(i), file)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.node(v.Field(i), file)
			}
		}
	}
}

func (s said) command(c *parse.CommandNode, file string) {
	var path []string
	switch f := c.Args[0].(type) {
	case *parse.FieldNode:
		path = f.Ident
	case *parse.VariableNode:
		path = f.Ident
	default:
		return
	}
	var texts []string
	for _, arg := range c.Args[1:] {
		text := ""
		if s, ok := arg.(*parse.StringNode); ok {
			text = s.Text
		}
		texts = append(texts, text)
	}
	s.call(path[len(path)-1], texts, file)
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([a-z%])`)

// verbs are the values that a sentence takes, by their places.
func verbs(text string) []string {
	var all []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		all = append(all, fmt.Sprintf("%d%s", next, m[2]))
		next++
	}
	slices.Sort(all)
	return all
}
