package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/milepost-ledger/milepost/eventstore"
)

// rawStream is JetStream with nothing around it: a stream with the settings of
// the ledger's, in the same server, and one connection.
type rawStream struct {
	*eventstore.Scratch
	published int
}

// publish writes payloads one at a time, in turn, for the given time; it
// returns the rate.
func (r *rawStream) publish(ctx context.Context, payloads [][]byte, d time.Duration) (float64, error) {
	start := time.Now()
	n := 0
	for ; time.Since(start) < d; n++ {
		if _, err := r.JetStream.Publish(ctx, r.subject(), payloads[r.published%len(payloads)]); err != nil {
			return 0, fmt.Errorf("raw publish: %w", err)
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// subject spreads what is written over as many subjects as a ledger might use.
func (r *rawStream) subject() string {
	r.published++
	return r.Prefix + strconv.Itoa(r.published%64)
}

// batches writes payloads in atomic batches, one after the other; it returns
// the rate of messages.
func (r *rawStream) batches(ctx context.Context, payloads [][]byte) (float64, error) {
	const size = 1000
	start := time.Now()
	for i := 0; i < len(payloads); i += size {
		if err := r.batch(ctx, payloads[i:min(i+size, len(payloads))]); err != nil {
			return 0, fmt.Errorf("raw batch: %w", err)
		}
	}
	return float64(len(payloads)) / time.Since(start).Seconds(), nil
}

// batch is an atomic batch as ADR-50 has it.
func (r *rawStream) batch(ctx context.Context, payloads [][]byte) error {
	id := nuid.Next()
	for i, payload := range payloads {
		msg := &nats.Msg{Subject: r.subject(), Data: payload, Header: nats.Header{
			"Nats-Batch-Id": {id}, "Nats-Batch-Sequence": {strconv.Itoa(i + 1)},
		}}
		if i < len(payloads)-1 {
			if err := r.Conn.PublishMsg(msg); err != nil {
				return err
			}
			continue
		}
		msg.Header.Set("Nats-Batch-Commit", "1")
		answer, err := r.Conn.RequestMsgWithContext(ctx, msg)
		if err != nil {
			return err
		}
		var ack struct {
			Error *jetstream.APIError `json:"error"`
			Count int                 `json:"count"`
		}
		if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Error != nil || ack.Count != len(payloads) {
			return fmt.Errorf("not committed: %s", answer.Data)
		}
	}
	return nil
}

// count reads the stream from its beginning with an ordered consumer that only
// counts, until it has met want messages; it returns the rate.
func count(ctx context.Context, js jetstream.JetStream, stream string, want int) (float64, error) {
	start := time.Now()
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return 0, fmt.Errorf("raw consumer: %w", err)
	}
	seen, done := 0, make(chan struct{}) // seen is the callback's, which is never run twice at once
	consuming, err := consumer.Consume(func(jetstream.Msg) {
		if seen++; seen == want {
			close(done)
		}
	}, jetstream.PullMaxMessages(4096))
	if err != nil {
		return 0, fmt.Errorf("raw consumer: %w", err)
	}
	defer consuming.Stop()
	select {
	case <-done:
		return float64(want) / time.Since(start).Seconds(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
