package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the server and its ledger are",
		Long: "Show the ledger's sequences, how far its read models have got and their digest; what keeps the log, and how many of its\n" +
			"replicas have all of it; the newest checkpoint, whose countersignatures are awaited, and the scrub; what lies on the disk\n" +
			"and what is free; views, subscribers and webhooks; the last backup. Of a copy, how far it is behind its origin.\n" +
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
			if a.output == "table" {
				if answer, err = flat(answer); err != nil {
					return err
				}
			}
			return a.printObject(answer)
		},
	}
}

// flat makes one object of an object of objects, for a line each.
func flat(object []byte) ([]byte, error) {
	var whole record
	if err := json.Unmarshal(object, &whole); err != nil {
		return nil, err
	}
	lines := record{values: map[string]json.RawMessage{}}
	var put func(prefix string, of record)
	put = func(prefix string, of record) {
		for _, name := range of.names {
			value, inner := of.values[name], record{}
			if len(value) > 0 && value[0] == '{' && json.Unmarshal(value, &inner) == nil {
				put(prefix+name+" ", inner)
				continue
			}
			lines.names = append(lines.names, prefix+name)
			lines.values[prefix+name] = value
		}
	}
	put("", whole)
	return lines.MarshalJSON()
}
