package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// benchmark is one thing that can be measured.
type benchmark struct {
	name, what string
	target     string // in words, beside the result
	met        func(measurement) bool
	run        func(*bench, context.Context) (measurement, error)
}

var benchmarks = []benchmark{
	{"append-1", "one writer executing commands / one connection publishing", "ratio at least 0.9", ratioOf(0.9), appending(1)},
	{"append-64", "64 writers on different projects / one connection publishing one at a time", "ratio at least 3.5", ratioOf(3.5), appending(64)},
	{"append-256", "256 writers on different projects / one connection publishing one at a time", "ratio at least 6", ratioOf(6), appending(256)},
	{"http-64", "64 connections that send commands, from end to end / 64 writers in the process", "ratio at least 0.5", ratioOf(0.5), (*bench).overHTTP},
	{"visible", "a command from its receipt until the read models show it, 16 writers", "p99 under 10 ms", p99Under(10), (*bench).visible},
	{"import", "a file of commands / atomic batches of 1,000", "ratio at least 0.6", ratioOf(0.6), (*bench).importing},
	{"rebuild", "read models from the log / an ordered consumer that only counts", "ratio at least 0.3", ratioOf(0.3), (*bench).rebuilding},
	{"replay", "the log folded and checked against the read models, their tables not read / an ordered consumer that only counts", "ratio at least 0.45", ratioOf(0.45), (*bench).replaying},
	{"what-changed", "100 changes of one agreement, out of the whole log", "p50 under 1 ms", p50Under(1), (*bench).whatChanged},
	{"changes", "the same 100 changes, out of logs of all --sizes", "p50 grows at most 1.5 times", growthUnder(1.5), (*bench).changes},
	{"blame", "a field's first 50 moves, out of logs of all --sizes", "p50 grows at most 1.5 times", growthUnder(1.5), (*bench).blame},
	{"as-of", "an agreement and its milestones as of half the log, of all --sizes", "p50 grows at most 1.5 times", growthUnder(1.5), (*bench).asOf},
	{"changes-http", "the same 100 changes over HTTP, out of logs of all --sizes", "p50 under 2 ms, and grows at most 1.2 times", both(p50Under(2), growthUnder(1.2)), (*bench).changesOverHTTP},
	{"portfolio", "projects and milestones counted, out of logs of all --sizes / as of instants at random and now", "p50 grows at most 1.3 times, ratio at most 1.5", both(growthUnder(1.3), ratioAtMost(1.5)), (*bench).portfolio},
	{"verify", "a bundle of the whole log, verified without a server", "at least 20,000 events a second", rateOf(20_000), (*bench).verifying},
	{"latency-nats", "an event from when the log stored it until a subscriber has it from NATS / a plain pull consumer", "p50 and p99 at most 2 times", ratioAtMost(2), (*bench).latencyNATS},
	{"latency-sse", "an event from when the log stored it until a reader of server-sent events has it", "p99 under 50 ms", p99Under(50), (*bench).latencySSE},
	{"latency-webhook", "an event from when the log stored it until the receiver of a webhook has it", "p99 under 50 ms", p99Under(50), (*bench).latencyWebhook},
	{"memory", "resident at most while a process serves the largest of --sizes, asked everything by 16 clients", "under 400 MiB", mibUnder(400), (*bench).memory},
	{"restart", "a process that serves the largest of --sizes, ready again after a clean stop", "under 2 s", secondsUnder(2), (*bench).restart},
	{"restart-killed", "the same after kill -9 while it writes", "under 6 s", secondsUnder(6), (*bench).restartKilled},
}

// measurement is one line of the result. What does not apply is null.
type measurement struct {
	Name    string   `json:"name"`
	Ours    *float64 `json:"ours_per_s"`
	Raw     *float64 `json:"raw_per_s"`
	Ratio   *float64 `json:"ratio"`                   // ours to raw, the median of the rounds
	Visible *float64 `json:"visible_per_s,omitempty"` // of an import: until the read models show it, too
	P50     *float64 `json:"p50_ms,omitempty"`
	P99     *float64 `json:"p99_ms,omitempty"`
	RawP50  *float64 `json:"raw_p50_ms,omitempty"`
	RawP99  *float64 `json:"raw_p99_ms,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"`
	MiB     *float64 `json:"mib,omitempty"`
	Growth  *float64 `json:"growth,omitempty"` // p50 of the largest ledger to that of the smallest
	Sizes   []sized  `json:"sizes,omitempty"`
}

func ratioOf(least float64) func(measurement) bool {
	return func(m measurement) bool { return *m.Ratio >= least }
}

func rateOf(least float64) func(measurement) bool {
	return func(m measurement) bool { return *m.Ours >= least }
}

func p50Under(ms float64) func(measurement) bool {
	return func(m measurement) bool { return *m.P50 < ms }
}

func growthUnder(most float64) func(measurement) bool {
	return func(m measurement) bool { return *m.Growth <= most }
}

func both(one, other func(measurement) bool) func(measurement) bool {
	return func(m measurement) bool { return one(m) && other(m) }
}

func secondsUnder(s float64) func(measurement) bool {
	return func(m measurement) bool { return *m.Seconds < s }
}

func mibUnder(most float64) func(measurement) bool {
	return func(m measurement) bool { return *m.MiB < most }
}

func newBench(a *app) *cobra.Command {
	b := bench{app: a}
	var only []string
	var check bool
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure the ledger against raw JetStream on this machine",
		Long: "Measure the ledger against raw JetStream on this machine: in one process and one server, each append synced\n" +
			"to disk, both in turn with the same bytes. Ours is the whole ledger, with the read models following on the\n" +
			"same processors, but for import: there they follow after each part, and visible is the rate until they\n" +
			"show it. Nothing of it is kept.",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&b.events, "events", 200_000, "`number` of events in the log that import fills and the others read")
	flags.Float64Var(&b.seconds, "seconds", 5, "`seconds` for each side of what is measured for a time, and at most for each latency")
	flags.IntSliceVar(&b.sizes, "sizes", []int{20_000, 200_000, 1_000_000}, "`numbers` of events of the logs that benchmarks of growth are asked of, ascending; the largest is that of memory and restart")
	flags.StringSliceVar(&only, "only", nil, "only these `names`: "+strings.Join(benchmarkNames(), ", "))
	flags.StringVar(&b.dir, "dir", "", "`directory` on the disk to measure (default the system's temporary one)")
	flags.BoolVar(&check, "check", false, "exit with 1 when a target is missed")
	complete(cmd, "only", benchmarkNames()...)
	_ = cmd.MarkFlagDirname("dir") // the flag is there
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range only {
			if !slices.Contains(benchmarkNames(), name) {
				return usagef("--only %s: want some of %s", name, strings.Join(benchmarkNames(), ", "))
			}
		}
		if b.events < 1000 || b.seconds <= 0 {
			return usagef("--events wants at least 1000, and --seconds more than 0")
		}
		if len(b.sizes) < 2 || !slices.IsSorted(b.sizes) || b.sizes[0] < 1000 {
			return usagef("--sizes wants at least two numbers, ascending, from 1000 on")
		}
		results, err := b.runAll(cmd.Context(), only)
		if err != nil {
			return err
		}
		if err := a.printMeasurements(results); err != nil {
			return err
		}
		if missed := missedTargets(results); check && len(missed) > 0 {
			return fmt.Errorf("targets missed: %s", strings.Join(missed, ", "))
		}
		return nil
	}
	return cmd
}

func benchmarkNames() []string {
	names := make([]string, len(benchmarks))
	for i, b := range benchmarks {
		names[i] = b.name
	}
	return names
}

func benchmarkOf(m measurement) benchmark {
	return benchmarks[slices.IndexFunc(benchmarks, func(b benchmark) bool { return b.name == m.Name })]
}

// bench runs benchmarks, one after the other, on ledgers of its own.
type bench struct {
	app     *app
	events  int
	seconds float64
	sizes   []int
	dir     string

	root string      // the temporary directory within dir
	full *node       // the ledger with --events events, opened by the first that needs it
	fill measurement // what filling it came to: the benchmark import
	work *workload   // what full was filled with

	scaled []*scaled // ledgers of all sizes, made by the first that needs them
	alone  *apart    // the largest of them, once it is closed for a process of its own
}

func (b *bench) runAll(ctx context.Context, only []string) (results []measurement, err error) {
	if b.root, err = os.MkdirTemp(b.dir, "milepost-bench-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if inMemory(b.root) {
		_, _ = fmt.Fprintf(b.app.err, "milepost: %s is in memory, where a sync costs nothing: name a directory on a disk with --dir\n", b.root)
	}
	for _, one := range benchmarks {
		if len(only) > 0 && !slices.Contains(only, one.name) {
			continue
		}
		m, err := one.run(b, ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		m.Name = one.name
		results = append(results, m)
	}
	return results, nil
}

func (b *bench) close() error {
	var err error
	if b.full != nil {
		err = b.full.Close()
	}
	for _, s := range b.scaled {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, os.RemoveAll(b.root))
}

const benchLedger = "bench"

// node opens a ledger in a directory of the bench.
func (b *bench) node(ctx context.Context, name string) (*node, error) {
	return startNode(ctx, nodeConfig{
		dir: filepath.Join(b.root, name), name: benchLedger, log: b.app.logger(),
		natsListen: "127.0.0.1:0", // it listens when a benchmark has a subscriber
	})
}

func missedTargets(results []measurement) []string {
	var missed []string
	for _, m := range results {
		if !benchmarkOf(m).met(m) {
			missed = append(missed, m.Name)
		}
	}
	return missed
}

func (a *app) printMeasurements(results []measurement) error {
	if a.output == "json" {
		return a.printJSON(results)
	}
	if a.output == "csv" {
		return writeBenchCSV(a.out, results)
	}
	rows := [][]string{{"NAME", "OURS/S", "RAW/S", "RATIO", "VISIBLE/S", "P50 MS", "P99 MS", "RAW P50", "RAW P99", "GROWTH", "SECONDS", "MIB", "TARGET", "", "WHAT"}}
	for _, m := range results {
		one := benchmarkOf(m)
		verdict := "met"
		if !one.met(m) {
			verdict = "MISSED"
		}
		rows = append(rows, append(m.cells(), one.target, verdict, one.what))
	}
	return writeRows(a.out, rows, []bool{false, true, true, true, true, true, true, true, true, true, true, true, false, false, false})
}
