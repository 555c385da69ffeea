package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// appendLines writes each event as the items of /v1/events begin: its sequence,
// and the bytes that are stored.
func appendLines(b []byte, events []streamed) []byte {
	for _, e := range events {
		b = append(b, `{"seq":`...)
		b = strconv.AppendUint(b, e.seq, 10)
		b = append(b, `,"event":`...)
		b = append(b, e.data...)
		b = append(b, "}\n"...)
	}
	return b
}

// printTaker prints events.
type printTaker struct{ out io.Writer }

func (t printTaker) most() int { return batchEvents }

func (t printTaker) take(_ context.Context, events []streamed) error {
	_, err := t.out.Write(appendLines(nil, events))
	return err
}

// commandTaker runs a command for each event.
type commandTaker struct {
	command  string
	retries  int // below 0: for ever
	out, err io.Writer
	note     func(format string, args ...any)
}

// most is 1, so that the place moves with each command that succeeds.
func (t *commandTaker) most() int { return 1 }

func (t *commandTaker) take(ctx context.Context, events []streamed) error {
	for _, e := range events {
		var wait backoff
		for {
			err := t.run(e)
			if err == nil {
				break
			}
			if ctx.Err() != nil { // the signal may have ended the command, too
				return ctx.Err()
			}
			if t.retries >= 0 && wait.failures >= t.retries {
				return fmt.Errorf("the command failed for event %d: %w", e.seq, err)
			}
			t.note("the command failed for event %d: %v; running it again", e.seq, err)
			if err := wait.pause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// run runs the command to its end. A signal to this program does not end it: the
// event would be half done.
func (t *commandTaker) run(e streamed) error {
	var event struct{ Type string }
	if err := json.Unmarshal(e.data, &event); err != nil {
		return fmt.Errorf("event %d does not read: %w", e.seq, err)
	}
	cmd := exec.Command("sh", "-c", t.command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(e.data), t.out, t.err
	cmd.Env = append(os.Environ(), "MILEPOST_SEQ="+strconv.FormatUint(e.seq, 10), "MILEPOST_TYPE="+event.Type)
	return cmd.Run()
}
