package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Each way to tamper is done by somebody who knows the format and puts all right
// that can be put right without a key.
func TestTampering(t *testing.T) {
	l := story(t)
	file := l.bundled("framework")
	given := bundle.Options{LedgerKey: ledgerKey.verifier()}
	require.True(t, verify(t, file, given).OK)
	forged := newKey("milepost/test", 9)
	lastSeq := uint64(len(l.records))

	for name, c := range map[string]struct {
		change func([]entry) []entry
		code   string
		check  string
		seq    uint64 // that the check names
		entity string // that it names
		opts   bundle.Options
	}{
		"an event changed": {lines(t, func(all []string) []string {
			all[2] = strings.Replace(all[2], "li.wei", "li.wu", 1)
			return all
		}), bundle.CodeEventChanged, "history", 4, "", given},
		"an event changed after the first countersignature": {lines(t, func(all []string) []string {
			all[len(all)-1] = strings.Replace(all[len(all)-1], "li.wei", "li.wu", 1)
			return all
		}), bundle.CodeEventChanged, "history", lastSeq - 2, "", given},
		"an event dropped": {lines(t, func(all []string) []string { return slices.Delete(all, 1, 2) }),
			bundle.CodeVersionGap, "events", 6, "agreement/framework", given},
		"and the checkpoint is of more": {lines(t, func(all []string) []string { return slices.Delete(all, 1, 2) }),
			bundle.CodeEventChanged, "history", 4, "", given},
		"the last event dropped": {lines(t, func(all []string) []string { return all[:len(all)-1] }),
			bundle.CodeEventMissing, "history", lastSeq, "", given},
		"an event put in": {lines(t, func(all []string) []string {
			return append(all, strings.Replace(all[len(all)-1], `{"seq":`, "\n{\"seq\":1", 1))
		}), bundle.CodeNotSigned, "signatures", 100 + lastSeq, "", given},
		"two events swapped": {lines(t, func(all []string) []string {
			all[1], all[2] = strings.Replace(all[2], `"seq":6`, `"seq":5`, 1), strings.Replace(all[1], `"seq":5`, `"seq":6`, 1)
			return all
		}), bundle.CodeVersionGap, "events", 5, "agreement/framework", given},
		"an event twice": {lines(t, func(all []string) []string { return slices.Insert(all, 2, all[1]) }),
			bundle.CodeEventMissing, "events", 6, "", given},
		"an event of another agreement": {lines(t, func(all []string) []string {
			all[2] = strings.ReplaceAll(all[2], "framework", "second")
			return all
		}), bundle.CodeForeignEvent, "events", 6, "agreement/second", given},
		"an event of another ledger": {lines(t, func(all []string) []string {
			all[2] = strings.Replace(all[2], "/ledgers/test", "/ledgers/best", 1)
			return all
		}), bundle.CodeForeignEvent, "events", 6, "", given},
		"an event of a later version": {lines(t, func(all []string) []string {
			all[2] = strings.Replace(all[2], ".v1", ".v9", 1)
			return all
		}), bundle.CodeUnknownEvent, "events", 6, "", given},
		"an event that is none": {lines(t, func(all []string) []string {
			all[2] = `{"seq":6,"event":{}}` + "\n"
			return all
		}), bundle.CodeEventInvalid, "events", 6, "", given},
		"an event without a command": {lines(t, func(all []string) []string {
			all[2] = strings.Replace(all[2], "commandid", "remark", 1)
			return all
		}), bundle.CodeEventInvalid, "events", 6, "", given},

		"the command of the event before it, with another hash": {lines(t, func(all []string) []string {
			_, id, _ := strings.Cut(all[1], `"commandid":"`)
			id, _, _ = strings.Cut(id, `"`)
			before, _, _ := strings.Cut(all[2], `"commandid":"`)
			_, after, _ := strings.Cut(all[2], `"data":`)
			all[2] = before + `"commandid":"` + id + `","commandhash":"00","data":` + after
			return all
		}), bundle.CodeEventInvalid, "events", 6, "agreement/framework", given},

		"an older checkpoint as the newest": {func(all []entry) []entry {
			i := last(all, "checkpoints/agreement/")
			return slices.Delete(all, i, i+1)
		}, bundle.CodeNotSigned, "signatures", 17, "", given},
		"a checkpoint of other size": {body(t, "checkpoints/agreement/", func(s string) string { return strings.Replace(s, "\n6\n", "\n7\n", 1) }),
			bundle.CodeNotSigned, "", 0, "", given},
		"a checkpoint of another root": {body(t, "checkpoints/agreement/", func(s string) string {
			root := strings.Split(s, "\n")[2]
			return strings.Replace(s, root, proof.EmptyRoot.String(), 1)
		}), bundle.CodeNotSigned, "signatures", 0, "", given},
		"a checkpoint without a signature of the ledger": {body(t, "checkpoints/ledger/", func(s string) string {
			return resigned(t, s, newKey("somebody.example", 1))
		}), bundle.CodeNotSigned, "signatures", 0, "", given},
		"a checkpoint of another ledger": {body(t, "checkpoints/ledger/", func(s string) string {
			return resigned(t, strings.Replace(s, "milepost/test\n", "milepost/best\n", 1), l.keys[1])
		}), bundle.CodeProofOfOtherTree, "signatures", 0, "", given},
		"a checkpoint signed by another key": {body(t, "checkpoints/ledger/", func(s string) string { return resigned(t, s, forged) }),
			bundle.CodeWrongKey, "signatures", 0, "", given},

		"a checkpoint signed by a key that was given up": {func(all []entry) []entry {
			i := last(all, "checkpoints/agreement/")
			all[i].body = []byte(resigned(t, string(all[i].body), ledgerKey))
			return all
		}, bundle.CodeWrongKey, "signatures", 0, "", bundle.Options{LedgerKey: l.keys[1].verifier()}},
		"no checkpoint of the ledger": {func(all []entry) []entry {
			i := last(all, "checkpoints/ledger/")
			return slices.Delete(all, i, i+1)
		}, bundle.CodeNotSigned, "signatures", 0, "", given},

		"another ledger key than was given": {same, bundle.CodeWrongKey, "keys", 0, "", bundle.Options{LedgerKey: forged.verifier()}},
		"the key of another ledger":         {same, bundle.CodeProofOfOtherTree, "keys", 0, "", bundle.Options{LedgerKey: newKey("milepost/best", 1).verifier()}},
		"a first key put in": {object(t, "keys.json", func(k *bundle.Keys) { k.First = forged.verifier() }),
			bundle.CodeRotationBroken, "keys", 12, "", given},
		"a forged rotation": {object(t, "keys.json", func(k *bundle.Keys) {
			k.Rotations[0].Key = forged.verifier()
		}), bundle.CodeRotationBroken, "keys", 12, "", given},
		"a rotation back": {object(t, "keys.json", func(k *bundle.Keys) {
			k.Rotations = append(k.Rotations, signing.Rotation{Seq: 13, Old: l.keys[1].verifier(), Key: ledgerKey.verifier(), Statement: l.keys[1].handOver(ledgerKey)})
		}), bundle.CodeRotationBroken, "keys", 13, "", given},
		"a rotation that is no event": {object(t, "keys.json", func(k *bundle.Keys) {
			k.Rotations = append(k.Rotations, signing.Rotation{Seq: 12, Old: l.keys[1].verifier(), Key: forged.verifier(), Statement: l.keys[1].handOver(forged)})
		}), bundle.CodeKeysDiffer, "keys", 0, "", given},
		"another witness": {object(t, "keys.json", func(k *bundle.Keys) { k.Witnesses[0].Key = forged.verifier() }),
			bundle.CodeKeysDiffer, "keys", 0, "", given},

		"a countersignature by another key": {body(t, "checkpoints/agreement/", func(s string) string {
			own := newLedger(t).given(domaintest.Active()...).cosign("framework", newKey("wuxi.example/witness", 7)).kept["framework"][0]
			return string(proof.WithLines([]byte(withoutLine(s, "wuxi.example")), own.Unverified[0].Line))
		}), bundle.CodeCosignatureWrong, "countersignatures", 0, "", given},
		"a countersignature of another checkpoint": {func(all []entry) []entry {
			second := last(all, "checkpoints/agreement/") - 1
			first := second - 1
			text, _, _ := strings.Cut(string(all[first].body), "\n— wuxi")
			_, line, _ := strings.Cut(string(all[second].body), "\n— wuxi")
			all[first].body = []byte(text + "\n— wuxi" + line)
			return all
		}, bundle.CodeCosignatureWrong, "countersignatures", 0, "", given},
		"another key of a party than was given": {same, bundle.CodeWrongKey, "countersignatures", 0, "party/wuxi",
			bundle.Options{Witnesses: []bundle.Witness{{Party: domaintest.City, Key: newKey("wuxi.example/witness", 7).verifier()}}}},
		"a key of a party that is none": {same, bundle.CodeWrongKey, "countersignatures", 0, "party/nobody",
			bundle.Options{Witnesses: []bundle.Witness{{Party: "nobody", Key: forged.verifier()}}}},

		"another state": {object(t, "bundle.json", func(m *bundle.Manifest) { m.Digest = strings.Repeat("0", 64) }),
			bundle.CodeStateDiffers, "state", 0, "", given},
		"another number of events": {object(t, "bundle.json", func(m *bundle.Manifest) { m.Events++ }),
			bundle.CodeEventMissing, "events", 0, "", given},
		"another sequence":          {object(t, "bundle.json", func(m *bundle.Manifest) { m.Seq-- }), bundle.CodeMalformed, "events", 0, "", given},
		"a later sequence":          {object(t, "bundle.json", func(m *bundle.Manifest) { m.Seq++ }), bundle.CodeMalformed, "signatures", 0, "", given},
		"another agreement":         {object(t, "bundle.json", func(m *bundle.Manifest) { m.Agreement = "second" }), bundle.CodeProofOfOtherTree, "signatures", 0, "", given},
		"another ledger":            {object(t, "bundle.json", func(m *bundle.Manifest) { m.Ledger = "best" }), bundle.CodeWrongKey, "keys", 0, "", bundle.Options{}},
		"a later format":            {object(t, "bundle.json", func(m *bundle.Manifest) { m.Format = "milepost-bundle/2" }), bundle.CodeNotABundle, "file", 0, "", given},
		"a field that nobody knows": {body(t, "bundle.json", func(s string) string { return `{"more":1,` + s[1:] }), bundle.CodeMalformed, "file", 0, "", given},

		"an event of a party left out": {func(all []entry) []entry {
			i := last(all, "ledger/")
			return withManifest(t, slices.Delete(all, i, i+1), func(m *bundle.Manifest) { m.Proofs-- })
		}, bundle.CodeKeysDiffer, "keys", 0, "", given},
		"a proof of another event": {body(t, "ledger/", func(s string) string {
			f, err := proof.Parse([]byte(s))
			require.NoError(t, err)
			f.Event = bytes.Replace(f.Event, []byte("li.wei"), []byte("li.wu"), 1)
			return string(f.Marshal())
		}), bundle.CodeProofWrong, "proofs", 1, "", given},
		"a proof against another checkpoint": {body(t, "ledger/", func(s string) string {
			f, err := proof.Parse([]byte(s))
			require.NoError(t, err)
			f.Checkpoint = l.kept["framework"][0].Note
			return string(f.Marshal())
		}), bundle.CodeProofOfOtherTree, "proofs", 1, "", given},
		"a proof of what is no party": {func(all []entry) []entry {
			hashes, err := l.ProveInclusion(t.Context(), "", l.kept[""][0].Tree(), 4)
			require.NoError(t, err)
			f := proof.File{Event: l.records[4].Data, Index: 4, Hashes: hashes, Checkpoint: all[2].body}
			i := slices.IndexFunc(all, func(e entry) bool { return e.name == "ledger/00000000000000000010.tlog-proof" })
			return withManifest(t, slices.Insert(all, i, entry{"ledger/00000000000000000005.tlog-proof", f.Marshal()}), func(m *bundle.Manifest) { m.Proofs++ })
		}, bundle.CodeForeignEvent, "proofs", 5, "agreement/framework", given},

		"fewer events than were seen": {same, bundle.CodeRollback, "consistency", 0, "",
			bundle.Options{Since: later(t, l, "framework")}},
		"others than were seen": {same, bundle.CodeFork, "consistency", 0, "",
			bundle.Options{Since: resignedCheckpoint(t, proof.Checkpoint{Origin: "milepost/test/framework", Size: 5, Root: proof.EmptyRoot})}},
		"a checkpoint of another tree": {same, bundle.CodeProofOfOtherTree, "consistency", 0, "",
			bundle.Options{Since: l.kept[""][0].Note}},
		"a checkpoint that somebody else signed": {same, bundle.CodeWrongKey, "consistency", 0, "",
			bundle.Options{Since: []byte(resigned(t, string(l.kept["framework"][0].Note), forged))}},
	} {
		t.Run(name, func(t *testing.T) {
			r := verify(t, edit(t, file, c.change), c.opts)
			k := failed(t, r, c.code)
			if c.check != "" {
				require.Equal(t, c.check, k.ID, k.Detail)
			}
			if c.seq != 0 {
				require.Equal(t, c.seq, k.Seq, k.Detail)
			}
			require.Equal(t, c.entity, k.Entity, k.Detail)
			require.NotNil(t, r.Failure())
		})
	}
}

// swapped swaps an entry with the one before it.
func swapped(i int) func([]entry) []entry {
	return func(all []entry) []entry {
		all[i], all[i-1] = all[i-1], all[i]
		return all
	}
}

func same(all []entry) []entry { return all }

func last(all []entry, prefix string) int {
	for i := len(all) - 1; ; i-- {
		if strings.HasPrefix(all[i].name, prefix) {
			return i
		}
	}
}

func withManifest(t tb, all []entry, change func(*bundle.Manifest)) []entry {
	return object(t, "bundle.json", change)(all)
}

// resigned is a note with the signature of another key alone.
func resigned(t tb, msg string, by key) string {
	c, err := proof.Unverified([]byte(msg))
	require.NoError(t, err)
	signed, err := c.Sign(by.signer())
	require.NoError(t, err)
	return string(signed)
}

func resignedCheckpoint(t tb, c proof.Checkpoint) []byte {
	signed, err := c.Sign(ledgerKey.signer())
	require.NoError(t, err)
	return signed
}

// later is a checkpoint of a tree that has grown since.
func later(t tb, l *ledger, agreement string) []byte {
	grown := story(t).given(added("chips"))
	s, err := grown.Checkpoint(context.Background(), agreement)
	require.NoError(t, err)
	return s.Note
}

func added(area domain.Key) domain.Event {
	return agreement.AreaAdded{ID: domaintest.Framework, Area: area, Title: domaintest.En(string(area))}
}

func withoutLine(note, name string) string {
	var kept []string
	for _, line := range strings.SplitAfter(note, "\n") {
		if !strings.Contains(line, name) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// In a bundle of the whole ledger, a missing event shows by its sequence alone.
func TestTamperingWithTheWholeLedger(t *testing.T) {
	l := story(t).cosign("", cityKey)
	file := l.bundled("")
	require.True(t, verify(t, file).OK)
	r := verify(t, edit(t, file, lines(t, func(all []string) []string { return slices.Delete(all, 6, 7) })))
	require.EqualValues(t, 7, failed(t, r, bundle.CodeEventMissing).Seq)

	// an event moved into another agreement changes that agreement's tree too
	r = verify(t, edit(t, file, lines(t, func(all []string) []string {
		all[5] = strings.ReplaceAll(all[5], "framework", "second")
		return all
	})))
	require.Contains(t, failed(t, r, bundle.CodeEventChanged).Detail, "milepost/test")
	// what is of another history than was countersigned is settled for nobody
	r = verify(t, edit(t, file, lines(t, func(all []string) []string {
		all[3] = strings.Replace(all[3], "li.wei", "li.wu", 1)
		return all
	})))
	require.Zero(t, r.Settlements[0].Parties[1].Events)
	// a sequence beyond the checkpoint
	failed(t, verify(t, edit(t, file, object(t, "bundle.json", func(m *bundle.Manifest) { m.Seq++ }))), bundle.CodeMalformed)
	// proofs do not belong into it
	agreements := unpack(t, l.bundled("framework"))
	r = verify(t, edit(t, file, func(all []entry) []entry {
		return withManifest(t, slices.Insert(all, len(all)-1, agreements[last(agreements, "ledger/")]), func(m *bundle.Manifest) { m.Proofs++ })
	}))
	failed(t, r, bundle.CodeMalformed)
}

func TestABundleCutShort(t *testing.T) {
	file := story(t).bundled("framework")
	entries := unpack(t, file)
	// at each border of entries, and in each entry
	at := 0
	for _, e := range entries {
		size := 512 + (len(e.body)+511)/512*512
		for _, cut := range []int{at, at + 100, at + 512, at + 512 + len(e.body)/2} {
			r := verify(t, file[:cut])
			if cut == 0 {
				failed(t, r, bundle.CodeNotABundle)
				continue
			}
			require.Equal(t, "file", failed(t, r, bundle.CodeCutShort).ID, "%s %d", e.name, cut-at)
			require.Len(t, r.Checks, 1, "nothing is said to be proved")
		}
		at += size
	}
	// a whole archive without its last entry, or without any other
	for i := range entries {
		less := slices.Delete(slices.Clone(entries), i, i+1)
		r := verify(t, pack(t, less))
		require.False(t, r.OK, entries[i].name)
		if i == len(entries)-1 {
			failed(t, r, bundle.CodeCutShort)
		}
	}
}

func TestWhatIsNoBundle(t *testing.T) {
	file := story(t).bundled("framework")
	entries := unpack(t, file)
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"nothing":         {nil, bundle.CodeNotABundle},
		"a short text":    {[]byte("x\n"), bundle.CodeNotABundle},
		"its first bytes": {[]byte("bundle"), bundle.CodeCutShort},
		"a text":          {bytes.Repeat([]byte("a text\n"), 500), bundle.CodeNotABundle},
		"another archive": {pack(t, []entry{{"README.md", []byte("x")}}), bundle.CodeNotABundle},
		"another order":   {pack(t, slices.Insert(slices.Clone(entries[:2]), 1, entries[2])), bundle.CodeMalformed},
		"an entry twice":  {pack(t, slices.Insert(slices.Clone(entries), 1, entries[1])), bundle.CodeMalformed},
		"proofs swapped":  {edit(t, file, swapped(last(entries, "ledger/"))), bundle.CodeMalformed},
		"notes swapped":   {edit(t, file, swapped(last(entries, "checkpoints/agreement/"))), bundle.CodeMalformed},
		"a name swapped": {edit(t, file, func(all []entry) []entry {
			all[2].name = strings.Replace(all[2].name, "0.", "1.", 1)
			all[2].name = strings.Replace(all[2].name, "9.", "8.", 1)
			return all
		}), bundle.CodeMalformed},
		"a strange entry":  {pack(t, slices.Insert(slices.Clone(entries), 2, entry{"notes.txt", nil})), bundle.CodeMalformed},
		"after the end":    {pack(t, append(slices.Clone(entries), entry{"evidence/" + strings.Repeat("0", 64), nil})), bundle.CodeMalformed},
		"no line":          {edit(t, file, body(t, "events.jsonl", func(s string) string { return s[:len(s)-1] })), bundle.CodeMalformed},
		"a line too long":  {edit(t, file, body(t, "events.jsonl", func(s string) string { return strings.Repeat("x", 3<<20) + s })), bundle.CodeMalformed},
		"no object":        {edit(t, file, body(t, "keys.json", func(s string) string { return s + "{}" })), bundle.CodeMalformed},
		"a key that is no": {edit(t, file, body(t, "keys.json", func(s string) string { return strings.Replace(s, "+A", "+B", 1) })), bundle.CodeMalformed},
		"no checkpoint":    {edit(t, file, body(t, "checkpoints/", func(s string) string { return "x" })), bundle.CodeMalformed},
		"a long one":       {edit(t, file, body(t, "checkpoints/", func(s string) string { return s + strings.Repeat("— a b\n", 1<<14) })), bundle.CodeMalformed},
		"no proof":         {edit(t, file, body(t, "ledger/", func(s string) string { return "x" })), bundle.CodeMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "file", failed(t, verify(t, c.file), c.code).ID)
		})
	}
	// what is too long is not read
	long := edit(t, file, body(t, "keys.json", func(s string) string { return s + strings.Repeat(" ", 17<<20) }))
	require.Contains(t, failed(t, verify(t, long), bundle.CodeMalformed).Detail, "no such entry has more than")
	// damage that nothing else tells
	broken := bytes.Replace(file, []byte("Asia/Shanghai"), []byte("Asia/Shanghaj"), 1)
	r := verify(t, broken)
	require.Equal(t, failed(t, r, bundle.CodeDamaged).Detail+" (code bundle-damaged)", r.Failure().Error())
}

// What a few bytes of an archive can make a reader read for hours is refused by
// its header.
func TestEntriesThatAreTooLarge(t *testing.T) {
	file := story(t).bundled("framework")
	all := unpack(t, file)
	name := "evidence/" + strings.Repeat("0", 64)
	// before the end, headers and bodies that are put in as they are
	with := func(raw ...[]byte) []byte {
		at := bytes.LastIndex(file, []byte("end.json\x00"))
		return slices.Concat(append([][]byte{file[:at]}, append(raw, file[at:])...)...)
	}
	require.Equal(t, "end.json", all[len(all)-1].name)
	records := block(paxRecord("GNU.sparse.size", "1048576") + paxRecord("GNU.sparse.numblocks", "1") + paxRecord("GNU.sparse.map", "1048576,0"))
	for want, file := range map[string][]byte{
		"is a sparse file":              with(rawHeader(t, "pax", tar.TypeXHeader, int64(len(bytes.TrimRight(records, "\x00")))), records, rawHeader(t, name, tar.TypeReg, 0)),
		"does not belong":               with(rawHeader(t, name, tar.TypeGNUSparse, 0)),
		"no evidence has more than 104": with(rawHeader(t, name, tar.TypeReg, eventstore.MaxEvidence+1)),
	} {
		t.Run(want, func(t *testing.T) {
			k := failed(t, verify(t, file), bundle.CodeMalformed)
			require.Equal(t, "file", k.ID)
			require.Contains(t, k.Detail, want)
		})
	}
}

// rawHeader is a header of a type that the archive's writer does not write.
func rawHeader(t tb, name string, typeflag byte, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, tar.NewWriter(&out).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}))
	h := out.Bytes()
	const flag, sum = 156, 148
	h[flag] = typeflag
	if typeflag == tar.TypeGNUSparse {
		copy(h[257:], "ustar  \x00") // the format that has it
	}
	copy(h[sum:flag], "        ")
	total := 0
	for _, b := range h {
		total += int(b)
	}
	copy(h[sum:], fmt.Sprintf("%06o\x00 ", total))
	return h
}

// paxRecord is "<its own length> name=value\n".
func paxRecord(name, value string) string {
	rest := " " + name + "=" + value + "\n"
	return fmt.Sprint(len(rest)+2) + rest // each has between 10 and 99 bytes
}

func block(s string) []byte { return append([]byte(s), make([]byte, 512-len(s))...) }
