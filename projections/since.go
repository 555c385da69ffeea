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

// Since is a meeting that bounds a question about changes: they come after the
// event that recorded it as held, or up to and with that; on the effective axis
// after its day, or up to the end of that.
type Since struct {
	Meeting   domain.Key  `json:"meeting"`
	Mechanism domain.Key  `json:"mechanism"`
	Title     domain.Text `json:"title"`
	On        domain.Date `json:"on"` // held on
}

// bound puts the meetings that a question names in the place of its points.
func (q *query) bound(cq *ChangeQuery, answer *Changes) (err error) {
	until := Point{} // none
	if cq.UntilMeeting != "" {
		if answer.Until, until, err = q.held("until_meeting", cq.Agreement, cq.UntilMeeting, until); err != nil {
			return err
		}
		cq.To = until
	}
	if cq.SinceMeeting != "" {
		if answer.Since, cq.From, err = q.held("since_meeting", cq.Agreement, cq.SinceMeeting, until); err != nil {
			return err
		}
	}
	answer.From, answer.To = cq.From, cq.To
	if answer.Until != nil && cq.To.isBefore(cq.From) {
		err = &AsOfError{CodeInvalidRange, "until_meeting", fmt.Sprintf("meeting %q was held before the changes begin: begin earlier, or end at a later meeting", answer.Until.Meeting)}
	}
	return err
}

// isBefore is the order of two points on the axis of this one.
func (p Point) isBefore(other Point) bool {
	if p.Effective != 0 {
		return p.Effective < other.Effective
	}
	return p.Seq < other.Seq
}

// held finds the meeting that which names in a field, and the point of its being
// held: the meeting of that key, else the last that was held by the mechanism of
// that key, else by the mechanisms of that kind. The last is the one on the latest
// day, of one day the one recorded later; where the question ends at a meeting,
// the last before that.
func (q *query) held(field string, of, which domain.Key, until Point) (s *Since, at Point, err error) {
	candidates, byKey, err := q.meetingsNamed(field, of, which)
	if err != nil {
		return nil, at, err
	}
	var recorded uint64
	for _, m := range candidates {
		if m.State != meeting.Held || s != nil && m.On < s.On {
			continue
		}
		held, err := q.heldAt(of, m.Meeting)
		if err != nil {
			return nil, at, err
		}
		seq := held.Seq
		if q.axis != nil {
			held = q.asked.on(of, m.On)
		}
		if until != (Point{}) && !byKey && !held.isBefore(until) {
			continue
		}
		if s == nil || m.On > s.On || seq > recorded {
			s, at, recorded = &Since{m.Meeting, m.Mechanism, m.Title, m.On}, held, seq
		}
	}
	if s == nil {
		return nil, at, domain.Refuse(CodeMeetingNotHeld, field, "%q: no such meeting was held by then; record it with hold-meeting, or name a point instead", which)
	}
	return s, at, nil
}

// meetingsNamed are the meetings that a key or a kind can mean, and whether it is
// the key of one; or it refuses with not-found.
func (q *query) meetingsNamed(field string, of, which domain.Key) (named []Meeting, byKey bool, err error) {
	under, err := q.aggregate(agreement.Ref(of))
	if err != nil {
		return nil, false, err
	}
	meetings, err := all(q, meetingTable, meetingTable.listSQL, []any{under.id, meetingTable.name}, (*query).meeting)
	if err != nil {
		return nil, false, err
	}
	if i := slices.IndexFunc(meetings, func(m Meeting) bool { return m.Meeting == which }); i >= 0 {
		return meetings[i : i+1], true, nil
	}
	mechanisms, err := all(q, mechanismTable, mechanismTable.listSQL, []any{under.id, mechanismTable.name}, (*query).mechanism)
	if err != nil {
		return nil, false, err
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
		return nil, false, domain.Refuse(domain.CodeNotFound, field, "agreement %q has no meeting %q, no mechanism of that key and none of that kind", of, which)
	}
	return slices.DeleteFunc(meetings, func(m Meeting) bool { return !slices.Contains(meant, m.Mechanism) }), false, nil
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
