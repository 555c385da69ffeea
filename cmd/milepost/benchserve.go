package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	servedClients = 16
	servedRounds  = 25

	saidBeforeKill = 200 // commands: it is in the midst of writing then
	restartRounds  = 3
)

// memory measures how much memory a server has taken at most, from its start until
// clients have asked it everything, side by side, and sent commands.
func (b *bench) memory(ctx context.Context) (m measurement, err error) {
	l, err := b.apart(ctx)
	if err != nil {
		return m, err
	}
	p, err := l.serve(ctx, b.app.actor())
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	bar := b.app.bar("memory", servedClients*servedRounds, false)
	defer bar.finish()
	g, ctx := errgroup.WithContext(ctx)
	for i := range servedClients {
		random := rand.New(rand.NewPCG(uint64(i), 2022))
		g.Go(func() error {
			for range servedRounds {
				if err := l.askAll(ctx, p.client, random); err != nil {
					return err
				}
				bar.add(1)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return m, err
	}
	peak, err := peakMemory(p.run.Process.Pid)
	return measurement{MiB: &peak}, err
}

// askAll asks every kind of question about a quiet agreement and about all, as of
// now and as of then, and gives a command.
func (l *apart) askAll(ctx context.Context, c *client, random *rand.Rand) error {
	of := string(l.quiet[random.IntN(len(l.quiet))])
	then := url.Values{"as_of": {l.begin.Add(time.Duration(random.Int64N(int64(l.end.Sub(l.begin))))).Format(time.RFC3339Nano)}}
	project := path("v1", "agreements", of, "projects", "project-0")
	for _, q := range []struct {
		address string
		values  url.Values
	}{
		{path("v1", "portfolio"), nil},
		{path("v1", "portfolio"), then},
		{path("v1", "agreements"), then},
		{path("v1", "due"), nil},
		{path("v1", "changes"), url.Values{"limit": {"1000"}}},
		{path("v1", "changes"), url.Values{"agreement": {of}}},
		{path("v1", "agreements", of, "s-curve"), nil},
		{project + "/milestones", then},
		{project + "/trend", nil},
	} {
		if _, err := c.get(ctx, q.address, q.values); err != nil {
			return fmt.Errorf("%s: %w", q.address, err)
		}
	}
	return l.say(ctx, c)
}

// say gives a command that says something new.
func (l *apart) say(ctx context.Context, c *client) error {
	n := int(l.said.Add(1))
	return c.reforecast(ctx, &busyMilestone{agreement: string(l.quiet[n%len(l.quiet)]), project: "project-0", milestone: "milestone-0", said: n / len(l.quiet)})
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is how many MiB of a process were resident at most.
func peakMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory is measured on Linux alone: %w", err)
	}
	found := peakLine.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the system does not say what memory a process has taken")
	}
	kib, err := strconv.ParseFloat(string(found[1]), 64)
	return kib / 1024, err
}

// restart measures from the start of a server that was stopped cleanly until it is
// ready: it shows its whole log.
func (b *bench) restart(ctx context.Context) (measurement, error) {
	return b.restarting(ctx, "restart", (*process).stop)
}

// restartKilled is the same of a server that is killed while it writes.
func (b *bench) restartKilled(ctx context.Context) (measurement, error) {
	return b.restarting(ctx, "restart-killed", func(p *process) error {
		g, writing := errgroup.WithContext(ctx)
		var said atomic.Int64
		busy := make(chan struct{})
		for range servedClients {
			g.Go(func() error {
				for {
					if err := b.alone.say(writing, p.client); err != nil { // it is killed, unless it failed before
						return err
					}
					if said.Add(1) == saidBeforeKill {
						close(busy)
					}
				}
			})
		}
		select {
		case <-busy:
			err := p.kill()
			_ = g.Wait() // it was killed
			return err
		case <-writing.Done():
			return g.Wait()
		}
	})
}

func (b *bench) restarting(ctx context.Context, name string, end func(*process) error) (m measurement, err error) {
	l, err := b.apart(ctx)
	if err != nil {
		return m, err
	}
	bar := b.app.bar(name, restartRounds, false)
	defer bar.finish()
	p, err := l.serve(ctx, b.app.actor())
	var took []float64
	for err == nil && len(took) < restartRounds {
		if err = end(p); err != nil {
			return m, err
		}
		if p, err = l.serve(ctx, b.app.actor()); err == nil {
			took = append(took, p.after.Seconds())
			bar.add(1)
		}
	}
	if err == nil {
		err = p.stop()
	}
	if err != nil {
		return m, err
	}
	return measurement{Seconds: ptr(slices.Max(took))}, nil
}
