package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

func newToken(a *app) *cobra.Command {
	cmd := group("token", "Make, list and revoke the tokens by which principals are known")
	cmd.Long = "Make, list and revoke tokens. A token is made here, at random: the server is told its SHA-256 and nothing else, so\n" +
		"nobody can read it out of the ledger. A principal is made by its first grant: milepost do grant-access. A client\n" +
		"takes its token from $MILEPOST_TOKEN."
	cmd.AddCommand(newTokenCreate(a), newTokenList(a), newTokenRevoke(a), newTokenLink(a))
	return cmd
}

func newTokenCreate(a *app) *cobra.Command {
	var label, expires string
	cmd := &cobra.Command{
		Use: "create PRINCIPAL", Short: "Make a token for a principal, and print it, once",
		Example: "  milepost token create li-wei --label laptop --expires 2027-03-31 > token\n" +
			"  MILEPOST_TOKEN=$(cat token) milepost status",
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completePrincipal,
		RunE: func(cmd *cobra.Command, args []string) error {
			var secret [32]byte
			key := newTokenKey()
			_, _ = rand.Read(secret[:]) // never fails
			body := map[string]any{"principal": args[0], "token": key, "hash": access.HashSecret(secret)}
			if label != "" {
				body["label"] = label
			}
			if expires != "" {
				body["expires"] = expires
			}
			if err := a.issue(cmd, body); err != nil {
				return err
			}
			token := access.FormatToken(key, secret)
			if a.output == "table" {
				if _, err := fmt.Fprintln(a.out, token); err != nil {
					return err
				}
			} else if err := a.printValue(map[string]any{"principal": args[0], "token": key, "secret": token}); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(a.err, "milepost: this is the token %s of %s; it is shown this once, and whoever has it is %s\n", key, args[0], args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&label, "label", "", "what it is for")
	cmd.Flags().StringVar(&expires, "expires", "", fmt.Sprintf("the last `day` on which it is good, YYYY-MM-DD (default in %d days, at most in %d)", access.TokenDays, access.MaxTokenDays))
	return cmd
}

// newTokenKey draws the key of a token: 80 random bits, so that no two tokens of
// a ledger have the same.
func newTokenKey() domain.Key {
	var b [10]byte
	_, _ = rand.Read(b[:])
	return domain.Key(strings.ToLower(base32.StdEncoding.EncodeToString(b[:])))
}

// issue has the ledger know the token in body.
func (a *app) issue(cmd *cobra.Command, body map[string]any) error {
	raw, err := a.commandBody(access.IssueToken{}.Name(), body)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	_, _, err = c.command(cmd.Context(), access.IssueToken{}.Name(), raw)
	return err
}

// commandBody is body of the command of that name, checked and completed like
// the flags of milepost do.
func (a *app) commandBody(name string, body map[string]any) ([]byte, error) {
	command, _, err := catalogue.Command(name)
	if err != nil {
		return nil, err
	}
	return a.body(command, "", body)
}

// printValue prints an object that is not the server's.
func (a *app) printValue(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.printObject(raw)
}

func newTokenList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list [PRINCIPAL]", Short: "Show the tokens of a principal, or of all, without their secrets",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completePrincipal,
	}
	q := newQuery(cmd, false)
	q.addAsOf()
	addOut(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		answer, err := q.principals(a, args)
		if err != nil {
			return err
		}
		var principals []record
		if err := json.Unmarshal(answer, &principals); err != nil {
			return fmt.Errorf("the answer is not a list: %w", err)
		}
		tokens := []record{}
		for _, p := range principals {
			for _, t := range recordsIn(p, "tokens") {
				t.names = append([]string{"principal"}, t.names...)
				t.values["principal"] = p.values["principal"]
				tokens = append(tokens, t)
			}
		}
		list, err := json.Marshal(map[string]any{"items": tokens})
		if err != nil {
			return err
		}
		return a.printList(list, "items", *viewOf("principal", "token", "label", "expires", "expired", "revoked"))
	}
	return cmd
}

// principals asks for one principal, or for all, as a list.
func (q *query) principals(a *app, args []string) ([]byte, error) {
	if len(args) == 1 {
		c, err := a.client()
		if err != nil {
			return nil, err
		}
		answer, err := c.get(q.cmd.Context(), path("v1", "access", args[0]), q.values())
		return append(append([]byte{'['}, answer...), ']'), err
	}
	q.all = true
	answer, err := q.list(a, path("v1", "access"), "items")
	if err != nil {
		return nil, err
	}
	var whole record
	err = json.Unmarshal(answer, &whole)
	return whole.values["items"], err
}

func newTokenRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "revoke PRINCIPAL TOKEN", Short: "Revoke a token, named by its key: it is not taken any more",
		Long:    "Revoke a token, named by its key: what stands between mp_ and the next _ in it, and in milepost token list.",
		Example: "  milepost token revoke li-wei t5zq3mfk2xw6ahbd",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: a.completePrincipal,
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.Contains(args[1], "_") { // it is not said again: it may be the token itself
				return usagef("name the token by its key, what stands between mp_ and the next _; what is on a command line is no secret any more, so do revoke it")
			}
			raw, err := a.commandBody(access.RevokeToken{}.Name(), map[string]any{"principal": args[0], "token": args[1]})
			if err != nil {
				return err
			}
			err = a.do(cmd, access.RevokeToken{}.Name(), raw)
			if refused := (*refusal)(nil); errors.As(err, &refused) && refused.Code == domain.CodeNotFound && refused.Field == "token" {
				refused.Detail += fmt.Sprintf(": milepost token list %s shows those there are", args[0])
			}
			return err
		},
	}
}

// completePrincipal offers principals for the first argument.
func (a *app) completePrincipal(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.keys(cmd, "principal"), cobra.ShellCompDirectiveNoFileComp
}
