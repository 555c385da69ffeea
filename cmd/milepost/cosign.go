package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/cmd/internal/witness"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

func newCosign(a *app) *cobra.Command {
	var keyFile, state, trusted string
	var agreements []string
	var every time.Duration
	cmd := &cobra.Command{
		Use: "cosign", Short: "Be a party's witness: check that the ledger only grew, and countersign it",
		Long: "Ask the ledger for its newest checkpoint and for that of each agreement of the party, check that each begins with\n" +
			"the one that was countersigned last, countersign it and hand that in. What was countersigned is remembered in\n" +
			"--state: keep it, on a machine that is the party's. A ledger that lost its end, or shows two histories, is\n" +
			"refused: then nothing is countersigned, both checkpoints are kept as evidence, and the exit code is 1.\n\n" +
			"The key must be registered: milepost do register-witness --party P --key \"$(milepost key show FILE)\".",
		Example: "  milepost cosign --key wuxi.key\n  milepost cosign --key wuxi.key --every 1m --ledger-key milepost/main+a1b2c3d4+...",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&keyFile, "key", "", "`file` of the party's key, as milepost key new makes it")
	flags.StringVar(&state, "state", "", "`directory` of what is remembered (default the key file with .witness after it)")
	flags.StringVar(&trusted, "ledger-key", "", "the ledger's verifier `key`, as you were given it when it was made (default the first one met)")
	flags.StringSliceVar(&agreements, "agreement", nil, "only these `agreements`, besides the ledger (default all of the party)")
	flags.DurationVar(&every, "every", 0, "go on, and look again after this `pause`, such as 1m")
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if keyFile == "" {
			return usagef("say which key with --key; milepost key new makes one")
		}
		if every < 0 {
			return usagef("--every %s: want a pause such as 1m", every)
		}
		k, err := signing.ReadKey(keyFile)
		if err != nil {
			return err
		}
		cosigner, err := proof.NewCosigner(k.Secret, now)
		if err != nil {
			return err
		}
		if state == "" {
			state = keyFile + ".witness"
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		w := &cosigning{app: a, client: c, key: k, agreements: agreements, witness: witness.New(state, cosigner, ledgerOf{c}, trusted)}
		if every == 0 {
			return w.once(cmd.Context())
		}
		return w.over(cmd.Context(), every)
	}
	return cmd
}

// cosigning is a run of the verb.
type cosigning struct {
	app        *app
	client     *client
	key        signing.Key
	agreements []string
	witness    *witness.Witness
}

// once countersigns each tree. A conflict in one, or a refusal, does not keep it
// from looking at the others.
func (w *cosigning) once(ctx context.Context) error {
	agreements, err := w.trees(ctx)
	if err != nil {
		return err
	}
	var done []json.RawMessage
	var failed []error
	for _, agreement := range append([]string{""}, agreements...) {
		c, err := w.witness.Cosign(ctx, agreement)
		if err != nil {
			failed = append(failed, err)
			if errors.As(err, new(*witness.ConflictError)) || errors.As(err, new(*refusal)) {
				continue
			}
			break
		}
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		done = append(done, line)
	}
	if len(done) > 0 {
		answer, err := json.Marshal(map[string]any{"items": done})
		if err != nil {
			return err
		}
		names := []string{"origin", "size", "before", "root"}
		if err := w.app.printList(answer, "items", view{table: fields(names...), csv: names}); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// over does it again and again. Only a conflict ends it: a server that does not
// answer may come back.
func (w *cosigning) over(ctx context.Context, every time.Duration) error {
	for {
		err := w.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(*witness.ConflictError)), errors.As(err, new(*witness.KeyError)):
			return err
		case err != nil:
			_, _ = fmt.Fprintf(w.app.err, "milepost: %v; trying again in %s\n", err, every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// trees are the agreements to look at: those that were named, or those of the
// party that the key is registered for.
func (w *cosigning) trees(ctx context.Context) ([]string, error) {
	answer, err := w.client.get(ctx, path("v1", "keys"), nil)
	if err != nil {
		return nil, err
	}
	var keys api.Keys
	if err := json.Unmarshal(answer, &keys); err != nil {
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	i := slices.IndexFunc(keys.Witnesses, func(k api.WitnessKey) bool { return k.Key == w.key.Public })
	if i < 0 {
		return nil, fmt.Errorf("no party has registered the key %s: milepost do register-witness --party P --key %s", w.key.Public, w.key.Public)
	}
	if len(w.agreements) > 0 {
		return w.agreements, nil
	}
	var list []string
	query := url.Values{"limit": {"1000"}}
	for {
		answer, err := w.client.get(ctx, path("v1", "agreements"), query)
		if err != nil {
			return nil, err
		}
		var page struct {
			Items []projections.Agreement `json:"items"`
			Next  string                  `json:"next"`
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, fmt.Errorf("the answer cannot be read: %w", err)
		}
		for _, of := range page.Items {
			if slices.Contains(of.Parties, keys.Witnesses[i].Party) {
				list = append(list, string(of.Agreement))
			}
		}
		if page.Next == "" {
			return list, nil
		}
		query.Set("cursor", page.Next)
	}
}

// ledgerOf is the ledger as a witness asks for it, over HTTP.
type ledgerOf struct{ *client }

func (l ledgerOf) Keys(ctx context.Context) ([]string, []signing.Rotation, error) {
	answer, err := l.get(ctx, path("v1", "keys"), nil)
	if err != nil {
		return nil, nil, err
	}
	var keys api.Keys
	if err := json.Unmarshal(answer, &keys); err != nil {
		return nil, nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return keys.Keys, keys.Rotations, nil
}

func (l ledgerOf) Grown(ctx context.Context, agreement string, from uint64) ([]byte, tlog.TreeProof, error) {
	tree := path("v1", "checkpoint")
	if agreement != "" {
		tree = path("v1", "agreements", agreement, "checkpoint")
	}
	answer, err := l.get(ctx, tree+"/consistency", url.Values{"from": {strconv.FormatUint(from, 10)}})
	if refused := (*refusal)(nil); errors.As(err, &refused) && refused.Code == projections.CodeInvalidRange {
		note, err := l.get(ctx, tree, nil) // which is smaller: the signature on it proves that
		return note, nil, err
	}
	if err != nil {
		return nil, nil, err
	}
	var c api.Consistency
	if err := json.Unmarshal(answer, &c); err != nil {
		return nil, nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return []byte(c.Checkpoint), c.Hashes, nil
}

func (l ledgerOf) HandIn(ctx context.Context, note []byte) error {
	_, err := l.do(ctx, http.MethodPost, path("v1", "checkpoint", "cosignatures"), "text/plain", bytes.NewReader(note))
	return err
}

var _ witness.Ledger = ledgerOf{}
