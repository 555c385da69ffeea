package faults_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

// A ledger on external servers is backed up while it is written to, and another
// server comes to lead; when all of them are lost it is made again, embedded, as the
// checkpoint says that it was.
func TestBackupOfAnExternalLog(t *testing.T) {
	t.Parallel() // much of it is waiting for a leader
	thorough(t, 1, 1)
	// given a ledger on a cluster, under load
	c := startCluster(t)
	p := newPromises()
	l := startLoad(t, p, 12, 8, c.replicas...)
	l.goesOn(t, 300)
	eventually(t, "files of evidence", func() bool { return len(p.copy().files) > 3 })
	one, two := c.replicas[0], c.replicas[1]
	here := t.TempDir()
	key := filepath.Join(here, "ledger.vkey")
	public, errs, code := one.run(t, nil, "key", "show", signing.KeyFile(one.dir))
	require.Zero(t, code, errs)
	require.NoError(t, os.WriteFile(key, []byte(public), 0o600))

	// when backups are taken of each server of it, and of the log when none runs
	type taken struct {
		File    string `json:"file"`
		LastSeq uint64 `json:"last_seq"`
	}
	var backups []taken
	before := p.copy()
	take := func(run func(args ...string) (string, string, int)) {
		t.Helper()
		file := filepath.Join(here, fmt.Sprint(len(backups), ".backup"))
		out, errs, code := run("backup", "--out", file, "-o", "json")
		require.Zero(t, code, errs)
		var b taken
		require.NoError(t, json.Unmarshal([]byte(out), &b))
		backups = append(backups, b)
	}
	keys := filepath.Join(here, "main.keys")
	take(func(args ...string) (string, string, int) { return one.run(t, nil, append(args, "--keys", keys)...) })
	leader := c.leader(t)
	leader.kill()
	l.goesOn(t, 100)
	later := p.copy()
	take(func(args ...string) (string, string, int) { return two.run(t, nil, args...) })
	leader.start(t)
	leader.await(t)
	c.requireWhole(t, l)
	log := one.events(t)
	one.stop(t)
	two.stop(t)
	take(func(args ...string) (string, string, int) {
		return runProgram(t, one.at, nil, nil, append(args, "--data", one.dir, "--nats", c.nodes[0].url)...)
	})
	for _, n := range c.nodes {
		n.kill()
	}

	// then each is the ledger as it was, and goes on
	for i, kept := range []*promises{before, later, p} {
		dir := filepath.Join(here, fmt.Sprint("restored-", i))
		out, errs, code := runProgram(t, one.at, nil, nil, "restore", "--from", backups[i].File, "--data", dir, "--keys", keys, "--ledger-key", key)
		require.Zero(t, code, errs)
		require.Contains(t, out, fmt.Sprintf("the log agrees with the checkpoint that the ledger signed at sequence %d", backups[i].LastSeq))
		s := serve(t, dir)
		require.Equal(t, log[:backups[i].LastSeq], s.events(t))
		s.requireKept(t, kept)
		s.requireGoesOn(t, kept)
		s.stop(t)
	}
	require.EqualValues(t, len(log), backups[2].LastSeq)
}
