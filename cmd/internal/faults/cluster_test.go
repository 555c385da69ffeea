package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

// cluster is what a ledger that survives its machines runs on: three external
// nats-server processes that sync each append, and two replicas that serve the
// ledger, each with read models of its own.
type cluster struct {
	nodes    []*natsNode
	replicas []*server
}

const (
	natsNodes = 3
	replicas  = 2
)

// natsNode is one nats-server process.
type natsNode struct {
	name    string
	at      place
	url     string // for clients
	monitor string // of its monitoring
	config  string // file
	web     *http.Client

	process *exec.Cmd
	output  transcript
	ended   chan struct{}
}

// startCluster runs a cluster, its nodes and then its replicas at the places
// given, or all of it here. All that is started is ended with the test.
func startCluster(t *testing.T, places ...place) *cluster {
	t.Helper()
	_, err := program() // before anything runs
	require.NoError(t, err)
	for len(places) < natsNodes+replicas {
		places = append(places, here())
	}
	c := &cluster{}
	ports := freePorts(t, 3*natsNodes)
	var routes, urls []string
	for i := range natsNodes {
		routes = append(routes, fmt.Sprintf("nats-route://%s:%d", places[i].address, ports[3*i]))
	}
	for i, at := range places[:natsNodes] {
		route, client, monitor := ports[3*i], ports[3*i+1], ports[3*i+2]
		n := &natsNode{
			name: fmt.Sprintf("n%d", i+1), at: at, web: at.client(), config: filepath.Join(t.TempDir(), "nats.conf"),
			url: fmt.Sprintf("nats://%s:%d", at.address, client), monitor: fmt.Sprintf("http://127.0.0.1:%d", monitor),
		}
		require.NoError(t, os.WriteFile(n.config, fmt.Appendf(nil, `
			server_name: %s
			listen: %s:%d
			http: 127.0.0.1:%d
			jetstream { store_dir: %q, sync_interval: always }
			cluster { name: faults, listen: %s:%d, routes: [%s] }
			`, n.name, at.address, client, monitor, t.TempDir(), at.address, route, strings.Join(routes, ", ")), 0o600))
		n.start(t)
		t.Cleanup(func() {
			n.kill()
			if t.Failed() {
				said := n.output.String()
				t.Logf("%s said:\n%s", n.name, said[max(0, len(said)-4000):])
			}
		})
		c.nodes, urls = append(c.nodes, n), append(urls, n.url)
	}
	for _, n := range c.nodes {
		n.await(t)
	}
	key := []string{}
	for _, at := range places[natsNodes:] {
		dir := t.TempDir()
		r := serveAt(t, at, dir, append(key, "--nats", strings.Join(urls, ","))...)
		c.replicas = append(c.replicas, r)
		key = []string{"--key", signing.KeyFile(c.replicas[0].dir)} // one ledger, one key
	}
	return c
}

// freePorts finds ports that nobody listens on.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // all at the end, or two would be the same
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (n *natsNode) start(t *testing.T) {
	t.Helper()
	file, err := natsServer()
	require.NoError(t, err)
	line := append(append([]string{}, n.at.inside...), file, "-c", n.config)
	n.process, n.ended = exec.Command(line[0], line[1:]...), make(chan struct{})
	n.process.Stdout, n.process.Stderr = &n.output, &n.output
	require.NoError(t, n.process.Start())
	process, ended := n.process, n.ended
	go func() {
		_ = process.Wait() // it is killed
		close(ended)
	}()
}

// kill ends the node as a crash does. To kill what has ended does nothing.
func (n *natsNode) kill() {
	_ = n.process.Process.Kill()
	<-n.ended
}

// pause stops the node as a machine does that hangs: what it had connected stays so.
func (n *natsNode) pause(t *testing.T) {
	t.Helper()
	require.NoError(t, n.process.Process.Signal(syscall.SIGSTOP))
}

func (n *natsNode) resume(t *testing.T) {
	t.Helper()
	require.NoError(t, n.process.Process.Signal(syscall.SIGCONT))
}

// await waits until the node has joined the others.
func (n *natsNode) await(t *testing.T) {
	t.Helper()
	eventually(t, n.name+" to be healthy", func() bool {
		var health struct{ Status string }
		return n.ask(t.Context(), "/healthz", &health) == nil && health.Status == "ok"
	})
}

func (n *natsNode) ask(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", n.monitor+path, nil)
	if err != nil {
		return err
	}
	resp, err := n.web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// stored is the ledger's log as a node has it.
type stored struct {
	Messages uint64
	Bytes    uint64
	Last     uint64 `json:"last_seq"`
}

// stream asks a node for the ledger's stream: who leads it in its eyes, "" for
// none, and what it has of it.
func (n *natsNode) stream(ctx context.Context) (leader string, has stored) {
	var jsz struct {
		Accounts []struct {
			Streams []struct {
				Name    string
				State   stored
				Cluster struct{ Leader string }
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if n.ask(ctx, "/jsz?accounts=true&streams=true", &jsz) != nil {
		return "", stored{}
	}
	for _, a := range jsz.Accounts {
		for _, s := range a.Streams {
			if s.Name == "milepost-main" {
				return s.Cluster.Leader, s.State
			}
		}
	}
	return "", stored{}
}

// leader is the node that leads the ledger's stream in the eyes of the others.
func (c *cluster) leader(t *testing.T) (leader *natsNode) {
	t.Helper()
	eventually(t, "a leader", func() bool {
		votes := map[string]int{}
		for _, n := range c.nodes {
			leads, _ := n.stream(t.Context())
			votes[leads]++
		}
		for _, n := range c.nodes {
			if votes[n.name] > natsNodes/2 {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// patience is how long a condition may take to come, on a machine that is busy.
const patience = 2 * time.Minute

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, patience, 50*time.Millisecond, "waited for %s", what)
}

// goes says whether so many more commands are acknowledged in a time: more than
// can have been answered already.
func (l *load) goes(by int, within time.Duration) bool {
	enough := l.promises.count() + by
	for end := time.After(within); ; {
		select {
		case <-end:
			return false
		case <-time.After(50 * time.Millisecond):
			if l.promises.count() >= enough {
				return true
			}
		}
	}
}

func (l *load) goesOn(t *testing.T, by int) {
	t.Helper()
	require.True(t, l.goes(by, patience), "no commands are acknowledged: %v", l.tally())
}

// requireWhole ends the load, and holds the cluster to its word: what was
// acknowledged by whichever replica is in the log of each, once, and all servers
// and all read models agree.
func (c *cluster) requireWhole(t *testing.T, l *load) {
	t.Helper()
	l.stop(t)
	p99, longest := l.waited()
	t.Logf("%d commands acknowledged, p99 %v, longest %v, answers %v", l.promises.count(), p99.Round(time.Millisecond), longest.Round(time.Millisecond), l.tally())
	digests := map[string]bool{}
	for _, r := range c.replicas {
		l.promises.requireKept(t, r.events(t))
		r.requireFiles(t, l.promises)
		r.requireReplay(t)
		digests[r.digest(t)] = true
	}
	require.Len(t, digests, 1, "the read models of the replicas differ")
	eventually(t, "the servers to have the same log", func() bool {
		logs := map[stored]bool{}
		for _, n := range c.nodes {
			_, has := n.stream(t.Context())
			logs[has] = true
		}
		return len(logs) == 1 && !logs[stored{}]
	})
}

// digest is that of the read models, when they show the whole log.
func (s *server) digest(t *testing.T) string {
	t.Helper()
	s.settled(t)
	var status struct{ Digest string }
	s.get(t, "/v1/status", &status)
	return status.Digest
}

func TestClusterLeaderKilled(t *testing.T) {
	t.Parallel() // most of it is waiting for leaders
	times := thorough(t, 1, 20)
	// given a cluster under load
	c := startCluster(t)
	l := startLoad(t, newPromises(), 5, 8, c.replicas...)
	for range times {
		l.goesOn(t, 200)
		// when the server that leads is killed
		leader := c.leader(t)
		leader.kill()
		// then another one leads, and it comes back as one of them
		l.goesOn(t, 200)
		leader.start(t)
		leader.await(t)
	}
	c.requireWhole(t, l)
}

func TestClusterLeaderPaused(t *testing.T) {
	t.Parallel() // most of it is waiting for leaders
	times := thorough(t, 1, 20)
	// given a cluster under load
	c := startCluster(t)
	l := startLoad(t, newPromises(), 6, 8, c.replicas...)
	for range times {
		l.goesOn(t, 200)
		// when the server that leads hangs, and wakes when another one leads
		leader := c.leader(t)
		leader.pause(t)
		l.goesOn(t, 200)
		leader.resume(t)
		leader.await(t)
	}
	// then what it believed meanwhile did no harm
	c.requireWhole(t, l)
}
