package projections

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"

	"github.com/milepost-ledger/milepost/domain"
)

// Page asks for a part of a list: at most Limit items (0 means DefaultLimit)
// after those that ended with Cursor, which the part before gave as next.
//
// A cursor belongs to its question and to the point of the answer that gave
// it. ResolvePage finds that point again, so that a list read in pages is one
// list, whatever is written meanwhile.
type Page struct {
	Cursor string
	Limit  int
}

const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// opened is a page whose cursor was checked against its question.
type opened struct {
	question uint64
	seq      uint64
	day      domain.Date // on which the first page was judged
	after    int64
	limit    int
}

// open checks the page against the question that it is asked of: its words,
// and the sequence as of which it is answered.
func (p Page) open(at Point, question ...string) (opened, error) {
	if at.Effective != 0 {
		question = append(question, at.Effective.String(), string(at.Agreement))
	}
	question = append(question, strconv.Itoa(schemaVersion)) // another counts items otherwise
	h := fnv.New64a()
	for _, s := range question {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	o := opened{question: h.Sum64(), seq: at.Seq, day: at.Day, limit: p.Limit}
	if o.limit == 0 {
		o.limit = DefaultLimit
	}
	if o.limit < 0 || o.limit > MaxLimit {
		return o, domain.Refuse(CodeInvalidLimit, "limit", "want 1 to %d", MaxLimit)
	}
	if p.Cursor == "" {
		return o, nil
	}
	c, ok := parseCursor(p.Cursor)
	if !ok || c.question != o.question || c.seq != at.Seq {
		return o, foreignCursor()
	}
	o.after = c.after
	return o, nil
}

func foreignCursor() error {
	return domain.Refuse(CodeInvalidCursor, "cursor", "this cursor is not from the same question: ask again without it")
}

// pageOf is a page of items that were reckoned, not read: the cursor counts
// them. The point that it holds keeps them the same from page to page.
func pageOf[T any](items []T, o opened) (part []T, next string) {
	start := min(int(o.after), len(items))
	end := min(start+o.limit, len(items))
	if end < len(items) {
		next = o.cursor(int64(end))
	}
	return items[start:end], next
}

// cursor names the place after an item.
func (o opened) cursor(last int64) string {
	b := binary.BigEndian.AppendUint64(nil, o.question)
	b = binary.AppendUvarint(b, o.seq)
	b = binary.AppendUvarint(b, uint64(o.day))
	b = binary.AppendUvarint(b, uint64(last))
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (o opened, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 8 {
		return o, false
	}
	o.question = binary.BigEndian.Uint64(b)
	b = b[8:]
	var numbers [3]uint64
	for i := range numbers {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > math.MaxInt64 {
			return o, false
		}
		numbers[i], b = v, b[n:]
	}
	if numbers[1] > math.MaxInt32 {
		return o, false
	}
	o.seq, o.day, o.after = numbers[0], domain.Date(numbers[1]), int64(numbers[2])
	return o, len(b) == 0
}
