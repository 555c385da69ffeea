package projections

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
)

// What waits for a party at some point is found from the last list of it that
// was written by then, and the waits that opened and closed since. A list is
// written when as much has changed as it holds, so a question costs what
// waits, however much once waited, and so do all lists together no more than
// what changed.

// waitlistRow lists what waits for a party, its entity.
type waitlistRow struct {
	Open string `json:"open" sql:"text"` // ids of the waits' entities, "12 15 90"; given in the order of events
}

var waitlistTable = newTable[waitlistRow](orderWaitlist, "waitlist", versionLead...)

// leastChanges are so many changes that a list is not written for fewer.
const leastChanges = 16

// waitlist is what waits for a party while events come.
type waitlist struct {
	party   entityRef
	open    map[int64]bool
	changes int // since it was last written
	noted   bool
}

// waitlists are those of the parties that were last waited for.
type waitlists struct {
	of      map[int64]*waitlist // by party
	changed []*waitlist         // by the event at hand
	whole   bool                // of holds every party: the load of a new file
}

// maxWaits bounds the waits remembered by a projector that follows, about.
const maxWaits = 1 << 17

func newWaitlists(whole bool) *waitlists { return &waitlists{of: map[int64]*waitlist{}, whole: whole} }

// bound forgets lists that are too long together. It is called between batches
// only, when the tables have every row.
func (ws *waitlists) bound() {
	n := 0
	for _, l := range ws.of {
		n += len(l.open)
	}
	if n > maxWaits && !ws.whole {
		clear(ws.of)
	}
}

// noteWait notes that a wait for a party is open from the event at hand on, or
// is not.
func (p *projector) noteWait(party entityRef, wait int64, open bool) error {
	ws := p.waitlists
	l, ok := ws.of[party.id]
	if !ok {
		l = &waitlist{party: party, open: map[int64]bool{}}
		if !ws.whole {
			var err error
			if l.open, l.changes, err = openWaits(p.conn, party.id, p.at.seq); err != nil {
				return err
			}
		}
		ws.of[party.id] = l
	}
	if l.changes++; open {
		l.open[wait] = true
	} else {
		delete(l.open, wait)
	}
	if !l.noted {
		l.noted = true
		ws.changed = append(ws.changed, l)
	}
	return nil
}

// writeWaitlists ends the event: it writes the lists that have changed enough.
func (p *projector) writeWaitlists() error {
	for _, l := range p.waitlists.changed {
		l.noted = false
		if l.changes < max(leastChanges, len(l.open)) {
			continue
		}
		l.changes = 0
		if err := putVersion(p, waitlistTable, l.party, &waitlistRow{Open: idsText(l.open)}); err != nil {
			return err
		}
	}
	p.waitlists.changed = p.waitlists.changed[:0]
	return nil
}

func idsText(ids map[int64]bool) string {
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}

// openWaits finds what waits for a party as of a sequence, and how much has
// changed since the list that it was found from.
func openWaits(conn *sqlite.Conn, party int64, seq uint64) (open map[int64]bool, changes int, err error) {
	open = map[int64]bool{}
	from, ids := int64(0), ""
	err = each(conn, "SELECT from_seq, open FROM waitlist WHERE entity = ? AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1",
		[]any{party, seq}, func(stmt *sqlite.Stmt) (bool, error) {
			from, ids = stmt.ColumnInt64(0), stmt.ColumnText(1)
			return false, nil
		})
	for text := range strings.FieldsSeq(ids) {
		id, e := strconv.ParseInt(text, 10, 64)
		if e != nil && err == nil {
			err = e
		}
		open[id] = true
	}
	if err == nil {
		err = each(conn, "SELECT entity, open FROM awaiting WHERE party = ? AND from_seq > ? AND from_seq <= ? ORDER BY from_seq",
			[]any{party, from, seq}, func(stmt *sqlite.Stmt) (bool, error) {
				changes++
				if id := stmt.ColumnInt64(0); stmt.ColumnBool(1) {
					open[id] = true
				} else {
					delete(open, id)
				}
				return true, nil
			})
	}
	if err != nil {
		return nil, 0, fmt.Errorf("list waits: %w", err)
	}
	return open, changes, nil
}
