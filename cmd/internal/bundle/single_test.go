package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// proved is the proof file of an event in a tree, against its newest checkpoint.
func (l *ledger) proved(agreement domain.Key, index uint64, event []byte) proof.File {
	l.Helper()
	s, err := l.Checkpoint(context.Background(), string(agreement))
	require.NoError(l, err)
	hashes, err := l.ProveInclusion(context.Background(), agreement, s.Tree(), index)
	require.NoError(l, err)
	return proof.File{Event: event, Index: index, Hashes: hashes, Checkpoint: s.Note}
}

func TestAProofOfOneEvent(t *testing.T) {
	// given an event that the city countersigned and the group did not
	l := newLedger(t).given(domaintest.Active()...).cosign("framework", cityKey)
	file := l.proved("framework", 2, l.records[5].Data)
	given := bundle.Options{LedgerKey: ledgerKey.verifier(), Witnesses: []bundle.Witness{
		{Party: domaintest.City, Key: cityKey.verifier()}, {Party: domaintest.Group, Key: groupKey.verifier()},
	}}
	// when it is verified, then it is proved, and settled for the city
	r, err := bundle.VerifyProof(file.Marshal(), given)
	require.NoError(t, err)
	require.True(t, r.OK, "%+v", r.Checks)
	require.Equal(t, [3]any{"proof", "test", domain.Key("framework")}, [3]any{r.Kind, r.Ledger, r.Agreement})
	require.Equal(t, &bundle.Event{Origin: "milepost/test/framework", Index: 2, Event: l.records[5].Data}, r.Event)
	group, city := r.Settlements[0].Parties[0], r.Settlements[0].Parties[1]
	require.Equal(t, [2]domain.Key{domaintest.Group, domaintest.City}, [2]domain.Key{group.Party, city.Party})
	require.Equal(t, [2]any{uint64(0), noon}, [2]any{city.Pending, city.At})
	require.Equal(t, [2]uint64{6, 0}, [2]uint64{group.Pending, group.Size})
	_, err = json.Marshal(r)
	require.NoError(t, err)

	// it takes the ledger's key, which the file does not hold
	_, err = bundle.VerifyProof(file.Marshal(), bundle.Options{})
	require.ErrorIs(t, err, bundle.ErrNoKey)

	elsewhere := newLedger(t).given(domaintest.Parties()...)
	foreign := l.records[5].Data
	foreign = bytes.ReplaceAll(foreign, []byte("/ledgers/test"), []byte("/ledgers/best"))
	elsewhere.records[0].Data = foreign
	elsewhere.trees[""] = &hashes{}
	elsewhere.trees[""].append(t, foreign)

	for name, c := range map[string]struct {
		file        []byte
		code, check string
		opts        bundle.Options
	}{
		"another event": {change(file, func(f *proof.File) { f.Event = l.records[6].Data }), bundle.CodeProofWrong, "proofs", given},
		"another place": {change(file, func(f *proof.File) { f.Index = 3 }), bundle.CodeProofWrong, "proofs", given},
		"another tree": {change(file, func(f *proof.File) { f.Checkpoint = l.proved("", 0, nil).Checkpoint }),
			bundle.CodeProofWrong, "proofs", given},
		"another ledger's key": {file.Marshal(), bundle.CodeProofOfOtherTree, "signatures", bundle.Options{LedgerKey: newKey("milepost/best", 1).verifier()}},
		"another key":          {file.Marshal(), bundle.CodeWrongKey, "signatures", bundle.Options{LedgerKey: otherKey.verifier()}},
		"a party's other key": {file.Marshal(), bundle.CodeCosignatureWrong, "countersignatures",
			bundle.Options{LedgerKey: ledgerKey.verifier(), Witnesses: []bundle.Witness{{Party: domaintest.City, Key: newKey("wuxi.example/witness", 7).verifier()}}}},
		"a changed checkpoint": {change(file, func(f *proof.File) {
			f.Checkpoint = bytes.Replace(f.Checkpoint, []byte("\n6\n"), []byte("\n7\n"), 1)
		}), bundle.CodeNotSigned, "signatures", given},
		"cut short":                  {file.Marshal()[:100], bundle.CodeMalformed, "file", given},
		"cut in its signature":       {file.Marshal()[:len(file.Marshal())-40], bundle.CodeMalformed, "signatures", given},
		"an event of another ledger": {elsewhere.proved("", 0, foreign).Marshal(), bundle.CodeForeignEvent, "events", given},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := bundle.VerifyProof(c.file, c.opts)
			require.NoError(t, err)
			require.Equal(t, c.check, failed(t, r, c.code).ID)
		})
	}
}

func change(f proof.File, change func(*proof.File)) []byte {
	change(&f)
	return f.Marshal()
}

func TestACheckpointByItself(t *testing.T) {
	l := newLedger(t).given(domaintest.Active()...).cosign("", cityKey)
	note := l.kept[""][0].Note
	r, err := bundle.VerifyCheckpoint(note, bundle.Options{LedgerKey: ledgerKey.verifier()})
	require.NoError(t, err)
	require.True(t, r.OK, "%+v", r.Checks)
	require.Equal(t, uint64(len(l.records)), r.Events)
	_, err = bundle.VerifyCheckpoint(note, bundle.Options{})
	require.ErrorIs(t, err, bundle.ErrNoKey)
	for code, file := range map[string][]byte{
		bundle.CodeMalformed: note[:20],
		bundle.CodeNotSigned: bytes.Replace(note, []byte("\n9\n"), []byte("\n8\n"), 1),
		bundle.CodeWrongKey:  []byte(resigned(t, string(note), otherKey)),
	} {
		r, err := bundle.VerifyCheckpoint(file, bundle.Options{LedgerKey: ledgerKey.verifier()})
		require.NoError(t, err)
		failed(t, r, code)
	}
}
