package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/projections"
)

func newRebuild(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Make the read models again from the log, and compare",
		Long: "Make the read models again from the log, compare their digest with that of the present ones, and switch to\n" +
			"the new ones. The server does it while it answers; where none runs, it is done on the directory itself.\n" +
			"Exit code 1 says that they differ. When it fails, those before serve on.\n" +
			"A server does it by itself where they are of a former version; milepost status says how that gets on.",
		Example: "  milepost rebuild\n  milepost rebuild --data ./milepost-data",
		Args:    cobra.NoArgs,
	}
	where := a.placeOf(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		var answer []byte
		err := a.work(where, func(ctx context.Context, c *client) (err error) {
			answer, err = c.post(ctx, path("v1", "rebuild"), "application/json", nil)
			return err
		}, func(ctx context.Context, n *node) (err error) {
			answer, err = a.rebuild(ctx, n)
			return err
		})
		if err != nil {
			return err
		}
		return a.printRebuilt(answer)
	}
	return cmd
}

func (a *app) rebuild(ctx context.Context, n *node) ([]byte, error) {
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
