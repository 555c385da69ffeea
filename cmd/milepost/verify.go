package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

func newVerify(a *app) *cobra.Command {
	var ledgerKey, since string
	var witnesses []string
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Check a bundle, a proof or a checkpoint, with no server and no network",
		Long: "Recompute everything that a bundle says, and print what is proved and for whom: hashes, signatures,\n" +
			"countersignatures, versions, the state, and the files. A proof file of one event (milepost prove) and a checkpoint\n" +
			"(milepost checkpoint) are told by what they begin with. The exit code is 0 only if everything holds.\n\n" +
			"Give the ledger's key as you were given it; without it a bundle proves only that it is of one piece. A party's\n" +
			"key that you give counts instead of the one in the log.",
		Example: "  milepost verify wuxi.bundle --ledger-key milepost/main+a1b2c3d4+...\n" +
			"  milepost verify wuxi.bundle --since last-year.checkpoint --witness wuxi=wuxi.example+b2c3d4e5+...",
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&ledgerKey, "ledger-key", "", "the ledger's verifier `key`, the first one or a later one, or the file that holds it")
	flags.StringArrayVar(&witnesses, "witness", nil, "a party's verifier key, or the file that holds it, as `PARTY=KEY`; may be repeated")
	flags.StringVar(&since, "since", "", "`file` of a checkpoint that you kept, of the ledger or the agreement as the bundle is: it must go on from it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := verifyOptions(ledgerKey, witnesses, since)
		if err != nil {
			return err
		}
		if a.output == "csv" {
			return usagef("-o csv: a verification is no list; want table or json")
		}
		report, err := a.verify(cmd.Context(), args[0], o)
		if errors.Is(err, bundle.ErrNoKey) {
			return usagef("give the ledger's key with --ledger-key: %s does not hold it", args[0])
		}
		if err != nil {
			return err
		}
		if err := a.printReport(report); err != nil {
			return err
		}
		if f := report.Failure(); f != nil {
			return fmt.Errorf("not verified: %s", clean(f.Error()))
		}
		return nil
	}
	return cmd
}

// verifyOptions reads the flags.
func verifyOptions(ledgerKey string, witnesses []string, since string) (o bundle.Options, err error) {
	if ledgerKey != "" {
		if o.LedgerKey, err = verifierKey(ledgerKey); err != nil {
			return o, usagef("--ledger-key: %v", err)
		}
	}
	for _, w := range witnesses {
		party, key, ok := strings.Cut(w, "=")
		given := bundle.Witness{Party: domain.Key(party)}
		if !ok || !given.Party.Valid() {
			return o, usagef("--witness %s: want PARTY=KEY, the key of a party and its verifier key", w)
		}
		if given.Key, err = verifierKey(key); err != nil {
			return o, usagef("--witness %s: %v", party, err)
		}
		o.Witnesses = append(o.Witnesses, given)
	}
	if since == "" {
		return o, nil
	}
	if o.Since, err = os.ReadFile(since); err != nil {
		return o, err
	}
	if _, err := proof.Unverified(o.Since); err != nil {
		return o, usagef("--since %s: want a checkpoint: %v", since, err)
	}
	return o, nil
}

// verifierKey reads a key, or the file that holds it.
func verifierKey(text string) (domain.VerifierKey, error) {
	file, err := os.ReadFile(text)
	switch {
	case err == nil:
		if text, err = proof.ReadKey(file); err != nil {
			return "", err
		}
	case !strings.Contains(text, "+") && (filepath.Ext(text) == ".vkey" || strings.ContainsRune(text, filepath.Separator)): // a key has a + in it
		return "", err
	}
	key := domain.VerifierKey(text)
	return key, key.Check("key")
}

// maxSmall bounds a proof file and a checkpoint, which are read whole.
const maxSmall = 8 << 20

// verify tells by its beginning what a file is, and checks it.
func (a *app) verify(ctx context.Context, name string, o bundle.Options) (bundle.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return bundle.Report{}, err
	}
	defer func() { _ = file.Close() }() // only read
	size := int64(-1)
	if info, err := file.Stat(); err == nil {
		size = info.Size()
	}
	progress := a.bar("verify", size, true)
	defer progress.finish()
	in := bufio.NewReader(progress.reader(file))
	head, err := in.Peek(64)
	if err != nil && err != io.EOF {
		return bundle.Report{}, err
	}
	single := bundle.VerifyCheckpoint
	switch {
	case proof.IsFile(head):
		single = bundle.VerifyProof
	case !strings.HasPrefix(string(head), proof.Origin("", "")): // milepost/
		return bundle.Verify(ctx, in, o)
	}
	if o.Since != nil {
		return bundle.Report{}, usagef("--since is for bundles: one event does not prove what came before it")
	}
	whole, err := io.ReadAll(io.LimitReader(in, maxSmall))
	if err != nil {
		return bundle.Report{}, err
	}
	return single(whole, o)
}

// printReport prints what was proved, a line each, and the verdict.
func (a *app) printReport(r bundle.Report) error {
	if a.output == "json" {
		return a.printJSON(r)
	}
	var rows [][]string
	for _, c := range r.Checks {
		verdict := "ok"
		if !c.OK {
			verdict = "FAIL"
		}
		rows = append(rows, []string{verdict, c.ID, c.Detail})
	}
	if r.OK { // else none of it is proved
		rows = append(rows, aboutEvent(r.Event)...)
		for _, s := range r.Settlements {
			rows = append(rows, aboutSettlement(r.Kind, s)...)
		}
		rows = append(rows, aboutEvidence(r.Evidence)...)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = clean(row[i])
		}
	}
	if err := writeRows(a.out, rows, nil); err != nil {
		return err
	}
	verdict := "VERIFIED"
	if !r.OK {
		verdict = "NOT VERIFIED"
	}
	_, err := fmt.Fprintln(a.out, verdict)
	return err
}

// aboutEvent tells what happened.
func aboutEvent(e *bundle.Event) (rows [][]string) {
	if e == nil {
		return nil
	}
	env, err := domain.DecodeEnvelope(e.Event)
	if err != nil {
		return nil
	}
	who := env.Actor
	if env.Party != "" {
		who += " for " + string(env.Party)
	}
	for _, f := range [][2]string{
		{"what", env.Type}, {"of", env.Ref.String()}, {"who", who}, {"recorded", env.Time.Format(domain.TimeFormat)},
		{"effective", env.Effective.String()}, {"reason", env.Reason}, {"note", env.Note}, {"corrects", env.Corrects},
		{"evidence", joined(env.Evidence)}, {"data", string(env.Data)},
	} {
		if f[1] != "" {
			rows = append(rows, []string{"", f[0], f[1]})
		}
	}
	return rows
}

func joined(hashes []domain.Hash) string {
	s := make([]string, len(hashes))
	for i, h := range hashes {
		s[i] = string(h)
	}
	return strings.Join(s, ", ")
}

// aboutSettlement tells for whom events are settled.
func aboutSettlement(kind string, s bundle.Settlement) (rows [][]string) {
	if kind == "bundle" {
		rows = append(rows, []string{"", "settled", fmt.Sprintf("%s: %d of %d events, up to sequence %d, for all its parties", s.Agreement, s.Settled, s.Events, s.Seq)})
	}
	for _, w := range s.Parties {
		source := "as the log has it"
		if w.Given {
			source = "as you gave it"
		}
		text := fmt.Sprintf("countersigned %d of %d events at %s with the key %s, %s; %d are pending", w.Events, s.Events, w.At.Format("2006-01-02 15:04:05Z"), w.Key, source, w.Pending)
		switch {
		case w.Key == "":
			text = fmt.Sprintf("has no key to countersign with; %d events are pending", w.Pending)
		case w.Size == 0:
			text = fmt.Sprintf("countersigned nothing of it with the key %s, %s; %d events are pending", w.Key, source, w.Pending)
		}
		rows = append(rows, []string{"", string(w.Party), text})
	}
	return rows
}

// aboutEvidence lists the files that are not there.
func aboutEvidence(e *bundle.Evidence) (rows [][]string) {
	switch {
	case e == nil || len(e.Missing) == 0:
		return nil
	case e.There == 0:
		return [][]string{{"", "evidence", fmt.Sprintf("the %d files that events name are not in the bundle: export it with --evidence", e.Named)}}
	}
	for _, hash := range e.Missing {
		rows = append(rows, []string{"", "missing", string(hash)})
	}
	return rows
}
