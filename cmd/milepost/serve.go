package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/eventstore"
)

func newServe(a *app) *cobra.Command {
	var cfg nodeConfig
	listen := &listening{}
	var logging logging
	var given *settings
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a ledger and its HTTP API",
		Long: "Run a ledger and its HTTP API until SIGINT or SIGTERM. One line on standard output says that it is ready:\n" +
			"its read models show the whole log, and the address listens. Logs go to standard error, and where that is a\n" +
			"terminal a link by which the administrator signs in by a browser, once; milepost token link makes another. The administrator's token is in admin.token in --data: remove that file\n" +
			"and start again to have another one.\n\n" + stoppingHelp + "\n\n" + tracingHelp,
		Example: "  milepost serve --data ./milepost-data --ledger main --timezone Asia/Shanghai\n" +
			"  milepost serve --config /etc/milepost.conf\n" +
			"  MILEPOST_LISTEN=127.0.0.1:9090 milepost serve --config /etc/milepost.conf",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := given.settle(); err != nil {
				return err
			}
			log, err := logging.logger(a.err)
			if err != nil {
				return err
			}
			for _, warning := range given.misspelt(os.Environ()) {
				log.Warn(warning)
			}
			cfg.dir, cfg.log = a.dataDir(), log
			if err := cfg.webhooks.settle(cmd, cfg.natsURL != "", cfg.follow); err != nil {
				return err
			}
			return a.serve(cmd.Context(), cfg, listen, func(_ context.Context, s *server) error {
				if isTerminal(a.err) { // a log is read by more than who started it
					_, _ = fmt.Fprintf(a.err, "milepost: sign in, once and within 15 minutes, at %s\n", s.link())
				}
				_, err := fmt.Fprintf(a.out, "milepost: ledger %s ready on %s (pid %d)\n", cfg.name, s.url, os.Getpid())
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&listen.address, "listen", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one; beyond loopback with --tls-cert or --behind-proxy")
	listen.flags(cmd)
	listen.stop.flags(cmd)
	listen.organisation.flags(cmd)
	flags.StringVar(&cfg.name, "ledger", "main", "`name` of the ledger: a-z, 0-9 and -")
	flags.StringVar(&cfg.natsURL, "nats", "", "`URL` of an external NATS server or cluster, instead of the embedded one")
	flags.StringVar(&cfg.creds, "nats-creds", "", "credentials `file` for --nats")
	flags.IntVar(&cfg.replicas, "replicas", 0, "`number` of servers of --nats that each keep a new ledger (default 3 in a cluster, else 1)")
	flags.BoolVar(&cfg.follow, "follow", false, "serve a copy that milepost mirror made: it can be read, and names the origin to those who write")
	flags.StringVar(&cfg.natsListen, "nats-listen", "", "`host:port` where subscribers connect to the embedded NATS server, such as 127.0.0.1:4222; beyond loopback with TLS")
	flags.StringVar(&cfg.natsCert, "nats-tls-cert", "", "PEM `file` with the certificate for --nats-listen")
	flags.StringVar(&cfg.natsKey, "nats-tls-key", "", "PEM `file` with the key of --nats-tls-cert")
	flags.StringVar(&cfg.timezone, "timezone", "", "time zone of a new ledger's civil dates, as `Area/City`, fixed from then on (default UTC)")
	flags.StringVar(&cfg.keyFile, "key", "", "`file` of the key that the ledger signs with (default ledger.key in --data, made with a new ledger)")
	flags.StringVar(&cfg.checkpoints, "checkpoints", "", "`directory` of the signed checkpoints, best on another disk (default checkpoints in --data)")
	flags.IntVar(&cfg.scrubRate, "scrub-rate", scrubRate, "`events` a second that are read and hashed again in the background, to find what has changed on the disk; 0 for none")
	cfg.webhooks.flags(cmd)
	logging.flags(cmd)
	given = a.settingsOf(cmd)
	return cmd
}

// server is a node that listens.
type server struct {
	*node
	url    string // by which this machine reaches it
	signIn *signin.Service
}

// link makes a one-time link by which the administrator signs in.
func (s *server) link() string {
	address, _ := s.signIn.Link(access.Administrator, s.admin)
	return address
}

// checkPatience is how long a start waits for the check of the whole log, of which
// some hundred thousand events are read in a second.
const checkPatience = 250 * time.Millisecond

// serve runs a ledger and its API until the context ends, which is no error, or
// something fails. It calls ready once, when everything has been caught up with.
func (a *app) serve(ctx context.Context, cfg nodeConfig, listen *listening, ready func(context.Context, *server) error) (err error) {
	if err := listen.check(); err != nil {
		return err
	}
	if err := cfg.check(); err != nil {
		return err
	}
	if err := checkNATSListen(cfg); err != nil {
		return err
	}
	if err := checkListens(cfg, listen); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) && eventstore.InUse(cfg.dir) {
			return explainLock(&eventstore.LockedError{Dir: cfg.dir})
		}
		return err
	}
	tracer, untrace, err := a.tracing(ctx, cfg)
	if err != nil {
		return err
	}
	defer untrace()
	cfg.tracer = tracer
	progress := a.bar("compare the log with its checkpoints", -1, false)
	cfg.checking = func(done, total uint64) { progress.set(int64(done), int64(total)) }
	cfg.patience = cmp.Or(cfg.patience, checkPatience)
	n, err := startNode(ctx, cfg)
	progress.finish()
	if err != nil {
		return unlessEnded(ctx, explainLock(err))
	}
	defer func() { err = errors.Join(err, n.Close()) }()

	l, local, told, err := listen.open(cfg.log)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // it is closed where it served
	s := &server{node: n, url: local, signIn: n.newSignIn(listen, told)}
	n.holder.Address, n.holder.Certificate = local, listen.certificate()
	if err := n.holder.write(cfg.dir); err != nil {
		return err
	}
	n.warnOfWebhooks()
	if cfg.webhooks.deliver {
		if err := n.openWebhooks(); err != nil {
			return err
		}
	}
	defer n.spareProcessor()()
	httpServer := api.Server(n.handler(listen.front(), s.signIn), cfg.log)

	g, running := errgroup.WithContext(ctx)
	if n.webhooks != nil {
		g.Go(func() error { n.webhooks.Run(running); return nil })
	}
	g.Go(func() error {
		if err := httpServer.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-running.Done()
		n.notary.Close() // or who waits for a signature does so until the end of the grace period
		if cut := httpServer.Stop(listen.stop.drain, listen.stop.grace); cut > 0 {
			return fmt.Errorf("%s took longer than --grace %v and were told to end: what was acknowledged is done, the rest can be sent again", counted(cut, "request"), listen.stop.grace)
		}
		return nil
	})
	g.Go(func() error { n.models.Renew(running, n.store); return nil })
	g.Go(func() error {
		select {
		case err := <-n.refused:
			return err
		case <-running.Done():
			return nil
		}
	})
	g.Go(func() error {
		if err := n.catchUp(running); err != nil {
			return unlessEnded(ctx, n.orRefused(running, err))
		}
		if n.keeper != nil {
			if err := n.keeper.Start(running, cfg.natsListen != ""); err != nil {
				return unlessEnded(ctx, err)
			}
			g.Go(func() error { n.keeper.Run(running); return nil })
		}
		if cfg.natsListen != "" {
			_, _ = fmt.Fprintf(a.err, "milepost: subscribers connect to %s\n", n.store.Address())
		}
		return unlessEnded(ctx, ready(running, s))
	})
	return g.Wait()
}

// unlessEnded drops the error of a start that was broken off by the wish to end.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// checkListens says what would keep a server from listening, before a new ledger is
// made. Until all is ready nothing listens: who comes earlier is sent to another server,
// and not kept waiting.
func checkListens(cfg nodeConfig, listen *listening) error {
	l, _, _, err := listen.open(cfg.log)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // nothing was taken in
	if cfg.natsListen == "" {
		return nil
	}
	n, err := net.Listen("tcp", cfg.natsListen)
	if err != nil {
		return fmt.Errorf("--nats-listen %s: %w; give another address", cfg.natsListen, err)
	}
	return n.Close()
}

// checkNATSListen says in terms of the flags what the log would refuse.
func checkNATSListen(cfg nodeConfig) error {
	switch {
	case cfg.natsListen != "" && cfg.follow:
		return usagef("--nats-listen %s: subscribers read from the origin, not from a copy; leave it out", cfg.natsListen)
	case cfg.natsListen != "" && cfg.natsURL != "":
		return usagef("--nats-listen %s: subscribers connect to the server that --nats names; leave it out", cfg.natsListen)
	case (cfg.natsCert == "") != (cfg.natsKey == ""):
		return usagef("--nats-tls-cert and --nats-tls-key belong together: give both")
	case cfg.natsListen == "" && cfg.natsCert != "":
		return usagef("--nats-tls-cert %s: say where it is shown with --nats-listen", cfg.natsCert)
	case cfg.natsListen == "":
		return nil
	}
	host, _, err := net.SplitHostPort(cfg.natsListen)
	if err != nil {
		return usagef("--nats-listen %s: want HOST:PORT, such as 127.0.0.1:4222", cfg.natsListen)
	}
	ip := net.ParseIP(host)
	switch loopback := host == "localhost" || ip != nil && ip.IsLoopback(); {
	case cfg.natsCert != "":
		if _, err := tls.LoadX509KeyPair(cfg.natsCert, cfg.natsKey); err != nil {
			return fmt.Errorf("--nats-tls-cert, --nats-tls-key: %w", err)
		}
	case !loopback:
		return fmt.Errorf("--nats-listen %s: other machines can reach this address, and events would pass in clear: "+
			"give --nats-tls-cert and --nats-tls-key, or listen on 127.0.0.1, [::1] or localhost", cfg.natsListen)
	}
	return nil
}

// version of the program, as the Go toolchain stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
