package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/backup"
	"github.com/milepost-ledger/milepost/eventstore"
)

func newRestore(a *app) *cobra.Command {
	r := &restoring{app: a}
	cmd := &cobra.Command{
		Use: "restore --from FILE", Short: "Make a ledger again of a backup, in an empty directory or on a NATS server",
		Long: "Make the data directory of a ledger out of a backup: the same events at the same sequences, to the byte, with\n" +
			"evidence and checkpoints. --data must be empty, or not there yet. Everything is checked first: the hash of each\n" +
			"part, the events against the checkpoint that the ledger signed, each file against its hash. Where something does\n" +
			"not hold, or the restore is interrupted, there is no ledger; it can be begun again. Backups of all earlier versions\n" +
			"restore.\n\n" +
			"With --nats, log and evidence go to that server or cluster, which must have nothing of the ledger, and the rest into\n" +
			"--data. A ledger that is there is never replaced. It does not matter where the backup was taken: so a ledger moves\n" +
			"from one machine to a cluster, and back. " + strings.Join(dashed(restoreSettings), ", ") + " can be given as for serve, in the\n" +
			"environment or in the file that --config names: so a password is not on the command line. Checkpoints are put into\n" +
			"--data, so where these set checkpoints to another directory a restore is refused: move them there afterwards.\n\n" +
			"Give the ledger's key as you were given it; without it a backup proves only that it is of one piece. To sign, the\n" +
			"ledger needs its secret key: out of the file that backup --keys wrote, or with --key; either is put into --data as\n" +
			"ledger.key, whatever the file of --config says of key. The read models are made at the first start. How far webhooks\n" +
			"and NATS subscribers had come is not in a backup: they are sent all of theirs again, and tell repeats by the id. Two\n" +
			"servers must not go on from one backup: stop the former one for good.",
		Example: "  milepost restore --from main.backup --data ./restored --keys /safe/main.keys --ledger-key ledger.vkey\n" +
			"  milepost restore --from main.backup --dry-run --ledger-key ledger.vkey\n" +
			"  milepost serve --data ./restored\n" +
			"  milepost restore --from main.backup --config /etc/milepost.conf --keys /safe/main.keys --ledger-key ledger.vkey",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.from, "from", "", "`file` of the backup, - for standard input")
	flags.StringVar(&r.ledgerKey, "ledger-key", "", "the ledger's verifier `key`, the first one or a later one, or the file that holds it")
	flags.StringVar(&r.keys, "keys", "", "`file` of secret keys, as backup --keys wrote it; they go into --data")
	flags.StringVar(&r.key, "key", "", "`file` of the key that the ledger signs with; it is copied into --data")
	flags.StringVar(&r.ledger, "ledger", "", "`name` that the ledger must have (default any)")
	flags.StringVar(&r.to.URL, "nats", "", "`URL` of an external NATS server or cluster, instead of the embedded one")
	flags.StringVar(&r.to.Creds, "nats-creds", "", "credentials `file` for --nats")
	flags.IntVar(&r.to.Replicas, "replicas", 0, "`number` of servers of --nats that each keep the ledger (default 3 in a cluster, else 1)")
	flags.BoolVar(&r.dry, "dry-run", false, "only verify the backup")
	given := a.serveSettingsOf(cmd, restoreSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r.serve = sameAgain(cmd)
		if err := given.settle(); err != nil {
			return err
		}
		switch {
		case r.to.URL == "" && r.to.Creds != "":
			return usagef("--nats-creds %s: name the server that they are for with --nats", r.to.Creds)
		case r.from == "":
			return usagef("say what to restore with --from: the file of a backup")
		case r.key != "" && r.keys != "":
			return usagef("--key and --keys both give the ledger's key: leave one out")
		case a.output == "csv":
			return usagef("-o csv: a restore is no list; want table or json")
		}
		if err := checkReplicas(r.to.Replicas, r.to.URL); err != nil {
			return err
		}
		if err := r.checkCheckpoints(given); err != nil {
			return err
		}
		return r.run(cmd.Context())
	}
	return cmd
}

// restoreSettings are the flags that say where, as they do for serve.
var restoreSettings = []string{"data", "ledger", "nats", "nats-creds", "replicas"}

// checkCheckpoints refuses where serve would look for checkpoints in another directory
// than the one into which they are restored, and would find none, or those of before. In
// another directory they could not be put in one step with the rest.
func (r *restoring) checkCheckpoints(given *settings) error {
	dir, at := given.forServe("checkpoints")
	into := filepath.Join(r.app.dataDir(), "checkpoints")
	if r.dry || dir == "" || absolute(dir) == absolute(into) {
		return nil
	}
	return usagef("%s: serve would look for checkpoints in %s, and a restore puts them into %s: leave the setting out while it is restored,"+
		" and give it again when you have moved them, to a directory that has none", at, dir, into)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path) // there is no working directory
}

// sameAgain is what of the command line serve wants too, without passwords. What the
// environment says it says to serve as well.
func sameAgain(cmd *cobra.Command) (flags string) {
	for _, name := range []string{"config", "nats", "nats-creds"} {
		f := cmd.Flag(name)
		switch {
		case !f.Changed:
		case name == "nats":
			flags += " --nats " + eventstore.WithoutUser(f.Value.String())
		default:
			flags += " --" + name + " " + f.Value.String()
		}
	}
	return flags
}

// restoring is a run of the verb.
type restoring struct {
	app                                *app
	from, ledgerKey, keys, key, ledger string
	to                                 backup.Place
	serve                              string // more flags with which it is served
	dry                                bool
}

// restored is what came of it.
type restored struct {
	Ledger      string `json:"ledger"`
	LastSeq     uint64 `json:"last_seq"`
	Evidence    int    `json:"evidence"`
	Checkpoints int    `json:"checkpoints"`
	LedgerKey   string `json:"ledger_key"` // that signed
	KeyGiven    bool   `json:"key_given"`  // the verifier knew it; else the backup said so
	Data        string `json:"data,omitzero"`
	NATS        string `json:"nats,omitzero"` // without the user

	Lost []backup.Lost `json:"lost_evidence,omitempty"`
}

func (r *restoring) run(ctx context.Context) (err error) {
	a := r.app
	o := backup.Options{Ledger: r.ledger}
	if r.ledgerKey != "" {
		if o.LedgerKey, err = verifierKey(r.ledgerKey); err != nil {
			return usagef("--ledger-key: %v", err)
		}
	}
	to := &r.to
	to.Dir, to.Logger = a.dataDir(), a.logger()
	switch {
	case r.keys != "":
		to.Keys, err = backup.ReadKeys(r.keys)
	case r.key != "":
		to.Keys, err = backup.KeyOf(r.key)
	}
	if err != nil {
		return err
	}
	in, size, done, err := r.open()
	if err != nil {
		return err
	}
	defer done()
	progress := a.bar("restore", size, true)
	in = progress.reader(in)
	var sum backup.Summary
	if r.dry {
		sum, err = backup.Verify(ctx, in, o)
	} else {
		sum, err = backup.Restore(ctx, in, *to, o)
	}
	progress.finish()
	if err != nil {
		return explainLock(err)
	}
	out := restored{
		Ledger: sum.Head.Ledger, LastSeq: sum.Manifest.Seq, Evidence: sum.Manifest.Evidence, Checkpoints: sum.Checkpoints,
		LedgerKey: sum.Keys[len(sum.Keys)-1], KeyGiven: o.LedgerKey != "", Lost: sum.Lost,
	}
	if !r.dry {
		out.Data = to.Dir
		if to.URL != "" {
			out.NATS = eventstore.WithoutUser(to.URL)
		}
	}
	if err := r.print(out); err != nil {
		return err
	}
	if err := a.warnOfLost(out.Lost); r.dry { // else the ledger is there, with all that the backup has
		return err
	}
	return nil
}

// open opens the backup; its size is -1 where that is not known.
func (r *restoring) open() (in io.Reader, size int64, done func(), err error) {
	if r.from == "-" {
		return r.app.in, -1, func() {}, nil
	}
	file, err := os.Open(r.from)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("--from: %w", err)
	}
	size = -1
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return file, size, func() { _ = file.Close() }, nil // only read
}

func (r *restoring) print(done restored) error {
	a := r.app
	if !done.KeyGiven {
		_, _ = fmt.Fprintf(a.err, "milepost: the ledger's key was TAKEN FROM THE BACKUP ITSELF: give it with --ledger-key to be sure whose ledger this is\n")
	}
	if a.output != "table" {
		text, err := json.Marshal(done)
		if err != nil {
			return err
		}
		return a.printObject(text)
	}
	lines := []string{
		fmt.Sprintf("ledger %s as of sequence %d, with %d files of evidence and %d checkpoints", done.Ledger, done.LastSeq, done.Evidence, done.Checkpoints),
		fmt.Sprintf("the log agrees with the checkpoint that the ledger signed at sequence %d with %s", done.LastSeq, done.LedgerKey),
	}
	if done.Data == "" {
		lines = append(lines, "nothing was written")
	} else {
		where, key := done.Data, ""
		if done.NATS != "" {
			where = done.NATS + ", and into " + done.Data
		}
		if r.key == "" && r.keys == "" {
			key = "put its ledger.key there, then "
		}
		lines = append(lines, fmt.Sprintf("restored into %s; %sstart it with milepost serve --data %s%s --ledger %s", where, key, done.Data, r.serve, done.Ledger))
	}
	_, err := fmt.Fprintln(a.out, strings.Join(lines, "\n"))
	return err
}
