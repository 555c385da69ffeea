package projections

import (
	"zombiezen.com/go/sqlite"
)

// intersection is the events that are in each of several postings.
type intersection []*postings

// seek finds the first of its events from seq on. It is a leapfrog join: each
// list in turn goes on to where the one before has come, until all are at one
// event. So each is asked at most as often as the shortest has events, and no
// list is read where another has a gap.
func (x intersection) seek(seq int64) (found int64, ok bool, err error) {
	for agree, i := 0, 0; agree < len(x); i = (i + 1) % len(x) {
		p := x[i]
		if err := p.seek(seq); err != nil || p.at == nil {
			return 0, false, err
		}
		if s := p.seq(); s > seq {
			seq, agree = s, 0
		}
		agree++
	}
	return seq, true, nil
}

// walk calls f for each row that belongs to an event of the intersection, from
// event next on, until f says no. rows is one of the postings.
func (x intersection) walk(next int64, rows *postings, f func(*sqlite.Stmt) (more bool, err error)) error {
	for {
		seq, ok, err := x.seek(next)
		if err != nil || !ok {
			return err
		}
		for rows.at != nil && rows.seq() == seq {
			if more, err := f(rows.at.stmt); err != nil || !more {
				return err
			}
			if err := rows.step(); err != nil {
				return err
			}
		}
		if rows.at == nil {
			return nil
		}
		next = rows.seq()
	}
}
