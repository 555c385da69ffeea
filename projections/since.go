package projections

import (
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

// Since is the meeting after which a question about changes looks: after the
// event that recorded it as held, or on the effective axis after its day.
type Since struct {
	Meeting   domain.Key  `json:"meeting"`
	Mechanism domain.Key  `json:"mechanism"`
	Title     domain.Text `json:"title"`
	On        domain.Date `json:"on"` // held on
}

// since finds the meeting that which names, and the point at which it was
// recorded as held: the meeting of that key, else the last that was held by
// the mechanism of that key, else by the mechanisms of that kind. The last is
// the one on the latest day, of one day the one recorded later.
func (q *query) since(of, which domain.Key) (s *Since, from Point, err error) {
	candidates, err := q.meetingsNamed(of, which)
	if err != nil {
		return nil, from, err
	}
	for _, m := range candidates {
		if m.State != meeting.Held || s != nil && m.On < s.On {
			continue
		}
		at, err := q.heldAt(of, m.Meeting)
		if err != nil {
			return nil, from, err
		}
		if s == nil || m.On > s.On || at.Seq > from.Seq {
			s, from = &Since{m.Meeting, m.Mechanism, m.Title, m.On}, at
		}
	}
	if s != nil && q.axis != nil {
		from = q.asked.on(of, s.On)
	}
	if s == nil {
		return nil, from, domain.Refuse(CodeMeetingNotHeld, "since_meeting", "%q: no such meeting was held by then; record it with hold-meeting, or say with from where to begin", which)
	}
	return s, from, nil
}

// meetingsNamed are the meetings that a key or a kind can mean, or it refuses
// with not-found.
func (q *query) meetingsNamed(of, which domain.Key) ([]Meeting, error) {
	under, err := q.aggregate(agreement.Ref(of))
	if err != nil {
		return nil, err
	}
	meetings, err := all(q, meetingTable, meetingTable.listSQL, []any{under.id, meetingTable.name}, (*query).meeting)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(meetings, func(m Meeting) bool { return m.Meeting == which }); i >= 0 {
		return meetings[i : i+1], nil
	}
	mechanisms, err := all(q, mechanismTable, mechanismTable.listSQL, []any{under.id, mechanismTable.name}, (*query).mechanism)
	if err != nil {
		return nil, err
	}
	var meant []domain.Key
	for _, m := range mechanisms {
		if m.Mechanism == which {
			meant = []domain.Key{which}
			break
		}
		if m.Kind == string(which) {
			meant = append(meant, m.Mechanism)
		}
	}
	if meant == nil {
		return nil, domain.Refuse(domain.CodeNotFound, "since_meeting", "agreement %q has no meeting %q, no mechanism of that key and none of that kind", of, which)
	}
	return slices.DeleteFunc(meetings, func(m Meeting) bool { return !slices.Contains(meant, m.Mechanism) }), nil
}

// heldAt is the point at which a meeting was recorded as held.
func (q *query) heldAt(of, key domain.Key) (Point, error) {
	var at Point
	err := each(q.conn, `SELECT e.seq, e.at FROM change c INDEXED BY change_entity CROSS JOIN event e ON e.seq = c.id >> 16
	WHERE c.entity = (SELECT id FROM entity WHERE agreement = ? AND path = ?) AND c.field = (SELECT id FROM word WHERE text = 'state')
	AND c.new = (SELECT id FROM word WHERE text = ?) AND c.id < ? ORDER BY c.id DESC`,
		[]any{string(of), meeting.Ref(of, key).Path(), string(domain.EncodeValue(meeting.Held)), int64(q.at.Seq+1) << changeBits},
		func(stmt *sqlite.Stmt) (bool, error) {
			at = Point{Seq: uint64(stmt.ColumnInt64(0)), At: time.UnixMicro(stmt.ColumnInt64(1)).UTC()}
			return false, nil
		})
	if err == nil && at.Seq == 0 {
		err = fmt.Errorf("projections: no event recorded meeting %q of %q as held", key, of)
	}
	return at, err
}
