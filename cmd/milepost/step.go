package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
)

// step is one event of an agreement and what it changed.
type step struct {
	Seq       uint64          `json:"seq"`
	Recorded  json.RawMessage `json:"recorded_at"`
	Effective json.RawMessage `json:"effective"`
	Type      json.RawMessage `json:"type"`
	Entity    json.RawMessage `json:"entity"`
	Version   json.RawMessage `json:"version"` // of the aggregate
	Actor     json.RawMessage `json:"actor"`
	Party     json.RawMessage `json:"party"`
	Reason    json.RawMessage `json:"reason"`
	Note      json.RawMessage `json:"note"`
	Corrects  json.RawMessage `json:"corrects"`
	Changes   []stepChange    `json:"changes"`
}

// stepChange is one field that an event changed.
type stepChange struct {
	seq    uint64
	Entity json.RawMessage `json:"entity"`
	Field  json.RawMessage `json:"field"`
	Old    json.RawMessage `json:"old"`
	New    json.RawMessage `json:"new"`
}

// steps walks through the agreement.
func (r *replay) steps() error {
	if r.output != "table" && r.output != "json" {
		return usagef("-o %s: --step has table and json", r.output)
	}
	first := uint64(1)
	if r.from != "" {
		digits, ok := strings.CutPrefix(r.from, "seq:")
		n, err := strconv.ParseUint(digits, 10, 63)
		if !ok || err != nil || n == 0 {
			return usagef("--from %s: want seq:N, the sequence of an event", r.from)
		}
		first = n
	}
	walk := func(ctx context.Context, c *client) error { return r.walk(ctx, c, first) }
	return r.work(r.where, walk, func(ctx context.Context, n *node) error { return r.served(ctx, n, walk) })
}

func (r *replay) walk(ctx context.Context, c *client, first uint64) error {
	wait := r.prompt()
	for s, err := range c.steps(ctx, r.agreement, first) {
		if err != nil {
			return err
		}
		if r.output == "json" {
			err = r.printJSON(s)
		} else {
			_, err = io.WriteString(r.app.out, s.text(r.forPeople()))
		}
		if err != nil || !wait() {
			return err
		}
	}
	return nil
}

// prompt waits for Enter where a person looks on, and says whether to go on.
func (r *replay) prompt() (wait func() bool) {
	in, isFile := r.in.(*os.File)
	out, isFileToo := r.app.out.(*os.File)
	if !isFile || !isFileToo || !isatty.IsTerminal(in.Fd()) || !isatty.IsTerminal(out.Fd()) {
		return func() bool { return true }
	}
	lines := bufio.NewScanner(in)
	return func() bool {
		_, _ = fmt.Fprint(r.err, "Enter goes on, q ends ")
		return lines.Scan() && !strings.HasPrefix(strings.TrimSpace(lines.Text()), "q")
	}
}

// text shows a step to people.
func (s *step) text(of style) string {
	var b strings.Builder
	line := func(indent, text string) { fmt.Fprintln(&b, indent+clean(text)) }
	line("", fmt.Sprintf("%d  %s  %s", s.Seq, of.text(s.Recorded), of.text(s.Type)))
	line("    ", fmt.Sprintf("%s, version %s, effective %s", of.text(s.Entity), of.text(s.Version), of.text(s.Effective)))
	who := "by " + of.text(s.Actor)
	if party := of.text(s.Party); party != "" {
		who += " (" + party + ")"
	}
	for _, why := range []json.RawMessage{s.Reason, s.Note} {
		if text := of.text(why); text != "" {
			who += ", " + text
		}
	}
	line("    ", who)
	if id := of.text(s.Corrects); id != "" {
		line("    ", "corrects "+id)
	}
	entity := ""
	for _, c := range s.Changes {
		if now := of.text(c.Entity); now != entity {
			entity = now
			line("    ", entity)
		}
		line("      ", of.text(c.Field)+": "+transition(of.text(c.Old), of.text(c.New)))
	}
	return b.String()
}

// steps reads the events of an agreement from one on, and what they changed,
// side by side. Both lists end where the log did at the first question.
func (c *client) steps(ctx context.Context, agreement string, first uint64) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		if _, err := c.get(ctx, path("v1", "agreements", agreement), nil); err != nil { // it may not be there
			yield(step{}, err)
			return
		}
		end, err := c.now(ctx)
		if err != nil || first > end {
			if err != nil {
				yield(step{}, err)
			}
			return
		}
		after, to := strconv.FormatUint(first-1, 10), fmt.Sprintf("seq:%d", end)
		nextChange, stop := iter.Pull2(items(ctx, c, path("v1", "changes"), "changes", changeOf, url.Values{
			"agreement": {agreement}, "from": {"seq:" + after}, "to": {to},
		}))
		defer stop()
		change, err, more := nextChange()
		for s, failed := range items(ctx, c, path("v1", "events"), "items", stepOf, url.Values{
			"agreement": {agreement}, "after": {after}, "as_of": {to},
		}) {
			for failed == nil && more && err == nil && change.seq <= s.Seq {
				s.Changes = append(s.Changes, change)
				change, err, more = nextChange()
			}
			if failed == nil && more {
				failed = err
			}
			if !yield(s, failed) || failed != nil {
				return
			}
		}
	}
}

// now is the sequence up to which the server shows the log.
func (c *client) now(ctx context.Context) (uint64, error) {
	answer, err := c.get(ctx, path("v1", "agreements"), url.Values{"limit": {"1"}})
	if err != nil {
		return 0, err
	}
	var list struct {
		AsOf struct{ Seq uint64 } `json:"as_of"`
	}
	err = json.Unmarshal(answer, &list)
	return list.AsOf.Seq, err
}

// stepPage is how many items the walk asks for at a time.
const stepPage = "200"

// items reads a list page by page, each item with read.
func items[T any](ctx context.Context, c *client, path, member string, read func(record) (T, error), values url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		values.Set("limit", stepPage)
		for {
			answer, err := c.get(ctx, path, values)
			var page record
			var list []record
			if err == nil {
				err = json.Unmarshal(answer, &page)
			}
			if err == nil {
				err = json.Unmarshal(page.values[member], &list)
			}
			var next string
			if err == nil {
				next, err = nextOf(answer)
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, r := range list {
				if item, err := read(r); !yield(item, err) || err != nil {
					return
				}
			}
			if next == "" {
				return
			}
			values.Set("cursor", next)
		}
	}
}

func stepOf(r record) (s step, err error) {
	var event record
	if err = json.Unmarshal(r.values["seq"], &s.Seq); err == nil {
		err = json.Unmarshal(r.values["event"], &event)
	}
	v := event.values
	s.Recorded, s.Effective, s.Type, s.Entity, s.Version = v["time"], v["effective"], v["type"], v["subject"], v["version"]
	s.Actor, s.Party, s.Reason, s.Note, s.Corrects = v["actor"], v["party"], v["reason"], v["note"], v["corrects"]
	s.Changes = []stepChange{}
	return s, err
}

func changeOf(r record) (c stepChange, err error) {
	v := r.values
	c.Entity, c.Field, c.Old, c.New = v["entity"], v["field"], v["old"], v["new"]
	return c, json.Unmarshal(v["seq"], &c.seq)
}
