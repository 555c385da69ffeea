package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/cmd/internal/repair"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

func newRepair(a *app) *cobra.Command {
	var r repairing
	cmd := &cobra.Command{
		Use: "repair --from SOURCE", Short: "Make a damaged log whole again, where hashes prove how it was",
		Long: "Compare the log with the newest checkpoint that the ledger signed, and put back what was changed, lost or moved:\n" +
			"out of a bundle (of the whole ledger or of one agreement) or out of a copy of a data directory. An event is taken\n" +
			"only where its hash proves that it is the one that was signed; where one cannot be proven, nothing is changed.\n\n" +
			"No server may run on the directory. SOURCE is never written to. The log as it was stays beside the new one, in\n" +
			"jetstream-before-repair-<time>; remove that when you need it no more. The read models are made again at the next start.\n\n" +
			"Nothing proves how an event was that is behind the newest checkpoint. Where one cannot be read, repair names it and\n" +
			"changes nothing; with --accept-loss the log ends before it, and what is lost is listed.",
		Example: "  milepost repair --data ./milepost-data --from wuxi-2017.bundle --dry-run\n  milepost repair --data ./milepost-data --from /backup/milepost-data",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.from, "from", "", "`file` of a bundle, or directory that is a copy of --data")
	flags.StringVar(&r.cfg.name, "ledger", "main", "`name` of the ledger")
	flags.StringVar(&r.cfg.keyFile, "key", "", "`file` of the key that the ledger signs with (default ledger.key in --data)")
	flags.StringVar(&r.cfg.checkpoints, "checkpoints", "", "`directory` of the signed checkpoints (default checkpoints in --data)")
	flags.BoolVar(&r.dry, "dry-run", false, "only say what would be done")
	flags.BoolVar(&r.acceptLoss, "accept-loss", false, "end the log before the first event that cannot be read and that no checkpoint is signed for")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if r.from == "" {
			return usagef("say what to repair from with --from: a bundle, or a copy of the data directory")
		}
		r.app, r.cfg.dir, r.cfg.log = a, a.dataDir(), a.logger()
		repaired, err := r.run(cmd.Context())
		if err != nil {
			return explainLock(err)
		}
		return a.printRepaired(repaired)
	}
	return cmd
}

// repairing is a run of the verb.
type repairing struct {
	app  *app
	cfg  nodeConfig
	from string
	dry  bool

	acceptLoss bool
}

// repaired is what came of it.
type repaired struct {
	Checkpoint uint64          `json:"checkpoint"` // sequences that were signed
	LastSeq    uint64          `json:"last_seq"`
	Damaged    []repair.Damage `json:"damaged"`
	FromSource int             `json:"from_source"`
	FromLog    int             `json:"from_log"`
	Dropped    uint64          `json:"dropped"` // events that were there twice
	Lost       []uint64        `json:"lost"`    // sequences behind the checkpoint that the log ends before
	Written    bool            `json:"written"`
	Former     string          `json:"former_log,omitzero"` // directory of the log as it was
}

func (r *repairing) config() eventstore.Config {
	return eventstore.Config{Dir: r.cfg.dir, Ledger: r.cfg.name, ContentType: contentType, Logger: r.cfg.log}
}

func (r *repairing) run(ctx context.Context) (out repaired, err error) {
	if _, err := os.Stat(filepath.Join(r.cfg.dir, "jetstream")); err != nil {
		return out, fmt.Errorf("there is no ledger in %s: say where with --data", r.cfg.dir)
	}
	key, err := signing.ReadKey(r.cfg.signingKey())
	if err != nil {
		return out, err
	}
	signed, err := notary.Newest(r.cfg.checkpointDir(), r.cfg.name, key.Public)
	if errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("nothing proves how the log was: %w; say where they are with --checkpoints", err)
	}
	if err != nil {
		return out, err
	}
	source, done, err := r.source(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, done()) }()
	former, err := eventstore.Rewrite(ctx, r.config(), func(present *eventstore.Store) (iter.Seq2[eventstore.Record, error], error) {
		leaves, close := r.leaves(ctx, present)
		defer close()
		last, err := repair.Last(ctx, present)
		if err != nil {
			return nil, err
		}
		plan, err := repair.Make(ctx, repair.Input{
			Ledger: r.cfg.name, Signed: signed.Checkpoint, Log: repair.Readable(present), Last: last, Source: source, Leaves: leaves, AcceptLoss: r.acceptLoss,
		})
		if err != nil {
			return nil, err
		}
		out = repaired{
			Checkpoint: plan.Size, LastSeq: plan.Last, Dropped: plan.Dropped,
			Damaged: append([]repair.Damage{}, plan.Damaged...), Lost: append([]uint64{}, plan.Lost...),
		}
		for _, d := range plan.Damaged {
			if d.From == repair.FromSource {
				out.FromSource++
			} else {
				out.FromLog++
			}
		}
		if plan.Whole() {
			return nil, nil
		}
		if r.dry { // what follows must follow, too
			for _, err := range plan.Records(ctx) {
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		}
		return plan.Records(ctx), nil
	})
	if err != nil || former == "" {
		return out, err
	}
	out.Written, out.Former = true, former
	return out, r.check(ctx, key)
}

// leaves are the hashes that the read models remember, nil where there are none
// that can be read. The directory is locked.
func (r *repairing) leaves(ctx context.Context, present *eventstore.Store) (repair.Leaves, func()) {
	location, err := time.LoadLocation(present.Timezone())
	if err == nil {
		var models *projections.Models
		models, err = projections.Open(ctx, projections.Options{Dir: r.cfg.dir, Ledger: r.cfg.name, Location: location, Logger: r.cfg.log})
		if err == nil {
			return models.Leaves, func() { _ = models.Close() }
		}
	}
	r.cfg.log.Warn("the read models cannot help", "error", err)
	return nil, func() {}
}

// source opens what to repair from. done removes what was copied of it.
func (r *repairing) source(ctx context.Context) (_ repair.Events, done func() error, err error) {
	info, err := os.Stat(r.from)
	if err != nil {
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	if info.IsDir() {
		cfg := r.config()
		cfg.Dir = r.from
		store, err := eventstore.OpenCopy(ctx, cfg, "")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("--from %s: there is no ledger %s in this directory", r.from, r.cfg.name)
		}
		if err != nil {
			return nil, nil, err
		}
		return repair.Readable(store), store.Close, nil
	}
	file, err := os.Open(r.from)
	if err != nil {
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	return bundled(file), file.Close, nil
}

// bundled are the events of a bundle.
func bundled(file *os.File) repair.Events {
	return func(ctx context.Context) iter.Seq2[eventstore.Record, error] {
		return func(yield func(eventstore.Record, error) bool) {
			_, err := file.Seek(0, 0)
			if err == nil {
				_, _, err = bundle.Scan(ctx, file, func(seq uint64, data []byte) error {
					if !yield(eventstore.Record{Seq: seq, Data: data}, nil) {
						return errEnough
					}
					return nil
				})
			}
			if f := (*bundle.Failure)(nil); errors.As(err, &f) && f.Code == bundle.CodeNotABundle {
				err = fmt.Errorf("%w; a backup is no source by itself: restore it elsewhere (milepost restore --data DIR), and name that directory with --from", err)
			}
			if err != nil && !errors.Is(err, errEnough) {
				yield(eventstore.Record{}, fmt.Errorf("%s: %w", file.Name(), err))
			}
		}
	}
}

// errEnough ends a scan when nobody wants more.
var errEnough = errors.New("enough")

// check opens the log that was made, and has it compared with all checkpoints. The
// read models were made from another one, and go.
func (r *repairing) check(ctx context.Context, key signing.Key) (err error) {
	store, err := eventstore.Open(ctx, r.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	key, former, err := signing.Match(ctx, store, key, false)
	if err != nil {
		return err
	}
	if _, err := notary.Open(ctx, store, notary.Options{
		Dir: r.cfg.checkpointDir(), Ledger: r.cfg.name, Secret: key.Secret, Former: former, Logger: r.cfg.log,
	}); err != nil {
		return fmt.Errorf("the log was repaired, but not to what was signed: %w", err)
	}
	return projections.Remove(r.cfg.dir)
}

func (a *app) printRepaired(r repaired) error {
	if a.output != "table" {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return a.printObject(b)
	}
	_, err := fmt.Fprintln(a.out, strings.Join(repairedSentences(r), "\n"))
	return err
}

// shownDamage is how many sequences are named.
const shownDamage = 20

func repairedSentences(r repaired) (lines []string) {
	if len(r.Damaged) == 0 && r.Dropped == 0 && len(r.Lost) == 0 {
		return []string{fmt.Sprintf("nothing is damaged: the log is what was signed, up to sequence %d; nothing was written", r.Checkpoint)}
	}
	for i, d := range r.Damaged {
		if i == shownDamage {
			lines = append(lines, fmt.Sprintf("and %d more", len(r.Damaged)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("sequence %d: %s; proven from the %s", d.Seq, d.What, d.From))
	}
	verb, are := "can be", "would be"
	if r.Written {
		verb, are = "were", "were"
	}
	if r.Dropped > 0 {
		lines = append(lines, fmt.Sprintf("%d events after sequence %d %s left out: they are signed at another place, and are there", r.Dropped, r.Checkpoint, are))
	}
	if len(r.Lost) > 0 {
		lines = append(lines, fmt.Sprintf("%d events %s lost, for no checkpoint is signed for them: sequence %s; the log ends at %d", len(r.Lost), are, repair.Ranges(r.Lost), r.LastSeq))
	}
	lines = append(lines, fmt.Sprintf("%d of %d events %s restored: %d from the source, %d from the log itself", len(r.Damaged), r.LastSeq, verb, r.FromSource, r.FromLog))
	if !r.Written {
		return append(lines, "nothing was written")
	}
	return append(lines,
		fmt.Sprintf("the log agrees with its checkpoints; the former one is in %s", r.Former),
		"the read models are made again at the next start")
}
