package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/domain"
	natsuser "github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/eventstore"
)

func newSubscriber(a *app) *cobra.Command {
	cmd := group("subscriber", "Let programs read events from NATS, each with credentials of its own")
	cmd.Long = "Let programs read events from NATS. Each has a durable consumer of its own, which keeps its place, and credentials\n" +
		"with which it can read that consumer and do nothing else. They connect where the server listens for them:\n" +
		"milepost serve --nats-listen 127.0.0.1:4222."
	cmd.AddCommand(newSubscriberAdd(a), newSubscriberList(a), newSubscriberLag(a), newSubscriberRevoke(a))
	return cmd
}

func newSubscriberAdd(a *app) *cobra.Command {
	var agreement, from, out string
	var all, cleared bool
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Let a program read events, and write its credentials file",
		Long: "Make a key for the program, tell the ledger its public half, and write a NATS credentials file that has the other\n" +
			"half. It is nowhere else: a file that is lost cannot be had again, so revoke the subscriber and add another.",
		Example: "  milepost subscriber add erp --agreement wuxi-2017\n  milepost subscriber add warehouse --all --from now",
		Args:    cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&agreement, "agreement", "", "`key` of the agreement whose events it reads")
	flags.BoolVar(&all, "all", false, "it reads the events of all agreements and parties")
	flags.StringVar(&from, "from", "first", "first `sequence` that it reads; first for all there are, now for those to come")
	flags.BoolVar(&cleared, "cleared", false, "it reads what is restricted, too; one that is not cleared is cut off while anything that it reads of is restricted")
	addNewFile(cmd, &out, "out", "`file` for the credentials (default NAME.creds); one that is there is left alone")
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (agreement == "") == !all {
			return usagef("say what it reads: --agreement A, or --all")
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		if out == "" {
			out = args[0] + ".creds"
		}
		add := natsuser.Add{Subscriber: domain.Key(args[0]), Agreement: domain.Key(agreement), Cleared: cleared}
		if add.From, err = firstSequence(cmd.Context(), c, from); err != nil {
			return err
		}
		credentials, err := addSubscriber(cmd.Context(), c, add, out)
		if err != nil {
			return err
		}
		return a.printCredentials(credentials, out)
	}
	return cmd
}

// firstSequence is what --from means.
func firstSequence(ctx context.Context, c *client, from string) (uint64, error) {
	switch from {
	case "first":
		return 1, nil
	case "now":
		answer, err := c.get(ctx, path("v1", "status"), nil)
		if err != nil {
			return 0, err
		}
		var status api.Status
		if err := json.Unmarshal(answer, &status); err != nil {
			return 0, fmt.Errorf("the answer cannot be read: %w", err)
		}
		return status.LastSeq + 1, nil
	}
	seq, err := strconv.ParseUint(from, 10, 64)
	if err != nil || seq == 0 {
		return 0, usagef("--from %s: want a sequence from 1 on, or first, or now", from)
	}
	return seq, nil
}

// addSubscriber makes the key, the subscriber and the credentials file, which is
// there before the subscriber is: a key that nobody has would have used up the name.
func addSubscriber(ctx context.Context, c *client, add natsuser.Add, out string) (credentials subscribers.Credentials, err error) {
	key, err := eventstore.NewUserKey()
	if err != nil {
		return credentials, err
	}
	add.PublicKey = key.Public
	file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return credentials, notWritten(out, err)
	}
	added := false
	defer func() {
		err = errors.Join(err, file.Close())
		if !added {
			err = errors.Join(err, os.Remove(out))
		}
	}()
	body, err := json.Marshal(add)
	if err != nil {
		return credentials, err
	}
	answer, err := c.post(ctx, path("v1", "commands", add.Name()), "application/json", bytes.NewReader(body))
	if err != nil {
		if added = mayBeDone(err); added {
			_, seedErr := file.Write(append(key.Seed, '\n'))
			err = errors.Join(fmt.Errorf("%w; its key is in %s in case it was added: see milepost subscriber list", err, out), seedErr)
		}
		return credentials, err
	}
	added = true
	// Should what follows fail, the seed alone is what NATS clients take as an nkey.
	if _, err := file.Write(append(key.Seed, '\n')); err != nil {
		return credentials, notWritten(out, err)
	}
	var receipt ledger.Receipt
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return credentials, fmt.Errorf("the receipt cannot be read: %w", err)
	}
	c.shown(ctx, receipt.Seq)
	query := url.Values{"min_seq": {strconv.FormatUint(receipt.Seq, 10)}}
	answer, err = c.post(ctx, path("v1", "subscribers", string(add.Subscriber), "credentials")+"?"+query.Encode(), "application/json", nil)
	if err != nil {
		return credentials, fmt.Errorf("%s was added, and its key is in %s without a JWT: %w", add.Subscriber, out, err)
	}
	if err := json.Unmarshal(answer, &credentials); err != nil {
		return credentials, fmt.Errorf("the answer cannot be read: %w", err)
	}
	text, err := key.Credentials(credentials.JWT)
	if err != nil {
		return credentials, err
	}
	if err := file.Truncate(0); err != nil {
		return credentials, notWritten(out, err)
	}
	if _, err := file.WriteAt(text, 0); err != nil {
		return credentials, notWritten(out, err)
	}
	return credentials, notWritten(out, file.Sync())
}

// mayBeDone says whether a command that failed may have been carried out.
func mayBeDone(err error) bool {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.Code == api.CodeOutcomeUnknown
	}
	return !errors.As(err, new(*unreachableError))
}

// printCredentials says how to connect.
func (a *app) printCredentials(c subscribers.Credentials, file string) error {
	if a.output != "table" {
		answer, err := json.Marshal(c)
		if err != nil {
			return err
		}
		return a.printObject(answer)
	}
	where := c.Address
	if where == "" {
		where = "nowhere yet: start the server with --nats-listen HOST:PORT"
	}
	rows := [][]string{
		{"subscriber", string(c.Subscriber)}, {"credentials", file + " (keep it secret: it cannot be made again)"}, {"address", where},
		{"stream", c.Stream}, {"consumer", c.Consumer}, {"inbox prefix", c.InboxPrefix},
	}
	if c.Address != "" {
		with := "--creds " + file
		if c.JWT == "" {
			rows = append(rows, []string{"API prefix", c.APIPrefix})
			with = "--nkey " + file + " --js-api-prefix " + c.APIPrefix
		}
		rows = append(rows, []string{"try it", strings.Join([]string{"nats", "--server", c.Address, with, "--inbox-prefix", c.InboxPrefix,
			"consumer", "next", c.Stream, c.Consumer, "--count", "10"}, " ")})
	}
	if err := writeRows(a.out, rows, nil); err != nil || c.Operator == "" {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\nThe operator of the NATS server lets it in with this configuration:\n\n%s", c.Operator)
	return err
}

var lagColumns = []string{"subscriber", "agreement", "cleared", "state", "connections", "pending", "ack_pending", "delivered", "acknowledged", "last_active"}

func newSubscriberList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the programs that read from NATS, and how far each is",
		Long: "List the programs that read from NATS, and how far each is. One that is cut-off is not cleared, and something that\n" +
			"it reads of is restricted: it reads nothing until that is lifted.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			answer, err := c.get(cmd.Context(), path("v1", "subscribers", "lag"), nil)
			if err != nil {
				return err
			}
			return a.printList(answer, "items", view{table: fields(lagColumns...), csv: lagColumns})
		},
	}
	addOut(cmd)
	return cmd
}

func newSubscriberLag(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "lag NAME", Short: "Show how far a program has read",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			answer, err := c.get(cmd.Context(), path("v1", "subscribers", "lag"), nil)
			if err != nil {
				return err
			}
			var list struct {
				Items []json.RawMessage `json:"items"`
			}
			if err := json.Unmarshal(answer, &list); err != nil {
				return fmt.Errorf("the answer is not a list: %w", err)
			}
			for _, item := range list.Items {
				var lag subscribers.Lag
				if err := json.Unmarshal(item, &lag); err != nil {
					return fmt.Errorf("the answer cannot be read: %w", err)
				}
				if string(lag.Subscriber) == args[0] {
					return a.printObject(item)
				}
			}
			return fmt.Errorf("there is no subscriber %q: milepost subscriber list shows those there are", args[0])
		},
	}
}

func newSubscriberRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Take a program's right to read, for good",
		Long: "Take a program's right to read: it is disconnected, its key is not taken any more, and its consumer with its place is\n" +
			"deleted. Its name is not used again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := json.Marshal(natsuser.Revoke{Subscriber: domain.Key(args[0])})
			if err != nil {
				return err
			}
			return a.do(cmd, natsuser.Revoke{}.Name(), body)
		},
	}
}
