package main

import (
	"syscall"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

// externalLog runs a NATS server until the test ends, and returns where.
func externalLog(t *testing.T) string {
	t.Helper()
	log, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: nats.RANDOM_PORT, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
	require.NoError(t, err)
	log.Start()
	t.Cleanup(func() { log.Shutdown(); log.WaitForShutdown() })
	require.True(t, log.ReadyForConnections(10*time.Second))
	return log.ClientURL()
}

// Two processes serve one ledger on an external NATS server: what is written
// through one is shown by the other.
func TestTwoServersOnAnExternalLog(t *testing.T) {
	// Given a NATS server and two servers of the ledger, each with its own directory
	log := externalLog(t)
	dir := t.TempDir()
	one := startServer(t, dir, "--nats", log)
	two := startServer(t, t.TempDir(), "--nats", log, "--key", signing.KeyFile(dir)) // one ledger, one key

	// When a party is registered through one and changed through the other
	_, code := one.run(t, nil, "do", "register-party", "--party", "city", "--title", "City", "--kind", "other")
	require.Equal(t, exitDone, code)
	_, code = two.run(t, nil, "do", "change-party", "--party", "city", "--title", "Town")
	require.Equal(t, exitDone, code)

	// Then both show it, and agree to the last byte.
	for _, s := range []*child{one, two} {
		out, code := s.run(t, nil, "show", "party", "city", "--min-seq", "2", "-o", "json")
		require.Equal(t, exitDone, code)
		assert.Contains(t, out, `"title":{"en":"Town"}`)
		out, _ = s.run(t, nil, "status", "-o", "json")
		assert.Contains(t, out, `"nats":{"mode":"external"`)
	}
	assert.Equal(t, one.settled(t), two.settled(t))
	one.stop(t, syscall.SIGTERM)
	two.stop(t, syscall.SIGTERM)
}
