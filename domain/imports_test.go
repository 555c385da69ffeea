package domain_test

import (
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/milepost-ledger/milepost"

// signedNotes only computes: it has no clock and does no I/O, and the randomness
// of a new key is an argument. By it a rule can check a signature.
const signedNotes = "golang.org/x/mod/sumdb/note"

// rooms says what each room of the house may import of the house, and which
// libraries. A room covers the packages below it that have no row of their own.
var rooms = map[string]struct {
	house     []string
	libraries []string // nil for any that no other room has to itself
}{
	"domain":                   {house: []string{"domain"}, libraries: []string{"github.com/shopspring/decimal", signedNotes}},
	"domain/domaintest":        {house: []string{"domain"}, libraries: []string{"github.com/stretchr/testify", "pgregory.net/rapid", signedNotes}},
	"eventstore":               {house: []string{"eventstore/durable"}},
	"eventstore/durable":       {},
	"eventstore/proof":         {}, // whoever verifies needs nothing else
	"eventstore/notary":        {house: []string{"eventstore"}},
	"projections":              {house: []string{"domain", "eventstore", "eventstore/durable", "projections"}},
	"projections/bulk":         {libraries: []string{}}, // bytes of a file
	"cmd/internal/ledger":      {house: []string{"domain", "eventstore", "cmd/internal/logs", "cmd/internal/traces"}},
	"cmd/internal/bundle":      {house: []string{"domain", "eventstore", "cmd/internal/signing"}},
	"cmd/internal/backup":      {house: []string{"domain", "eventstore", "cmd/internal/signing"}},
	"cmd/internal/logs":        {libraries: []string{}},
	"cmd/internal/traces":      {house: []string{"cmd/internal/logs"}, libraries: []string{"go.opentelemetry.io/otel", "github.com/go-logr/logr"}},
	"cmd/internal/signing":     {house: []string{"domain", "eventstore", "projections", "cmd/internal/ledger"}},
	"cmd/internal/witness":     {house: []string{"eventstore", "cmd/internal/signing"}},
	"cmd/internal/repair":      {house: []string{"domain", "eventstore"}},
	"cmd/internal/ocds":        {house: []string{"domain", "eventstore", "projections", "cmd/internal/ledger"}},
	"cmd/internal/sheet":       {house: []string{"domain", "cmd/internal/ledger"}},
	"cmd/internal/calendar":    {house: []string{"domain", "projections", "cmd/internal/words"}},
	"cmd/internal/schema":      {house: []string{"domain"}},
	"cmd/internal/feed":        {house: []string{"domain", "eventstore", "projections"}},
	"cmd/internal/api":         {house: []string{"domain", "eventstore", "projections", "cmd/internal/schema", "cmd/internal/ledger", "cmd/internal/feed", "cmd/internal/subscribers", "cmd/internal/webhook", "cmd/internal/ocds", "cmd/internal/sheet", "cmd/internal/calendar", "cmd/internal/signing", "cmd/internal/logs", "cmd/internal/traces", "cmd/internal/backup", "cmd/internal/bundle", "cmd/internal/access", "cmd/internal/signin"}},
	"cmd/internal/access":      {house: []string{"domain", "eventstore", "projections"}},
	"cmd/internal/signin":      {house: []string{"domain", "eventstore/durable", "cmd/internal/access", "cmd/internal/words"}},
	"cmd/internal/webhook":     {house: []string{"domain", "eventstore/durable", "projections", "cmd/internal/ledger", "cmd/internal/feed", "cmd/internal/access"}},
	"cmd/internal/subscribers": {house: []string{"domain", "eventstore", "cmd/internal/access"}},
	"cmd/internal/words":       {house: []string{"domain"}},
	"cmd/internal/web":         {house: []string{"domain", "eventstore/notary", "eventstore/proof", "projections", "cmd/internal/ledger", "cmd/internal/api", "cmd/internal/access", "cmd/internal/words", "cmd/internal/web/chart"}},
	"cmd/internal/web/chart":   {house: []string{"domain"}, libraries: []string{}}, // draws what it is given
	"cmd/internal/web/browser": {},                                                 // nothing but tests
	"cmd/internal/faults":      {},                                                 // nothing but tests
	"cmd/milepost":             {house: []string{"domain", "eventstore", "projections", "cmd"}},
}

// own says which rooms have a library to themselves.
var own = map[string][]string{
	"github.com/nats-io/":           {"eventstore", "cmd/milepost"}, // the binary measures JetStream itself beside ours
	"zombiezen.com/go/sqlite":       {"projections"},
	"modernc.org/sqlite":            {"projections"},
	"github.com/spf13/cobra":        {"cmd/milepost"},
	"github.com/danielgtaylor/":     {"cmd/internal/api"},
	"github.com/xuri/excelize/":     {"cmd/internal/sheet"},
	"github.com/arran4/golang-ical": {"cmd/internal/calendar"},
	"github.com/coreos/go-oidc/":    {"cmd/internal/signin"},
	"golang.org/x/oauth2":           {"cmd/internal/signin"},
	"golang.org/x/time/rate":        {"cmd/internal/signin"},
	"go.opentelemetry.io/":          {"cmd/internal/traces"},
	"github.com/go-logr/":           {"cmd/internal/traces"},
	"github.com/chromedp/":          {}, // for tests only
}

// The domain knows nothing of logs, tables and servers; the log knows nothing
// of the domain; only the ledger joins the two to write.
func TestEachRoomImportsOnlyWhatItMay(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	files := 0
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		files++
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if os.IsNotExist(err) {
			return nil // gone since it was listed
		}
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			assert.Empty(t, objection(path.Dir(filepath.ToSlash(rel)), imported), "%s imports %s", rel, imported)
		}
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, files, 20)
}

// objection says why a package may not import another, or "".
func objection(pkg, imported string) string {
	room := pkg
	for {
		if _, ok := rooms[room]; ok {
			break
		}
		if room == "." {
			return "package " + pkg + " is in no room: give it a row in this test"
		}
		room = path.Dir(room)
	}
	if house, ok := strings.CutPrefix(imported, module+"/"); ok {
		if !within(house, rooms[room].house) {
			return "the room may not know that one"
		}
		return ""
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for library, owners := range own {
		if strings.HasPrefix(imported, library) && !within(room, owners) {
			return "only " + cmp.Or(strings.Join(owners, " and "), "tests") + " may use that library"
		}
	}
	if allowed := rooms[room].libraries; allowed != nil && !within(imported, allowed) {
		return "the room may not use libraries such as that"
	}
	return ""
}

func within(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if name == p || strings.HasPrefix(name, p+"/") {
			return true
		}
	}
	return false
}

func TestObjections(t *testing.T) {
	for _, bad := range [][2]string{
		{"domain", "github.com/google/uuid"},
		{"domain/project", module + "/eventstore"},
		{"domain/catalogue", "github.com/stretchr/testify/assert"},
		{"domain/party", "golang.org/x/mod/sumdb/tlog"},
		{"eventstore", module + "/domain"},
		{"eventstore", module + "/domain/catalogue"},
		{"projections", module + "/cmd/internal/ledger"},
		{"projections", "github.com/nats-io/nats.go"},
		{"cmd/internal/ledger", module + "/projections"},
		{"cmd/internal/api", "zombiezen.com/go/sqlite"},
		{"cmd/internal/new", "fmt"},
		{"cmd/internal/web/browser", "github.com/chromedp/chromedp"},
	} {
		assert.NotEmpty(t, objection(bad[0], bad[1]), bad)
	}
	for _, good := range [][2]string{
		{"domain/project", module + "/domain/agreement"},
		{"domain", "encoding/json"},
		{"domain", "golang.org/x/mod/sumdb/note"},
		{"eventstore", "github.com/nats-io/nats.go"},
		{"cmd/milepost", module + "/cmd/internal/api"},
	} {
		assert.Empty(t, objection(good[0], good[1]), good)
	}
}
