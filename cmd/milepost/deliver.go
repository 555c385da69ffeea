package main

import (
	"context"
	"iter"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	webhooks "github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/projections"
)

// webhookConfig says whether a server delivers webhooks, and where to.
type webhookConfig struct {
	deliver bool
	unsaid  bool           // nobody said whether to, and it does not
	http    bool           // also to addresses without TLS
	allow   []netip.Prefix // networks that are not public

	networks []string // allow, as it was given
}

func (c *webhookConfig) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&c.deliver, "webhooks", false, "deliver webhooks; of several servers of a ledger one alone may (default true, with --nats false)")
	flags.StringArrayVar(&c.networks, "webhook-allow", nil, "`network` to which webhooks may be sent though it is not public, such as 10.1.0.0/16; can be given again")
	flags.BoolVar(&c.http, "webhook-http", false, "send webhooks also to addresses without TLS")
}

// settle reads what was given. With an external log there may be other servers of
// the same ledger, and two that deliver would send everything twice, each with a
// secret of its own: so there it takes somebody to say which one does.
// A server that follows a copy delivers none.
func (c *webhookConfig) settle(cmd *cobra.Command, external, follows bool) error {
	switch {
	case !cmd.Flags().Changed("webhooks"):
		c.deliver = !external
		c.unsaid = external && !follows
	case c.deliver && follows:
		return usagef("--webhooks: a server that follows a copy delivers none; leave it out")
	}
	for _, text := range c.networks {
		network, err := netip.ParsePrefix(text)
		if err != nil || network != network.Masked() {
			return usagef("--webhook-allow %s: want a network such as 10.1.0.0/16, with zeros beyond its length", text)
		}
		c.allow = append(c.allow, network)
	}
	return nil
}

// warnOfWebhooks says that there are webhooks to which this server sends nothing, where
// nobody has said that it is another one that does.
func (n *node) warnOfWebhooks() {
	enabled := 0
	for _, w := range n.directory.Webhooks() {
		if w.State.State == webhooks.StatusEnabled {
			enabled++
		}
	}
	if n.cfg.webhooks.unsaid && enabled > 0 {
		n.cfg.log.Warn("webhooks are enabled, and with --nats this server delivers none unless it is told to: "+
			"give --webhooks to exactly one server of the ledger, and --webhooks=false to the others", "enabled", enabled)
	}
}

// openWebhooks makes the deliverer of a node, which has yet to run.
func (n *node) openWebhooks() error {
	n.webhooks = webhook.New(webhook.Options{
		Dir: n.cfg.dir, Directory: n.directory, History: n.models, Follow: n.followView, Execute: n.ledger.Execute, Logger: n.cfg.log,
		Allow: n.cfg.webhooks.allow, HTTP: n.cfg.webhooks.http,
	})
	return n.registry.Register(n.webhooks)
}

// followView follows the events that a view shows.
func (n *node) followView(ctx context.Context, view projections.View, filter feed.Filter, after uint64) iter.Seq2[feed.Chunk, error] {
	return func(yield func(feed.Chunk, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // by which the view is in use
		defer cancel()
		models, err := n.views.Of(ctx, view)
		if err != nil {
			yield(feed.Chunk{}, err)
			return
		}
		n.feed.Follow(ctx, models, filter, after)(yield)
	}
}
