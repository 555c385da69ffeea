package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Grid is a list as a table to be written.
type Grid struct {
	Columns []string
	rows    [][]value // of the length of Columns
}

// value is one cell: a JSON scalar, or the text of what is none.
type value struct {
	kind valueKind
	text string
}

type valueKind int

const (
	none valueKind = iota
	words
	numeric // text is a JSON number
	truth   // text is true or false
)

// FromJSON makes a table of JSON objects. Its columns are their members in
// order, those named in first before all others, whether an object has them or
// not. An object within an object has a column for each of its members,
// "title.en"; a list of scalars is one text with semicolons; what is deeper is
// its JSON. So are the objects among the values of a change, old and new, which
// are of any kind.
func FromJSON(first []string, items []json.RawMessage) (Grid, error) {
	var root node
	for _, name := range first {
		root.child(name, len(root.children))
	}
	rows := make([]map[*node]value, len(items))
	for i, item := range items {
		rows[i] = map[*node]value{}
		if err := root.read(item, rows[i], true); err != nil {
			return Grid{}, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	var g Grid
	var leaves []*node
	root.leaves("", func(name string, n *node) {
		g.Columns, leaves = append(g.Columns, name), append(leaves, n)
	})
	for _, r := range rows {
		cells := make([]value, len(leaves))
		for i, n := range leaves {
			cells[i] = r[n]
		}
		g.rows = append(g.rows, cells)
	}
	return g, nil
}

// node is a member of the objects, and at its leaves a column.
type node struct {
	name     string
	children []*node
	says     bool // some object has a value here that is no object
}

// child returns the child of a name and its place; one that is not there yet
// is put at place.
func (n *node) child(name string, place int) (*node, int) {
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == name })
	if i < 0 {
		i = place
		n.children = slices.Insert(n.children, place, &node{name: name})
	}
	return n.children[i], i
}

// read puts the members of an object into a row, and those of its objects if
// it is the outer one.
func (n *node) read(object json.RawMessage, row map[*node]value, outer bool) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("want a JSON object, got %.40s", object)
	}
	for place := 0; dec.More(); place++ {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		var c *node
		c, place = n.child(name.(string), place)
		if raw[0] == '{' && outer && c.name != "old" && c.name != "new" {
			if err := c.read(raw, row, false); err != nil {
				return err
			}
			continue
		}
		v := valueOf(raw)
		c.says = c.says || v.kind != none
		row[c] = v
	}
	return nil
}

// leaves yields the columns in order. A member that some objects have as an
// object and others not at all has the columns of the object alone.
func (n *node) leaves(prefix string, yield func(string, *node)) {
	for _, c := range n.children {
		if c.says || len(c.children) == 0 {
			yield(prefix+c.name, c)
		}
		c.leaves(prefix+c.name+".", yield)
	}
}

func valueOf(raw json.RawMessage) value {
	switch c := raw[0]; {
	case c == 'n':
		return value{}
	case c == 't' || c == 'f':
		return value{truth, string(raw)}
	case c == '"':
		var s string
		_ = json.Unmarshal(raw, &s) // it was decoded as JSON before
		return value{words, s}
	case c == '[':
		return value{words, joined(raw)}
	case c == '{':
		return value{words, string(raw)}
	}
	return value{numeric, string(raw)}
}

// joined is a list as one text.
func joined(raw json.RawMessage) string {
	var items []json.RawMessage
	_ = json.Unmarshal(raw, &items) // it was decoded as JSON before
	parts := make([]string, len(items))
	for i, item := range items {
		if item[0] == '{' || item[0] == '[' {
			return string(raw)
		}
		parts[i] = valueOf(item).text
	}
	return strings.Join(parts, ";")
}

// WriteCSV writes the table by RFC 4180, with no byte order mark.
func (g Grid) WriteCSV(w io.Writer) error {
	rows := [][]string{g.Columns}
	for _, r := range g.rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = v.text
			if v.kind == words {
				cells[i] = Defuse(v.text)
			}
		}
		rows = append(rows, cells)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// Defuse keeps a spreadsheet from taking a text in CSV for a formula: a reason
// such as =HYPERLINK(...) came from some other person's keyboard. It puts an
// apostrophe before what begins with =, +, -, @, a tab or a line break.
func Defuse(cell string) string {
	if cell != "" && strings.IndexByte("=+-@\t\r\n", cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}
