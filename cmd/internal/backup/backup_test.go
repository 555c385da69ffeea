package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// rig is a ledger with two agreements, evidence, and a checkpoint from before its
// last events.
type rig struct {
	dir    string
	key    signing.Key
	store  *eventstore.Store
	notary *notary.Notary
	hash   string // of the evidence
}

func start(t *testing.T) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	var err error
	r.key, _, err = signing.Prepare(signing.KeyFile(r.dir), "test")
	require.NoError(t, err)
	r.store, err = eventstore.Open(t.Context(), eventstore.Config{Dir: r.dir, Ledger: "test", Key: r.key.Public, Timezone: "Asia/Shanghai", ContentType: "text/plain"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.store.Close()) })
	r.notary, err = notary.Open(t.Context(), r.store, notary.Options{Dir: filepath.Join(r.dir, checkpointDir), Ledger: "test", Secret: r.key.Secret})
	require.NoError(t, err)
	r.append(t, eventstore.LedgerWide, "one")
	r.append(t, "pact", "two", "three")
	for _, tree := range []string{"", "pact"} {
		_, err = r.notary.Checkpoint(t.Context(), tree)
		require.NoError(t, err)
	}
	r.append(t, "other", "four")
	e, err := r.store.PutEvidence(t.Context(), strings.NewReader("A report."), "")
	require.NoError(t, err)
	r.hash = e.Hash
	return r
}

func (r *rig) append(t *testing.T, agreement string, texts ...string) {
	t.Helper()
	var list []eventstore.Message
	for _, text := range texts {
		list = append(list, eventstore.Message{Subject: eventstore.Subject("test", agreement, "thing", text), Data: []byte(`{"text":"` + text + `"}`), ID: "id-" + text})
	}
	_, err := r.store.Append(t.Context(), list)
	require.NoError(t, err)
}

func (r *rig) source() Source { return Source{Log: r.store, Notary: r.notary, Program: "test"} }

func (r *rig) backup(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := r.source().Write(t.Context(), &out)
	require.NoError(t, err)
	return out.Bytes()
}

// all reads a log with headers, and without the times of storing.
func all(t *testing.T, s *eventstore.Store) (list []eventstore.Record) {
	t.Helper()
	for chunk, err := range s.ReadStored(t.Context(), 1, 0) {
		require.NoError(t, err)
		for _, rec := range chunk {
			rec.Stored = time.Time{}
			list = append(list, rec)
		}
	}
	return list
}

// files reads all that is below a directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		found[path] = string(b)
		return err
	}))
	return found
}

func failed(t *testing.T, err error, code string) {
	t.Helper()
	f := (*Failure)(nil)
	require.ErrorAs(t, err, &f)
	require.Equal(t, code, f.Code, "%v", err)
}

func TestBackupAndRestore(t *testing.T) {
	// given a ledger, and its backup
	r := start(t)
	o := Options{LedgerKey: domain.VerifierKey(r.key.Public), Ledger: "test"}
	file := r.backup(t)
	s, err := Verify(t.Context(), iotest.HalfReader(bytes.NewReader(file)), o)
	require.NoError(t, err)
	require.EqualValues(t, 4, s.Manifest.Seq)
	require.Equal(t, 1, s.Manifest.Evidence)
	require.Equal(t, 2, s.Checkpoints, "the ledger's and the agreement's")
	require.Equal(t, 2, s.Agreements)
	require.Equal(t, []string{r.key.Public}, s.Keys)

	// when it is restored, with its key
	keys, err := TakeKeys(r.dir, r.key.File, s)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", keys, keys, keys), r.key.Secret)
	keyFile := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Write(keyFile))
	info, err := os.Stat(keyFile)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	keys, err = ReadKeys(keyFile)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "new")
	_, err = Restore(t.Context(), bytes.NewReader(file), Place{Dir: dir, Keys: keys}, o)
	require.NoError(t, err)

	// then it is the same ledger, and goes on.
	key, made, err := signing.Prepare(signing.KeyFile(dir), "test")
	require.NoError(t, err)
	require.False(t, made)
	require.Equal(t, r.key.Public, key.Public)
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: "test", Key: key.Public})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	require.Equal(t, all(t, r.store), all(t, store))
	require.Equal(t, "Asia/Shanghai", store.Timezone())
	require.Equal(t, files(t, filepath.Join(r.dir, checkpointDir)), files(t, filepath.Join(dir, checkpointDir)))
	e, err := store.Evidence(t.Context(), r.hash)
	require.NoError(t, err)
	report, err := io.ReadAll(e)
	require.NoError(t, err)
	require.Equal(t, "A report.", string(report))
	again, err := notary.Open(t.Context(), store, notary.Options{Dir: filepath.Join(dir, checkpointDir), Ledger: "test", Secret: key.Secret})
	require.NoError(t, err)
	require.EqualValues(t, 4, again.Size())
}

func TestBackupOfNothing(t *testing.T) {
	r := &rig{dir: t.TempDir()}
	var err error
	r.key, _, err = signing.Prepare(signing.KeyFile(r.dir), "test")
	require.NoError(t, err)
	r.store, err = eventstore.Open(t.Context(), eventstore.Config{Dir: r.dir, Ledger: "test", Key: r.key.Public})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.store.Close()) })
	r.notary, err = notary.Open(t.Context(), r.store, notary.Options{Dir: t.TempDir(), Ledger: "test", Secret: r.key.Secret})
	require.NoError(t, err)
	s, err := Restore(t.Context(), bytes.NewReader(r.backup(t)), Place{Dir: t.TempDir()}, Options{})
	require.NoError(t, err)
	require.Zero(t, s.Manifest.Seq)
}

// What is appended while a backup is written is in it up to the checkpoint, and no
// further.
func TestBackupGoesUpToItsCheckpoint(t *testing.T) {
	r := start(t)
	signing := &late{Notary: r.notary, before: func() { r.append(t, "pact", "five") }, after: func() { r.append(t, "pact", "six") }}
	var out bytes.Buffer
	lost, err := Source{Log: r.store, Notary: signing}.Write(t.Context(), &out)
	require.NoError(t, err)
	require.Empty(t, lost)
	s, err := Verify(t.Context(), &out, Options{})
	require.NoError(t, err)
	require.EqualValues(t, 5, s.Manifest.Seq)
	for _, p := range s.Manifest.Parts {
		require.NotEqual(t, noteName("pact", 4), p.Name, "a checkpoint of what is not in the backup")
	}
}

// late has something happen before and after the checkpoint is signed.
type late struct {
	*notary.Notary
	before, after func()
}

func (l *late) Checkpoint(ctx context.Context, agreement string) (proof.Signed, error) {
	l.before()
	s, err := l.Notary.Checkpoint(ctx, agreement)
	l.after()
	if err == nil { // the notary signs all the time
		_, err = l.Notary.Checkpoint(ctx, "pact")
	}
	return s, err
}

// No byte of a backup can be changed, and nothing left out, that nothing is said
// of.
func TestEveryByteCounts(t *testing.T) {
	r := start(t)
	file := r.backup(t)
	verify := func(b []byte) error {
		_, err := Verify(t.Context(), bytes.NewReader(b), Options{LedgerKey: domain.VerifierKey(r.key.Public)})
		return err
	}
	require.NoError(t, verify(file))
	codes := map[string]int{}
	fails := func(b []byte, what string, at int) {
		f := (*Failure)(nil)
		if !errors.As(verify(b), &f) {
			require.Fail(t, "not detected", "%s at %d: %v", what, at, verify(b))
		}
		codes[f.Code]++
	}
	bad := bytes.Clone(file)
	for i := range file {
		bad[i] ^= 1 << (i % 8)
		fails(bad, "a bit flipped", i)
		bad[i] = file[i]
	}
	for n := 0; n < len(file); n += 13 {
		fails(file[:n], "cut short", n)
	}
	fails(append(bytes.Clone(file), 0), "a byte more", len(file))
	fails(append(bytes.Clone(file), file...), "another backup behind it", len(file))
	for _, code := range []string{CodeNotABackup, CodeCutShort, CodeDamaged, CodeMalformed, CodeEvidenceChanged} {
		assert.Positive(t, codes[code], code)
	}

	// A file that cannot be read is not a damaged one.
	_, err := Verify(t.Context(), io.MultiReader(bytes.NewReader(file[:3000]), iotest.ErrReader(errors.New("the disk is gone"))), Options{})
	require.ErrorContains(t, err, "the disk is gone")
	require.False(t, errors.As(err, new(*Failure)))
}

// forge writes a backup anew with another content, and a manifest that fits.
func forge(t *testing.T, file []byte, change func(name string, content []byte) []byte) []byte {
	t.Helper()
	in := tapeReader{r: bytes.NewReader(file)}
	var out bytes.Buffer
	w := tapeWriter{w: &out}
	for {
		name, _, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		b, err := in.all(maxManifest)
		require.NoError(t, err)
		switch kindOf(name) {
		case kindManifest:
			m, err := decode[Manifest](name, change(name, b))
			require.NoError(t, err)
			m.Parts = w.parts
			require.NoError(t, err)
			b, err = encode(m)
			require.NoError(t, err)
		case kindSum:
			b = []byte(w.parts[len(w.parts)-1].SHA256 + "\n")
		default:
			b = change(name, b)
		}
		if b != nil {
			w.bytes(name, b)
		}
	}
	require.NoError(t, w.close())
	return out.Bytes()
}

func TestForgeries(t *testing.T) {
	r := start(t)
	file := r.backup(t)
	replace := func(in, old, new string) func(string, []byte) []byte {
		return func(name string, b []byte) []byte {
			if strings.HasPrefix(name, in) {
				return bytes.ReplaceAll(b, []byte(old), []byte(new))
			}
			return b
		}
	}
	without := func(prefix string) func(string, []byte) []byte {
		return func(name string, b []byte) []byte {
			if strings.HasPrefix(name, prefix) {
				return nil
			}
			return b
		}
	}
	_, err := Verify(t.Context(), bytes.NewReader(forge(t, file, replace("x", "", ""))), Options{})
	require.NoError(t, err, "what is not changed")
	other, _, err := signing.Prepare(filepath.Join(t.TempDir(), "key"), "test")
	require.NoError(t, err)
	signedBy := func(key signing.Key) []byte {
		o := start(t)
		o.notary, err = notary.Open(t.Context(), o.store, notary.Options{Dir: t.TempDir(), Ledger: "test", Secret: key.Secret})
		require.NoError(t, err)
		return forge(t, o.backup(t), replace(nameHead, o.key.Public, r.key.Public))
	}
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"an event is another one":           {forge(t, file, replace(dirLog, `"two"`, `"TWO"`)), CodeEventChanged},
		"an event is left out":              {forge(t, file, replace(dirLog, `{"seq":3,`, `{"seq":4,`)), CodeEventMissing},
		"it is, and no checkpoint is kept":  {forge(t, forge(t, file, without(dirNotes)), replace(dirLog, `"two"`, `"TWO"`)), CodeEventChanged},
		"all events are left out":           {forge(t, file, without(dirLog)), CodeDamaged},
		"they are, and nobody should know":  {forge(t, forge(t, file, without(dirLog)), replace(nameManifest, `"seq": 4`, `"seq": 0`)), CodeEventChanged},
		"a file is another one":             {forge(t, file, replace(dirEvidence, "report", "REPORT")), CodeEvidenceChanged},
		"a file is left out":                {forge(t, file, without(dirEvidence)), CodeDamaged},
		"a checkpoint says otherwise":       {forge(t, file, replace(dirNotes+"pact/", "\n2\n", "\n1\n")), CodeNotSigned},
		"it is signed by another key":       {signedBy(other), CodeNotSigned},
		"it is of a later version":          {forge(t, file, replace(nameHead, Format, formatName+"2")), CodeVersion},
		"it is of another ledger":           {forge(t, file, replace(nameHead, `"ledger": "test"`, `"ledger": "main"`)), CodeForeign},
		"the key of the log is another one": {forge(t, file, replace(nameHead, r.key.Public, other.Public)), CodeWrongKey},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new")
			_, err := Restore(t.Context(), bytes.NewReader(c.file), Place{Dir: dir}, Options{LedgerKey: domain.VerifierKey(r.key.Public), Ledger: "test"})
			failed(t, err, c.code)
			require.NoDirExists(t, dir, "nothing is there")
		})
	}
	t.Run("the log is not what was signed", func(t *testing.T) {
		more := &shorter{r.store}
		_, err := Source{Log: more, Notary: r.notary}.Write(t.Context(), io.Discard)
		failed(t, err, CodeEventChanged)
	})
	t.Run("keys of another ledger", func(t *testing.T) {
		_, err := Restore(t.Context(), bytes.NewReader(file), Place{Dir: filepath.Join(t.TempDir(), "new"), Keys: Keys{Ledger: "main"}}, Options{})
		failed(t, err, CodeKeysForeign)
	})
	t.Run("not the key", func(t *testing.T) {
		keys, err := KeyOf(other.File)
		require.NoError(t, err)
		dir := filepath.Join(t.TempDir(), "new")
		_, err = Restore(t.Context(), bytes.NewReader(file), Place{Dir: dir, Keys: keys}, Options{})
		failed(t, err, CodeNotTheKey)
		require.NoDirExists(t, dir)
	})
	t.Run("keys that were damaged", func(t *testing.T) {
		keys, err := KeyOf(other.File)
		require.NoError(t, err)
		keys.SHA256[signingKey] = sumOf(nil)
		at := filepath.Join(t.TempDir(), "keys")
		require.NoError(t, keys.Write(at))
		_, err = ReadKeys(at)
		failed(t, err, CodeKeysMalformed)
		require.NotContains(t, err.Error(), other.Secret)
	})
}

// A log whose end is told by a server that was cut off has no backup: more was
// acknowledged elsewhere.
func TestNoBackupWithoutWhatWasAcknowledged(t *testing.T) {
	r := start(t)
	source := r.source()
	source.Log = &cutOff{r.store}
	var out bytes.Buffer
	_, err := source.Write(t.Context(), &out)
	require.ErrorIs(t, err, eventstore.ErrUnavailable)
	_, err = Verify(t.Context(), &out, Options{})
	require.Error(t, err)
}

type cutOff struct{ *eventstore.Store }

func (c *cutOff) Reached(ctx context.Context) (uint64, error) {
	last, err := c.Last(ctx)
	return last + 1, err
}

// shorter is a log of which the last record changed on the disk.
type shorter struct{ *eventstore.Store }

func (s *shorter) ReadStored(ctx context.Context, from, to uint64) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		for chunk, err := range s.Store.ReadStored(ctx, from, to) {
			if err == nil {
				last := &chunk[len(chunk)-1]
				last.Data = append(bytes.Clone(last.Data), '!')
			}
			if !yield(chunk, err) {
				return
			}
		}
	}
}
