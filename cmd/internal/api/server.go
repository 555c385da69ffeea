package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/logs"
	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// Config is what the API needs. Ledger, Models, Store, Notary, Access and Views are
// of one ledger; New panics where one of them or AccessLog is not there, since
// nothing is served to whoever comes.
type Config struct {
	Ledger  *ledger.Ledger
	Models  *projections.Models
	Store   *eventstore.Store
	Notary  *notary.Notary
	Name    string // of the ledger
	Version string // of the program, for the OpenAPI document and backups

	Subscribers *subscribers.Keeper // nil: this server does not look after them
	Access      *access.Directory   // who may do what
	Views       *projections.Views  // of Models: what each may see of it
	AccessLog   *access.ReadLog     // has a line for each read of what is restricted
	Sessions    Sessions            // who signed in with a browser; those of SignIn when nil

	Logger   *slog.Logger   // nil discards
	Location *time.Location // the ledger's time zone, shown by status; UTC when nil
	Metrics  *Metrics       // nil: the API makes its own
	Tracer   *traces.Tracer // nil: nothing is traced

	Front  Front  // how requests reach the server
	SignIn SignIn // the pages by which people sign in; nil for none

	Webhooks       *webhook.Deliverer // nil where another process delivers them
	Feed           *feed.Feed         // of Store; nil: the API makes its own
	MaxStreams     int                // streams of events at once; beyond it they are refused; 5,000 when 0
	StreamPatience time.Duration      // how long the reader of a stream may take for what it is sent at a time; 10 s when 0

	ModelsDir string // where the read models' files are, for their size in the metrics; "" leaves it out

	MaxInFlight int           // commands under way at once; beyond it they are refused; 1024 when 0
	Patience    time.Duration // how long a question waits for the read models; 2 s when 0
	MaxLag      uint64        // sequences that the read models may be behind and the server still be ready; 10,000 when 0
}

// server holds what the handlers share.
type server struct {
	cfg      Config
	metrics  *Metrics
	mux      *patterns
	api      huma.API
	inFlight *queue        // of commands
	attached attached      // who stored which files
	uploads  *queue        // of files that are being stored
	sheets   chan struct{} // one entry for each sheet that is being read
	streams  *queue        // of streams of events
	started  time.Time
	caughtUp atomic.Bool // the read models have once reached the end of the log
	rights   func(pattern string) (access.Right, bool)
	people   People // nil: they are told what programs are

	clock        func() time.Time                                                         // of what is measured, and of nothing that is answered
	beats        <-chan time.Time                                                         // of streams, a test's own; nil for the clock's
	stillAllowed func(ctx context.Context, models *projections.Models, upTo uint64) error // for stillSees; nil for the one that asks seen
}

func newServer(cfg Config) *server {
	if cfg.Access == nil || cfg.Views == nil || cfg.AccessLog == nil {
		panic("api: without a directory of rights, views and an access log there is nobody to serve")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Logger = logs.Scoped(cfg.Logger)
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = 1024
	}
	if cfg.Sessions == nil && cfg.SignIn != nil {
		cfg.Sessions = cfg.SignIn
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 2 * time.Second
	}
	if cfg.MaxLag == 0 {
		cfg.MaxLag = 10_000
	}
	if cfg.Feed == nil {
		cfg.Feed = feed.New(cfg.Store)
	}
	if cfg.MaxStreams <= 0 {
		cfg.MaxStreams = defaultStreams
	}
	if cfg.StreamPatience <= 0 {
		cfg.StreamPatience = defaultStreamPatience
	}
	mux := &patterns{ServeMux: http.NewServeMux()}
	s := &server{
		cfg: cfg, metrics: cfg.Metrics, mux: mux, inFlight: newQueue(cfg.MaxInFlight),
		uploads: newQueue(maxUploads), sheets: make(chan struct{}, maxSheets), streams: newQueue(cfg.MaxStreams), clock: time.Now, api: humago.New(mux, openAPI(cfg)),
		rights: access.Route, started: time.Now().UTC().Truncate(time.Second),
	}
	mux.admitted = s.admitted
	s.api.UseMiddleware(s.strictQuery)
	s.metrics.watch(s)
	s.commands()
	s.catalogue()
	s.schemas()
	s.agreements()
	s.parties()
	s.progress()
	s.cooperation()
	s.results()
	s.access()
	s.webhooks()
	s.history()
	s.checkpoints()
	s.proofs()
	s.bundles()
	s.backups()
	s.subscribers()
	s.status()
	s.health()
	s.imports()
	s.export()
	s.evidence()
	s.planTemplate()
	s.calendar()
	s.rebuild()
	s.replay()
	s.signInPages()
	s.document()
	return s
}

func (s *server) handler() http.Handler { return s.guarded(s.route()) }
