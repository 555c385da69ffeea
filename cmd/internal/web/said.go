package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// said is what an event says of itself in the log, beside what the read models keep.
type said struct {
	Seq       uint64
	Type      string
	Actor     string
	Party     domain.Key
	Effective domain.Date
	Note      string
	Evidence  []domain.Hash
	Milestone domain.Key // of a project's event that is about one
}

// said reads events that the asker sees, in the order of the log, each once.
func (s *site) said(ctx context.Context, seqs []uint64) ([]said, error) {
	seqs = slices.Compact(slices.Sorted(slices.Values(seqs)))
	records, err := s.api.Stored(ctx, seqs...)
	if err != nil {
		return nil, err
	}
	events := make([]said, len(records))
	for i, r := range records {
		e, err := domain.DecodeEnvelope(r.Data)
		if err != nil {
			return nil, fmt.Errorf("read event %d: %w", r.Seq, err)
		}
		var data struct{ Milestone domain.Key }
		_ = json.Unmarshal(e.Data, &data) // what names no milestone is about none
		events[i] = said{
			Seq: r.Seq, Type: e.Type, Actor: e.Actor, Party: e.Party, Effective: e.Effective, Note: e.Note,
			Evidence: e.Evidence, Milestone: data.Milestone,
		}
	}
	return events, nil
}

// evidenceOf are the files that events name, by their sequences.
func evidenceOf(events []said) map[uint64][]domain.Hash {
	of := map[uint64][]domain.Hash{}
	for _, e := range events {
		of[e.Seq] = e.Evidence
	}
	return of
}
