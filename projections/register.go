package projections

import (
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
)

// eventRow is an event in the register. What it says is in the log, by its
// sequence; here is what it is found by.
type eventRow struct {
	ID          string      `json:"event_id" sql:"text,undigested"`
	Type        string      `json:"type"`
	Agreement   string      `json:"agreement"`
	Aggregate   entityRef   `json:"aggregate"`
	Version     uint64      `json:"version"`
	Actor       string      `json:"actor"`
	Party       string      `json:"party"`
	Effective   domain.Date `json:"effective"`
	RecordedAt  int64       `json:"recorded_at" sql:"undigested"` // microseconds since 1970
	At          int64       `json:"at" sql:"undigested"`          // ledger time: the latest recorded time so far
	Reason      string      `json:"reason"`
	Note        string      `json:"note" sql:"text"`
	Backdated   bool        `json:"backdated" sql:"undigested"` // effective before the day on which it was recorded
	Corrects    string      `json:"corrects" sql:"text,undigested"`
	Command     string      `json:"command_id" sql:"text,undigested"`
	IDStart     int64       `json:"id_start" sql:"undigested"`
	CommandHash int64       `json:"command_hash" sql:"undigested"`
	Leaf        tlog.Hash   `json:"leaf" sql:"undigested"`       // of the Merkle trees: the hash of the stored bytes
	LeafIndex   int64       `json:"leaf_index" sql:"undigested"` // in its agreement's tree, noLeaf where it has no agreement
	Mark        int64       `json:"mark" sql:"undigested"`       // the last; see digest.go
}

var eventTable = newTable[eventRow](orderEvent, "event", "seq")

// changeRow is one field that an event changed. Its id is the event's sequence
// and a number within the event.
type changeRow struct {
	Entity entityRef `json:"entity"`
	Field  string    `json:"field"`
	Old    string    `json:"old"` // JSON, "" where there was nothing
	New    string    `json:"new"`
}

var changeTable = newTable[changeRow](orderChange, "change", "id")

// changeBits is how many changes one event can make, as a power of two.
const changeBits = 16

// idStart is the first 64 bits of a UUID, 0 for what is none. Those of an event's
// id grow with time, so that their index is appended to.
func idStart(id string) int64 {
	if len(id) != 36 {
		return 0
	}
	n := uint64(0)
	for _, part := range [...]string{id[:8], id[9:13], id[14:18]} {
		for i := range len(part) {
			digit, ok := hexDigit(part[i])
			if !ok {
				return 0
			}
			n = n<<4 | digit
		}
	}
	if n > math.MaxInt64 {
		return 0
	}
	return int64(n)
}

func hexDigit(c byte) (n uint64, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0'), true
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return uint64(c-'A') + 10, true
	}
	return 0, false
}

// commandHash spares an index of long texts. The hashes of ids that were made one after
// the other, as UUIDs of version 7 are, lie beside each other: so a transaction writes a
// few pages of the index, and not one for each command. Their last 15 bits are of another
// hash, for whoever sends a command can choose the rest. Rows of a former program have
// that other hash of every id, so both are looked for.
func commandHash(id string) int64 {
	h := textHash(id)
	if start := idStart(id); start > 0 && id[14] == '7' {
		const version, spread = 16, 15 // bits: the version and what follows it, the other hash
		return start>>version<<spread | h&(1<<spread-1)
	}
	return h
}

// textHash is FNV-1a, 64 bits.
func textHash[T string | []byte](text T) int64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return int64(h)
}
