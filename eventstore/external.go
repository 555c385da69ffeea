package eventstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// What a store can know about whether its server syncs every append to disk.
const (
	SyncYes     = "true"
	SyncNo      = "false"
	SyncUnknown = "unknown"
)

// minServer is the oldest line of servers whose atomic batches this package was
// measured and tested with.
var minServer = [2]int{2, 15}

// learnServer checks an external server's version, and asks it whether it
// syncs. Only a system account may ask that, so mostly there is no answer.
func (s *Store) learnServer(ctx context.Context) error {
	if s.srv.Load() != nil {
		s.syncAlways = SyncYes
		return nil
	}
	version := s.read.ConnectedServerVersion()
	if !newEnough(version) {
		return fmt.Errorf("eventstore: nats-server %s at %s: %d.%d or newer is needed",
			version, s.read.ConnectedUrlRedacted(), minServer[0], minServer[1])
	}
	s.syncAlways = askSyncAlways(ctx, s.read)
	switch s.syncAlways {
	case SyncNo:
		return &LossyStreamError{Stream: s.stream, Setting: "sync_always", Got: SyncNo, Want: SyncYes}
	case SyncUnknown:
		s.log.Warn("CANNOT TELL WHETHER THE SERVER SYNCS APPENDS TO DISK: "+
			"without `jetstream { sync_interval: always }` on every server a power cut "+
			"loses up to two minutes of acknowledged records", "server", s.read.ConnectedServerName())
	}
	return nil
}

func newEnough(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return false
	}
	return major > minServer[0] || major == minServer[0] && minor >= minServer[1]
}

// askSyncAlways asks every server for its JetStream settings and believes
// "true" only if all that answered said so.
func askSyncAlways(ctx context.Context, nc *nats.Conn) string {
	const quiet = 250 * time.Millisecond // no further answer within this: that was all
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return SyncUnknown
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := nc.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox, []byte(`{"config":true}`)); err != nil {
		return SyncUnknown
	}
	answer := SyncUnknown
	for {
		wait, cancel := context.WithTimeout(ctx, quiet)
		msg, err := sub.NextMsgWithContext(wait)
		cancel()
		if err != nil || len(msg.Data) == 0 {
			return answer
		}
		var jsz struct {
			Data struct {
				Disabled bool `json:"disabled"`
				Config   *struct {
					SyncAlways bool `json:"sync_always"`
				} `json:"config"`
			} `json:"data"`
		}
		if json.Unmarshal(msg.Data, &jsz) != nil || jsz.Data.Disabled || jsz.Data.Config == nil {
			continue
		}
		if !jsz.Data.Config.SyncAlways {
			return SyncNo
		}
		answer = SyncYes
	}
}
