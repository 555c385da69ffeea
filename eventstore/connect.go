package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connect makes both connections. Neither buffers while it is disconnected: a
// publish must fail at once, not be sent at some later time that its caller
// knows nothing of.
func (s *Store) connect(ctx context.Context) error {
	dial := func(purpose string) (*nats.Conn, error) {
		opts := []nats.Option{
			nats.Name("milepost " + s.cfg.Ledger + " " + purpose),
			nats.MaxReconnects(-1),
			nats.ReconnectWait(250 * time.Millisecond),
			nats.ReconnectBufSize(-1),
			nats.Timeout(5 * time.Second),
			nats.SyncQueueLen(mostAnswers),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
				s.log.Warn("nats connection", "purpose", purpose, "error", err)
			}),
		}
		url := s.cfg.URL
		if s.srv.Load() != nil {
			url = nats.DefaultURL // not used, but parsed
			opts = append(opts, nats.InProcessServer(&s.srv))
			if s.gate != nil {
				opts = append(opts, nats.UserInfo(ownUser, s.gate.secret))
			}
		} else {
			opts = append(opts, nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(maxPings))
			if s.cfg.mark != "" { // see claim
				opts = append(opts, nats.NoReconnect(), nats.NoEcho())
			}
			if s.cfg.Creds != "" {
				opts = append(opts, nats.UserCredentials(s.cfg.Creds))
			}
		}
		return nats.Connect(url, opts...)
	}
	if _, err := parseAddresses(s.cfg.URL); err != nil && s.srv.Load() == nil {
		return &ConnectError{WithoutUser(s.cfg.URL), err}
	}
	var err error
	if s.write, err = dial("append"); err != nil {
		return &ConnectError{WithoutUser(s.cfg.URL), err}
	}
	if s.read, err = dial("read"); err != nil {
		return &ConnectError{WithoutUser(s.cfg.URL), err}
	}
	if s.js, err = jetstream.New(s.read); err != nil {
		return fmt.Errorf("eventstore: jetstream: %w", err)
	}
	return ctx.Err()
}
