package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/backup"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

func newBackup(a *app) *cobra.Command {
	b := &backingUp{app: a}
	cmd := &cobra.Command{
		Use: "backup --out FILE|DIR", Short: "Write all from which the ledger can be made again into one file",
		Long: "Write the log, the evidence and the signed checkpoints into one file, while the server serves or when none runs.\n" +
			"The backup is as of the sequence that a checkpoint is signed for at its end: all that was acknowledged before it\n" +
			"began is in it. It is verified as it is written, and has its name only when all of it is on disk; in a directory\n" +
			"that is <ledger>-<time>.backup. Over the network it takes an administrator.\n\n" +
			"Damaged evidence is left out and the rest is saved: each file that is not there is named, and the exit code is 1.\n" +
			"The file is a tar archive: a file of evidence is evidence/SHA256 in it.\n\n" +
			"Secrets are not in it. --keys copies them, out of the data directory of this machine, into a file of their own:\n" +
			"whoever has that and a backup can sign in the ledger's name, so keep them apart. What else a server keeps there is\n" +
			"made again (the read models, admin.token), or is of the server and not of the ledger: copy access/, the log of\n" +
			"restricted reads, by itself.",
		Example: "  milepost backup --out /backup\n" +
			"  milepost backup --data ./milepost-data --out main.backup --keys /safe/main.keys\n" +
			"  milepost restore --from main.backup --data ./restored --keys /safe/main.keys --ledger-key ledger.vkey",
		Args: cobra.NoArgs,
	}
	b.place = a.placeOf(cmd)
	flags := cmd.Flags()
	flags.StringVar(&b.out, "out", "", "new `file` for the backup, or directory in which it gets a name of its own")
	addNewFile(cmd, &b.keys, "keys", "copy the secret keys, too, into this new `file`")
	cmd.RunE = func(*cobra.Command, []string) error {
		switch {
		case b.out == "":
			return usagef("say where it goes with --out: a file, or a directory")
		case a.output == "csv":
			return usagef("-o csv: a backup is no list; want table or json")
		case b.keys != "" && absolute(b.keys) == absolute(b.out):
			return usagef("--out and --keys both name %s: whoever has both can sign in the ledger's name, so give the keys a file of their own", b.out)
		}
		return b.run()
	}
	return cmd
}

// backingUp is a run of the verb.
type backingUp struct {
	app       *app
	place     *place
	out, keys string
}

// backedUp is what came of it.
type backedUp struct {
	File        string `json:"file"`
	Ledger      string `json:"ledger"`
	LastSeq     uint64 `json:"last_seq"`
	Evidence    int    `json:"evidence"`
	Checkpoints int    `json:"checkpoints"`
	Bytes       int64  `json:"bytes"`
	Keys        string `json:"keys_file,omitzero"`

	Lost []backup.Lost `json:"lost_evidence,omitempty"`
}

func (b *backingUp) run() error {
	a := b.app
	if !isDirectory(b.out) {
		if err := free("out", b.out); err != nil { // before the long part, too
			return err
		}
	}
	keyFile := nodeConfig{dir: a.dataDir(), keyFile: b.place.cfg.keyFile}.signingKey()
	if b.keys != "" {
		if _, err := signing.ReadKey(keyFile); err != nil { // before the long part
			return fmt.Errorf("keys are copied on the ledger's own machine, and do not go over the network: name its data directory with --data: %w", err)
		}
	}
	var done backedUp
	var sum backup.Summary
	at := func(ctx context.Context, c *client) (err error) {
		done, sum, err = a.takeBackup(ctx, c, b.out)
		return err
	}
	err := a.work(b.place, at, func(ctx context.Context, n *node) error { return a.served(ctx, n, at) })
	if err != nil {
		return err
	}
	if b.keys != "" {
		keys, err := backup.TakeKeys(a.dataDir(), keyFile, sum)
		if err == nil {
			err = notWritten(b.keys, keys.Write(b.keys))
		}
		if err != nil {
			return fmt.Errorf("%s is there, and the keys are not copied: %w", done.File, err)
		}
		done.Keys = b.keys
		_, _ = fmt.Fprintf(a.err, "milepost: WARNING: %s holds the ledger's SECRET KEYS: whoever has it can sign in the ledger's name; keep it apart from the backups\n", b.keys)
	}
	if a.output != "table" {
		text, err := json.Marshal(done)
		if err != nil {
			return err
		}
		if err := a.printObject(text); err != nil {
			return err
		}
	} else if _, err = fmt.Fprintf(a.out, "%s: ledger %s as of sequence %d, with %d files of evidence and %d checkpoints; verified\n", done.File, done.Ledger, done.LastSeq, done.Evidence, done.Checkpoints); err != nil {
		return err
	}
	return a.warnOfLost(done.Lost)
}

// warnOfLost names the evidence that is not in a backup. There is none with nil.
func (a *app) warnOfLost(lost []backup.Lost) error {
	for _, file := range lost {
		by := "which no event names yet"
		if file.Seq > 0 {
			by = fmt.Sprintf("which event %d names", file.Seq)
		}
		_, _ = fmt.Fprintf(a.err, "milepost: WARNING: the file %s, %s, is NOT IN THE BACKUP: it is damaged, or not stored any more\n", file.SHA256, by)
	}
	if len(lost) == 0 {
		return nil
	}
	_, _ = fmt.Fprintln(a.err, "milepost: all else is in it; attach what is missing again with milepost attach, out of an earlier backup (tar -xf FILE evidence/SHA256) if nobody else has it, and take another")
	return errReported
}

// takeBackup has a server make a backup, and verifies it on its way into the file.
func (a *app) takeBackup(ctx context.Context, c *client, out string) (done backedUp, sum backup.Summary, err error) {
	resp, err := c.send(ctx, http.MethodGet, path("v1", "backup"), "", nil)
	if err != nil {
		return done, sum, err
	}
	defer func() { _ = resp.Body.Close() }()
	done.File = out
	if isDirectory(out) {
		_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil || params["filename"] == "" {
			return done, sum, fmt.Errorf("%s is a directory, and the server gave the backup no name: give a file", out)
		}
		done.File = filepath.Join(out, filepath.Base(params["filename"])) // no server says where
	}
	progress := a.bar("backup", resp.ContentLength, true)
	defer progress.finish()
	body := &failing{r: progress.reader(resp.Body)}
	err = durable.Create(done.File, 0o600, func(w io.Writer) error {
		file := &counting{w: w}
		var err error
		sum, err = backup.Verify(ctx, io.TeeReader(body, file), backup.Options{})
		done.Bytes = file.n
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case body.err != nil:
			return c.short(body.err)
		case file.err != nil:
			return file.err
		}
		return err
	})
	if f := (*backup.Failure)(nil); errors.As(err, &f) {
		return done, sum, fmt.Errorf("what came from %s is no good backup: %w", c.base, err)
	}
	done.Ledger, done.LastSeq, done.Evidence, done.Checkpoints, done.Lost = sum.Head.Ledger, sum.Manifest.Seq, sum.Manifest.Evidence, sum.Checkpoints, sum.Lost
	return done, sum, notWritten(done.File, err)
}

// isDirectory says whether a backup gets a name of its own there.
func isDirectory(out string) bool {
	info, err := os.Stat(out)
	return err == nil && info.IsDir() || strings.HasSuffix(out, string(filepath.Separator))
}

// counting counts what is written, and remembers why writing failed.
type counting struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.err = err
	return n, err
}
