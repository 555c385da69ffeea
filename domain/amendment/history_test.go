package amendment_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Whatever is asked in whatever order: an amendment is in effect only when each
// party signed the document that was proposed, and then all that it changes has
// happened; until then none of it has.
func TestAmendmentsInEveryHistory(t *testing.T) {
	effective := 0
	rapid.Check(t, func(t *rapid.T) {
		w := World{}
		for _, e := range Running() {
			w.Evolve(domain.Ref{}, e)
		}
		for range 60 {
			cmd := rapid.OneOf(Amendments, Amendments, Amendments, Commands).Draw(t, "command")
			meta := domain.Meta{Reason: rapid.SampledFrom(domain.ReasonCodes[:3]).Draw(t, "reason"), Evidence: []domain.Hash{File}}
			events, err := w.Ask(cmd, meta, Today)
			if err != nil {
				var refused *domain.Rejected
				require.ErrorAs(t, err, &refused)
				continue
			}
			if cmd.Ref().Kind == amendment.Kind {
				effective += checkEffects(t, w, cmd.Ref(), events)
			}
			w.Evolve(cmd.Ref(), events...)
			checkInEffect(t, w)
		}
	})
	Reached(t, effective, "an amendment in effect with changes")
}

// checkEffects: what a command about an amendment does beside it is nothing, or
// what its clauses come to when they are asked one by one. It counts those.
func checkEffects(t *rapid.T, w World, ref domain.Ref, events []domain.Event) int {
	var beside []domain.Event
	took := slices.IndexFunc(events, func(e domain.Event) bool { _, ok := e.(amendment.TookEffect); return ok })
	for _, e := range events {
		if at, _ := Locate(ref, e); at != ref {
			beside = append(beside, e)
		}
	}
	if took < 0 {
		require.Empty(t, beside)
		return 0
	}
	s := w[ref].(*amendment.State)
	on := events[took].(amendment.TookEffect).On
	one := maps.Clone(w)
	want := []domain.Event{domain.Elsewhere{
		Ref: agreement.Ref(s.Agreement), Reason: s.ReasonCode, Note: s.Note,
		Event: agreement.Amended{ID: agreement.ID{Agreement: s.Agreement}, Amendment: s.Amendment, Document: s.Document, Term: s.Term, On: on},
	}}
	one.Evolve(ref, want...)
	for _, clause := range s.Changes {
		name, err := domain.CommandNamed(clause)
		require.NoError(t, err)
		typ, _, err := catalogue.Command(name)
		require.NoError(t, err)
		cmd, _, err := typ.Decode(clause)
		require.NoError(t, err)
		switch c := cmd.(type) {
		case project.Reschedule:
			c.Amendment = s.Amendment
			cmd = c
		case project.ApproveBaseline:
			c.Amendment = s.Amendment
			cmd = c
		}
		events, err := one.Ask(cmd, domain.Meta{Reason: s.ReasonCode, Effective: on}, Today)
		require.NoError(t, err)
		for _, e := range events {
			at, e := Locate(cmd.Ref(), e)
			want = append(want, domain.Elsewhere{Ref: at, Event: e, Reason: s.ReasonCode, Note: s.Note})
		}
		one.Evolve(cmd.Ref(), events...)
	}
	require.Equal(t, want, beside)
	return len(s.Changes)
}

func checkInEffect(t *rapid.T, w World) {
	for ref, state := range w {
		s, ok := state.(*amendment.State)
		if !ok {
			continue
		}
		a := w[agreement.Ref(ref.Agreement)].(*agreement.State)
		require.Equal(t, s.State == amendment.InEffect, a.Amendments.Has(ref.Key))
		if s.State != amendment.InEffect {
			require.Zero(t, s.EffectiveOn)
			continue
		}
		require.Equal(t, a.Parties, s.Parties)
		var last domain.Date
		for _, p := range a.Parties {
			signature, signed := s.Signatures.Get(p)
			require.True(t, signed, "%s signed", p)
			require.Equal(t, s.Document, signature.Document)
			last = max(last, signature.Date)
		}
		require.Equal(t, last, s.EffectiveOn)
	}
}
