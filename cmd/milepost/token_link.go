package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

func newTokenLink(a *app) *cobra.Command {
	var principal string
	cmd := &cobra.Command{
		Use: "link", Short: "Print a link that signs in by a browser, once, within 15 minutes",
		Long: "Print a link that signs you in by a browser, once, within 15 minutes. Whoever opens it first is you, so hand it\n" +
			"to nobody. An administrator prints one for somebody else with --principal.",
		Example: "  milepost token link\n  milepost token link --principal ann",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.printLink(cmd.Context(), principal)
		},
	}
	cmd.Flags().StringVar(&principal, "principal", "", "`key` of whom it signs in (default whom the token is of)")
	return cmd
}

func (a *app) printLink(ctx context.Context, principal string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	ask := map[string]string{}
	if principal != "" {
		ask["principal"] = principal
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	answer, err := c.post(ctx, path("v1", "sign-in-links"), "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if a.output != "table" {
		return a.printObject(answer)
	}
	var link api.SignInLink
	if err := json.Unmarshal(answer, &link); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	_, _ = fmt.Fprintf(a.err, "milepost: signs in %s, once, until %s\n", link.Principal, link.Expires.Local().Format("2006-01-02 15:04:05Z07:00"))
	_, err = fmt.Fprintln(a.out, link.Link)
	return err
}
