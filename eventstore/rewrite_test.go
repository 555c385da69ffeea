package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// these yields records, and then the error, if there is one.
func these(records []eventstore.Record, err error) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(eventstore.Record{}, err)
		}
	}
}

func always(records iter.Seq2[eventstore.Record, error]) func(*eventstore.Store) (iter.Seq2[eventstore.Record, error], error) {
	return func(*eventstore.Store) (iter.Seq2[eventstore.Record, error], error) { return records, nil }
}

func records(tb testing.TB, s *eventstore.Store) (list []eventstore.Record) {
	tb.Helper()
	for r, err := range s.Read(context.Background(), 1, 0, "") {
		require.NoError(tb, err)
		list = append(list, r)
	}
	return list
}

// aLog makes a log with a file beside it, and closes it.
func aLog(t *testing.T) (cfg eventstore.Config, evidence string) {
	cfg = config(t)
	cfg.Timezone, cfg.Key = "Asia/Shanghai", "milepost/test+00000000+key"
	s := openWith(t, cfg)
	mustAppend(t, s, message("p1", 0, "one"), message("p2", 0, "two"), message("p1", 0, "three"))
	mustAppend(t, s, message("p3", 0, "four"))
	e, err := s.PutEvidence(context.Background(), strings.NewReader("a deed"), "")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	cfg.Timezone, cfg.Key = "", ""
	return cfg, e.Hash
}

// whatIsIn lists a data directory.
func whatIsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestRewrite(t *testing.T) {
	ctx := context.Background()
	cfg, evidence := aLog(t)

	// when one record is changed, one moved to another subject and some are put behind
	more := 2100 // more than two batches
	former, err := eventstore.Rewrite(ctx, cfg, func(present *eventstore.Store) (iter.Seq2[eventstore.Record, error], error) {
		list := records(t, present)
		list[1].Data = []byte("zwei")
		list[3].Subject = subject("p4")
		for i := range more {
			list = append(list, eventstore.Record{Seq: uint64(len(list)) + 1, Subject: subject("p1"), Data: bytes.Repeat([]byte{'x'}, i*10)})
		}
		return these(list, nil), nil
	})
	require.NoError(t, err)

	// then the log has exactly that, and what belongs to it,
	s := openWith(t, cfg)
	got := log(t, s)
	assert.Equal(t, []string{"1 p1 one", "2 p2 zwei", "3 p1 three", "4 p4 four", "5 p1 ", "6 p1 xxxxxxxxxx"}, got[:6])
	assert.Len(t, got, 4+more)
	assert.Equal(t, "Asia/Shanghai", s.Timezone())
	assert.Equal(t, "milepost/test+00000000+key", s.Key())
	file, err := s.Evidence(ctx, evidence)
	require.NoError(t, err)
	deed, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	assert.Equal(t, "a deed", string(deed))

	// and goes on as any other,
	assert.EqualValues(t, 5+more, mustAppend(t, s, message("p4", 4, "five")))
	require.NoError(t, s.Close())

	// and the former one is beside it as it was.
	assert.Equal(t, []string{"jetstream", filepath.Base(former), "lock"}, whatIsIn(t, cfg.Dir))
	old := t.TempDir()
	require.NoError(t, os.Rename(former, filepath.Join(old, "jetstream")))
	s = openWith(t, eventstore.Config{Dir: old, Ledger: cfg.Ledger})
	assert.Equal(t, []string{"1 p1 one", "2 p2 two", "3 p1 three", "4 p3 four"}, log(t, s))
}

// Given a log, when something goes wrong before the new one is whole, then
// nothing has changed and nothing is left.
func TestRewrite_failureLeavesAllAsItWas(t *testing.T) {
	ctx := context.Background()
	one := eventstore.Record{Seq: 1, Subject: subject("p1"), Data: []byte("eins")}
	gap, ended := one, errors.New("the source has ended")
	gap.Seq = 3
	foreign := eventstore.Record{Seq: 2, Subject: "milepost.other.a1.project.p1", Data: []byte("zwei")}
	for name, c := range map[string]struct {
		records func(*eventstore.Store) (iter.Seq2[eventstore.Record, error], error)
		want    any // nil where nothing is wrong
	}{
		"nothing to do":       {always(nil), nil},
		"no decision":         {func(*eventstore.Store) (iter.Seq2[eventstore.Record, error], error) { return nil, ended }, &ended},
		"the source ends":     {always(these([]eventstore.Record{one}, ended)), &ended},
		"a sequence is left":  {always(these([]eventstore.Record{one, gap}, nil)), new(*eventstore.GapError)},
		"of another ledger":   {always(these([]eventstore.Record{one, foreign}, nil)), new(*eventstore.SubjectError)},
		"begins at the wrong": {always(these([]eventstore.Record{gap}, nil)), new(*eventstore.GapError)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := aLog(t)
			former, err := eventstore.Rewrite(ctx, cfg, c.records)
			assert.Empty(t, former)
			switch want := c.want.(type) {
			case nil:
				require.NoError(t, err)
			case *error:
				require.ErrorIs(t, err, *want)
			default:
				require.ErrorAs(t, err, want)
			}
			assert.Equal(t, []string{"jetstream", "lock"}, whatIsIn(t, cfg.Dir))
			assert.Len(t, log(t, openWith(t, cfg)), 4)
		})
	}
	t.Run("in use", func(t *testing.T) {
		cfg := config(t)
		openWith(t, cfg)
		_, err := eventstore.Rewrite(ctx, cfg, always(these(nil, nil)))
		require.ErrorAs(t, err, new(*eventstore.LockedError))
	})
	t.Run("broken off", func(t *testing.T) {
		cfg, _ := aLog(t)
		ctx, cancel := context.WithCancel(ctx)
		_, err := eventstore.Rewrite(ctx, cfg, always(func(yield func(eventstore.Record, error) bool) {
			cancel()
			yield(one, nil)
		}))
		require.ErrorIs(t, err, context.Canceled)
		assert.Len(t, log(t, openWith(t, cfg)), 4)
	})
	t.Run("an external server", func(t *testing.T) {
		_, err := eventstore.Rewrite(ctx, eventstore.Config{URL: "nats://127.0.0.1:1", Ledger: "test"}, always(nil))
		require.ErrorContains(t, err, "only an embedded log")
	})
}

func TestOpenCopy(t *testing.T) {
	ctx := context.Background()
	cfg, evidence := aLog(t)

	// given a directory that cannot be written to, and is in use
	openWith(t, cfg)
	before := fingerprint(t, cfg.Dir)

	// when a copy is opened and written to, then it has the log and not the evidence,
	temp := t.TempDir()
	s, err := eventstore.OpenCopy(ctx, cfg, temp)
	require.NoError(t, err)
	assert.Equal(t, []string{"1 p1 one", "2 p2 two", "3 p1 three", "4 p3 four"}, log(t, s))
	assert.Equal(t, "Asia/Shanghai", s.Timezone())
	has, err := s.HasEvidence(ctx, evidence)
	require.NoError(t, err)
	assert.False(t, has)
	mustAppend(t, s, message("p1", 3, "five"))
	require.NoError(t, s.Close())

	// and nothing of it stays, nor was anything changed.
	assert.Empty(t, whatIsIn(t, temp))
	assert.Equal(t, before, fingerprint(t, cfg.Dir))

	for name, wrong := range map[string]eventstore.Config{
		"no directory":    {Dir: filepath.Join(cfg.Dir, "none"), Ledger: "test"},
		"another ledger":  {Dir: cfg.Dir, Ledger: "other"},
		"an empty folder": {Dir: t.TempDir(), Ledger: "test"},
	} {
		_, err := eventstore.OpenCopy(ctx, wrong, temp)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// fingerprint is the sizes and contents of what is in a directory.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	}))
	return files
}
