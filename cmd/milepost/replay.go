package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/projections"
)

// replay is the verb's flags.
type replay struct {
	*app
	where     *place
	to, out   string
	agreement string
	step      bool
	from      string
	evidence  bool
}

func newReplay(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "replay", Short: "Fold the log again from its first event, check everything, and compare",
		Long: "Fold the log again from its first event beside the read models: check the sequence, batch, subject, version and\n" +
			"hash of every event, and compare what comes of it with the read models: digest, Merkle root and rows. Each file that\n" +
			"events name as evidence is read, too, and has to have the hash by which it is named. Nothing is changed. Exit code 1\n" +
			"says that something differs; the first event and entity are named.\n\n" +
			"With --to it stops at a point and leaves the read models as of then as a SQLite file that anyone can query.\n" +
			"With --step it walks through one agreement instead, event by event, and shows what each changed.\n\n" +
			"The server does it while it answers; where none runs, it is done on the directory itself.",
		Example: "  milepost replay\n  milepost replay --to 2026-06-30 --out june.db\n" +
			"  milepost replay --agreement wuxi-cethik-2017 --step --from seq:90",
		Args: cobra.NoArgs,
	}
	r := &replay{app: a, where: a.placeOf(cmd)}
	flags := cmd.Flags()
	flags.BoolVar(&r.evidence, "evidence", true, "read the evidence; =false leaves it out, which takes as long as its size does")
	flags.StringVar(&r.to, "to", "", "stop at this instant (RFC 3339), day (its end) or seq:N, and leave the read models as a file")
	addNewFile(cmd, &r.out, "out", "`file` for --to (default replay-<seq>.db); one that is there is not overwritten")
	flags.StringVar(&r.agreement, "agreement", "", "the agreement for --step")
	flags.BoolVar(&r.step, "step", false, "walk through an agreement, event by event; on a terminal Enter goes on, q ends")
	flags.StringVar(&r.from, "from", "", "seq:N, the first event that --step shows")
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch given := flags.Changed; {
		case given("to") && r.step:
			return usagef("--to and --step: give one of them")
		case given("out") && !given("to"):
			return usagef("--out %s: it is for --to", r.out)
		case r.step != given("agreement"):
			return usagef("--agreement and --step go together")
		case given("from") && !r.step:
			return usagef("--from %s: it is for --step", r.from)
		case given("evidence") && (r.step || given("to")):
			return usagef("--evidence: it is for a replay of the whole log")
		case r.step:
			return r.steps()
		case given("to"):
			return r.file()
		}
		return r.whole()
	}
	return cmd
}

// whole replays the log, and says what came of it.
func (r *replay) whole() error {
	var result []byte
	progress := r.bar("replay", -1, false)
	err := r.work(r.where, func(ctx context.Context, c *client) (err error) {
		result, err = replayAt(ctx, c, r.evidence, progress)
		return err
	}, func(ctx context.Context, n *node) error {
		// Read models that stopped at an event are what a replay is for.
		behind := (*projections.BehindError)(nil)
		if err := n.catchUp(ctx); err != nil && !(errors.As(err, &behind) && n.models.Position().Ready) {
			return err
		}
		opts := projections.ReplayOptions{Progress: func(done, total uint64) { progress.set(int64(done), int64(total)) }}
		if r.evidence {
			opts.Files = n.store
		}
		replayed, err := n.models.Replay(ctx, n.store, opts)
		if err != nil {
			return err
		}
		result, err = json.Marshal(replayed)
		return err
	})
	progress.finish()
	if err != nil {
		return err
	}
	return r.print(result)
}

// replayAt reads the lines in which a server tells of its replay.
func replayAt(ctx context.Context, c *client, evidence bool, progress *bar) (json.RawMessage, error) {
	resp, err := c.send(ctx, "POST", path("v1", "replay")+"?evidence="+strconv.FormatBool(evidence), "", nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := json.NewDecoder(resp.Body); ; {
		var line struct {
			Done, Total uint64
			Result      json.RawMessage
			Problem     *api.Problem
		}
		switch err := lines.Decode(&line); {
		case err != nil:
			return nil, c.short(err)
		case line.Problem != nil:
			return nil, &refusal{*line.Problem}
		case line.Result != nil:
			return line.Result, nil
		}
		progress.set(int64(line.Done), int64(line.Total))
	}
}

func (r *replay) print(result []byte) error {
	var replayed projections.Replayed
	err := json.Unmarshal(result, &replayed)
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	switch {
	case r.output != "table":
		err = r.printObject(result)
	case replayed.Identical:
		files := ""
		if n := replayed.Evidence; n != nil && *n > 0 {
			files = fmt.Sprintf("; %d files of evidence are what the log names", *n)
		}
		_, err = fmt.Fprintf(r.app.out, "identical at seq %d: digest %s, root %s%s\n", replayed.Seq, replayed.Digest, replayed.Root, files)
	default:
		_, err = fmt.Fprintf(r.app.out, "different: %s\n", replayed.Difference.Error())
	}
	if err != nil || replayed.Identical {
		return err
	}
	what := "the log is not what it was: restore it from a backup"
	switch replayed.Difference.Code {
	case projections.DiffersTables:
		what = "the read models are not what the log says: make them again with milepost rebuild"
	case projections.DiffersEvidence:
		what = "a file is not what was stored: attach it again with milepost attach, from a backup if nobody else has it"
	}
	_, _ = fmt.Fprintln(r.err, "milepost: "+what)
	return errReported
}

// file leaves the read models as of a point in a file.
func (r *replay) file() error {
	var made projections.Made
	err := r.work(r.where, func(ctx context.Context, c *client) (err error) {
		made, err = r.fileFrom(ctx, c)
		return err
	}, func(ctx context.Context, n *node) (err error) {
		if err := n.catchUp(ctx); err != nil {
			return err
		}
		_, to, err := n.models.ResolveRange(ctx, "", projections.AsOf(r.to), projections.Page{})
		if err != nil {
			return err
		}
		r.name(to.Seq)
		progress := r.bar("replay", -1, false)
		defer progress.finish()
		made, err = n.models.ReplayTo(ctx, n.store, to.Seq, r.out, func(done, total uint64) { progress.set(int64(done), int64(total)) })
		if errors.Is(err, fs.ErrExist) {
			return taken(r.out)
		}
		return err
	})
	if err != nil {
		return err
	}
	if r.output != "table" {
		answer, err := json.Marshal(map[string]any{"file": r.out, "seq": made.Seq, "digest": made.Digest})
		if err != nil {
			return err
		}
		return r.printObject(answer)
	}
	_, err = fmt.Fprintf(r.app.out, "%s: the read models at seq %d, digest %s\n", r.out, made.Seq, made.Digest)
	return err
}

// fileFrom takes the file from a server.
func (r *replay) fileFrom(ctx context.Context, c *client) (made projections.Made, err error) {
	resp, err := c.send(ctx, "POST", path("v1", "replay", "models")+"?"+url.Values{"to": {r.to}}.Encode(), "", nil)
	if err != nil {
		return made, err
	}
	defer func() { _ = resp.Body.Close() }()
	made.Digest = resp.Header.Get("Milepost-Digest")
	if made.Seq, err = strconv.ParseUint(resp.Header.Get("Milepost-Seq"), 10, 64); err != nil {
		return made, fmt.Errorf("the answer does not say how far it goes: %w", err)
	}
	r.name(made.Seq)
	if err := free("out", r.out); err != nil { // by its default name
		return made, err
	}
	progress := r.bar("replay", resp.ContentLength, true)
	defer progress.finish()
	return made, writeWhole(r.out, func(w io.Writer) error {
		if _, err := io.Copy(w, progress.reader(resp.Body)); err != nil {
			return c.short(err)
		}
		return nil
	})
}

// name gives the file a name where it has none.
func (r *replay) name(seq uint64) {
	if r.out == "" {
		r.out = fmt.Sprintf("replay-%d.db", seq)
	}
}
