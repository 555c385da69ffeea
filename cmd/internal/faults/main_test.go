package faults_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := directory(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// asked is how thoroughly faults are tried: "", "short" or "long".
func asked() string { return os.Getenv("MILEPOST_FAULTS") }

// thorough leaves a long test out unless it is asked for, and tells how often
// something is tried: short times in the short version, long times in the whole.
func thorough(t *testing.T, short, long int) int {
	t.Helper()
	switch asked() {
	case "":
		t.Skip("breaking it takes minutes: MILEPOST_FAULTS=short runs a part, as .ci/run does, and MILEPOST_FAULTS=long all")
	case "short":
		return short
	case "long":
		return long
	}
	t.Fatalf("MILEPOST_FAULTS=%s: say short or long", asked())
	return 0
}

// needsRoot leaves a test out that mounts file systems or makes networks of its own.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounts file systems or makes network namespaces: takes root")
	}
}

// needs requires programs, or leaves the test out where .ci/run does not run.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed: %v", p, err)
			}
			t.Skipf("%s is not installed", p)
		}
	}
}

// directory is for what tests share: the programs.
var directory = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "milepost-faults-") })

// program is the binary, built as people build it.
var program = built("milepost", "github.com/milepost-ledger/milepost/cmd/milepost")

// natsServer is an external server, of the version that the module names.
var natsServer = built("nats-server", "github.com/nats-io/nats-server/v2")

func built(name, of string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		dir, err := directory()
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, name)
		out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", file, of).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("go build %s: %w\n%s", of, err, out)
		}
		return file, nil
	})
}
