package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
	_ "time/tzdata" // a ledger's time zone must be known on every machine

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/cmd/internal/web"
	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// node is a ledger that runs in this process, in the order in which data flows
// through it: a log, a notary that watches over it, read models and a directory of
// who may do what that follow it, and the write path. It owns the goroutines of the notary and of what feeds the
// read models.
type node struct {
	store     *eventstore.Store
	key       signing.Key
	notary    *notary.Notary
	models    *projections.Models
	ledger    *ledger.Ledger
	location  *time.Location
	registry  *prometheus.Registry
	metrics   *api.Metrics
	admin     string // the administrator's token
	directory *access.Directory
	views     *projections.Views
	accessLog *access.ReadLog
	keeper    *subscribers.Keeper // nil where nobody looks after subscribers
	feed      *feed.Feed
	webhooks  *webhook.Deliverer // nil where another process delivers them

	holder holder
	cfg    nodeConfig

	stop    context.CancelFunc
	running sync.WaitGroup // the projector and the notary
	refused chan error     // has why the log is refused, where the check at start went on and found it
}

// contentType of an event in the log: one of CloudEvents' structured mode.
const contentType = "application/cloudevents+json"

// startNode opens the ledger. Its read models follow the log until Close; wait
// for them with catchUp.
func startNode(ctx context.Context, cfg nodeConfig) (_ *node, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	n := &node{cfg: cfg, registry: prometheus.NewRegistry(), refused: make(chan error, 1)}
	n.metrics = api.NewMetrics(n.registry)
	defer func() {
		if err != nil {
			err = n.orRefused(ctx, err)
			_ = n.Close() // err says what matters
		}
	}()
	if err := os.MkdirAll(cfg.dir, 0o750); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := eventstore.SettleRestore(ctx, eventstore.Config{Dir: cfg.dir, URL: cfg.natsURL, Creds: cfg.creds, Logger: cfg.log}); err != nil { // or a key would be made beside the one that is to come
		return nil, err
	}
	var key signing.Key
	var made bool
	prepareKey := func() (public string, err error) {
		if key.Public == "" {
			if err := cfg.keepsCheckpoints(); err != nil { // before a log is made
				return "", err
			}
			key, made, err = signing.Prepare(cfg.signingKey(), cfg.name)
		}
		return key.Public, err
	}
	if n.store, err = eventstore.Open(ctx, eventstore.Config{
		Dir: cfg.dir, Ledger: cfg.name, URL: cfg.natsURL, Creds: cfg.creds, Replicas: cfg.replicas, Timezone: cfg.timezone, NewKey: prepareKey, Existing: cfg.existing,
		Listen: cfg.natsListen, ListenCert: cfg.natsCert, ListenKey: cfg.natsKey,
		Follow: cfg.follow, ContentType: contentType, Logger: cfg.log, Now: cfg.now, Observe: n.metrics.ObserveAppend,
	}); err != nil {
		if errors.As(err, new(*eventstore.ConnectError)) {
			err = fmt.Errorf("--nats: %w: check the address, and the user in it or --nats-creds", err)
		}
		return nil, err
	}
	if !cfg.follow { // a copy signs nothing
		if _, err = prepareKey(); err != nil {
			return nil, err
		}
	}
	if n.admin, err = signin.PrepareAdminToken(cfg.dir); err != nil {
		return nil, err
	}
	if n.location, err = time.LoadLocation(n.store.Timezone()); err != nil {
		return nil, fmt.Errorf("the ledger's time zone: %w", err)
	}
	n.holder = holder{PID: os.Getpid(), Ledger: cfg.name, Since: time.Now().UTC()}
	if err = n.holder.write(cfg.dir); err != nil {
		return nil, err
	}
	if n.models, err = projections.Open(ctx, projections.Options{
		Dir: cfg.dir, Ledger: cfg.name, Location: n.location, Logger: cfg.log, Now: cfg.now, Observe: n.projected, Asked: cfg.asked(),
	}); err != nil {
		return nil, err
	}
	// Nothing follows the log, and nothing is appended to it, before it agrees with
	// its checkpoints, unless that takes longer than patience: then it is known to be as
	// long as was signed, and refused when it is found to be another one.
	watching := notary.Options{Dir: cfg.checkpointDir(), Logger: cfg.log, ScrubRate: cfg.scrubRate, Progress: cfg.checking, Patience: cfg.patience}
	if cfg.follow {
		n.notary, err = signing.WatchCopy(ctx, n.store, n.models, watching)
	} else {
		n.key, n.notary, err = signing.Watch(ctx, n.store, n.models, key, made, watching)
	}
	if err != nil {
		return nil, err
	}
	n.ledger = ledger.New(n.store, ledger.Options{
		Name: cfg.name, Location: n.location, Now: cfg.now, Register: n.models, Observe: n.metrics.ObserveCommand, SigningKey: domain.VerifierKey(n.store.Key()),
	})
	_, hash, err := access.ParseToken(n.admin)
	if err != nil {
		return nil, err
	}
	if n.directory, err = access.Open(ctx, n.store, cfg.name, access.Options{
		Location: n.location, Now: cfg.now, Logger: cfg.log, AdminToken: hash, Connected: n.store.Connected,
	}); err != nil {
		return nil, err
	}
	n.views = projections.NewViews(n.models, n.store, projections.ViewsOptions{Logger: cfg.log})
	n.accessLog = access.OpenReadLog(filepath.Join(cfg.dir, "access"), cfg.now, n.location)
	if !cfg.follow { // a copy has no consumers but those of its readers
		n.keeper = subscribers.New(cfg.name, n.directory, n.store, cfg.log)
	}
	n.feed = feed.New(n.store)
	n.run(context.WithoutCancel(ctx))
	return n, nil
}

// newSignIn makes what people sign in by, on a server that they know by base.
func (n *node) newSignIn(listen *listening, base string) *signin.Service {
	front := listen.front()
	return signin.New(signin.Config{
		Directory: n.directory, Ledger: n.cfg.name, Base: base, Provider: listen.organisation.at(base),
		Secure: front.Secure, Address: front.Address, Logger: n.cfg.log,
	})
}

// handler is the node's HTTP API, with the pages where people can sign in.
func (n *node) handler(front api.Front, signIn *signin.Service) http.Handler {
	cfg := api.Config{
		Ledger: n.ledger, Models: n.models, Store: n.store, Notary: n.notary, Subscribers: n.keeper, Name: n.cfg.name, Version: version(),
		Logger: n.cfg.log, Location: n.location, Metrics: n.metrics, Tracer: n.cfg.tracer, ModelsDir: n.cfg.dir,
		Access: n.directory, Views: n.views, AccessLog: n.accessLog, Front: front, Feed: n.feed, Webhooks: n.webhooks,
	}
	if signIn == nil {
		return api.New(cfg)
	}
	cfg.SignIn = signIn
	handler := api.New(cfg)
	web.Serve(handler, web.Config{Ledger: n.cfg.name, Location: n.location, SignIn: signIn, Logger: n.cfg.log})
	return handler
}

// Close undoes startNode, as far as it got, against the flow of the data.
func (n *node) Close() error {
	var errs []error
	n.halt()
	if n.notary != nil {
		n.notary.Close()
	}
	if n.accessLog != nil {
		errs = append(errs, n.accessLog.Close())
	}
	if n.views != nil {
		errs = append(errs, n.views.Close())
	}
	if n.directory != nil {
		errs = append(errs, n.directory.Close())
	}
	if n.models != nil {
		errs = append(errs, n.models.Close())
	}
	if n.holder.PID != 0 { // before the lock is gone, or the note could be the next one's
		errs = append(errs, os.Remove(holderFile(n.cfg.dir)))
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}
