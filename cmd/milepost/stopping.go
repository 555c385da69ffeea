package main

import (
	"time"

	"github.com/spf13/cobra"
)

// stopping says how long a server that is told to stop goes on.
type stopping struct{ drain, grace time.Duration }

const defaultGrace = 30 * time.Second

const stoppingHelp = "Told to stop, it says so at /readyz (503, code stopping) and goes on for the time of --drain, so that a proxy turns to another\n" +
	"server. Then it lets nobody in, ends the streams of events, and waits --grace for the requests under way. What is left then\n" +
	"is told to end, an import between two batches, and the exit code is 1; else it is 0. A second signal ends it at once."

func (s *stopping) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&s.drain, "drain", 0, "how `long` it takes requests after it was told to stop; behind a proxy longer than that takes to notice")
	cmd.Flags().DurationVar(&s.grace, "grace", defaultGrace, "how `long` requests under way may then take to end")
}

func (s *stopping) check() error {
	if s.drain < 0 || s.grace < 0 {
		return usagef("--drain %v --grace %v: want times such as 10s", s.drain, s.grace)
	}
	return nil
}
