package eventstore

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A server that is cut off from the others still answers its clients, and their
// pings, while nothing gets through it to the leader, or no answer back. So through
// each connection the store asks now and then for the leaders, and one through which
// they were not heard for long is made anew, to another server of the cluster.
const (
	lookPause = time.Second

	// stuckTime is how long the leaders may not be heard through a server. It is
	// longer than the choice of a new leader takes.
	stuckTime = 10 * time.Second
)

// watch looks after the connections to external servers until the store is closed.
func (s *Store) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var watching sync.WaitGroup
	for _, nc := range []*nats.Conn{s.write, s.read} {
		watching.Go(func() { s.watchOver(ctx, nc) })
	}
	<-s.closing
	cancel()
	watching.Wait()
}

// watchOver has a connection leave the servers through which no leader is heard.
// What is under way on it has then an unknown outcome, or is asked again.
func (s *Store) watchOver(ctx context.Context, nc *nats.Conn) {
	tick := time.NewTicker(lookPause)
	defer tick.Stop()
	for heard := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch {
		case !nc.IsConnected() || s.hears(ctx, nc): // or it is looking for a server already
			heard = time.Now()
		case time.Since(heard) >= s.stuckTime && ctx.Err() == nil:
			s.log.Warn("the log's leader is not heard through this server, another one is tried", "server", nc.ConnectedUrlRedacted())
			_ = nc.ForceReconnect() // or it is closed
			heard = time.Now()
		}
	}
}

// hears asks through a connection for the leaders, once.
func (s *Store) hears(ctx context.Context, nc *nats.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*silence)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return false
	}
	for _, name := range s.streams() {
		stream, err := js.Stream(ctx, name)
		if err != nil || !leads(stream.CachedInfo()) {
			return false
		}
	}
	return true
}
