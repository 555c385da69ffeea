package faults_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// network is machines on one switch: network namespaces with a bridge in one more.
// Nothing of it is in the network of this machine, and all is gone when the test
// has ended.
type network struct {
	t        *testing.T
	bridge   namespace
	machines []namespace
	places   []place
}

// namespace is a network namespace, held by a process that waits for its input to end.
type namespace struct{ pid string }

func newNamespace(t *testing.T) namespace {
	t.Helper()
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := holder.StdinPipe() // it ends with this process too
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = holder.Wait() // how it ended matters to nobody
	})
	ns := namespace{fmt.Sprint(holder.Process.Pid)}
	ns.run(t, "ip", "link", "set", "lo", "up")
	return ns
}

func (ns namespace) inside() []string {
	return []string{"nsenter", "--net=/proc/" + ns.pid + "/ns/net"}
}

func (ns namespace) run(t *testing.T, args ...string) {
	t.Helper()
	line := append(ns.inside(), args...)
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
}

// dial connects from within the namespace: a socket belongs to the one that its
// thread was in when it was made.
func (ns namespace) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never let go: the thread ends with the goroutine
		fd, e := unix.Open("/proc/"+ns.pid+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if e != nil {
			err = e
			return
		}
		defer unix.Close(fd)
		if err = unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}()
	<-done
	return conn, err
}

// newNetwork makes n machines that reach each other.
func newNetwork(t *testing.T, n int) *network {
	t.Helper()
	needsRoot(t)
	needs(t, "ip", "bridge", "nsenter")
	w := &network{t: t, bridge: newNamespace(t)}
	w.bridge.run(t, "ip", "link", "add", "br0", "type", "bridge")
	w.bridge.run(t, "ip", "link", "set", "br0", "up")
	for i := range n {
		m := newNamespace(t)
		w.machines = append(w.machines, m)
		at := place{address: fmt.Sprintf("10.9.0.%d", i+1), inside: m.inside(), dial: m.dial}
		w.places = append(w.places, at)
		w.bridge.run(t, "ip", "link", "add", port(i), "type", "veth", "peer", "name", "e0", "netns", m.pid)
		w.bridge.run(t, "ip", "link", "set", port(i), "master", "br0", "up")
		m.run(t, "ip", "addr", "add", at.address+"/24", "dev", "e0")
		m.run(t, "ip", "link", "set", "e0", "up")
	}
	return w
}

// port is the name of a machine's port of the switch.
func port(machine int) string { return fmt.Sprint("v", machine) }

// unplug parts a machine from all others.
func (w *network) unplug(machine int) {
	w.t.Helper()
	w.bridge.run(w.t, "ip", "link", "set", port(machine), "down")
}

func (w *network) plug(machine int) {
	w.t.Helper()
	w.bridge.run(w.t, "ip", "link", "set", port(machine), "up")
}

// part keeps machines from each other that all still reach the rest.
func (w *network) part(machines ...int) {
	w.t.Helper()
	w.isolated("on", machines)
}

func (w *network) join(machines ...int) {
	w.t.Helper()
	w.isolated("off", machines)
}

func (w *network) isolated(state string, machines []int) {
	w.t.Helper()
	for _, m := range machines {
		w.bridge.run(w.t, "bridge", "link", "set", "dev", port(m), "isolated", state)
	}
}

// deafen has nothing that one machine sends reach another. What comes from the
// other reaches it.
func (w *network) deafen(from, to int) {
	w.t.Helper()
	w.machines[from].run(w.t, "ip", "route", "add", "blackhole", w.places[to].address+"/32")
}

func (w *network) hear(from, to int) {
	w.t.Helper()
	w.machines[from].run(w.t, "ip", "route", "del", "blackhole", w.places[to].address+"/32")
}
