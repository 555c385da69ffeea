package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// apart is the largest ledger of --sizes, closed in this process, so that one of
// its own can serve it.
type apart struct {
	dir, token string
	quiet      []domain.Key
	begin, end time.Time // of its log
	said       atomic.Int64
}

// apart closes the largest ledger, once and for good.
func (b *bench) apart(ctx context.Context) (*apart, error) {
	if b.alone != nil {
		return b.alone, nil
	}
	if err := b.growth(ctx); err != nil {
		return nil, err
	}
	last := len(b.scaled) - 1
	s := b.scaled[last]
	b.scaled = b.scaled[:last]
	b.alone = &apart{dir: s.cfg.dir, token: s.admin, quiet: s.quiet, begin: s.begin, end: s.now.At}
	return b.alone, s.Close()
}

// process is a server of a ledger that this process started.
type process struct {
	*client
	run   *exec.Cmd
	said  bytes.Buffer  // on standard error; to be read when it has ended
	after time.Duration // it was ready
}

var saysReady = regexp.MustCompile(`ready on (\S+)`)

// serve starts a server of the ledger as milepost serve does, and returns when it
// says that it is ready.
func (l *apart) serve(ctx context.Context, actor string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{run: exec.CommandContext(ctx, program, "serve", "--data", l.dir, "--ledger", benchLedger, "--listen", "127.0.0.1:0")}
	p.run.Args[0] = os.Args[0]
	p.run.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MILEPOST_") })
	p.run.Stderr = &p.said
	out, err := p.run.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := p.run.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if ready := saysReady.FindStringSubmatch(lines.Text()); ready != nil {
			p.after = time.Since(start)
			p.client = &client{base: ready[1], token: l.token, actor: actor}
			return p, nil
		}
	}
	return nil, fmt.Errorf("milepost serve ended before it was ready: %w: %s", errors.Join(lines.Err(), p.run.Wait()), p.said.String())
}

// stop ends the server cleanly.
func (p *process) stop() error {
	if err := p.run.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := p.run.Wait(); err != nil {
		return fmt.Errorf("milepost serve: %w: %s", err, p.said.String())
	}
	return nil
}

// kill ends it as kill -9 does.
func (p *process) kill() error {
	err := p.run.Process.Kill()
	_ = p.run.Wait() // it says that it was killed
	return err
}
