package projections

import (
	"fmt"
	"strings"
)

// index is an index of some columns of a table.
type index struct {
	name    string
	table   described
	columns []string
	unique  bool
	says    string // only the rows in which this column says something are in it; "" where all are
}

// indexes are those of all tables.
func indexes() []index {
	all := []index{
		{name: "word_text", table: wordTable, columns: []string{"text"}, unique: true},
		{name: "entity_path", table: entityTable, columns: []string{"agreement", "path"}, unique: true},
		{name: "entity_parent", table: entityTable, columns: []string{"parent", "kind"}},
		{name: "event_agreement", table: eventTable, columns: []string{"agreement"}, says: "agreement"},
		{name: "event_aggregate", table: eventTable, columns: []string{"aggregate"}},
		{name: "event_actor", table: eventTable, columns: []string{"actor"}},
		{name: "event_party", table: eventTable, columns: []string{"party"}, says: "party"},
		{name: "event_reason", table: eventTable, columns: []string{"reason"}, says: "reason"},
		{name: "event_type", table: eventTable, columns: []string{"type"}},
		{name: "event_backdated", table: eventTable, columns: []string{"seq"}, says: "backdated"},
		{name: "event_corrections", table: eventTable, columns: []string{"seq"}, says: "corrects"},
		{name: "event_id", table: eventTable, columns: []string{"id_start"}},
		{name: "event_command", table: eventTable, columns: []string{"command_hash"}},
		{name: "change_entity", table: changeTable, columns: []string{"entity", "field"}},
		{name: "change_field", table: changeTable, columns: []string{"field"}},
		{name: "tile_place", table: tileTable, columns: []string{"tree", "level", "n"}, unique: true},
		{name: "awaiting_party", table: awaitingTable, columns: []string{"party", "from_seq"}},
	}
	for _, t := range versioned {
		name, _, _ := t.describe()
		all = append(all, index{name: name + "_version", table: t, columns: versionLead, unique: true})
	}
	return all
}

// sql makes the index.
func (x *index) sql() string {
	name, _, cols := x.table.describe()
	unique, where := "", ""
	if x.unique {
		unique = "UNIQUE "
	}
	for _, c := range cols {
		if c.name == x.says {
			where = fmt.Sprintf(" WHERE %s %s", c.name, saysSQL[c.kind])
		}
	}
	return fmt.Sprintf("CREATE %sINDEX %s ON %s (%s)%s;\n", unique, x.name, name, strings.Join(x.columns, ", "), where)
}

// saysSQL is the condition that a column says something, which cell.says is in Go.
var saysSQL = map[columnKind]string{columnWord: "IS NOT NULL", columnInt: "= 1", columnText: "<> ''"}

// says reports whether the cell says something: what a truth value, a word or a
// text says.
func (c *cell) says() bool {
	switch c.kind {
	case columnInt:
		return c.i == 1
	case columnText:
		return c.s != ""
	}
	return !c.null
}
