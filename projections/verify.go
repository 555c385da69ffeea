package projections

import (
	"context"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
)

// VerifyTables computes the digest again from the rows in the tables, and
// returns a *TablesError with the first sequence whose rows are not what the
// projector wrote: the file was edited, or is damaged. It sees one moment of
// the file and holds up nobody. The Merkle trees it computes from the leaves in
// the register.
func (m *Models) VerifyTables(ctx context.Context) error { return m.verify(ctx, nil) }

// verify does it; prepare may look at the verifier before.
func (m *Models) verify(ctx context.Context, prepare func(*verifier)) error {
	if m.opts.View != nil {
		return errOfView
	}
	file, err := m.acquire(0)
	if err != nil {
		return err
	}
	defer file.inUse.Done()
	return file.read(ctx, func(conn *sqlite.Conn) error {
		at, err := readPosition(conn)
		if err != nil {
			return err
		}
		v := &verifier{words: wordReader{conn, &textCache{}}, chain: newChain(digest{}, digest{}), names: map[int64]string{0: ""}, trees: map[string]*tree{}}
		if prepare != nil {
			prepare(v)
		}
		return v.verify(ctx, conn, at)
	})
}

// verifier walks all tables side by side. Rows are written in the order of
// events and never again, so the order of rowids is that of the digest.
type verifier struct {
	words wordReader
	rows  digestRows
	input digestInput // of the event at hand
	chain *chain
	names map[int64]string // of entities, by id
	seq   uint64           // at hand
	trees map[string]*tree
	tiles []tileRow // that the event at hand fills, as far as they were not met
	mark  int64     // of the last event row
}

// cursor is a walk through one table.
type cursor struct {
	order int
	name  string
	lead  []string
	cols  []column
	stmt  *sqlite.Stmt
	ended bool
	seq   uint64 // of the row at hand
	cells []cell // of the row at hand
}

func (v *verifier) verify(ctx context.Context, conn *sqlite.Conn, at position) error {
	var cursors []*cursor
	for order, t := range slices.Concat(registers, versioned) {
		c := &cursor{order: order}
		c.name, c.lead, c.cols = t.describe()
		cursors = append(cursors, c)
		if err := v.open(conn, c); err != nil {
			return err
		}
		defer c.stmt.Reset()
	}
	for seq := uint64(1); seq <= at.seq; seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.seq = seq
		for _, c := range cursors {
			if err := v.take(c, seq); err != nil {
				return err
			}
		}
		v.input.reset()
		v.rows.end(&v.input)
		err := v.chain.take(&v.input, func(int) error {
			if v.chain.mark.short() != v.mark {
				return &TablesError{Seq: seq, What: "a row of this event was changed, added or removed"}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(v.tiles) > 0 {
			return v.missing(seq)
		}
	}
	for _, c := range cursors {
		if !c.ended {
			return v.blame(c, at.seq+1, "there are rows of later events, or out of order")
		}
	}
	if v.chain.now != at.digest || v.chain.mark != at.mark {
		return &TablesError{Seq: at.seq, Table: "position", What: "table position: the digest was changed"}
	}
	return nil
}

func (v *verifier) open(conn *sqlite.Conn, c *cursor) (err error) {
	query := "SELECT " + strings.Join(c.lead, ", ")
	for _, col := range c.cols {
		query += ", " + col.name
	}
	if c.stmt, err = conn.Prepare(query + " FROM " + c.name + " ORDER BY rowid"); err != nil {
		return err
	}
	return v.step(c)
}

// step goes on to the next row.
func (v *verifier) step(c *cursor) error {
	found, err := c.stmt.Step()
	if err != nil {
		return err
	}
	if c.ended = !found; c.ended {
		return nil
	}
	c.cells = c.cells[:0]
	for i, col := range c.cols {
		at := len(c.lead) + i
		x := cell{kind: col.kind, undigested: col.undigested, null: c.stmt.ColumnType(at) == sqlite.TypeNull}
		switch col.kind {
		case columnText:
			x.s = c.stmt.ColumnText(at)
		case columnBlob:
			b := make([]byte, c.stmt.ColumnLen(at))
			c.stmt.ColumnBytes(at, b)
			x.s = string(b)
		default:
			x.i = c.stmt.ColumnInt64(at)
		}
		c.cells = append(c.cells, x)
	}
	switch c.order {
	case orderEntity:
		c.seq = uint64(c.cells[len(c.cells)-1].i)
		v.names[c.stmt.ColumnInt64(0)] = entityName(c.cells[0].s, c.cells[1].s)
	case orderEvent:
		c.seq = uint64(c.stmt.ColumnInt64(0))
	case orderChange:
		c.seq = uint64(c.stmt.ColumnInt64(0)) >> changeBits
	case orderTile:
		c.seq = uint64(c.stmt.ColumnInt64(0)) >> tileBits
	default:
		c.seq = uint64(c.stmt.ColumnInt64(1))
	}
	return nil
}

// take adds the rows of event seq to the digest.
func (v *verifier) take(c *cursor, seq uint64) error {
	for !c.ended && c.seq == seq {
		if err := v.add(c); err != nil {
			return v.blame(c, seq, err.Error())
		}
		if err := v.step(c); err != nil {
			return err
		}
	}
	if !c.ended && c.seq < seq {
		return v.blame(c, c.seq, "a row is out of order")
	}
	return nil
}

// blame says what is wrong with the row at hand.
func (v *verifier) blame(c *cursor, seq uint64, what string) error {
	_ = v.resolve(c) // as far as it can be
	e := &TablesError{Seq: seq, Table: c.name, What: "table " + c.name + ": " + what}
	e.Agreement, e.Entity = placeOf(rowEntity(c.order, v.entity(c), c.cells))
	return e
}

// entity names what the row at hand is a version of; "" in a register.
func (v *verifier) entity(c *cursor) string {
	if c.order <= orderTile {
		return ""
	}
	return v.names[c.stmt.ColumnInt64(0)]
}

// resolve finds the texts that stand for ids in the row at hand.
func (v *verifier) resolve(c *cursor) (err error) {
	for i := range c.cells {
		switch x := &c.cells[i]; {
		case x.null:
		case x.kind == columnWord || x.kind == columnJSON:
			if x.s, err = v.words.text(x.i); err != nil {
				return err
			}
		case x.kind == columnRef:
			x.s = v.names[x.i]
		}
	}
	return nil
}

func (v *verifier) add(c *cursor) error {
	if err := v.resolve(c); err != nil {
		return err
	}
	cells := c.cells
	switch c.order {
	case orderTile:
		return v.tile(cells)
	case orderEvent:
		if err := v.leaf(cells); err != nil {
			return err
		}
		last := len(cells) - 1
		v.mark, cells = cells[last].i, cells[:last]
	}
	v.rows.add(c.order, c.name, v.entity(c), cells)
	return nil
}
