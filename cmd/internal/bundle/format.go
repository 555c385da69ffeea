package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// Format is the name of the format, with its version.
const Format = "milepost-bundle/1"

// Manifest is bundle.json: what the rest is. Verify holds each number in it
// against what it finds.
type Manifest struct {
	Format      string     `json:"format"`
	Ledger      string     `json:"ledger"`
	Timezone    string     `json:"timezone"`  // of the ledger's civil dates
	Agreement   domain.Key `json:"agreement"` // "" for the whole ledger
	Seq         uint64     `json:"seq"`       // of the ledger, as of which this is
	Events      uint64     `json:"events"`    // in events.jsonl
	Checkpoints int        `json:"checkpoints"`
	Proofs      int        `json:"proofs"`
	Evidence    int        `json:"evidence"` // files
	Digest      string     `json:"digest"`   // of the state
}

// End is end.json. It tells a bundle that was cut short, also at the border of an
// entry, and one that was damaged on its way; not one that somebody made.
type End struct {
	Entries int    `json:"entries"` // before this one
	SHA256  string `json:"sha256"`  // over each entry's "<name> <size>\n" and bytes
}

// Kinds of entries, in their order.
const (
	entryManifest = iota
	entryKeys
	entryCheckpoint
	entryEvents
	entryProof
	entryEvidence
	entryEnd
	entryUnknown
)

const (
	nameManifest = "bundle.json"
	nameKeys     = "keys.json"
	nameEvents   = "events.jsonl"
	nameEnd      = "end.json"

	dirLedgerTree    = "checkpoints/ledger/"
	dirAgreementTree = "checkpoints/agreement/"
	dirProofs        = "ledger/"
	dirEvidence      = "evidence/"

	suffixCheckpoint = ".checkpoint"
	suffixProof      = ".tlog-proof"
)

// Bounds on what is read into memory at once.
const (
	maxObject = 16 << 20 // bundle.json, keys.json, end.json
	maxNote   = 64 << 10 // a checkpoint
	maxProof  = 4 << 20  // an event and its proof
	maxLine   = 2 << 20  // of events.jsonl
)

// entryOf tells the kind of an entry by its name.
func entryOf(name string) int {
	switch name {
	case nameManifest:
		return entryManifest
	case nameKeys:
		return entryKeys
	case nameEvents:
		return entryEvents
	case nameEnd:
		return entryEnd
	}
	switch {
	case strings.HasPrefix(name, dirLedgerTree), strings.HasPrefix(name, dirAgreementTree):
		return entryCheckpoint
	case strings.HasPrefix(name, dirProofs):
		return entryProof
	case strings.HasPrefix(name, dirEvidence):
		return entryEvidence
	}
	return entryUnknown
}

func digits(n uint64) string { return fmt.Sprintf("%020d", n) }

func checkpointName(agreement domain.Key, size uint64) string {
	if agreement == "" {
		return dirLedgerTree + digits(size) + suffixCheckpoint
	}
	return dirAgreementTree + string(agreement) + "/" + digits(size) + suffixCheckpoint
}

func proofName(seq uint64) string { return dirProofs + digits(seq) + suffixProof }

// A line of events.jsonl is the sequence and the stored bytes within these.
const (
	lineSeq   = `{"seq":`
	lineEvent = `,"event":`
	lineEnd   = "}\n"
)

func appendLine(b []byte, seq uint64, event []byte) []byte {
	b = append(b, lineSeq...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, lineEvent...)
	b = append(b, event...)
	return append(b, lineEnd...)
}

func lineLength(seq uint64, event []byte) int64 {
	var room [20]byte
	return int64(len(lineSeq) + len(strconv.AppendUint(room[:0], seq, 10)) + len(lineEvent) + len(event) + len(lineEnd))
}

// parseLine takes a line apart. It accepts what appendLine writes and nothing
// else.
func parseLine(line []byte) (seq uint64, event []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(lineSeq))
	end := bytes.IndexByte(rest, ',')
	if !ok || end <= 0 || rest[0] == '0' {
		return 0, nil, false
	}
	seq, err := strconv.ParseUint(string(rest[:end]), 10, 63)
	event, ok = bytes.CutPrefix(rest[end:], []byte(lineEvent))
	event, whole := bytes.CutSuffix(event, []byte(lineEnd))
	return seq, event, err == nil && ok && whole
}

// encodeObject writes one of the bundle's own JSON files.
func encodeObject(v any) []byte { return append(domain.EncodeValue(v), '\n') }

// readObject reads what encodeObject writes, and nothing that is spelt otherwise.
func readObject[T any](b []byte) (v T, err error) {
	if err := json.Unmarshal(b, &v); err != nil {
		return v, err
	}
	if !bytes.Equal(encodeObject(v), b) {
		return v, errors.New("it is not spelt as a bundle has it: one line with these fields, in their order, and no others")
	}
	return v, nil
}
