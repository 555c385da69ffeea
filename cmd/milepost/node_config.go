package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// nodeConfig says which ledger to run and where.
type nodeConfig struct {
	dir      string
	name     string // of the ledger
	natsURL  string // external NATS; embedded when empty
	creds    string
	replicas int  // of a new ledger on natsURL; 0 for the usual
	existing bool // what is not there is refused, and not made
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

// check says in terms of the flags what makes no sense.
func (cfg nodeConfig) check() error {
	if cfg.creds != "" && cfg.natsURL == "" {
		return usagef("--nats-creds %s: name the server that they are for with --nats", cfg.creds)
	}
	if cfg.follow && cfg.natsURL == "" {
		return usagef("--follow serves a copy: name the server that keeps it with --nats; milepost mirror makes one")
	}
	if err := eventstore.CheckLedger(cfg.name); err != nil {
		return usagef("--ledger %q: want 1 to 64 of a-z, 0-9 and, not first, -", cfg.name)
	}
	if _, err := time.LoadLocation(cfg.timezone); err != nil || cfg.timezone == "Local" {
		return usagef("--timezone %s: want a time zone such as Asia/Shanghai", cfg.timezone)
	}
	if cfg.scrubRate < 0 {
		return usagef("--scrub-rate %d: want how many events a second are read again, or 0 for none", cfg.scrubRate)
	}
	return checkReplicas(cfg.replicas, cfg.natsURL)
}

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

// keepsCheckpoints says why what is signed could not be kept: a server that only warned
// of that would sign for nobody. A verb that works on a ledger does without.
func (cfg nodeConfig) keepsCheckpoints() error {
	if cfg.existing {
		return nil
	}
	if err := notary.Writable(cfg.checkpointDir()); err != nil {
		return fmt.Errorf("signed checkpoints cannot be kept: %w: let this user write to that directory, which --checkpoints names", err)
	}
	return nil
}

// signingKey is the file of the key with which the ledger signs.
func (cfg nodeConfig) signingKey() string { return cmp.Or(cfg.keyFile, signing.KeyFile(cfg.dir)) }
