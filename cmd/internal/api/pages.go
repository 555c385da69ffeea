package api

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// API is the handler of all routes. Pages for people are served beside its own, and
// see and do what they do by the methods here, which judge as the operations do.
type API struct {
	*server
	http.Handler
}

// New returns the API. It starts nothing and needs no closing; those who own
// Ledger, Models and Store close them after the HTTP server is down.
func New(cfg Config) *API {
	s := newServer(cfg)
	return &API{s, s.handler()}
}

// People answers a person for whom something went wrong.
type People func(w http.ResponseWriter, r *http.Request, p *Problem)

// ForPeople has people told what goes wrong by a page, at the addresses of pages and
// where there is nothing.
func (a *API) ForPeople(tell People) { a.people = tell }

// Page serves a pattern that is no operation: a page, or what belongs to pages. Its
// right is in the table; what it returns as an error is answered as a problem.
func (a *API) Page(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	a.undocumented(pattern, h)
}

// tellsPerson reports whether a problem is for a person to read.
func (s *server) tellsPerson(r *http.Request) bool {
	return s.people != nil && strings.Contains(r.Header.Get("Accept"), "text/html") && (r.Pattern == "" || access.IsPage(r.Pattern))
}

// Seen returns the read models of what the asker sees, once they have reached minSeq
// and every sequence that points name.
func (a *API) Seen(ctx context.Context, minSeq uint64, points ...projections.AsOf) (*projections.Models, error) {
	return a.seenBy(ctx, minSeq, points...)
}

// Execute carries out a command for the asker.
func (a *API) Execute(ctx context.Context, req ledger.Request) (ledger.Receipt, error) {
	if err := a.Writable(); err != nil {
		return ledger.Receipt{}, err
	}
	return a.execute(ctx, req)
}

// Attach stores a file for the asker, who may then name it as evidence.
func (a *API) Attach(ctx context.Context, file io.Reader) (Evidence, error) {
	if err := stillMay(ctx, access.Attaching()); err != nil {
		return Evidence{}, err
	}
	if err := a.Writable(); err != nil {
		return Evidence{}, err
	}
	e, err := a.cfg.Store.PutEvidence(ctx, file, "")
	if err != nil {
		return Evidence{}, err
	}
	a.attached.add(access.From(ctx).Key, domain.Hash(e.Hash))
	return Evidence{domain.Hash(e.Hash), e.Size}, nil
}

// Problem is an error as it is answered, noted in the server's log where its cause
// is not told.
func (a *API) Problem(ctx context.Context, err error) *Problem { return a.problem(ctx, err) }

// Writable returns what refuses all commands, as on a copy of the ledger; nil where
// nothing does.
func (a *API) Writable() error { return a.cfg.Store.Writable() }

// NotThere refuses what a page was asked for and is not there.
func NotThere(detail string) error { return newProblem(domain.CodeNotFound, "", detail) }

// InvalidParameter refuses a parameter of a page, or a form, that does not read.
func InvalidParameter(name, detail string) error {
	return newProblem(CodeInvalidParameter, name, detail)
}
