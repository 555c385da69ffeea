package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes, as every verb keeps them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// app is one run of the program: its streams, its environment, and the flags
// that all verbs share.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string

	server string
	data   string // the directory that --data names, "" for the default: see dataDir
	output string // one of outputs
	file   string // where a list goes, "" and "-" for out
	lang   string

	started bool // a verb has begun, so the command line made sense
}

// usageError says that the command line makes no sense: exit code 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// errReported ends a verb with exit code 1 when what went wrong has been said.
var errReported = errors.New("reported")

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "milepost",
		Short: "The ledger of agreements, projects and milestones that both sides trust",
		Long: "Milepost records every change to agreements, projects and milestones as an event in a log,\n" +
			"and answers from it: what changed, who changed it, why, and how things stood on any day.",
		Example:       "  milepost demo\n  milepost serve --data ./milepost-data\n  milepost changes --from 2026-09-01",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)

	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", "", "address of the server (default $MILEPOST_SERVER, else "+defaultServer+")")
	flags.StringVar(&a.data, "data", "", "`directory` of the ledger; a client finds in it the administrator's token, for the server that holds it\n(default $MILEPOST_DATA, else ./milepost-data)")
	flags.StringVarP(&a.output, "output", "o", "table", "form of the answer: table, json or csv; a list also xlsx, with --out")
	flags.StringVar(&a.lang, "lang", "", "language of titles in tables, such as en or zh (default from $LANG)")
	complete(root, "output", outputs...)
	_ = root.MarkPersistentFlagDirname("data") // the flag is there
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkOutput(cmd) }

	root.AddCommand(
		newServe(a), newMirror(a), newDemo(a),
		newDo(a), newAttach(a), newEvidence(a), newShow(a), newChanges(a), newBlame(a), newImport(a), newExport(a), newSchema(a), newSubscribe(a), newWebhook(a), newStatus(a),
		newCheckpoint(a), newProve(a), newCosign(a), newKey(a), newVerify(a),
		newAccess(a), newToken(a), newSubscriber(a),
		newReplay(a), newRebuild(a), newRepair(a), newBackup(a), newRestore(a), newBench(a),
	)
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"}) // it is there
	help.Run, help.RunE = nil, func(_ *cobra.Command, args []string) error {
		verb, rest, err := root.Find(args)
		if err == nil && len(rest) > 0 {
			err = noVerb(verb, rest[0])
		}
		if err != nil {
			return &usageError{err}
		}
		verb.InitDefaultHelpFlag() // which it gets when it runs, and is shown too
		return verb.Help()
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) {
			f := invalid.GetFlag()
			return usagef("--%s %s: %w", f.Name, invalid.GetValue(), wanted(f, invalid.Unwrap()))
		}
		return err
	})
	a.markStart(root)
	return root
}

// wanted says of which form the value of a flag is, where the flag's own error is one of
// the library that reads it.
func wanted(f *pflag.Flag, err error) error {
	switch f.Value.Type() {
	case "duration":
		return errors.New("want a time with its unit, such as 30s or 5m")
	case "bool":
		return errors.New("want true or false")
	case "int", "int64", "uint", "uint64":
		return errors.New("want a whole number")
	}
	return err
}

// markStart has every verb note that it began: an error before that is one of
// the command line, wherever cobra found it.
func (a *app) markStart(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			if err := trustGiven(cmd); err != nil {
				return err
			}
			if err := newFilesFree(cmd); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		a.markStart(sub)
	}
}

// trusting are the flags that say what is trusted, with what is signed, how a connection
// is guarded, or of which agreement something is handed out: without it, of all.
var trusting = []string{
	"agreement", "ledger-key", "since", "key", "keys", "state", "checkpoints",
	"tls-cert", "tls-key", "nats-creds", "nats-tls-cert", "nats-tls-key", "oidc-client-secret-file",
}

func isEmpty(f *pflag.Flag) bool {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return f.Value.String() == ""
	}
	return len(list.GetSlice()) == 0 || slices.Contains(list.GetSlice(), "")
}

// trustGiven refuses such a flag that is given and empty, as by a variable that a script
// did not set: it would count as none, and less would be checked than was asked for.
func trustGiven(cmd *cobra.Command) error {
	for _, name := range trusting {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && isEmpty(f) {
			return usagef("--%s is given and is empty: give it a value, or leave it out", name)
		}
	}
	return nil
}

// run executes the command line and turns its error into an exit code.
func (a *app) run(root *cobra.Command) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	verb, err := root.ExecuteContextC(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	case !a.started || errors.As(err, &usage):
		_, _ = fmt.Fprintf(a.err, "milepost: %v\nTry: %s --help\n", err, verb.CommandPath())
		return exitUsage
	}
	_, _ = fmt.Fprintf(a.err, "milepost: %v\n", err)
	return exitFailed
}

// untilSignal is done at the first signal to end. The second ends the program at once,
// also one that is sent as soon as it is seen that the first has come.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-first:
		case <-ctx.Done():
		}
		signal.Stop(first) // before anybody hears of it
		cancel()
	}()
	return ctx, cancel
}

// group is a verb that only holds others.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return noVerb(cmd, args[0])
		},
	}
}

// noVerb says that there is no verb of that name below cmd.
func noVerb(cmd *cobra.Command, name string) error {
	hint := ""
	cmd.SuggestionsMinimumDistance = 2 // what cobra has where it looks by itself
	if s := cmd.SuggestionsFor(name); len(s) > 0 {
		hint = "; did you mean " + strings.Join(s, " or ") + "?"
	}
	return usagef("%s has no %q%s", cmd.CommandPath(), name, hint)
}

// complete offers fixed values for a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	completeFunc(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func completeFunc(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the flag does not exist: a mistake in this program
	}
}

// languages are those to show titles in, the best first: --lang, else what the
// environment says as in setlocale(3).
func (a *app) languages() []string {
	tag := a.lang
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if tag == "" {
			tag = a.env(name)
		}
	}
	tag, _, _ = strings.Cut(tag, ".")
	tag = strings.ReplaceAll(tag, "_", "-")
	if base, _, ok := strings.Cut(tag, "-"); ok {
		return []string{tag, base}
	}
	return []string{tag}
}
