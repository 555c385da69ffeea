package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"

	"github.com/spf13/cobra"
)

// query is the flags of a verb that reads; each becomes the query parameter of
// the same name when it is given.
type query struct {
	cmd    *cobra.Command
	params []string
	always url.Values // parameters that the verb itself gives
	all    bool
}

// newQuery gives cmd the flags that every question has, and those of a list.
func newQuery(cmd *cobra.Command, list bool) *query {
	q := &query{cmd: cmd}
	cmd.Flags().SortFlags = false
	if list {
		q.add("limit", "at most this many items (default 100, at most 1000)")
		q.add("cursor", "go on where an answer ended: its \"next\"")
		cmd.Flags().BoolVar(&q.all, "all", false, "follow the cursors to the end")
		addOut(cmd)
	}
	q.add("min_seq", "wait until the answer covers this sequence, such as that of your receipt")
	return q
}

func (q *query) add(name, usage string) {
	q.params = append(q.params, name)
	q.cmd.Flags().String(flagName(name), "", usage)
}

// addSwitch adds a flag that takes no value.
func (q *query) addSwitch(name, usage string) {
	q.params = append(q.params, name)
	q.cmd.Flags().Bool(flagName(name), false, usage)
}

func (q *query) addAsOf() {
	q.add("as_of", "as it was at this instant (RFC 3339), on this day (its end), or at seq:N")
}

func (q *query) addEffectiveAt() {
	q.add("effective_at", "what holds by this date: of what was recorded, that which is effective from then or before")
}

// values are the parameters. One that is given empty is sent so, and refused by
// the server: a script's unset variable must not widen an answer.
func (q *query) values() url.Values {
	values := url.Values{}
	maps.Copy(values, q.always)
	for _, name := range q.params {
		if f := q.cmd.Flags().Lookup(flagName(name)); f.Changed {
			values.Set(name, f.Value.String())
		}
	}
	return values
}

// list asks for the list at path whose items are in the member called items.
// With --all it puts the pages together: the first one's other members stay.
func (q *query) list(a *app, path, items string) ([]byte, error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	ctx, values := q.cmd.Context(), q.values()
	if q.all && !values.Has("limit") {
		values.Set("limit", "1000")
	}
	answer, err := c.get(ctx, path, values)
	if err != nil {
		return nil, err
	}
	next, err := nextOf(answer)
	if err != nil || next == "" {
		return answer, err
	}
	if !q.all {
		if a.output == "table" {
			_, _ = fmt.Fprintln(a.err, "milepost: there is more: --all shows everything, --cursor "+next+" the next page")
		}
		return answer, nil
	}
	whole := pages{items: items}
	if err := whole.add(answer); err != nil {
		return nil, err
	}
	for next != "" {
		values.Set("cursor", next)
		if answer, err = c.get(ctx, path, values); err != nil {
			return nil, err
		}
		if err := whole.add(answer); err != nil {
			return nil, err
		}
		if next, err = nextOf(answer); err != nil {
			return nil, err
		}
	}
	return whole.join(answer)
}

func nextOf(answer []byte) (string, error) {
	var page struct {
		Next *string `json:"next"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return "", fmt.Errorf("the answer is not a list: %w", err)
	}
	if page.Next == nil {
		return "", nil
	}
	return *page.Next, nil
}

// pages collects the items of a list.
type pages struct {
	items string
	all   []json.RawMessage
}

func (p *pages) add(answer []byte) error {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	if err := json.Unmarshal(answer, &members); err != nil {
		return fmt.Errorf("the answer is not a list: %w", err)
	}
	if err := json.Unmarshal(members[p.items], &items); err != nil {
		return fmt.Errorf("the answer is not a list: %w", err)
	}
	p.all = append(p.all, items...)
	return nil
}

// join returns the last page with the items of all: its other members, such as
// "complete" and "next", are those of the whole.
func (p *pages) join(last []byte) ([]byte, error) {
	var r record
	if err := json.Unmarshal(last, &r); err != nil {
		return nil, err
	}
	items, err := json.Marshal(p.all)
	if err != nil {
		return nil, err
	}
	r.values[p.items] = items
	return r.MarshalJSON()
}
