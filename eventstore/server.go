package eventstore

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startServer runs a JetStream server in this process. It listens nowhere before
// Admit, handles no signals, and answers an append only after fsync: JetStream's
// default is to sync every two minutes, and a power cut in between loses
// records that were acknowledged. The gate is nil when it never listens.
func startServer(cfg Config, gate *gate) (*server.Server, error) {
	dir := filepath.Join(cfg.Dir, storeDir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("eventstore: data directory: %w", err)
	}
	opts := &server.Options{
		ServerName:             "milepost-" + cfg.Ledger,
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               dir,
		SyncAlways:             !cfg.restored,
		JetStreamMaxStore:      cmp.Or(cfg.MaxStore, math.MaxInt64), // the disk's room is looked at with each write
		JetStreamMaxMemory:     256 << 20,                           // consumers' state; no stream is in memory
		DisableJetStreamBanner: true,
	}
	if gate != nil {
		if err := listening(opts, cfg, gate); err != nil {
			return nil, err
		}
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("eventstore: embedded server: %w", err)
	}
	srv.SetLoggerV2(serverLog{cfg.Logger}, false, false, false)
	srv.Start()

	// It has started when that returns, or it never will: nobody waits for one that failed.
	if !srv.ReadyForConnections(time.Second) || !srv.JetStreamEnabled() {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, fmt.Errorf("eventstore: embedded server in %s did not come up with JetStream", dir)
	}
	return srv, nil
}

// serverLog passes the embedded server's warnings and errors on. Its notices
// are debug output here, but kept: JetStream says so only in a notice when it
// has cut off a damaged block.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("nats-server: " + fmt.Sprintf(format, v...))
	}
}
func (l serverLog) Warnf(format string, v ...any) {
	l.log.Warn("nats-server: " + fmt.Sprintf(format, v...))
}

// Errorf is a warning where it is about what a client did: whoever can connect
// could fill the log with errors that are none of the server's.
func (l serverLog) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	level := slog.LevelError
	if strings.Contains(text, " - cid:") {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "nats-server: "+text)
}
func (l serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }
func (l serverLog) Debugf(string, ...any)          {}
func (l serverLog) Tracef(string, ...any)          {}
