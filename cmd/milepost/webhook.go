package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

func newWebhook(a *app) *cobra.Command {
	cmd := group("webhook", "Send events to addresses as they come, signed and in order")
	cmd.Long = "Send events to addresses as they come. Each is sent as it is stored, a CloudEvent, signed after Standard Webhooks,\n" +
		"one at a time and in order, until the receiver answers 2xx. After five days of failures a webhook is disabled.\n" +
		"Private addresses are refused unless the server allows their network: milepost serve --webhook-allow 10.1.0.0/16."
	cmd.AddCommand(newWebhookAdd(a), newWebhookList(a), newWebhookShow(a), newWebhookSecret(a), newWebhookRotate(a), newWebhookRedeliver(a),
		webhookVerb(a, "enable", "Enable a webhook: it goes on where it stopped", webhook.Enable{}.Name()),
		webhookVerb(a, "disable", "Disable a webhook until it is enabled again, for a --reason", webhook.Disable{}.Name()),
		webhookVerb(a, "remove", "Remove a webhook for good; its name is not used again", webhook.Remove{}.Name()))
	return cmd
}

func newWebhookAdd(a *app) *cobra.Command {
	var add webhook.Register
	var agreement string
	cmd := &cobra.Command{
		Use: "add NAME URL", Short: "Register an address, and print the secret that what it is sent is signed with",
		Example: "  milepost webhook add erp https://erp.example.org/hooks/milepost --agreement wuxi-2017 --kind project",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			add.Webhook, add.URL, add.Agreement = domain.Key(args[0]), args[1], domain.Key(agreement)
			return a.withSecret(cmd, add.Webhook, add)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&agreement, "agreement", "", "`key` of the agreement whose events are sent (default all of the ledger)")
	flags.StringArrayVar(&add.Kinds, "kind", nil, "`kind` of aggregates whose events are sent, such as project; can be given again (default all)")
	flags.StringArrayVar(&add.Types, "type", nil, "`type` of events that are sent, such as milepost.project.started.v1; can be given again (default all)")
	flags.Uint64Var(&add.From, "from", 0, "first `sequence` that is sent (default the event after the registration)")
	flags.BoolVar(&add.Cleared, "cleared", false, "send what is restricted, too")
	a.completeKeys(cmd, "agreement", "agreement")
	complete(cmd, "kind", kinds()...)
	return cmd
}

func newWebhookRotate(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rotate NAME", Short: "Give a webhook another secret, and print it; the former one signs no more",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := webhook.ID{Webhook: domain.Key(args[0])}
			return a.withSecret(cmd, id.Webhook, webhook.RotateSecret{ID: id})
		},
	}
}

// withSecret has a command done that gives a webhook a secret, and prints it.
func (a *app) withSecret(cmd *cobra.Command, key domain.Key, do domain.Command) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	body, err := json.Marshal(do)
	if err != nil {
		return err
	}
	_, receipt, err := c.command(cmd.Context(), do.Name(), body)
	if err != nil {
		return err
	}
	secret, err := webhookSecret(cmd.Context(), c, key, receipt.Seq)
	if err != nil {
		return fmt.Errorf("%s is done, but its secret was not told: %w; ask again with milepost webhook secret %s", do.Name(), err, key)
	}
	return a.printObject(secret)
}

func webhookSecret(ctx context.Context, c *client, key domain.Key, minSeq uint64) ([]byte, error) {
	return c.get(ctx, path("v1", "webhooks", string(key), "secret"), url.Values{"min_seq": {strconv.FormatUint(minSeq, 10)}})
}

func newWebhookSecret(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "secret NAME", Short: "Print the secret that what a webhook is sent is signed with",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			answer, err := webhookSecret(cmd.Context(), c, domain.Key(args[0]), 0)
			if err != nil {
				return err
			}
			if a.output != "table" {
				return a.printObject(answer)
			}
			var secret api.WebhookSecret
			if err := json.Unmarshal(answer, &secret); err != nil {
				return fmt.Errorf("the answer cannot be read: %w", err)
			}
			_, err = fmt.Fprintln(a.out, secret.Secret)
			return err
		},
	}
}

func newWebhookList(a *app) *cobra.Command {
	columns := []string{"webhook", "url", "agreement", "kinds", "types", "cleared", "state"}
	cmd := &cobra.Command{
		Use: "list", Short: "List the webhooks, those removed too",
		Args: cobra.NoArgs,
	}
	q := newQuery(cmd, true)
	cmd.RunE = func(*cobra.Command, []string) error {
		answer, err := q.list(a, path("v1", "webhooks"), "items")
		if err != nil {
			return err
		}
		return a.printList(answer, "items", view{table: fields(columns...), csv: columns})
	}
	return cmd
}

// newWebhookShow shows what the log has of a webhook and how far it has come, as
// one object.
func newWebhookShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a webhook, how far it has come, and what its receiver said last",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			registered, err := c.get(cmd.Context(), path("v1", "webhooks", args[0]), nil)
			if err != nil {
				return err
			}
			delivery, err := c.get(cmd.Context(), path("v1", "webhooks", args[0], "delivery"), nil)
			if err != nil {
				return err
			}
			both, err := oneObject(registered, delivery)
			if err != nil {
				return err
			}
			return a.printObject(both)
		},
	}
}

// oneObject makes one object of two: the members of the first, and those of the
// second that the first does not have.
func oneObject(first, second []byte) ([]byte, error) {
	var a, b record
	for of, r := range map[*record][]byte{&a: first, &b: second} {
		if err := json.Unmarshal(r, of); err != nil {
			return nil, fmt.Errorf("the answer is not an object: %w", err)
		}
	}
	for _, name := range b.names {
		if _, ok := a.values[name]; !ok {
			a.names, a.values[name] = append(a.names, name), b.values[name]
		}
	}
	var out bytes.Buffer
	for i, name := range a.names {
		out.WriteString(string("{,"[min(i, 1)]))
		fmt.Fprintf(&out, "%q:%s", name, a.values[name])
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func newWebhookRedeliver(a *app) *cobra.Command {
	var from uint64
	cmd := &cobra.Command{
		Use: "redeliver NAME", Short: "Send a webhook its events again, from a sequence on",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == 0 {
				return usagef("say from which sequence on with --from")
			}
			return a.doWebhook(cmd, webhook.Redeliver{}.Name(), map[string]any{"webhook": args[0], "from": from})
		},
	}
	cmd.Flags().Uint64Var(&from, "from", 0, "first `sequence` that is sent again")
	return cmd
}

// webhookVerb is a verb that does one command to one webhook.
func webhookVerb(a *app, verb, short, command string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"webhook": args[0]}
			if reason != "" {
				body["reason"] = reason
			}
			return a.doWebhook(cmd, command, body)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a few `words`")
	return cmd
}

func (a *app) doWebhook(cmd *cobra.Command, command string, body map[string]any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return a.do(cmd, command, raw)
}
