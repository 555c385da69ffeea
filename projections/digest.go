package projections

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math/bits"
)

// The digest of the read models at sequence n is
//
//	D(0) = 32 zero bytes
//	D(n) = SHA-256( D(n-1) || rows(n) )
//
// where rows(n) are the rows that event n wrote: of the tables in the order of
// schema.go, and within a table in the order of writing. A row is the table's
// name, for a versioned row the name of its entity, then its columns. A value is one of
//
//	0x00                        NULL
//	0x01, 8 bytes big endian    a number, a truth value, a date as its day number
//	0x02, uvarint length, text  a text; a word by its text, an entity by its name
//
// Ids of the dictionary and of entities are thus not in it, but for those that
// a waitlist names, which are given in the order of events; and neither are
// an event's id, recorded time and ledger time, the id of its command, the
// id of the event that it corrects, and what follows from these: two ledgers that were told the same, in
// the same order, have the same digest.
//
// The mark at sequence n covers what the digest leaves out, too:
//
//	M(0) = 32 zero bytes
//	M(n) = SHA-256( M(n-1) || D(n) || the other columns of event n's row )
//
// Among them is the hash of the event's bytes, so two ledgers have the same
// mark when they have the same log. An event's row keeps the first 8 bytes: once
// two histories part they stay apart, which finds the first event that differs;
// and a row that was edited is found at its own event.
type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// short is what an event's row keeps of a mark.
func (d digest) short() int64 { return int64(binary.BigEndian.Uint64(d[:8])) }

// digestRows collects the rows of one event. Rows are encoded where they are
// made; the hashes are computed by whoever writes them, see chain.
type digestRows struct {
	rows  [tables][]byte
	any   uint64                                       // a bit for each table that has rows
	aside []byte                                       // undigested values of the event's row
	seen  func(order int, entity string, cells []cell) // called for each row; nil does nothing
}

// add adds a row to those of the event at hand.
func (d *digestRows) add(order int, table, entity string, cells []cell) {
	d.rows[order] = appendDigestRow(d.rows[order], table, entity, cells)
	d.any |= 1 << order
	if order == orderEvent {
		for i := range cells {
			if x := &cells[i]; x.undigested {
				d.aside = appendDigestCell(d.aside, x)
			}
		}
	}
	if d.seen != nil {
		d.seen(order, entity, cells)
	}
}

// end ends the event: what the digest and the mark take in of it goes into the input.
func (d *digestRows) end(to *digestInput) {
	for ; d.any != 0; d.any &= d.any - 1 { // an event has rows in a few of many tables
		i := bits.TrailingZeros64(d.any)
		to.bytes = append(to.bytes, d.rows[i]...)
		d.rows[i] = d.rows[i][:0]
	}
	rows := len(to.bytes)
	to.bytes = append(to.bytes, d.aside...)
	d.aside = d.aside[:0]
	to.ends = append(to.ends, [2]int{rows, len(to.bytes)})
}

// digestInput is what the digests of some events are computed from.
type digestInput struct {
	bytes []byte
	ends  [][2]int // of each event's rows, and of what stands after them
}

func (in *digestInput) reset() { in.bytes, in.ends = in.bytes[:0], in.ends[:0] }

// chain computes digests and marks, event by event.
type chain struct {
	now, mark digest
	hash      hash.Hash
}

func newChain(digest, mark digest) *chain { return &chain{now: digest, mark: mark, hash: sha256.New()} }

// take goes on by the events of in, and calls f after each.
func (c *chain) take(in *digestInput, f func(i int) error) error {
	at := 0
	for i, end := range in.ends {
		c.hash.Reset()
		c.hash.Write(c.now[:])
		c.hash.Write(in.bytes[at:end[0]])
		c.hash.Sum(c.now[:0])
		c.hash.Reset()
		c.hash.Write(c.mark[:])
		c.hash.Write(c.now[:])
		c.hash.Write(in.bytes[end[0]:end[1]])
		c.hash.Sum(c.mark[:0])
		at = end[1]
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

func appendDigestRow(b []byte, table, entity string, cells []cell) []byte {
	b = appendDigestText(b, table)
	if entity != "" {
		b = appendDigestText(b, entity)
	}
	for i := range cells {
		if x := &cells[i]; !x.undigested {
			b = appendDigestCell(b, x)
		}
	}
	return b
}

func appendDigestCell(b []byte, x *cell) []byte {
	switch {
	case x.null:
		return append(b, 0)
	case x.kind == columnInt || x.kind == columnDate || x.kind == columnOpt:
		return binary.BigEndian.AppendUint64(append(b, 1), uint64(x.i))
	}
	return appendDigestText(b, x.s)
}

func appendDigestText(b []byte, s string) []byte {
	b = binary.AppendUvarint(append(b, 2), uint64(len(s)))
	return append(b, s...)
}
