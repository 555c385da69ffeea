package bundle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// story is a ledger whose agreement both parties countersigned when it began, the
// city again later on; the ledger has handed over its key once.
func story(t tb) *ledger {
	t.Helper()
	l := newLedger(t).given(domaintest.Active()...).
		witness(domaintest.City, cityKey).witness(domaintest.Group, groupKey).
		cosign("framework", cityKey).cosign("framework", groupKey).
		rotate(newKey("milepost/test", 8))
	running := domaintest.Running()[len(domaintest.Active()):]
	return l.given(running[:4]...).cosign("framework", cityKey).given(running[4:]...)
}

// Given a checkpoint that was countersigned after the export, when the bundle is
// verified against it, then the bundle settles no more than it does by itself.
func TestWhatWasSeenSettlesNothing(t *testing.T) {
	for _, of := range []domain.Key{"framework", ""} {
		l := story(t)
		file := l.bundled(of)
		alone := verify(t, file)
		require.True(t, alone.OK)
		l.cosign(string(of), groupKey)
		kept := l.kept[string(of)]
		seen := verify(t, file, bundle.Options{Since: kept[len(kept)-1].Note})
		require.True(t, seen.OK)
		require.Equal(t, alone.Settlements, seen.Settlements)
		require.Equal(t, detail(alone, "countersignatures"), detail(seen, "countersignatures"))
	}
}

func TestABundleOfAnAgreement(t *testing.T) {
	// given a ledger with countersignatures, when it is exported
	l := story(t)
	file := l.bundled("framework")
	// then the bundle verifies with nothing else than the ledger's first key
	r := verify(t, file, bundle.Options{LedgerKey: ledgerKey.verifier()})
	require.True(t, r.OK, "%+v", r.Checks)
	require.Equal(t, [2]string{"test", "framework"}, [2]string{r.Ledger, string(r.Agreement)})
	require.EqualValues(t, len(l.records), r.Seq)
	require.EqualValues(t, l.trees["framework"].n, r.Events)
	ids := []string{}
	for _, c := range r.Checks {
		ids = append(ids, c.ID)
		require.NotEmpty(t, c.Detail, c.ID)
	}
	require.ElementsMatch(t, []string{"file", "keys", "signatures", "events", "history", "state", "proofs", "countersignatures"}, ids)
	// and says for whom it is settled
	require.Len(t, r.Settlements, 1)
	s := r.Settlements[0]
	signedByBoth := uint64(len(domaintest.Active()) - len(domaintest.Parties()))
	require.Equal(t, signedByBoth, s.Settled)
	require.Equal(t, uint64(len(domaintest.Active())), s.Seq)
	require.Equal(t, uint64(l.trees["framework"].n), s.Events)
	require.Equal(t, []domain.Key{domaintest.Group, domaintest.City}, []domain.Key{s.Parties[0].Party, s.Parties[1].Party})
	require.Equal(t, signedByBoth, s.Parties[0].Events)
	require.Equal(t, signedByBoth+4, s.Parties[1].Events)
	require.Equal(t, s.Events-signedByBoth-4, s.Parties[1].Pending)
	require.Equal(t, noon, s.Parties[1].At)
	require.False(t, s.Parties[1].Given)

	t.Run("it is the same bytes again", func(t *testing.T) {
		require.True(t, bytes.Equal(file, l.bundled("framework")))
	})
	t.Run("without a key of the verifier's own it says so", func(t *testing.T) {
		r := verify(t, file)
		require.True(t, r.OK)
		require.Contains(t, detail(r, "keys"), "FROM THE FILE ITSELF")
	})
	t.Run("a later key of the ledger will do", func(t *testing.T) {
		require.True(t, verify(t, file, bundle.Options{LedgerKey: l.keys[1].verifier()}).OK)
	})
	t.Run("the parties' keys can be given", func(t *testing.T) {
		r := verify(t, file, bundle.Options{Witnesses: []bundle.Witness{{Party: domaintest.City, Key: cityKey.verifier()}}})
		require.True(t, r.OK)
		require.True(t, r.Settlements[0].Parties[1].Given)
		require.Equal(t, signedByBoth+4, r.Settlements[0].Parties[1].Events)
	})
	t.Run("what a party signed with a key that it gave up counts for nothing", func(t *testing.T) {
		l := story(t)
		next := newKey("wuxi.example", 9)
		l.given(domain.On(party.Ref(domaintest.City), party.WitnessRetired{Party: domaintest.City, Key: cityKey.verifier()}))
		l.witness(domaintest.City, next)
		city := func() bundle.Witnessed { return verify(t, l.bundled("framework")).Settlements[0].Parties[1] }
		require.Zero(t, city().Events)
		require.Equal(t, uint64(l.trees["framework"].n), city().Pending)
		l.cosign("framework", next)
		require.Zero(t, city().Pending)
	})
	t.Run("and what one key signed counts for all whose it is", func(t *testing.T) {
		l := newLedger(t).given(domaintest.Active()...).witness(domaintest.City, cityKey).witness(domaintest.Group, cityKey).cosign("framework", cityKey)
		r := verify(t, l.bundled("framework"))
		require.True(t, r.OK, "%+v", r.Checks)
		require.Equal(t, r.Settlements[0].Events, r.Settlements[0].Settled)
	})
	t.Run("what others countersigned is left out", func(t *testing.T) {
		l := story(t).cosign("framework", newKey("harbour.example", 6)).cosign("framework", newKey("wuxi.example/witness", 7))
		require.True(t, verify(t, l.bundled("framework")).OK)
		require.NotContains(t, string(l.bundled("framework")), "harbour.example")
	})
	t.Run("a checkpoint that was kept is the beginning of it", func(t *testing.T) {
		for _, kept := range l.kept["framework"] {
			r := verify(t, file, bundle.Options{Since: kept.Note})
			require.True(t, r.OK, "%+v", r.Checks)
			require.Contains(t, detail(r, "consistency"), "those of the checkpoint that you kept")
		}
	})
}

func detail(r bundle.Report, id string) string {
	for _, c := range r.Checks {
		if c.ID == id {
			return c.Detail
		}
	}
	return ""
}

func TestABundleOfTheWholeLedger(t *testing.T) {
	// given two agreements, and a party that countersigned the ledger's tree
	l := story(t).given(agreement.Drafted{ID: agreement.ID{Agreement: "second"}, Kind: agreement.KindFramework, Title: domaintest.En("Second"),
		Parties: []domain.Key{domaintest.City, domaintest.Group}, Document: domaintest.Text1})
	l.cosign("", groupKey).cosign("second", cityKey)
	l.given(agreement.AreaAdded{ID: agreement.ID{Agreement: "second"}, Area: "iot", Title: domaintest.En("IoT")})
	// when all of it is exported, then it verifies
	r := verify(t, l.bundled(""), bundle.Options{LedgerKey: ledgerKey.verifier()})
	require.True(t, r.OK, "%+v", r.Checks)
	require.EqualValues(t, len(l.records), r.Events)
	// and the ledger's tree covers what is in its agreements
	require.Len(t, r.Settlements, 2)
	first, second := r.Settlements[0], r.Settlements[1]
	require.Equal(t, first.Events, first.Parties[0].Events)
	require.Equal(t, "milepost/test", first.Parties[0].Origin)
	require.Equal(t, first.Parties[1].Events, first.Settled)
	require.Equal(t, [3]uint64{2, 1, uint64(len(l.records) - 1)}, [3]uint64{second.Events, second.Settled, second.Seq})
	// and an empty ledger has a bundle too
	require.True(t, verify(t, newLedger(t).bundled("")).OK)
}

// What happens while a bundle is made is left to the next.
func TestABundleIsAsOfOneSequence(t *testing.T) {
	l := story(t)
	busy := l.source()
	busy.Notary = &interrupted{ledger: l, then: func() {
		l.given(added("chips")).cosign("framework", cityKey)
	}}
	before := len(l.records)
	b, err := busy.Prepare(t.Context(), "framework", false)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, b.Write(t.Context(), &out, nil))
	r := verify(t, out.Bytes())
	require.True(t, r.OK, "%+v", r.Checks)
	require.EqualValues(t, before, r.Seq)
}

// interrupted has something happen after the first checkpoint.
type interrupted struct {
	*ledger
	then func()
}

func (i *interrupted) Checkpoint(ctx context.Context, agreement string) (s proof.Signed, err error) {
	s, err = i.ledger.Checkpoint(ctx, agreement)
	if i.then != nil {
		i.then()
		i.then = nil
	}
	return s, err
}

func TestThereIsNoBundleOfWhatDoesNotExist(t *testing.T) {
	_, err := story(t).source().Prepare(t.Context(), "nothing", false)
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	require.Equal(t, domain.CodeNotFound, r.Code)
}

// A log that is not what was signed is not exported.
func TestWhatWouldNotVerifyIsNotWritten(t *testing.T) {
	for code, change := range map[string]func(*ledger){
		bundle.CodeEventChanged: func(l *ledger) {
			l.records[4].Data = bytes.Replace(l.records[4].Data, []byte("li.wei"), []byte("li.wu"), 1)
		},
		bundle.CodeVersionGap: func(l *ledger) {
			l.versions[agreement.Ref("framework")]++
			l.given(agreement.AreaAdded{ID: domaintest.Framework, Area: "chips", Title: domaintest.En("Chips")})
		},
		bundle.CodeProofWrong: func(l *ledger) {
			l.records[0].Data = bytes.Replace(l.records[0].Data, []byte("li.wei"), []byte("li.wu"), 1)
		},
	} {
		l := story(t)
		change(l)
		_, err := l.source().Prepare(t.Context(), "framework", false)
		var f *bundle.Failure
		require.ErrorAs(t, err, &f, code)
		require.Equal(t, code, f.Code)
		require.NotZero(t, f.Seq)
	}
}

func TestEvidenceInABundle(t *testing.T) {
	// given events that name files, one of which is not there
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	minutes := strings.Repeat("minutes ", 50_000)
	stored, err := store.PutEvidence(t.Context(), strings.NewReader(minutes), "")
	require.NoError(t, err)
	l := newLedger(t)
	l.files, l.evidence = store, []domain.Hash{domain.Hash(stored.Hash)}
	l.given(domaintest.Active()...)
	// when the bundle is made with evidence
	file := l.bundled("framework", true)
	// then it is in it, and what is not is listed
	r := verify(t, file)
	require.True(t, r.OK, "%+v", r.Checks)
	require.Equal(t, &bundle.Evidence{Named: 2, There: 1, Missing: []domain.Hash{domaintest.Text1}}, r.Evidence)
	without := verify(t, l.bundled("framework"))
	require.True(t, without.OK)
	require.Len(t, without.Evidence.Missing, 2)

	t.Run("a file that was changed", func(t *testing.T) {
		changed := edit(t, file, body(t, "evidence/", func(s string) string { return "M" + s[1:] }))
		require.Contains(t, failed(t, verify(t, changed), bundle.CodeEvidenceChanged).Entity, stored.Hash)
	})
	t.Run("a file that nothing names", func(t *testing.T) {
		sum := sha256.Sum256([]byte("x"))
		other := edit(t, file, func(entries []entry) []entry {
			entries[len(entries)-2] = entry{"evidence/" + hex.EncodeToString(sum[:]), []byte("x")}
			return entries
		})
		failed(t, verify(t, other), bundle.CodeEvidenceForeign)
	})
	t.Run("a file that was left out", func(t *testing.T) {
		less := edit(t, file, func(entries []entry) []entry {
			return append(entries[:len(entries)-2:len(entries)-2], entries[len(entries)-1])
		})
		failed(t, verify(t, less), bundle.CodeMalformed)
	})
}

// Whatever happened, its bundles verify, and no change in what they say of it
// does.
func TestEveryHistoryVerifies(t *testing.T) {
	damaged, forged := 0, 0
	domaintest.Check(t, 60, func(t *rapid.T) {
		l := newLedger(t).given(domaintest.Running()...)
		commands := rapid.OneOf(domaintest.Commands, domaintest.Commands, domaintest.Access) // of which an agreement's bundle has none
		domaintest.HistoryOf(t, domaintest.Running(), commands, 40, func(w domaintest.World, s domaintest.Step) {
			for _, e := range s.Events {
				ref, e := domaintest.Locate(s.Command.Ref(), e)
				if ref.Kind != keyring.Kind { // the fixtures' keys are not this ledger's
					l.record(ref, e)
				}
			}
			city, _ := w.State(party.Ref(domaintest.City))
			for n := range byte(7) {
				if k := newKey("witness", n); k.verifier() == city.(*party.State).Witness {
					l.cosign(rapid.SampledFrom([]string{"", "framework"}).Draw(t, "tree"), k)
				}
			}
		})
		of := rapid.SampledFrom([]domain.Key{"", "framework"}).Draw(t, "of")
		file := l.bundled(of)
		r := verify(t, file, bundle.Options{LedgerKey: ledgerKey.verifier()})
		require.True(t, r.OK, "%+v", r.Checks)
		require.True(t, bytes.Equal(file, l.bundled(of)))

		// one byte of what the entries hold, damaged
		entries := unpack(t, file)
		i := rapid.IntRange(0, len(entries)-1).Draw(t, "entry")
		if len(entries[i].body) == 0 {
			return
		}
		at := rapid.IntRange(0, len(entries[i].body)-1).Draw(t, "byte")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		start := bytes.Index(file, entries[i].body) + at
		broken := bytes.Clone(file)
		broken[start] ^= bit
		if strings.TrimSpace(string(broken[start])) == strings.TrimSpace(string(file[start])) {
			return // a line end
		}
		r, err := bundle.Verify(context.Background(), bytes.NewReader(broken), bundle.Options{})
		require.NoError(t, err)
		require.False(t, r.OK, "%s byte %d", entries[i].name, at)
		damaged++

		// one byte of an event or of what a checkpoint says, by somebody who puts
		// the rest right
		if entries[i].name == "events.jsonl" {
			if line := entries[i].body[:at]; !bytes.Contains(line[bytes.LastIndexByte(line, '\n')+1:], []byte(`"event":`)) {
				return
			}
		} else if entries[i].name != "keys.json" && !strings.HasPrefix(entries[i].name, "ledger/") {
			return
		}
		entries[i].body[at] ^= bit
		r, err = bundle.Verify(context.Background(), bytes.NewReader(pack(t, entries)), bundle.Options{LedgerKey: ledgerKey.verifier()})
		require.NoError(t, err)
		require.False(t, r.OK, "%s byte %d", entries[i].name, at)
		forged++
	})
	domaintest.Reached(t, damaged, "an entry to damage")
	domaintest.Reached(t, forged, "an entry to forge")
}

func TestReadingMayFail(t *testing.T) {
	file := story(t).bundled("framework")
	broken := io.MultiReader(bytes.NewReader(file[:5000]), failing{})
	_, err := bundle.Verify(t.Context(), broken, bundle.Options{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = bundle.Verify(ctx, bytes.NewReader(file), bundle.Options{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = bundle.Verify(t.Context(), bytes.NewReader(file), bundle.Options{LedgerKey: "no key"})
	require.Error(t, err)
	_, err = bundle.Verify(t.Context(), bytes.NewReader(file), bundle.Options{Since: []byte("no note")})
	require.Error(t, err)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
