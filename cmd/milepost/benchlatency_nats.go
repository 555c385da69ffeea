package main

import (
	"context"
	"path/filepath"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	natsuser "github.com/milepost-ledger/milepost/domain/subscriber"
)

// latencyNATS measures a subscriber, with its credentials and over TCP, against a
// plain pull consumer in the account of the log, on a connection within the
// process.
func (b *bench) latencyNATS(ctx context.Context) (measurement, error) {
	took, err := b.latency(ctx, "latency-nats", b.receiveNATS, receivePlain)
	if err != nil {
		return measurement{}, err
	}
	m, plain := latencies(took[0]), latencies(took[1])
	m.RawP50, m.RawP99 = plain.P50, plain.P99
	m.Ratio = ptr(max(*m.P50 / *plain.P50, *m.P99 / *plain.P99))
	return m, nil
}

func ratioAtMost(most float64) func(measurement) bool {
	return func(m measurement) bool { return *m.Ratio <= most }
}

// receiveNATS is a subscriber as milepost subscriber add makes it.
func (b *bench) receiveNATS(ctx context.Context, n *node, c *client, listening func(), heard func(seq uint64)) error {
	if err := n.keeper.Start(ctx, true); err != nil {
		return err
	}
	file := filepath.Join(b.root, "bench.creds")
	add := natsuser.Add{Subscriber: "bench", Agreement: "latency"}
	credentials, err := addSubscriber(ctx, c, add, file)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(credentials.Address, nats.UserCredentials(file), nats.CustomInboxPrefix(credentials.InboxPrefix))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	consumer, err := js.Consumer(ctx, credentials.Stream, credentials.Consumer)
	if err != nil {
		return err
	}
	return consume(ctx, consumer, listening, heard)
}

// receivePlain is a durable pull consumer with JetStream's defaults.
func receivePlain(ctx context.Context, n *node, _ *client, listening func(), heard func(seq uint64)) error {
	js, err := jetstream.New(n.store.Raw())
	if err != nil {
		return err
	}
	consumer, err := js.CreateConsumer(ctx, n.store.Stream(), jetstream.ConsumerConfig{Durable: "plain", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		return err
	}
	return consume(ctx, consumer, listening, heard)
}

// consume hears of all there is from the first event on.
func consume(ctx context.Context, consumer jetstream.Consumer, listening func(), heard func(seq uint64)) error {
	failed := make(chan error, 1)
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		meta, err := msg.Metadata()
		if err == nil {
			heard(meta.Sequence.Stream)
			err = msg.Ack()
		}
		if err != nil {
			fail(err)
		}
	}, jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { fail(err) }))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	listening()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}
