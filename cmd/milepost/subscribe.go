package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain/catalogue"
)

const (
	fromNow   = "now"
	fromFirst = "first"
)

func newSubscribe(a *app) *cobra.Command {
	s := subscription{app: a}
	var agreement, kind, eventType, from, position, out, command string
	var retries int
	cmd := &cobra.Command{
		Use: "subscribe", Short: "Follow the events as they are recorded",
		Long: "Follow the events as they are recorded, until SIGINT or SIGTERM: one line of JSON each, {\"seq\":N,\"event\":{...}}, in\n" +
			"which the event is byte for byte as it is stored. When the connection breaks it is made again, and goes on where it\n" +
			"broke off: no event is missed and none comes twice.\n\n" +
			"With --position the place is kept in a file, and the next run goes on from there. It moves when an event has been\n" +
			"printed or its command has succeeded, so a run that is killed in between repeats that event. With --out, too, the\n" +
			"events are in that file exactly once, whenever a run is killed: the place has the length of the file, to which\n" +
			"the next run cuts it back. What was recorded before the first run is in it only with --from first.\n\n" +
			"With --exec a shell runs the command for each event, one after the other: the event is on its standard input, and\n" +
			"MILEPOST_SEQ and MILEPOST_TYPE are in its environment. One that fails is run again, after longer and longer pauses.",
		Example: "  milepost subscribe --from first | jq .event.type\n" +
			"  milepost subscribe --from first --agreement wuxi-cethik-2017 --position wuxi.position --out wuxi.jsonl\n" +
			"  milepost subscribe --kind project --position mail.position --exec 'mail -s \"$MILEPOST_TYPE\" office@example.org'",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&agreement, "agreement", "", "only events of this agreement and what is under it")
	flags.StringVar(&kind, "kind", "", "only events of aggregates of this kind, such as project")
	flags.StringVar(&eventType, "type", "", "only events of this type, such as milepost.project.started.v1")
	flags.StringVar(&from, "from", fromNow, "where to begin, unless there is a position already: the `sequence` of the first event wanted, first or now")
	flags.StringVar(&position, "position", "", "`file` that keeps the place; made if it is not there")
	flags.StringVar(&out, "out", "", "append the events to this `file` instead of printing them; takes --position")
	flags.StringVar(&command, "exec", "", "shell `command` to run for each event")
	flags.IntVar(&retries, "retries", -1, "how `often` to run a command again that failed, before giving up; -1 for ever")
	complete(cmd, "from", fromNow, fromFirst)
	complete(cmd, "kind", aggregateKinds()...)
	complete(cmd, "type", eventTypes()...)
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s.filter = url.Values{}
		for name, value := range map[string]string{"agreement": agreement, "kind": kind, "type": eventType} {
			if cmd.Flags().Changed(name) {
				s.filter.Set(name, value)
			}
		}
		after, err := beginning(from)
		switch {
		case err != nil:
			return err
		case out != "" && command != "":
			return usagef("--out and --exec: give one of them")
		case out != "" && position == "":
			return usagef("--out takes --position, the file by which the next run goes on")
		case cmd.Flags().Changed("retries") && command == "":
			return usagef("--retries is for --exec")
		case a.output == "csv":
			return usagef("-o csv: events are printed as lines of JSON")
		}
		if s.client, err = a.client(); err != nil {
			return err
		}
		s.mark, err = openBookmark(position, out, s.filter.Encode(), after)
		if err != nil {
			return err
		}
		defer s.mark.close()
		switch {
		case command != "":
			s.taker = &commandTaker{command: command, retries: retries, out: a.out, err: a.err, note: s.note}
		case out != "":
			s.taker = s.mark
		default:
			s.taker = printTaker{a.out}
		}
		return s.run(cmd.Context())
	}
	return cmd
}

// beginning reads --from: the sequence after which to begin, nil for now.
func beginning(from string) (after *uint64, err error) {
	switch from {
	case fromNow:
		return nil, nil
	case fromFirst:
		return new(uint64), nil
	}
	seq, err := strconv.ParseUint(from, 10, 64)
	if err != nil || seq == 0 {
		return nil, usagef("--from %s: want the sequence of an event, first or now", from)
	}
	seq--
	return &seq, nil
}

func aggregateKinds() (names []string) {
	for _, aggregate := range catalogue.Aggregates {
		names = append(names, aggregate.Kind)
	}
	return names
}

func eventTypes() (names []string) {
	for _, e := range catalogue.EventTypes() {
		names = append(names, e.Type)
	}
	return names
}
