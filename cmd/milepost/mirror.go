package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/eventstore"
)

// newMirror makes a copy of a ledger that its own server then keeps up to date:
// nothing of this program has to run for it.
func newMirror(a *app) *cobra.Command {
	var cfg eventstore.MirrorConfig
	var domain string
	cmd := &cobra.Command{
		Use: "mirror", Short: "Copy a ledger to another account or cluster",
		Long: "Make a copy of a ledger's log and evidence on the server --nats, in another account or cluster than the origin.\n" +
			"Its server keeps it up to date by itself, and comes back to where it was when the link was down. The records\n" +
			"have the same sequences and bytes. Asked again, it says that the copy is there.\n\n" +
			"The origin is a JetStream domain that is joined by a leaf node or gateway (--origin-domain), or another account's\n" +
			"JetStream API that is imported under a prefix (--origin-api, and --origin-deliver for what it delivers).\n" +
			"milepost serve --nats URL --follow then serves reads from the copy.",
		Example: "  milepost mirror --nats nats://leaf.example --origin-domain hub --origin https://ledger.example\n" +
			"  milepost mirror --nats nats://other.example --nats-creds other.creds --origin-api wuxi.api --origin-deliver wuxi.deliver\n" +
			"  milepost serve --data copy --nats nats://leaf.example --follow",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&cfg.URL, "nats", "", "`URL` of the NATS server or cluster that is to keep the copy")
	flags.StringVar(&cfg.Creds, "nats-creds", "", "credentials `file` for --nats")
	flags.StringVar(&cfg.Ledger, "ledger", "main", "`name` of the ledger")
	flags.StringVar(&domain, "origin-domain", "", "JetStream `domain` of the origin")
	flags.StringVar(&cfg.API, "origin-api", "", "`prefix` under which the origin's JetStream API is imported")
	flags.StringVar(&cfg.Deliver, "origin-deliver", "", "`prefix` under which what the origin delivers is imported")
	flags.StringVar(&cfg.Origin, "origin", "", "`address` of the origin's own milepost, which the copy names to those who want to write")
	flags.IntVar(&cfg.Replicas, "replicas", 1, "`number` of servers that each keep the copy")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case cfg.URL == "":
			return usagef("say which server is to keep the copy with --nats")
		case (domain == "") == (cfg.API == ""):
			return usagef("say where the ledger is with --origin-domain or --origin-api")
		case domain != "" && cfg.Deliver != "":
			return usagef("--origin-deliver goes with --origin-api: a domain needs none")
		case domain != "":
			cfg.API = "$JS." + domain + ".API"
		}
		made, err := eventstore.MakeMirror(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		what := "is there already"
		if made {
			what = "is made; its server fills it"
		}
		_, err = fmt.Fprintf(a.out, "copy of ledger %s from %s %s\n", cfg.Ledger, cfg.API, what)
		return err
	}
	return cmd
}
