package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

// place is where a verb about a whole ledger works: at the server, or in this
// process where the directory is free.
type place struct {
	cfg   nodeConfig
	cmd   *cobra.Command
	named bool // a directory, or a file that says which
}

// placeOf gives cmd the flags that say where, beside --data: the directory to work
// on when no server answers; when given, only this one.
func (a *app) placeOf(cmd *cobra.Command) *place {
	p := &place{cmd: cmd}
	cfg := &p.cfg
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&cfg.name, "ledger", "main", "`name` of the ledger: a-z, 0-9 and -")
	flags.StringVar(&cfg.natsURL, "nats", "", "`URL` of an external NATS server or cluster, instead of the embedded one")
	flags.StringVar(&cfg.creds, "nats-creds", "", "credentials `file` for --nats")
	flags.StringVar(&cfg.keyFile, "key", "", "`file` of the key that the ledger signs with (default ledger.key in --data)")
	flags.StringVar(&cfg.checkpoints, "checkpoints", "", "`directory` of the signed checkpoints (default checkpoints in --data)")
	given := a.serveSettingsOf(cmd, "data", "ledger", "nats", "nats-creds", "key", "checkpoints")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		p.named = flags.Changed("data") || flags.Changed("config")
		if p.named && a.server != "" {
			return usagef("--server and a directory, by --data or --config, are two places: leave one out")
		}
		p.named = p.named || a.server == "" && a.env("MILEPOST_CONFIG") != ""
		if err := given.settle(); err != nil {
			return err
		}
		if follow, at := given.forServe("follow"); follow != "" {
			var err error
			if p.cfg.follow, err = strconv.ParseBool(follow); err != nil {
				return usagef("%s: want true or false", at)
			}
		}
		p.cfg.dir, p.cfg.log = a.dataDir(), a.logger()
		return nil
	}
	return p
}

// work finds who can do it. A directory that is named is the one that is meant,
// so a server is asked only when it is the one that holds it.
func (a *app) work(p *place, at func(context.Context, *client) error, here func(context.Context, *node) error) error {
	ctx := p.cmd.Context()
	server := func(address string) error {
		c, err := a.clientOf(address)
		if err != nil {
			return err
		}
		return at(ctx, c)
	}
	if p.named {
		if h := heldBy(p.cfg.dir); h.Address != "" {
			return server(h.Address)
		}
		return explainLock(withLedger(ctx, p.cfg, here))
	}
	err := server(a.server)
	var unreachable *unreachableError
	if !errors.As(err, &unreachable) || a.server != "" || a.env("MILEPOST_SERVER") != "" {
		return err
	}
	if _, statErr := os.Stat(p.cfg.dir); statErr != nil {
		return fmt.Errorf("%w; and there is no directory %s: say which with --data", err, p.cfg.dir)
	}
	return explainLock(withLedger(ctx, p.cfg, here))
}

// withLedger opens a ledger that is there, which nobody else may have open, for
// as long as f takes.
func withLedger(ctx context.Context, cfg nodeConfig, f func(context.Context, *node) error) (err error) {
	_, err = os.Stat(filepath.Join(cfg.dir, "jetstream"))
	switch {
	case cfg.natsURL != "" || err == nil:
		cfg.existing = true
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no ledger in %s: say where with --data; one on a NATS server with --nats or --config", cfg.dir)
	default:
		return fmt.Errorf("data directory: %w", err)
	}
	n, err := startNode(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return f(ctx, n)
}

// served lets f ask the API of a node, which listens for it alone.
func (a *app) served(ctx context.Context, n *node, f func(context.Context, *client) error) (err error) {
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer n.spareProcessor()()
	server := api.Server(n.handler(api.Front{}, nil), n.cfg.log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}()
	c := &client{base: "http://" + l.Addr().String(), token: n.admin, actor: a.actor()}
	return f(ctx, c)
}
