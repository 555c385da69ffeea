package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// newDo makes a verb of every command in the catalogue, without asking a server.
func newDo(a *app) *cobra.Command {
	do := group("do COMMAND", "Ask the ledger to carry out a command")
	do.Long = "Ask the ledger to carry out a command, and print its receipt. Each field of the command is a flag;\n" +
		"titles take one value a language (--title Base --title zh=基地), lists take commas or the flag again,\n" +
		"and --json takes the whole body from a file."
	do.Example = "  milepost do register-party --party wuxi --title Wuxi --title zh=无锡 --kind local-government"
	do.FParseErrWhitelist.UnknownFlags = true // flags of a command whose name is misspelt
	do.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		_, _, err := catalogue.Command(args[0])
		return &usageError{err}
	}
	for _, aggregate := range catalogue.Aggregates {
		do.AddGroup(&cobra.Group{ID: aggregate.Kind, Title: "Commands of " + aggregate.Kind + ":"})
		for _, command := range aggregate.Commands {
			verb := newCommandVerb(a, command)
			verb.GroupID = aggregate.Kind
			do.AddCommand(verb)
		}
	}
	return do
}

func newCommandVerb(a *app, command domain.CommandType) *cobra.Command {
	body := map[string]any{}
	var file string
	var attached []string
	verb := &cobra.Command{Use: command.Name, Short: strings.TrimSuffix(command.Doc, "."), Args: cobra.NoArgs}
	set := verb.Flags()
	set.SortFlags = false
	flags := addFieldFlags(set, slices.Concat(command.Fields, domain.MetaFields()), "", func() map[string]any { return body })
	set.StringVar(&file, "json", "", "the whole body from this `file`, or from standard input when it is -; then no other field may be given")
	set.StringArrayVar(&attached, "attach", nil, "store this `file` as evidence first, and name it")
	set.Lookup("actor").Usage += "; default whom the token is of, or for the local administrator $MILEPOST_ACTOR, else the user of this system"
	for _, f := range flags {
		a.completeField(verb, f)
	}
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		if file != "" && len(attached) > 0 {
			return usagef("--json has the whole body: attach the files first (milepost attach), and name them in it")
		}
		raw, err := a.body(command, file, body)
		if err != nil {
			return err
		}
		if len(attached) > 0 {
			if raw, err = a.withEvidence(cmd, command, body, attached); err != nil {
				return err
			}
		}
		return a.do(cmd, command.Name, raw)
	}
	return verb
}

// body is the JSON to send. What was given in flags is checked here by the
// ledger's own decoder; what comes from a file is for the server to judge,
// which may be newer than this program.
func (a *app) body(command domain.CommandType, file string, body map[string]any) ([]byte, error) {
	if file != "" {
		if len(body) > 0 {
			return nil, usagef("--json has the whole body: give the other fields in it")
		}
		if file == "-" {
			return io.ReadAll(a.in)
		}
		return os.ReadFile(file)
	}
	if _, given := body["actor"]; !given && a.actor() != "" {
		body["actor"] = a.actor()
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if _, _, err := command.Decode(raw); err != nil {
		var r *domain.Rejected
		if errors.As(err, &r) && r.Field != "" {
			return nil, usagef("--%s: %s", flagName(r.Field), r.Message)
		}
		return nil, &usageError{err}
	}
	return raw, nil
}

func (a *app) do(cmd *cobra.Command, name string, body []byte) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	answer, r, err := c.command(cmd.Context(), name, body)
	if refused := (*refusal)(nil); errors.As(err, &refused) && refused.Field != "" && cmd.Flags().Lookup(flagName(refused.Field)) != nil {
		return fmt.Errorf("--%s: %w", flagName(refused.Field), err) // as body says it
	}
	if err != nil {
		return err
	}
	if a.output != "table" {
		return a.printObject(answer)
	}
	_, err = fmt.Fprintln(a.out, sentence(r))
	return err
}

// sentence is a receipt for a person.
func sentence(r ledger.Receipt) string {
	where := r.Aggregate
	if r.Agreement != "" && !strings.HasPrefix(where, "agreement/") {
		where = string(r.Agreement) + "/" + where
	}
	types := make([]string, len(r.Events))
	for i, e := range r.Events {
		types[i] = fmt.Sprintf("%s at sequence %d", e.Type, e.Seq)
	}
	done := "done"
	if r.Replayed {
		done = "had been done before"
	}
	return clean(fmt.Sprintf("%s %s: %s is at version %d (%s)", r.Command, done, where, r.Version, strings.Join(types, ", ")))
}
