package api

import (
	"context"
	"errors"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Integrity says how far the log is signed for, and whether it is still what it
// was.
type Integrity struct {
	Checkpoint uint64       `json:"checkpoint" doc:"Sequence up to which the newest checkpoint covers the log."`
	SignedAt   *time.Time   `json:"signed_at" doc:"When that was signed; null before the first."`
	Settled    uint64       `json:"settled" doc:"Sequence up to which every party that has registered a key has countersigned the ledger's tree; 0 when no party has."`
	Awaits     []AwaitedKey `json:"awaits" doc:"The parties whose countersignature does not cover the whole log yet."`
	Scrub      Scrub        `json:"scrub"`
	Finding    string       `json:"finding" doc:"What is wrong; empty while all agrees."`
}

// Scrub says how far the log has been read and hashed again.
type Scrub struct {
	State  string     `json:"state" enum:"off,beginning,waiting,reading,failed"`
	Seq    uint64     `json:"seq" doc:"Sequence up to which the present pass has come."`
	Until  uint64     `json:"until" doc:"Sequence at which it ends."`
	Passes uint64     `json:"passes" doc:"Complete passes since the server started."`
	Last   *time.Time `json:"last" doc:"When the last complete pass ended; null before the first."`
}

// integrity says how far the log is signed for and checked.
func (s *server) integrity(ctx context.Context, last uint64) (Integrity, error) {
	now := s.cfg.Notary.Scrub()
	i := Integrity{Awaits: []AwaitedKey{}, Checkpoint: s.cfg.Notary.Size(), Scrub: Scrub{State: now.State, Seq: now.Seq, Until: now.Until, Passes: now.Passes}}
	if at := s.cfg.Notary.SignedAt(); !at.IsZero() {
		i.SignedAt = &at
	}
	if !now.Last.IsZero() {
		i.Scrub.Last = &now.Last
	}
	if err := s.cfg.Notary.Err(); err != nil {
		i.Finding = err.Error()
	}
	t, err := s.settler(ctx)
	if behind := (*projections.BehindError)(nil); errors.As(err, &behind) {
		return i, nil // the keys are not known yet
	}
	if err != nil {
		return i, err
	}
	if i.Settled, err = t.settledUpTo(); err != nil {
		return i, err
	}
	covered, err := t.coveredOf("")
	for _, w := range t.witnesses {
		if covered[w.party] < last {
			i.Awaits = append(i.Awaits, AwaitedKey{w.party, covered[w.party]})
		}
	}
	return i, err
}

// AwaitedKey is a party that has registered a key, and how far it has countersigned.
type AwaitedKey struct {
	Party   domain.Key `json:"party"`
	Covered uint64     `json:"covered" doc:"Sequence up to which it has countersigned the ledger's tree."`
}
