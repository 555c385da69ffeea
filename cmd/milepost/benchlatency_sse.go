package main

import (
	"context"
)

// latencySSE measures a reader of the stream of events over HTTP.
func (b *bench) latencySSE(ctx context.Context) (measurement, error) {
	took, err := b.latency(ctx, "latency-sse", receiveSSE)
	if err != nil {
		return measurement{}, err
	}
	return latencies(took[0]), nil
}

func receiveSSE(ctx context.Context, _ *node, c *client, listening func(), heard func(seq uint64)) error {
	stream, err := c.stream(ctx, nil, nil)
	if err != nil {
		return err
	}
	defer stream.close()
	for first := true; ; first = false {
		m, err := stream.next()
		switch {
		case err != nil:
			return err
		case first: // the stream has begun with its position
			listening()
		case m.data != nil:
			heard(m.seq)
		}
	}
}
