package main

import (
	"io"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func newProve(a *app) *cobra.Command {
	var file, tree string
	cmd := &cobra.Command{
		Use: "prove SEQ", Short: "Write the proof file of one event",
		Long: "Write the event with that sequence, and the proof that it is in the tree of a signed checkpoint, as one small file\n" +
			"(c2sp.org/tlog-proof). Whoever has the ledger's key checks it with milepost verify, without a server.",
		Example: "  milepost prove 128 --out event-128.tlog-proof && milepost verify event-128.tlog-proof",
		Args:    cobra.ExactArgs(1),
	}
	addNewFile(cmd, &file, "out", "write to this new `file` instead of standard output")
	cmd.Flags().StringVar(&tree, "tree", "ledger", "in which tree: that of the ledger, or of the event's agreement")
	complete(cmd, "tree", "ledger", "agreement")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := strconv.ParseUint(args[0], 10, 63); err != nil {
			return usagef("%s: want the sequence of an event", args[0])
		}
		return a.writeAnswer(cmd, path("v1", "events", args[0], "proof"), url.Values{"tree": {tree}}, file)
	}
	return cmd
}

func newCheckpoint(a *app) *cobra.Command {
	var file, agreement string
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Write a checkpoint of the ledger, signed now",
		Long: "Write how many events the ledger has, or with --agreement an agreement, and the root of their Merkle tree, signed\n" +
			"by the ledger (c2sp.org/tlog-checkpoint). Who keeps one can show later, with milepost verify --since, that nothing\n" +
			"before it was changed.",
		Example: "  milepost checkpoint --agreement wuxi-cethik-2017 --out today.checkpoint",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&agreement, "agreement", "", "key of the agreement")
	addNewFile(cmd, &file, "out", "write to this new `file` instead of standard output")
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		address := path("v1", "checkpoint")
		if agreement != "" {
			address = path("v1", "agreements", agreement, "checkpoint")
		}
		return a.writeAnswer(cmd, address, nil, file)
	}
	return cmd
}

// writeAnswer writes what the server answers, as it is, to a file or to standard
// output.
func (a *app) writeAnswer(cmd *cobra.Command, address string, query url.Values, file string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	answer, err := c.get(cmd.Context(), address, query)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := w.Write(answer)
		return err
	}
	if file == "" {
		return write(a.out)
	}
	return writeWhole(file, write)
}
