package api

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
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
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return a.execute(ctx, req)
}

// Preview says what a command would record for the asker: what Execute refuses, it
// refuses. Of what it would record elsewhere, it tells what the asker sees, and its
// version is the one that the asker is shown.
func (a *API) Preview(ctx context.Context, req ledger.Request) (ledger.Plan, error) {
	if err := a.Writable(); err != nil {
		return ledger.Plan{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	plan, models, err := decided(ctx, a.server, &req, a.cfg.Ledger.Preview)
	if err != nil || models == a.cfg.Models {
		return plan, err
	}
	if err := a.awaitEnd(ctx, models); err != nil {
		return ledger.Plan{}, err
	}
	if plan.Version, err = models.Version(ctx, plan.Ref, projections.Point{Seq: models.Position().Seq}); err != nil {
		return ledger.Plan{}, err
	}
	events := plan.Events
	plan.Events = nil
	for _, e := range events {
		seen := e.Ref == plan.Ref
		if !seen {
			if seen, err = models.Sees(ctx, e.Ref); err != nil {
				return ledger.Plan{}, err
			}
		}
		if seen {
			plan.Events = append(plan.Events, e)
		}
	}
	return plan, nil
}

// MayAsk reports whether the asker has the right that an operation takes, by its
// pattern: what is not theirs to ask for is left out of a page.
func (a *API) MayAsk(ctx context.Context, pattern string) bool { return a.takes(ctx, pattern) == nil }

// takes refuses who asks, unless the right of an operation is theirs at this moment.
func (a *API) takes(ctx context.Context, pattern string) error {
	right, _ := access.Route(pattern) // the zero Right is nobody's
	return stillMay(ctx, right)
}

// Latest is Seen of all that the log has now.
func (a *API) Latest(ctx context.Context) (*projections.Models, error) {
	models, err := a.seen(ctx)
	if err == nil {
		err = a.awaitEnd(ctx, models)
	}
	return models, err
}

// Lag says how far a subscriber is, and Delivery how far a webhook.
type (
	Lag      = subscribers.Lag
	Delivery = webhook.Delivery
)

// Lags say how far each subscriber is, to those who may ask; nil where this server does
// not look after subscribers.
func (a *API) Lags(ctx context.Context) ([]Lag, error) {
	if err := a.takes(ctx, "GET /v1/subscribers/lag"); err != nil || a.cfg.Subscribers == nil {
		return nil, err
	}
	return a.cfg.Subscribers.List(ctx)
}

// Delivery says how far a webhook has come, to those who may ask; nil where this server
// does not deliver webhooks.
func (a *API) Delivery(ctx context.Context, key domain.Key) (*Delivery, error) {
	if err := a.takes(ctx, "GET /v1/webhooks/{webhook}/delivery"); err != nil || a.cfg.Webhooks == nil {
		return nil, err
	}
	if err := a.delivers(ctx, &ofWebhook{Webhook: key}); err != nil {
		return nil, err
	}
	d, err := a.cfg.Webhooks.Delivery(key)
	return &d, err
}

// WebhookSecret is the secret of a webhook, for those who may ask for it.
func (a *API) WebhookSecret(ctx context.Context, key domain.Key) (string, error) {
	if err := a.takes(ctx, "GET /v1/webhooks/{webhook}/secret"); err != nil {
		return "", err
	}
	if err := a.delivers(ctx, &ofWebhook{Webhook: key}); err != nil {
		return "", err
	}
	secret, err := a.cfg.Webhooks.Secret(key)
	if err != nil {
		return "", err
	}
	return secret.Reveal(), nil
}

// Attach stores a file for the asker, who may then name it as evidence.
func (a *API) Attach(ctx context.Context, file io.Reader) (Evidence, error) {
	if err := stillMay(ctx, access.Attaching()); err != nil {
		return Evidence{}, err
	}
	if err := a.Writable(); err != nil {
		return Evidence{}, err
	}
	e, err := a.attach(ctx, file, "")
	if err != nil {
		return Evidence{}, err
	}
	return Evidence{domain.Hash(e.Hash), e.Size}, nil
}

// Patient is the body of a request that may bring files: it takes as long as it
// takes, as long as something comes.
func Patient(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{patiently(w, r), r.Body}
}

// Problem is an error as it is answered, noted in the server's log where its cause
// is not told.
func (a *API) Problem(ctx context.Context, err error) *Problem { return a.problem(ctx, err) }

// Writable returns what refuses all commands, as on a copy of the ledger; nil where
// nothing does.
func (a *API) Writable() error { return a.cfg.Store.Writable() }

// NotThere refuses what a page was asked for and is not there.
func NotThere(detail string) error { return newProblem(domain.CodeNotFound, "", detail) }

// NotAllowed refuses a page that takes a right which the asker has not.
func NotAllowed(right access.Right) error { return forbidden("", right) }

// NotGenuine refuses a form that no page of ours made for the browser that sent it.
func NotGenuine() error {
	return newProblem(CodeForbiddenOrigin, "", "Nothing was recorded: the form is from an earlier visit, or from another site. What it says is kept; check it and send it again.")
}

// InvalidParameter refuses a parameter of a page, or a form, that does not read.
func InvalidParameter(name, detail string) error {
	return newProblem(CodeInvalidParameter, name, detail)
}
