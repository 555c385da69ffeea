package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

func newRebuild(a *app) *cobra.Command {
	var cfg nodeConfig
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Make the read models again from the log, and compare",
		Long: "Make the read models again from the log, compare their digest with that of the present ones, and switch to\n" +
			"the new ones. The server does it while it answers; where none runs, it is done on the directory itself.\n" +
			"Exit code 1 says that they differ.",
		Example: "  milepost rebuild\n  milepost rebuild --data ./milepost-data",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&cfg.dir, "data", "./milepost-data", "`directory` to work on when no server answers; when given, only this one")
	flags.StringVar(&cfg.name, "ledger", "main", "`name` of the ledger in the directory")
	_ = cmd.MarkFlagDirname("data") // the flag is there
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg.log = a.logger(false)
		answer, err := a.rebuild(cmd.Context(), cfg, flags.Changed("data"))
		if err != nil {
			return err
		}
		return a.printRebuilt(answer)
	}
	return cmd
}

// rebuild finds who can do it: the server, or this process where the directory
// is free. A directory that is named is the one that is meant, so a server is
// asked only when it is the one that holds it.
func (a *app) rebuild(ctx context.Context, cfg nodeConfig, dirGiven bool) ([]byte, error) {
	if dirGiven {
		answer, err := a.rebuildHere(ctx, cfg)
		var locked *eventstore.LockedError
		if errors.As(err, &locked) {
			if h := readHolder(cfg.dir); h.Address != "" {
				return a.rebuildAt(ctx, h.Address)
			}
		}
		return answer, explainLock(err)
	}
	answer, err := a.rebuildAt(ctx, a.server)
	var unreachable *unreachableError
	if !errors.As(err, &unreachable) || a.server != "" || a.env("MILEPOST_SERVER") != "" {
		return answer, err
	}
	if _, statErr := os.Stat(cfg.dir); statErr != nil {
		return nil, fmt.Errorf("%w; and there is no directory %s: say which with --data", err, cfg.dir)
	}
	answer, err = a.rebuildHere(ctx, cfg)
	return answer, explainLock(err)
}

func (a *app) rebuildAt(ctx context.Context, address string) ([]byte, error) {
	c, err := a.clientOf(address)
	if err != nil {
		return nil, err
	}
	return c.post(ctx, path("v1", "rebuild"), "application/json", nil)
}

// rebuildHere opens the directory, which nobody else may have open.
func (a *app) rebuildHere(ctx context.Context, cfg nodeConfig) (_ []byte, err error) {
	if !hasLedger(cfg) {
		return nil, noLedger(cfg.dir)
	}
	n, err := startNode(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if err := n.catchUp(ctx); err != nil {
		return nil, err
	}
	progress := a.bar("rebuild", -1, false)
	rebuilt, err := n.models.Rebuild(ctx, n.store, func(done, total uint64) { progress.set(int64(done), int64(total)) })
	progress.finish()
	if err != nil {
		return nil, err
	}
	return json.Marshal(rebuilt)
}

func (a *app) printRebuilt(answer []byte) error {
	var r projections.Rebuilt
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	var err error
	if a.output != "table" {
		err = a.printObject(answer)
	} else {
		_, err = fmt.Fprintln(a.out, rebuiltSentence(r))
	}
	if err == nil && !r.Identical {
		_, _ = fmt.Fprintln(a.err, "milepost: the read models were not what the log says; they are now")
		err = errReported
	}
	return err
}

func rebuiltSentence(r projections.Rebuilt) string {
	if r.Identical {
		return fmt.Sprintf("identical at sequence %d: digest %s", r.Seq, r.Fresh)
	}
	return fmt.Sprintf("different at sequence %d, first at %d (%s): digest was %s, the log gives %s", r.Seq, r.FirstDifference, r.Finding, r.Live, r.Fresh)
}
