package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

// withMechanism makes an agreement in effect with the mechanism board.
func withMechanism(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	inEffect(t, l, 0)
	_, err := l.Execute(t.Context(), ledger.Request{Command: agreement.EstablishMechanism{
		ID: agreement.ID{Agreement: "a"}, Mechanism: "board", Kind: "coordination", Title: domain.Text{"en": "Board"},
		Members: []domain.Key{"wuxi", "cethik"}, Cadence: "monthly",
	}})
	require.NoError(t, err)
}

func scheduleMeeting(key string) ledger.Request {
	return ledger.Request{Command: meeting.Schedule{
		Agreement: "a", Meeting: domain.Key(key), Mechanism: "board", Title: domain.Text{"en": "Meeting"}, On: domain.MustDate("2026-11-20"),
	}}
}

func holdMeeting(key string) ledger.Request {
	return ledger.Request{Command: meeting.Hold{
		ID: meeting.ID{Agreement: "a", Meeting: domain.Key(key)}, On: domain.MustDate("2026-11-20"),
		Attendees: []meeting.Attendee{{Party: "wuxi", Name: "Li Wei"}},
	}}
}

func dissolve() ledger.Request {
	return ledger.Request{
		Command: agreement.DissolveMechanism{ID: agreement.ID{Agreement: "a"}, Mechanism: "board"}, Meta: domain.Meta{Reason: "merged"},
	}
}

func TestNoMeetingIsScheduledOnAStaleViewOfItsMechanism(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	withMechanism(t, a)

	// given that b has seen the mechanism
	_, err := b.Execute(t.Context(), scheduleMeeting("m0"))
	require.NoError(t, err)
	// when it is dissolved through a, then b schedules nothing more
	_, err = a.Execute(t.Context(), dissolve())
	require.NoError(t, err)
	_, err = b.Execute(t.Context(), scheduleMeeting("m1"))
	requireCode(t, err, domain.CodeWrongState, "mechanism")
}

func TestMeetingsAndTheEndOfTheirMechanismRace(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	withMechanism(t, a)

	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			_, _ = []*ledger.Ledger{a, b}[i%2].Execute(t.Context(), scheduleMeeting(fmt.Sprint("m", i))) // either outcome is right
		})
	}
	wg.Go(func() {
		if _, err := b.Execute(t.Context(), dissolve()); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()

	// then in the log no meeting was scheduled after the mechanism was dissolved
	dissolved := false
	for i, env := range audit(t, store) {
		switch env.Type {
		case agreement.MechanismDissolved{}.Type():
			dissolved = true
		case meeting.MeetingScheduled{}.Type():
			require.False(t, dissolved, "sequence %d", i+1)
		}
	}
	require.True(t, dissolved)
}

// A decision has one name in the agreement, whichever meeting takes it.
func TestTwoMeetingsRecordOneDecisionAtOnce(t *testing.T) {
	store := openStore(t)
	replicas := []*ledger.Ledger{newLedger(store), newLedger(store)}
	withMechanism(t, replicas[0])
	for i, l := range replicas {
		key := fmt.Sprint("m", i)
		_, err := importAll(t, l, scheduleMeeting(key), holdMeeting(key))
		require.NoError(t, err)
	}

	for round := range 10 {
		decision := domain.Key(fmt.Sprint("d", round))
		accepted := atomic.Int32{}
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i, l := range replicas {
			wg.Go(func() {
				<-start
				_, err := l.Execute(t.Context(), ledger.Request{Command: meeting.RecordDecision{
					ID: meeting.ID{Agreement: "a", Meeting: domain.Key(fmt.Sprint("m", i))}, Decision: decision, Title: domain.Text{"en": "D"},
				}})
				var r *domain.Rejected
				switch {
				case err == nil:
					accepted.Add(1)
				case !errors.As(err, &r) || r.Code != domain.CodeAlreadyExists || r.Field != "decision":
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, accepted.Load(), "round %d", round)
	}
	recorded := 0
	for _, env := range audit(t, store) {
		if env.Type == (meeting.DecisionRecorded{}).Type() {
			recorded++
		}
	}
	require.Equal(t, 10, recorded)
}
