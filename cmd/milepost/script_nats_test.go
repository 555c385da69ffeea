package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// startNATS runs a NATS server of one user, and returns its address with the password.
func startNATS(dir string) (srv *natsserver.Server, url string, err error) {
	srv, err = natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, JetStream: true, StoreDir: dir, SyncAlways: true, Username: "milepost", Password: "secret",
	})
	if err != nil {
		return nil, "", err
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		return nil, "", fmt.Errorf("the NATS server did not come up")
	}
	return srv, strings.Replace(srv.ClientURL(), "nats://", "nats://milepost:secret@", 1), nil
}

// externalNATS is startNATS for a test.
func externalNATS(t *testing.T) string {
	t.Helper()
	srv, url, err := startNATS(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	return url
}

func natsServer(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "nats-*")
	ts.Check(err)
	srv, url, err := startNATS(dir)
	ts.Check(err)
	ts.Defer(func() { srv.Shutdown(); srv.WaitForShutdown() })
	ts.Setenv(args[0], url)
}

func streams(ts *testscript.TestScript, _ bool, args []string) {
	names, err := streamNames(context.Background(), args[0])
	ts.Check(err)
	if !slices.Equal(names, args[1:]) {
		ts.Fatalf("the streams are %q, want %q", names, args[1:])
	}
}

// streamNames are those of the streams of a NATS server, ascending.
func streamNames(ctx context.Context, url string) (names []string, err error) {
	nc, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	list := js.StreamNames(ctx)
	for name := range list.Name() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, list.Err()
}
