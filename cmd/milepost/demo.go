package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
)

// demoFiles hold the demo ledger: its evidence, and its commands, to be imported
// in the order of their names.
//
//go:embed demo/*.jsonl demo/evidence/*
var demoFiles embed.FS

func newDemo(a *app) *cobra.Command {
	var dir, listen string
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a ledger with the cooperation of Wuxi and CETHIK in it, to try things on",
		Long: "Run a ledger in a temporary directory with the agreements of Wuxi and CETHIK of 2017, 2018 and 2022: their\n" +
			"projects and milestones, meetings, obligations, funds, results and an amendment, until Ctrl-C. What is public\n" +
			"is so; milestones and figures are illustrative.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), dir, listen) },
	}
	cmd.Flags().StringVar(&dir, "data", "", "keep the ledger in this `directory` (default a temporary one, removed at the end)")
	cmd.Flags().StringVar(&listen, "listen", "", "loopback `host:port` to listen on (default 127.0.0.1:8080, or a free port where that is taken)")
	_ = cmd.MarkFlagDirname("data") // the flag is there
	return cmd
}

func (a *app) demo(ctx context.Context, dir, listen string) (err error) {
	kept := dir != ""
	if !kept {
		if dir, err = os.MkdirTemp("", "milepost-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if listen == "" {
		listen = freeAddress("127.0.0.1:8080")
	}
	cfg := nodeConfig{
		dir: dir, name: "demo", timezone: "Asia/Shanghai", scrubRate: scrubRate, log: a.logger(),
		webhooks: webhookConfig{deliver: true},
	}
	return a.serve(ctx, cfg, &listening{address: listen, stop: stopping{grace: defaultGrace}}, func(ctx context.Context, s *server) error {
		if err := s.importDemo(ctx); err != nil {
			return err
		}
		_, err := fmt.Fprint(a.out, demoGreeting(s.url, s.link(), dir, kept))
		return err
	})
}

// freeAddress returns the address, or where it is taken the same host with port
// 0, which picks a free one.
func freeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if err != nil {
		host, _, _ := net.SplitHostPort(address)
		return net.JoinHostPort(host, "0")
	}
	_ = l.Close() // nothing was accepted
	return address
}

// importDemo puts the demo's evidence and commands into the ledger; what a kept
// directory has already is skipped.
func (n *node) importDemo(ctx context.Context) error {
	evidence, err := fs.Glob(demoFiles, "demo/evidence/*")
	if err != nil {
		return err
	}
	for _, name := range evidence {
		b, err := demoFiles.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := n.store.PutEvidence(ctx, bytes.NewReader(b), ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	names, err := fs.Glob(demoFiles, "demo/*.jsonl")
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := demoFiles.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := n.ledger.Import(ctx, ledger.Lines(bytes.NewReader(b)), nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return n.catchUp(ctx)
}

// demoTries are the commands that the demo offers; a test runs each.
var demoTries = []string{
	"show agreements",
	"show milestones --agreement wuxi-cethik-2017 --project iot-base",
	"changes --agreement wuxi-cethik-2017 --project iot-base --milestone structure",
	"changes --agreement wuxi-cethik-2022 --since-meeting coordination --mode net",
	"blame --entity wuxi-cethik-2017:project/iot-base/milestone/structure --field forecast",
	"show milestones --agreement wuxi-cethik-2017 --project iot-base --effective-at 2018-06-30",
	"show awaiting --party wuxi",
	"show funding --agreement wuxi-cethik-2017 --by party",
	"show results --agreement wuxi-cethik-2017 --by beneficiary",
	"show balance --agreement wuxi-cethik-2022",
	"show trend --agreement wuxi-cethik-2022 --project transformation-platform",
	"replay",
	"schema milepost.project.milestone-reforecast.v1",
}

func demoGreeting(url, link, dir string, kept bool) string {
	data := dir
	if !kept {
		dir += " (removed at the end)"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "A ledger with the cooperation of Wuxi and CETHIK is ready.\n"+
		"What is public about it is so; milestones and figures are illustrative.\n\n"+
		"  address  %s\n  sign in  %s  (once, within 15 minutes)\n  data     %s\n\n"+
		"Open the sign-in link in a browser first. Then look at:\n\n"+
		"  an agreement, and its project \"Industrialisation of sensor products\": what slipped, by how much, and why\n"+
		"  its Meetings: what changed since the last one, in one click\n"+
		"  the menu \"As of\" at the top: everything as it was known on any day, step by step\n\n"+
		"In another terminal, try:\n\n  export MILEPOST_DATA=%s\n", url, link, dir, data)
	for _, try := range demoTries {
		fmt.Fprintf(&b, "  %s %s\n", programName(), try)
	}
	b.WriteString("\nTitles come in English and Chinese: add --lang zh. Ctrl-C ends the demo.\n")
	return b.String()
}

// programName is how to call this program again.
func programName() string {
	name := os.Args[0]
	if strings.Contains(name, "go-build") {
		return "go run ./cmd/milepost"
	}
	if strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	return "milepost"
}
