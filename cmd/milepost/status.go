package main

import (
	"github.com/spf13/cobra"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the server and its ledger are",
		Long: "Show the ledger's sequences, how far its read models have got and their digest, and the log's server.\n" +
			"Two ledgers with the same digest at the same sequence answer every question alike.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			answer, err := c.get(cmd.Context(), path("v1", "status"), nil)
			if err != nil {
				return err
			}
			return a.printObject(answer)
		},
	}
}
