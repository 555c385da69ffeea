package main

import (
	"cmp"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/cmd/internal/traces"
)

// nodeConfig says which ledger to run and where.
type nodeConfig struct {
	dir      string
	name     string // of the ledger
	natsURL  string // external NATS; embedded when empty
	creds    string
	replicas int  // of a new ledger on natsURL; 0 for the usual
	follow   bool // serve a copy, which can only be read

	natsListen        string // host:port where subscribers connect to the embedded server; "" for nowhere
	natsCert, natsKey string // PEM files for TLS there

	timezone string // of a new ledger; "" leaves it as it is, UTC for a new one
	log      *slog.Logger
	tracer   *traces.Tracer // nil: nothing is traced

	keyFile     string // with which the ledger signs; "" for the one in dir
	checkpoints string // directory of the checkpoints; "" for the one in dir
	scrubRate   int    // records a second; 0 leaves the scrub out

	webhooks webhookConfig

	now      func() time.Time         // the clock; nil for the machine's
	checking func(done, total uint64) // told how far the check at start has come; may be nil
	patience time.Duration            // how long the check at start may hold it up; 0 until its end
}

// scrubRate is how many records a second the scrub reads unless told otherwise: a
// hundredth of what the log can give.
const scrubRate = 2000

// checkReplicas says in terms of the flags what no server could keep.
func checkReplicas(n int, natsURL string) error {
	switch {
	case n != 0 && natsURL == "":
		return usagef("--replicas %d: name the cluster that keeps them with --nats", n)
	case n < 0:
		return usagef("--replicas %d: want how many servers keep the ledger", n)
	}
	return nil
}

// checkpointDir is where the checkpoints of the ledger lie.
func (cfg nodeConfig) checkpointDir() string {
	return cmp.Or(cfg.checkpoints, filepath.Join(cfg.dir, "checkpoints"))
}

// signingKey is the file of the key with which the ledger signs.
func (cfg nodeConfig) signingKey() string { return cmp.Or(cfg.keyFile, signing.KeyFile(cfg.dir)) }
