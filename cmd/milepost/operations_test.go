package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

func operationsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("OPERATIONS.md")
	require.NoError(t, err)
	return string(page)
}

// block is a block of code of a kind in the page, the one that has a text in it.
func block(t *testing.T, page, kind, with string) string {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if strings.Contains(m[1], with) {
			return m[1]
		}
	}
	t.Fatalf("the page has no block of %s with %q", kind, with)
	return ""
}

// Every command line of the page is one that the program understands.
func TestOperations_commandsExist(t *testing.T) {
	page := operationsPage(t)
	a := &app{env: func(string) string { return "" }}
	var lines int
	for _, m := range regexp.MustCompile(`(?m)^(?:    |ExecStart=\S*/)milepost (.*)$`).FindAllStringSubmatch(page, -1) {
		lines++
		line, _, _ := strings.Cut(m[1], " >") // into a file
		words := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1)
		verb, rest, err := newRoot(a).Find(words)
		require.NoError(t, err, m[1])
		require.NotEqual(t, "milepost", verb.Name(), m[1])
		require.NoError(t, verb.ParseFlags(rest), m[1])
		require.NoError(t, verb.ValidateArgs(verb.Flags().Args()), m[1])
	}
	assert.Greater(t, lines, 15)
	serve := serveVerb(t, a)
	restore, _, err := newRoot(a).Find([]string{"restore"})
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("`--([a-z-]+)").FindAllStringSubmatch(page, -1) {
		assert.True(t, serve.Flag(m[1]) != nil || restore.Flag(m[1]) != nil || m[1] == "help", "--%s is no flag", m[1])
	}
}

func serveVerb(t *testing.T, a *app) *cobra.Command {
	t.Helper()
	verb, _, err := newRoot(a).Find([]string{"serve"})
	require.NoError(t, err)
	return verb
}

// Every configuration file of the page is one that serve takes.
func TestOperations_settingsExist(t *testing.T) {
	page := operationsPage(t)
	for _, with := range []string{"tls-cert =", "nats ="} {
		got, err := settledFlags(t, block(t, page, "ini", with), nil)
		require.NoError(t, err)
		require.Contains(t, got, "data")
	}
}

// Every metric of the page is one that the program has.
func TestOperations_metricsExist(t *testing.T) {
	has := map[string]bool{}
	require.NoError(t, filepath.WalkDir("../internal", func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		source, err := os.ReadFile(file)
		for _, m := range regexp.MustCompile(`"(milepost_[a-z_]+)"`).FindAllSubmatch(source, -1) {
			has[string(m[1])] = true
		}
		return err
	}))
	used := regexp.MustCompile(`milepost_[a-z_]+`).FindAllString(operationsPage(t), -1)
	assert.Greater(t, len(used), 15)
	for _, name := range used {
		assert.True(t, has[strings.TrimSuffix(name, "_bucket")], name)
	}
}

// The gauges that alarms are made of are served.
func TestOperations_gaugesAreServed(t *testing.T) {
	s := startServer(t, t.TempDir())
	_, code := s.run(t, nil, "backup", "--out", t.TempDir())
	require.Equal(t, exitDone, code)
	metrics, err := s.ask("GET", "/metrics", "")
	require.NoError(t, err)
	defer func() { _ = metrics.Body.Close() }()
	text, err := io.ReadAll(metrics.Body)
	require.NoError(t, err)
	for _, name := range []string{
		"milepost_ready 1", "milepost_log_intact 1", "milepost_log_last_sequence ", "milepost_checkpoint_sequence ", "milepost_checkpoint_timestamp_seconds 1",
		"milepost_last_backup_timestamp_seconds 1", "milepost_disk_free_bytes ", "milepost_projection_lag_events 0", "milepost_log_replicas 1",
		"milepost_log_replicas_current 1", "milepost_clock_skew_seconds ", "milepost_views_open 0",
	} {
		assert.Contains(t, string(text), "\n"+name)
	}
	assert.NotContains(t, s.log.String(), "sign-in/link", "a link that signs in is in the log")
	// and status says the same, and more
	out, code := s.run(t, nil, "status")
	require.Equal(t, exitDone, code)
	for _, line := range []string{`front +loopback`, `started +2`, `disk log +\d+`, `disk read models +\d+`, `disk free +\d{6,}`, `last backup +2`, `integrity signed at +2`, `webhooks enabled +0`, `nats current +1`} {
		assert.Regexp(t, `(?m)^`+line, out)
	}
	s.stop(t, syscall.SIGTERM)
}

// Three servers run by the page's configuration are a cluster on which milepost serves,
// and to which a ledger moves from one machine, and back.
func TestOperations_theClusterServes(t *testing.T) {
	page := operationsPage(t)
	conf := block(t, page, "conf", "server_name")
	nodes := []string{"nats-a", "nats-b", "nats-c"}
	address := map[string]string{}
	for _, n := range nodes {
		for _, port := range []string{"4222", "6222"} {
			address[n+":"+port] = unusedAddress(t)
		}
	}
	place := func(text, node string) string { // the page's places in this machine
		text = strings.NewReplacer("0.0.0.0:4222", address[node+":4222"], "0.0.0.0:6222", address[node+":6222"],
			"/var/lib/nats", t.TempDir(), "server_name: nats-a", "server_name: "+node, "200GB", "1GB").Replace(text)
		for at, here := range address {
			text = strings.ReplaceAll(text, at, here)
		}
		return text
	}
	var servers []*nats.Server
	for _, n := range nodes {
		file := filepath.Join(t.TempDir(), "nats-server.conf")
		require.NoError(t, os.WriteFile(file, []byte(place(conf, n)), 0o600))
		options, err := nats.ProcessConfigFile(file)
		require.NoError(t, err)
		require.True(t, options.SyncAlways)
		options.NoSigs, options.NoLog = true, true
		server, err := nats.NewServer(options)
		require.NoError(t, err)
		server.Start()
		t.Cleanup(func() { server.Shutdown(); server.WaitForShutdown() })
		servers = append(servers, server)
	}
	require.Eventually(t, func() bool {
		for _, s := range servers {
			if !s.ReadyForConnections(time.Second) || !s.JetStreamIsCurrent() {
				return false
			}
		}
		return true
	}, 60*time.Second, 50*time.Millisecond, "no cluster")

	settings := filepath.Join(t.TempDir(), "milepost.conf")
	text := strings.Replace(place(block(t, page, "ini", "nats ="), "nats-a"), "data = /var/lib/milepost\n", "", 1)
	require.NoError(t, os.WriteFile(settings, []byte(text), 0o600))
	machine := startServer(t, t.TempDir(), "--ledger", "city")
	machine.register(t, 3)
	was := machine.settled(t)
	machine.stop(t, syscall.SIGTERM)
	file, keys, dir := filepath.Join(t.TempDir(), "move.backup"), filepath.Join(t.TempDir(), "move.keys"), filepath.Join(t.TempDir(), "new")
	_, stderr, code := alone(t, nil, "backup", "--data", machine.dir, "--ledger", "city", "--out", file, "--keys", keys)
	require.Equal(t, exitDone, code, stderr)
	said, stderr, code := alone(t, nil, "restore", "--from", file, "--config", settings, "--data", dir, "--keys", keys)
	require.Equal(t, exitDone, code, stderr)
	require.NotContains(t, said+stderr, "change-me")
	one := startServer(t, dir, "--config", settings)
	moved := one.settled(t)
	require.Equal(t, was.LastSeq, moved.LastSeq)
	require.Equal(t, was.Digest, moved.Digest)
	require.Contains(t, one.must(t, "", "replay"), "identical at seq")
	two := startServer(t, t.TempDir(), "--config", settings, "--key", signing.KeyFile(dir))
	one.register(t, 3)
	out, code := two.run(t, nil, "status")
	require.Equal(t, exitDone, code)
	assert.Regexp(t, `(?m)^nats replicas +3$`, out)
	assert.Regexp(t, `(?m)^nats leader +nats-[abc]$`, out)
	was = one.settled(t)
	require.Equal(t, was, two.settled(t))
	file = filepath.Join(t.TempDir(), "back.backup")
	one.must(t, "", "backup", "--out", file)
	one.stop(t, syscall.SIGTERM)
	two.stop(t, syscall.SIGTERM)
	dir = filepath.Join(t.TempDir(), "back")
	_, stderr, code = alone(t, nil, "restore", "--from", file, "--data", dir, "--keys", keys)
	require.Equal(t, exitDone, code, stderr)
	back := startServer(t, dir, "--ledger", "city")
	moved = back.settled(t)
	require.Equal(t, was.LastSeq, moved.LastSeq)
	require.Equal(t, was.Digest, moved.Digest)
	back.stop(t, syscall.SIGTERM)
	for _, s := range []*child{one, two} {
		assert.NotContains(t, s.log.String(), "change-me", "the password is in the log")
	}
}
