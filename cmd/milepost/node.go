package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"
	_ "time/tzdata" // a ledger's time zone must be known on every machine

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// nodeConfig says which ledger to run and where.
type nodeConfig struct {
	dir      string
	name     string // of the ledger
	natsURL  string // external NATS; embedded when empty
	creds    string
	timezone string // of a new ledger; "" leaves it as it is, UTC for a new one
	log      *slog.Logger
}

// node is a ledger that runs in this process, in the order in which data flows
// through it: a log, read models that follow it, and the write path. It owns the
// goroutine that feeds the read models.
type node struct {
	store    *eventstore.Store
	models   *projections.Models
	ledger   *ledger.Ledger
	location *time.Location
	metrics  *api.Metrics

	holder holder
	cfg    nodeConfig

	stopFollowing context.CancelFunc
	followed      chan struct{} // closed when nothing feeds the read models any more
}

// startNode opens the ledger. Its read models follow the log until Close; wait
// for them with catchUp.
func startNode(ctx context.Context, cfg nodeConfig) (_ *node, err error) {
	if cfg.creds != "" && cfg.natsURL == "" {
		return nil, usagef("--nats-creds %s: name the server that they are for with --nats", cfg.creds)
	}
	n := &node{cfg: cfg, metrics: api.NewMetrics(prometheus.NewRegistry())}
	if _, err := time.LoadLocation(cfg.timezone); err != nil || cfg.timezone == "Local" {
		return nil, usagef("--timezone %s: want a time zone such as Asia/Shanghai", cfg.timezone)
	}
	defer func() {
		if err != nil {
			_ = n.Close() // err says what matters
		}
	}()
	if n.store, err = eventstore.Open(ctx, eventstore.Config{
		Dir: cfg.dir, Ledger: cfg.name, URL: cfg.natsURL, Creds: cfg.creds, Timezone: cfg.timezone,
		ContentType: "application/cloudevents+json", Logger: cfg.log, Observe: n.metrics.ObserveAppend,
	}); err != nil {
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
		Dir: cfg.dir, Ledger: cfg.name, Location: n.location, Logger: cfg.log, Observe: n.metrics.ObserveProjection,
	}); err != nil {
		return nil, err
	}
	n.ledger = ledger.New(n.store, ledger.Options{
		Name: cfg.name, Location: n.location, Register: n.models, Observe: n.metrics.ObserveCommand,
	})
	n.follow(context.WithoutCancel(ctx))
	return n, nil
}

// handler is the node's HTTP API.
func (n *node) handler() http.Handler {
	return api.New(api.Config{
		Ledger: n.ledger, Models: n.models, Store: n.store, Name: n.cfg.name, Version: version(),
		Logger: n.cfg.log, Location: n.location, Metrics: n.metrics, ModelsDir: n.cfg.dir,
	})
}

// followPause lies between two attempts to follow a log that cannot be read.
const followPause = time.Second

// follow feeds the read models until unfollow. When it fails they answer that they
// are behind, and it is tried again: an external server may come back.
func (n *node) follow(ctx context.Context) {
	ctx, n.stopFollowing = context.WithCancel(ctx)
	n.followed = make(chan struct{})
	go func() {
		defer close(n.followed)
		for {
			err := n.models.Follow(ctx, n.store)
			if ctx.Err() != nil {
				return
			}
			n.cfg.log.Error("the read models stopped following the log", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(followPause):
			}
		}
	}()
}

// unfollow stops feeding the read models.
func (n *node) unfollow() {
	if n.stopFollowing != nil {
		n.stopFollowing()
		<-n.followed
	}
}

// catchUp waits until the read models show all that the log has now.
func (n *node) catchUp(ctx context.Context) error {
	last, err := n.store.Last(ctx)
	if err != nil {
		return err
	}
	if err := n.models.Wait(ctx, last); err != nil {
		return fmt.Errorf("read models of %s: %w", n.cfg.dir, err)
	}
	return nil
}

// Close undoes startNode, as far as it got, against the flow of the data.
func (n *node) Close() error {
	var errs []error
	n.unfollow()
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
