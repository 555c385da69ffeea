package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

// latencyWebhook measures a receiver of a webhook on this machine.
func (b *bench) latencyWebhook(ctx context.Context) (measurement, error) {
	took, err := b.latency(ctx, "latency-webhook", receiveWebhook)
	if err != nil {
		return measurement{}, err
	}
	return latencies(took[0]), nil
}

// receiveWebhook listens on this machine, without TLS, and accepts everything.
func receiveWebhook(ctx context.Context, n *node, _ *client, listening func(), heard func(seq uint64)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	first := true // requests come one at a time
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seq, _ := strconv.ParseUint(r.Header.Get("Milepost-Seq"), 10, 64)
		if first { // one that was there before
			first = false
			listening()
			return
		}
		heard(seq)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		_ = server.Close() // nothing is left to say
		<-ended
	}()
	n.cfg.webhooks = webhookConfig{http: true, allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if err := n.openWebhooks(); err != nil {
		return err
	}
	if _, err := n.ledger.Execute(ctx, ledger.Request{Command: webhook.Register{Webhook: "latency", URL: "http://" + l.Addr().String(), From: 1}}); err != nil {
		return err
	}
	n.webhooks.Run(ctx)
	if ctx.Err() == nil {
		return errors.New("the webhook is not delivered any more")
	}
	return nil
}
