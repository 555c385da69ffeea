package projections_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// tb is what testing.TB and rapid.T share.
type tb interface {
	require.TestingT
	Helper()
	Fatalf(format string, args ...any)
}

var _ tb = (*rapid.T)(nil)

// ledger decides commands and writes what follows to a log.
type ledger struct {
	tb
	world    domaintest.World
	versions map[domain.Ref]uint64
	last     map[string]uint64 // sequence by subject
	seq      uint64
	clock    time.Time // of the next event
	idPrefix string
	events   []happened // in the order of their sequences, from 1 on
	write    func(subject string, data []byte, expect uint64) uint64
}

// happened is an event of an aggregate.
type happened struct {
	ref   domain.Ref
	event domain.Event
}

// given lets events have happened, whatever the rules say.
func (l *ledger) given(events ...domain.Event) {
	l.Helper()
	for _, e := range events {
		ref, e := domaintest.Locate(domain.Ref{}, e)
		l.record(ref, e, domain.Meta{Actor: "li.wei"})
		l.world.Evolve(ref, domain.On(ref, e))
	}
}

var epoch = time.Date(2024, 6, 10, 8, 0, 0, 0, time.UTC)

func newLedger(t tb, write func(subject string, data []byte, expect uint64) uint64) *ledger {
	return &ledger{
		tb: t, world: domaintest.World{}, versions: map[domain.Ref]uint64{}, last: map[string]uint64{},
		clock: epoch, idPrefix: "01900000", write: write,
	}
}

// do asks a command on the day of the clock, and requires that it is accepted.
func (l *ledger) do(cmd domain.Command, meta ...domain.Meta) uint64 {
	l.Helper()
	seq, err := l.try(cmd, append(meta, domain.Meta{})[0])
	require.NoError(l, err)
	return seq
}

// try asks a command and returns the sequence of its last event, or the
// refusal.
func (l *ledger) try(cmd domain.Command, meta domain.Meta) (uint64, error) {
	l.Helper()
	if meta.Actor == "" {
		meta.Actor = "li.wei"
	}
	today := domain.DateOf(l.clock, time.UTC)
	events, err := l.world.Ask(cmd, meta, today)
	if err != nil {
		return l.seq, err
	}
	for _, e := range events {
		ref, e := domaintest.Locate(cmd.Ref(), e)
		l.record(ref, e, meta)
	}
	l.world.Evolve(cmd.Ref(), events...)
	return l.seq, nil
}

// record writes one event.
func (l *ledger) record(ref domain.Ref, e domain.Event, meta domain.Meta) uint64 {
	l.Helper()
	l.versions[ref]++
	l.events = append(l.events, happened{ref, e})
	if meta.Effective == 0 {
		meta.Effective = domain.DateOf(l.clock, time.UTC)
	}
	return l.put(ref, domain.Envelope{
		Type: e.Type(), Version: l.versions[ref], Actor: meta.Actor, Party: meta.ActingFor, Effective: meta.Effective,
		Reason: meta.Reason, Note: meta.Note, Corrects: meta.Corrects, CommandID: meta.IdempotencyKey, Evidence: meta.Evidence, Data: domain.EncodeEvent(e),
	})
}

func (l *ledger) put(ref domain.Ref, env domain.Envelope) uint64 {
	l.Helper()
	env.Ref, env.Source, env.Time = ref, "/ledgers/test", l.clock
	env.ID = fmt.Sprintf("%s-0000-7000-8000-%012d", l.idPrefix, l.seq+1)
	if env.CommandID == "" {
		env.CommandID = "command-" + env.ID
	}
	scope := string(ref.Agreement)
	if scope == "" {
		scope = eventstore.LedgerWide
	}
	subject := eventstore.Subject("test", scope, ref.Kind, string(ref.Key))
	l.seq = l.write(subject, env.Append(nil), l.last[subject])
	l.last[subject] = l.seq
	return l.seq
}

// stored opens a real log below a test's directory, and a ledger that writes
// to it.
func stored(t testing.TB) (*ledger, *eventstore.Store) {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return newLedger(t, func(subject string, data []byte, expect uint64) uint64 {
		seq, err := store.Append(t.Context(), []eventstore.Message{{Subject: subject, Data: data, Expect: expect}})
		require.NoError(t, err)
		return seq
	}), store
}

// memory is a log in memory. It is there for what a real log never gives, gaps
// and wrong versions, and for properties over hundreds of logs.
type memory struct {
	mu      sync.Mutex
	records []eventstore.Record
	grown   chan struct{}
}

func inMemory(t tb) (*ledger, *memory) {
	log := &memory{grown: make(chan struct{})}
	return newLedger(t, log.append), log
}

func (m *memory) append(subject string, data []byte, _ uint64) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	seq := uint64(len(m.records) + 1)
	m.records = append(m.records, eventstore.Record{Seq: seq, Subject: subject, Data: data, Stored: time.Now()})
	close(m.grown)
	m.grown = make(chan struct{})
	return seq
}

func (m *memory) all() ([]eventstore.Record, chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[:len(m.records):len(m.records)], m.grown
}

func (m *memory) SubscribeChunks(ctx context.Context, from uint64) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		for at := int(from) - 1; ; {
			records, grown := m.all()
			if at < len(records) {
				if !yield(records[at:], nil) {
					return
				}
				at = len(records)
			}
			select {
			case <-grown:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

func (m *memory) ReadChunks(_ context.Context, from, to uint64, _ string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		records, _ := m.all()
		yield(records[from-1:min(to, uint64(len(records)))], nil)
	}
}

func (m *memory) Records(ctx context.Context, _ string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for _, seq := range seqs {
			if rec, err := m.Get(ctx, seq); !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (m *memory) Last(context.Context) (uint64, error) {
	records, _ := m.all()
	return uint64(len(records)), nil
}

func (m *memory) Get(_ context.Context, seq uint64) (eventstore.Record, error) {
	records, _ := m.all()
	if seq == 0 || seq > uint64(len(records)) {
		return eventstore.Record{}, eventstore.ErrNotFound
	}
	return records[seq-1], nil
}

// until is the first so many records of a log.
func (m *memory) until(seq uint64) *memory {
	records, _ := m.all()
	return &memory{records: records[:seq], grown: make(chan struct{})}
}

// models opens read models in dir, with the clock of the ledger.
func models(t testing.TB, dir string, now func() time.Time) *projections.Models {
	t.Helper()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// follow follows log until stop is called, which tells how it ended.
func follow(t testing.TB, m *projections.Models, log projections.Log) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Follow(ctx, log) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// reach waits until m has projected sequence seq.
func reach(t testing.TB, m *projections.Models, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, m.Wait(ctx, seq))
}

// edit runs SQL on the file of read models in dir, as nobody should.
func edit(t testing.TB, dir, sql string, args ...any) {
	t.Helper()
	conn := onlyFile(t, dir)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args}))
	require.NotZero(t, conn.Changes(), "nothing was edited")
}

// execute runs statements on the file of read models in dir.
func execute(t testing.TB, dir, statements string) {
	t.Helper()
	conn := onlyFile(t, dir)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, sqlitex.ExecuteScript(conn, statements, nil))
}

func onlyFile(t testing.TB, dir string) *sqlite.Conn {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "read-v*.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadWrite)
	require.NoError(t, err)
	return conn
}

// check tries a property on random ledgers. Each is folded many times over, so
// there are fewer than rapid would draw, and none for the race detector: all is done
// in turn, but generators that several tests draw from at a time are not.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	domaintest.Exhausting(t)
	domaintest.Check(t, 20, property)
}
