package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// tb is what testing.TB and rapid.T share.
type tb interface {
	require.TestingT
	Helper()
}

// key is a signing key whose private half the tests have.
type key struct{ secret, public string }

func newKey(name string, n byte) key {
	secret, public, err := proof.NewKey(bytes.NewReader(bytes.Repeat([]byte{n}, 32)), name)
	if err != nil {
		panic(err)
	}
	return key{secret, public}
}

func (k key) verifier() domain.VerifierKey { return domain.VerifierKey(k.public) }

func (k key) signer() note.Signer {
	s, err := note.NewSigner(k.secret)
	if err != nil {
		panic(err)
	}
	return s
}

func (k key) handOver(next key) domain.SignedNote {
	n, err := note.Sign(&note.Note{Text: domain.RotationText(k.verifier(), next.verifier())}, k.signer())
	if err != nil {
		panic(err)
	}
	return domain.SignedNote(n)
}

var (
	ledgerKey = newKey("milepost/test", 1)
	cityKey   = newKey("wuxi.example/witness", 2)
	groupKey  = newKey("cethik.example/witness", 3)
	otherKey  = newKey("milepost/test", 9)
	noon      = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
)

// ledger is one in memory: its log, its trees and who signs them. What the real
// ones do is tested with them; here every history, sound or not, can be had.
type ledger struct {
	tb
	world    domaintest.World
	versions map[domain.Ref]uint64
	records  []eventstore.Record
	trees    map[string]*hashes
	keys     []key
	kept     map[string][]proof.Signed
	evidence []domain.Hash // of the next events
	files    *eventstore.Store
}

func newLedger(t tb) *ledger {
	return &ledger{
		tb: t, world: domaintest.World{}, versions: map[domain.Ref]uint64{}, trees: map[string]*hashes{"": {}},
		keys: []key{ledgerKey}, kept: map[string][]proof.Signed{},
	}
}

// given lets events have happened.
func (l *ledger) given(events ...domain.Event) *ledger {
	l.Helper()
	for _, e := range events {
		ref, e := domaintest.Locate(domain.Ref{}, e)
		l.record(ref, e)
		l.world.Evolve(ref, domain.On(ref, e))
	}
	return l
}

func (l *ledger) record(ref domain.Ref, e domain.Event) {
	l.versions[ref]++
	env := domain.Envelope{
		Type: e.Type(), Version: l.versions[ref], Actor: "li.wei", Effective: domaintest.Today, Ref: ref, Source: "/ledgers/test",
		Time: noon.Add(time.Duration(len(l.records)) * time.Second), ID: fmt.Sprintf("01900000-0000-7000-8000-%012d", len(l.records)+1),
		Evidence: l.evidence, Data: domain.EncodeEvent(e),
	}
	env.CommandID = "command-" + env.ID
	l.put(env)
}

// put writes an event as it is.
func (l *ledger) put(env domain.Envelope) {
	l.Helper()
	scope := string(env.Ref.Agreement)
	if scope == "" {
		scope = eventstore.LedgerWide
	}
	rec := eventstore.Record{
		Seq: uint64(len(l.records) + 1), Data: env.Append(nil),
		Subject: eventstore.Subject("test", scope, env.Ref.Kind, string(env.Ref.Key)),
	}
	l.records = append(l.records, rec)
	l.trees[""].append(l, rec.Data)
	if a := string(env.Ref.Agreement); a != "" {
		if l.trees[a] == nil {
			l.trees[a] = &hashes{}
		}
		l.trees[a].append(l, rec.Data)
	}
}

// rotate hands the ledger's key over.
func (l *ledger) rotate(next key) *ledger {
	l.Helper()
	old := l.keys[len(l.keys)-1]
	l.given(keyring.KeyRotated{Old: old.verifier(), Key: next.verifier(), Statement: old.handOver(next)})
	l.keys = append(l.keys, next)
	return l
}

// witness registers a party's key.
func (l *ledger) witness(p domain.Key, k key) *ledger {
	l.Helper()
	return l.given(domain.On(party.Ref(p), party.WitnessRegistered{Party: p, Key: k.verifier()}))
}

// Checkpoint signs a tree as it is.
func (l *ledger) Checkpoint(_ context.Context, agreement string) (proof.Signed, error) {
	t := l.trees[agreement]
	if t == nil {
		return proof.Signed{}, domain.NotFound("agreement", "agreement", domain.Key(agreement))
	}
	c := proof.Checkpoint{Origin: proof.Origin("test", agreement), Size: uint64(t.n), Root: t.root(l)}
	kept := l.kept[agreement]
	if n := len(kept); n > 0 && kept[n-1].Size == c.Size {
		return kept[n-1], nil
	}
	msg, err := c.Sign(l.keys[len(l.keys)-1].signer())
	require.NoError(l, err)
	s := l.open(msg)
	l.kept[agreement] = append(l.kept[agreement], s)
	return s, nil
}

func (l *ledger) open(msg []byte) proof.Signed {
	l.Helper()
	verifiers, err := proof.Verifiers(l.Keys()...)
	require.NoError(l, err)
	s, err := proof.Open(msg, verifiers)
	require.NoError(l, err)
	return s
}

// cosign has a key countersign a tree as it is now.
func (l *ledger) cosign(agreement string, by key) *ledger {
	l.Helper()
	s, err := l.Checkpoint(context.Background(), agreement)
	require.NoError(l, err)
	c, err := proof.NewCosigner(by.secret, func() time.Time { return noon })
	require.NoError(l, err)
	msg, err := c.Cosign(s)
	require.NoError(l, err)
	l.kept[agreement][len(l.kept[agreement])-1] = l.open(msg)
	return l
}

func (l *ledger) Kept(agreement string) []proof.Signed { return l.kept[agreement] }

func (l *ledger) Keys() []string {
	var keys []string
	for _, k := range l.keys {
		keys = append(keys, k.public)
	}
	return keys
}

func (l *ledger) ReadChunks(_ context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		var chunk []eventstore.Record
		for _, r := range l.records[from-1 : min(to, uint64(len(l.records)))] {
			if ok, _ := path.Match(filter, r.Subject); ok || filter == "" {
				chunk = append(chunk, r)
			}
		}
		for c := range slices.Chunk(chunk, 3) {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (l *ledger) ProveInclusion(_ context.Context, agreement domain.Key, tree tlog.Tree, index uint64) (tlog.RecordProof, error) {
	return tlog.ProveRecord(tree.N, int64(index), l.trees[string(agreement)])
}

func (l *ledger) Evidence(ctx context.Context, hash string) (*eventstore.EvidenceReader, error) {
	if l.files == nil {
		return nil, eventstore.ErrEvidenceNotFound
	}
	return l.files.Evidence(ctx, hash)
}

func (l *ledger) source() bundle.Source {
	return bundle.Source{Ledger: "test", Timezone: "Asia/Shanghai", Log: l, Files: l, Notary: l, Trees: l}
}

// bundled is the bundle of an agreement, or of the whole ledger.
func (l *ledger) bundled(agreement domain.Key, evidence ...bool) []byte {
	l.Helper()
	b, err := l.source().Prepare(context.Background(), agreement, len(evidence) > 0)
	require.NoError(l, err)
	var out bytes.Buffer
	require.NoError(l, b.Write(context.Background(), &out, nil))
	return out.Bytes()
}

// hashes are those that a tree has stored.
type hashes struct {
	n      int64
	stored []tlog.Hash
}

func (h *hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, x := range at {
		list[i] = h.stored[x]
	}
	return list, nil
}

func (h *hashes) append(t tb, data []byte) {
	more, err := tlog.StoredHashes(h.n, data, h)
	require.NoError(t, err)
	h.stored = append(h.stored, more...)
	h.n++
}

func (h *hashes) root(t tb) tlog.Hash {
	if h.n == 0 {
		return proof.EmptyRoot
	}
	root, err := tlog.TreeHash(h.n, h)
	require.NoError(t, err)
	return root
}

// verify verifies a bundle that reads.
func verify(t tb, b []byte, o ...bundle.Options) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(context.Background(), bytes.NewReader(b), append(o, bundle.Options{})[0])
	require.NoError(t, err)
	return r
}

// entry is a file in an archive.
type entry struct {
	name string
	body []byte
}

func unpack(t tb, b []byte) (entries []entry) {
	t.Helper()
	tr := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return entries
		}
		require.NoError(t, err)
		body, err := io.ReadAll(tr)
		require.NoError(t, err)
		entries = append(entries, entry{h.Name, body})
	}
}

// pack makes an archive of entries, as somebody would who knows the format: its
// end says what it holds.
func pack(t tb, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w, sum := tar.NewWriter(&out), sha256.New()
	for i, e := range entries {
		if e.name == "end.json" {
			e.body = append(domain.EncodeValue(bundle.End{Entries: i, SHA256: hex.EncodeToString(sum.Sum(nil))}), '\n')
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", e.name, len(e.body), e.body)
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: int64(len(e.body)), Mode: 0o644}))
		_, err := w.Write(e.body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// edit changes the entries of a bundle.
func edit(t tb, b []byte, change func([]entry) []entry) []byte {
	t.Helper()
	return pack(t, change(unpack(t, b)))
}

// body changes the entry whose name begins with a prefix.
func body(t tb, prefix string, change func(string) string) func([]entry) []entry {
	return func(entries []entry) []entry {
		i := slices.IndexFunc(entries, func(e entry) bool { return strings.HasPrefix(e.name, prefix) })
		require.GreaterOrEqual(t, i, 0, prefix)
		was := string(entries[i].body)
		entries[i].body = []byte(change(was))
		require.NotEqual(t, was, string(entries[i].body))
		return entries
	}
}

// object changes an entry that is one JSON object.
func object[T any](t tb, name string, change func(*T)) func([]entry) []entry {
	return body(t, name, func(s string) string {
		var v T
		require.NoError(t, json.Unmarshal([]byte(s), &v))
		change(&v)
		return string(domain.EncodeValue(v)) + "\n"
	})
}

// lines changes the lines of events.jsonl, and the number of events in the
// manifest with them.
func lines(t tb, change func([]string) []string) func([]entry) []entry {
	return func(entries []entry) []entry {
		n := 0
		entries = body(t, "events.jsonl", func(s string) string {
			all := change(strings.SplitAfter(strings.TrimSuffix(s, "\n"), "\n"))
			n = len(all)
			return strings.TrimSuffix(strings.Join(all, ""), "\n") + "\n"
		})(entries)
		m := bundle.Manifest{}
		require.NoError(t, json.Unmarshal(entries[0].body, &m))
		m.Events = uint64(n)
		entries[0].body = append(domain.EncodeValue(m), '\n')
		return entries
	}
}

// failed requires that a report fails, and that one of its checks does so with a
// code; it returns that check.
func failed(t tb, r bundle.Report, code string) bundle.Check {
	t.Helper()
	require.False(t, r.OK, "%+v", r.Checks)
	var codes []string
	for _, c := range r.Checks {
		if !c.OK && c.Code == code {
			require.NotEmpty(t, c.Detail)
			return c
		}
		codes = append(codes, c.ID+" "+c.Code+" "+c.Detail)
	}
	require.Fail(t, "no check failed with "+code, strings.Join(codes, "\n"))
	return bundle.Check{}
}
