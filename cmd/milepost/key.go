package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
)

func newKey(a *app) *cobra.Command {
	cmd := group("key", "Make and replace keys: those that parties countersign with, and the ledger's own")
	cmd.Long = "Make and replace keys. A key file is one line, the owner's alone to read: whoever has it can sign in your name, so\n" +
		"keep it away from the ledger's machine, and a copy of it where it cannot be lost. What is printed is the public\n" +
		"half, the verifier key, which everybody may have."
	cmd.AddCommand(newKeyNew(a), newKeyShow(a), newKeyHandover(a), newKeyRotate(a))
	return cmd
}

func newKeyNew(a *app) *cobra.Command {
	var name, file string
	cmd := &cobra.Command{
		Use: "new", Short: "Make a key to countersign with",
		Long:    "Make an Ed25519 key in a new file, and print its public half. The name tells people whose it is, best as an address:\nno spaces and no +.",
		Example: "  milepost key new --name wuxi.example/witness --out wuxi.key\n  milepost do register-witness --party wuxi --key \"$(milepost key show wuxi.key)\"",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if name == "" || file == "" {
				return usagef("say what it is called with --name, and where it goes with --out")
			}
			k, err := signing.NewKey(file, name)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, k.Public)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "`name` of the key, such as wuxi.example/witness")
	cmd.Flags().StringVar(&file, "out", "", "`file` for the key; one that is there is left alone")
	return cmd
}

func newKeyShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show FILE", Short: "Print the public half of a key",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := signing.ReadKey(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, k.Public)
			return err
		},
	}
}

func newKeyHandover(a *app) *cobra.Command {
	var old, successor string
	cmd := &cobra.Command{
		Use: "handover", Short: "Sign, with a party's present key, that a new one replaces it",
		Long:    "Print the statement, signed by the old key, that rotate-witness wants. The new key bears the name of the old one.",
		Example: "  milepost key new --name wuxi.example/witness --out new.key\n  milepost do rotate-witness --party wuxi --key \"$(milepost key show new.key)\" --statement \"$(milepost key handover --key wuxi.key --new new.key)\"",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if old == "" || successor == "" {
				return usagef("say which key hands over with --key, and to which with --new")
			}
			from, err := signing.ReadKey(old)
			if err != nil {
				return err
			}
			to, err := signing.ReadKey(successor)
			if err != nil {
				return err
			}
			statement, err := signing.Statement(from, domain.VerifierKey(to.Public))
			if err == nil { // what the ledger would refuse is told here
				err = domain.VerifyRotation(domain.VerifierKey(from.Public), domain.VerifierKey(to.Public), string(statement))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.out, statement)
			return err
		},
	}
	cmd.Flags().StringVar(&old, "key", "", "`file` of the present key")
	cmd.Flags().StringVar(&successor, "new", "", "`file` of the new key")
	return cmd
}

func newKeyRotate(a *app) *cobra.Command {
	var where *place
	var reason string
	cmd := &cobra.Command{
		Use: "rotate", Short: "Replace the key that the ledger signs with",
		Long: "Replace the ledger's key, in its data directory, while no server runs on it. The old key signs that the new one\n" +
			"replaces it, and that becomes an event in the log: whoever trusts the old key can follow. The old key is gone\n" +
			"afterwards. Copy the new one to the other servers of the ledger, if it has any, before they start again.",
		Example: "  milepost key rotate --data ./milepost-data",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := withLedger(cmd.Context(), where.cfg, func(ctx context.Context, n *node) error {
				k, receipt, err := signing.Rotate(ctx, n.ledger, n.key, domain.Meta{Actor: a.actor(), Note: reason})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.out, "%s\n", k.Public)
				_, _ = fmt.Fprintf(a.err, "milepost: from sequence %d on the ledger signs with this key, in %s\n", receipt.Seq, k.File)
				return err
			})
			if err == nil { // what was open signs with the old key to its end
				err = withLedger(cmd.Context(), where.cfg, func(context.Context, *node) error { return nil })
			}
			return explainLock(err)
		},
	}
	where = a.placeOf(cmd)
	cmd.Flags().StringVar(&reason, "note", "", "why it is replaced")
	return cmd
}

// now is when countersignatures are made.
var now = time.Now
