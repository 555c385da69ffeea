package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// counting is a log that counts what is read of aggregates.
type counting struct {
	*eventstore.Store
	read atomic.Int64
}

func (c *counting) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error] {
	return c.count(c.Store.Aggregate(ctx, subject, from))
}

func (c *counting) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return c.count(c.Store.Records(ctx, subject, seqs))
}

func (c *counting) count(records iter.Seq2[eventstore.Record, error]) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for rec, err := range records {
			c.read.Add(1)
			if !yield(rec, err) {
				return
			}
		}
	}
}

// registered is a ledger that has only just begun, beside read models of its log that
// have come up to the end of it.
func registered(t *testing.T, store *eventstore.Store) (*ledger.Ledger, *counting) {
	t.Helper()
	return registeredUpTo(t, store, store)
}

// registeredUpTo is registered, where the read models know no more than seen has.
func registeredUpTo(t *testing.T, store *eventstore.Store, seen projections.Log) (*ledger.Ledger, *counting) {
	t.Helper()
	models, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, models.Close()) })
	_, err = models.Rebuild(t.Context(), seen, nil)
	require.NoError(t, err)
	log := &counting{Store: store}
	return ledger.New(log, ledger.Options{Name: "main", Register: models, Now: func() time.Time { return now }}), log
}

// However long the history of an aggregate is, its first command reads nothing of it.
func TestTheFirstCommandOfAnAggregateReadsNoEvents(t *testing.T) {
	store := openStore(t)
	writer := newLedger(store)
	_, err := writer.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	for i := range 50 {
		_, err := writer.Execute(t.Context(), rename("wuxi", fmt.Sprint("Wuxi ", i)))
		require.NoError(t, err)
	}

	l, log := registered(t, store)
	receipt, err := l.Execute(t.Context(), rename("wuxi", "Wuxi again"))
	require.NoError(t, err)
	require.EqualValues(t, 52, receipt.Version)
	require.Zero(t, log.read.Load())

	// and what the register has not seen is read from the log
	_, err = writer.Execute(t.Context(), rename("wuxi", "Wuxi by another"))
	require.NoError(t, err)
	receipt, err = l.Execute(t.Context(), rename("wuxi", "Wuxi once more"))
	require.NoError(t, err)
	require.EqualValues(t, 54, receipt.Version)
	require.EqualValues(t, 1, log.read.Load())
}

// What was imported before there was a snapshot is known after it.
func TestImportingAgainAfterASnapshotAddsNothing(t *testing.T) {
	store := openStore(t)
	_, err := importText(t, newLedger(store), threeParties)
	require.NoError(t, err)

	l, log := registered(t, store)
	sum, err := importText(t, l, threeParties)
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 6, Skipped: 5}, sum)
	require.Zero(t, log.read.Load())
	require.Len(t, audit(t, store), 5)
}

// unheard is a log of which an acknowledgement is lost when the register has seen what it
// was for.
type unheard struct {
	*eventstore.Store
	models *projections.Models
	lose   bool
}

func (f *unheard) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	first, err := f.Store.Append(ctx, msgs)
	if err != nil || !f.lose {
		return first, err
	}
	f.lose = false
	if err := f.models.Wait(ctx, first+uint64(len(msgs))-1); err != nil {
		return 0, err
	}
	return 0, &eventstore.OutcomeUnknownError{Err: errors.New("the acknowledgement is lost")}
}

// A command that is in the log is found there, though the snapshot has it already.
func TestACommandOfALostAcknowledgementIsFoundBehindASnapshot(t *testing.T) {
	store := openStore(t)
	models, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	followed := make(chan error, 1)
	go func() { followed <- models.Follow(ctx, store) }()
	defer func() {
		cancel()
		require.NoError(t, <-followed)
		require.NoError(t, models.Close())
	}()
	require.NoError(t, models.Wait(t.Context(), 0))
	log := &unheard{Store: store, models: models}
	l := ledger.New(log, ledger.Options{Name: "main", Register: models, Now: func() time.Time { return now }})
	for i, req := range []ledger.Request{register("wuxi"), withKey(register("cethik"), "k"), rename("wuxi", "City of Wuxi")} {
		log.lose = true
		receipt, err := l.Execute(t.Context(), req)
		require.NoError(t, err)
		require.True(t, receipt.Replayed)
		require.Len(t, audit(t, store), i+1)
	}
}

// The key of an import that somebody used on another aggregate says nothing of the line.
func TestAnImportedKeyOnAnotherAggregateIsNotThatLine(t *testing.T) {
	// given the key that an import makes of a line
	probe := openStore(t)
	_, err := importAll(t, newLedger(probe), register("wuxi"), rename("wuxi", "City of Wuxi"))
	require.NoError(t, err)
	key := audit(t, probe)[1].CommandID
	// and a ledger in which it was used for something else
	store := openStore(t)
	_, err = newLedger(store).Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	_, err = newLedger(store).Execute(t.Context(), withKey(register("other"), key))
	require.NoError(t, err)
	// then the line is carried out
	l, _ := registered(t, store)
	sum, err := importAll(t, l, rename("wuxi", "City of Wuxi"))
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 1, Commands: 1, Events: 1, FirstSeq: 3, LastSeq: 3}, sum)
}

// begun is a log of which no more was seen than up to a sequence.
type begun struct {
	*eventstore.Store
	upTo uint64
}

func (b begun) Last(context.Context) (uint64, error) { return b.upTo, nil }

// A snapshot may be as of an event in the middle of a command. Whoever sends that again
// is still told of all its events.
func TestTheReceiptOfACommandThatASnapshotCutsIsWhole(t *testing.T) {
	// given a command of two events, and a snapshot as of the first
	store := openStore(t)
	writer := newLedger(store)
	inEffect(t, writer, 1)
	m := project.MilestoneID{Agreement: "a", Project: "p0", Milestone: "m"}
	_, err := importAll(t, writer, schedule("p0", "m"), start("p0"),
		citing(ledger.Request{Command: project.Claim{MilestoneID: m, Party: "cethik", MetOn: domain.MustDate("2026-11-20")}}, attach(t, store, "photographs")))
	require.NoError(t, err)
	confirm := withKey(ledger.Request{Command: project.Confirm{MilestoneID: m, Party: "wuxi"}}, "k")
	first, err := writer.Execute(t.Context(), confirm)
	require.NoError(t, err)
	require.Len(t, first.Events, 2)
	l, log := registeredUpTo(t, store, begun{store, first.Events[0].Seq})
	// when it is sent again
	again, err := l.Execute(t.Context(), confirm)
	require.NoError(t, err)
	// then it gets the same receipt
	require.EqualValues(t, 1, log.read.Load(), "the snapshot has all before the second event")
	first.Replayed = true
	require.Equal(t, first, again)
}

// blotted is a log in which one record cannot be read as an event.
type blotted struct {
	*eventstore.Store
	seq uint64
}

func (b blotted) Get(ctx context.Context, seq uint64) (eventstore.Record, error) {
	rec, err := b.Store.Get(ctx, seq)
	if seq == b.seq {
		rec.Data = []byte("?")
	}
	return rec, err
}

// A command is told of, whatever there is before it.
func TestTheReceiptOfACommandBehindAnUnreadableRecord(t *testing.T) {
	store := openStore(t)
	_, err := newLedger(store).Execute(t.Context(), register("cethik"))
	require.NoError(t, err)
	req := withKey(register("wuxi"), "k")
	l := newLedger(blotted{store, 1})
	first, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	again, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	first.Replayed = true
	require.Equal(t, first, again)
}
