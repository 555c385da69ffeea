package ledger_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Given a ledger that saw a project and its agreement when neither was ready, when
// both were made so through another, then it does not refuse on what it saw: not of
// the project, and not of the agreement, at which it looks only where the project
// is ready.
func TestNoRefusalIsOfAnOldState(t *testing.T) {
	id := agreement.ID{Agreement: "a"}
	p := project.ID{Agreement: "a", Project: "p0"}
	on := domain.MustDate("2026-11-01")
	for name, begin := range map[string]func(l *ledger.Ledger) error{
		"one":    func(l *ledger.Ledger) error { _, err := l.Execute(t.Context(), start("p0")); return err },
		"import": func(l *ledger.Ledger) error { _, err := importAll(t, l, start("p0")); return err },
		"all": func(l *ledger.Ledger) error {
			_, err := l.ExecuteAll(t.Context(), []ledger.Item{{Line: 1, Request: start("p0")}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t)
			stale, other := newLedger(store), newLedger(store)
			execute := func(l *ledger.Ledger, commands ...domain.Command) {
				for _, c := range commands {
					_, err := l.Execute(t.Context(), ledger.Request{Command: c})
					require.NoError(t, err)
				}
			}
			_, err := importAll(t, stale, register("wuxi"), register("cethik"))
			require.NoError(t, err)
			execute(stale,
				agreement.Draft{Agreement: "a", Kind: "framework", Title: domain.Text{"en": "A"}, Parties: []domain.Key{"wuxi", "cethik"}, Document: document},
				agreement.AddArea{ID: id, Area: "iot", Title: domain.Text{"en": "IoT"}},
				project.Propose{Agreement: "a", Project: "p0", Title: domain.Text{"en": "P"}, Kind: "other", Areas: []domain.Key{"iot"}})
			execute(other,
				agreement.OpenConsultation{ID: id},
				agreement.Sign{ID: id, Party: "wuxi", Signatory: "W", Date: on, Document: document},
				agreement.Sign{ID: id, Party: "cethik", Signatory: "C", Date: on, Document: document},
				project.Approve{ID: p})
			require.NoError(t, begin(stale))
		})
	}
}

// meddled is a log to which another ledger writes while it is asked.
type meddled struct {
	*eventstore.Store
	reads func(subject string) // before an aggregate is read
	ended func()               // after the ends of aggregates were found
}

func (m *meddled) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error] {
	m.reads(subject)
	return m.Store.Aggregate(ctx, subject, from)
}

func (m *meddled) Ends(ctx context.Context, subjects []string, newest uint64) (map[string]uint64, uint64, error) {
	ends, moment, err := m.Store.Ends(ctx, subjects, newest)
	m.ended()
	return ends, moment, err
}

// Given a project whose agreement is suspended only when it has itself been cancelled,
// then no ledger refuses to start it for that suspension, though one read the project
// before and the agreement afterwards.
func TestARefusalIsOfOneMoment(t *testing.T) {
	begin := map[string]func(l *ledger.Ledger) error{
		"one":    func(l *ledger.Ledger) error { _, err := l.Execute(t.Context(), start("p0")); return err },
		"import": func(l *ledger.Ledger) error { _, err := importAll(t, l, start("p0")); return err },
		"all": func(l *ledger.Ledger) error {
			_, err := l.ExecuteAll(t.Context(), []ledger.Item{{Line: 1, Request: start("p0")}})
			return err
		},
	}
	for name, begin := range begin {
		t.Run(name, func(t *testing.T) {
			store := openStore(t)
			other := newLedger(store)
			execute := func(c domain.Command) {
				_, err := other.Execute(t.Context(), ledger.Request{Command: c, Meta: domain.Meta{Reason: "audit"}})
				require.NoError(t, err)
			}
			inEffect(t, other, 1)
			log := &meddled{Store: store, reads: func(string) {}, ended: func() {}}
			l := newLedger(log)
			execute(agreement.Suspend{ID: agreement.ID{Agreement: "a"}})
			require.Error(t, begin(l), "it has seen the agreement suspended")
			execute(agreement.Resume{ID: agreement.ID{Agreement: "a"}})
			log.reads = func(subject string) {
				if strings.Contains(subject, ".agreement.") {
					log.reads = func(string) {}
					execute(project.Cancel{ID: project.ID{Agreement: "a", Project: "p0"}})
					execute(agreement.Suspend{ID: agreement.ID{Agreement: "a"}})
				}
			}
			require.ErrorContains(t, begin(l), "is cancelled")
		})
	}
}

// A refusal that saw a hundred aggregates reads those that others have written to, not the
// rest, and comes to an end though they go on.
func TestARefusalReadsOnlyWhatWasWrittenTo(t *testing.T) {
	store := openStore(t)
	other := newLedger(store)
	writes, reads, ends := 0, 0, 0
	write := func() {
		writes++
		_, err := other.Execute(t.Context(), rename("p0", fmt.Sprint("Another ", writes)))
		require.NoError(t, err)
	}
	log := &meddled{Store: store, reads: func(string) {}, ended: func() {}}
	l := newLedger(log)
	var registers, renames []ledger.Item
	for i := range 100 {
		key := fmt.Sprint("p", i)
		registers, renames = append(registers, ledger.Item{Request: register(key)}), append(renames, ledger.Item{Request: rename(key, "Renamed")})
	}
	_, err := l.ExecuteAll(t.Context(), registers)
	require.NoError(t, err)
	log.reads, log.ended = func(string) { reads++; write() }, func() { ends++; write() }

	_, err = l.ExecuteAll(t.Context(), append(renames, ledger.Item{Request: rename("nobody", "Refused")}))
	require.ErrorContains(t, err, "nobody")
	require.Equal(t, 1, ends)
	require.Equal(t, 2, reads, "of the one that is not there, and of the one that was written to")
}

// overtaken is a log that tells of a moment, and of ends that came after it.
type overtaken struct {
	*eventstore.Store
	meanwhile func()
}

func (o *overtaken) Ends(ctx context.Context, subjects []string, newest uint64) (map[string]uint64, uint64, error) {
	moment, err := o.Last(ctx)
	if err != nil {
		return nil, 0, err
	}
	o.meanwhile()
	ends, _, err := o.Store.Ends(ctx, subjects, newest)
	return ends, moment, err
}

// The ends of many aggregates are not of one moment, and what comes after that is not
// waited for.
func TestARefusalDoesNotWaitForWhatCameAfterItsMoment(t *testing.T) {
	store := openStore(t)
	other := newLedger(store)
	l := newLedger(&overtaken{store, func() {
		for i := range 3 {
			_, err := other.Execute(t.Context(), rename("wuxi", fmt.Sprint("Wuxi ", i)))
			require.NoError(t, err)
		}
	}})
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = l.Execute(ctx, register("wuxi"))
	requireCode(t, err, domain.CodeAlreadyExists, "party")
}

// However few states are kept, a refusal is decided on those of one moment, once.
func TestARefusalWithASmallCache(t *testing.T) {
	store := openStore(t)
	inEffect(t, newLedger(store), 3)
	l := ledger.New(store, ledger.Options{Name: "main", CacheSize: 1, Now: func() time.Time { return now }})
	_, err := l.Execute(t.Context(), suspend())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = l.ExecuteAll(ctx, itemsOf(start("p0"), start("p1"), start("p2")))
	refused := (*ledger.RefusedError)(nil)
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Lines, 3)
}

// However few states are kept, what is in the log is not added again: not when it is
// decided again after a refusal, and not by the next command either.
func TestNothingIsAddedAgainWithASmallCache(t *testing.T) {
	rename4 := func(title string) (reqs []ledger.Request) {
		for i := range 4 {
			reqs = append(reqs, rename(fmt.Sprint("p", i), title))
		}
		return reqs
	}
	for size := 1; size <= 5; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			// given a file that was imported, and what came after it
			store := openStore(t)
			other := newLedger(store)
			_, err := importAll(t, other, register("p0"), register("p1"), register("p2"), register("p3"))
			require.NoError(t, err)
			for _, title := range []string{"A", "B"} {
				_, err = importAll(t, other, rename4(title)...)
				require.NoError(t, err)
			}
			l := ledger.New(store, ledger.Options{Name: "main", CacheSize: size, Now: func() time.Time { return now }})
			before := audit(t, store)
			refused := rename("nobody", "X")
			// when it is imported again, with a line that is refused
			_, err = importAll(t, l, append(rename4("A"), refused)...)
			require.Error(t, err)
			require.Len(t, audit(t, store), len(before))
			// or after new lines with one that is refused
			_, err = importAll(t, l, append(rename4("C"), refused)...)
			require.Error(t, err)
			_, err = importAll(t, l, rename4("A")[1:3]...)
			require.NoError(t, err)
			// then only the new lines are added
			require.Len(t, audit(t, store), len(before)+4)
		})
	}
}
