package backup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Format is the name of the format, with its version.
const (
	formatName = "milepost-backup/"
	Format     = formatName + "1"
)

// Head is backup.json: whose backup it is.
type Head struct {
	Format   string            `json:"format"`
	Ledger   string            `json:"ledger"`
	Key      string            `json:"key"`      // the ledger's first verifier key, "" where the log was made without
	Metadata map[string]string `json:"metadata"` // what is recorded with the log
	Program  string            `json:"program"`  // version that wrote it
	Begun    time.Time         `json:"begun"`
}

// Manifest is manifest.json: what there was before it.
type Manifest struct {
	Format     string    `json:"format"`
	Ledger     string    `json:"ledger"`
	Seq        uint64    `json:"seq"`               // as of which this is: the last record
	Checkpoint string    `json:"checkpoint"`        // that covers just that; a signed note
	Evidence   int       `json:"evidence"`          // files
	Damaged    []string  `json:"damaged,omitempty"` // SHA-256 of files that were stored, and could not be read
	Ended      time.Time `json:"ended"`
	Parts      []Part    `json:"parts"` // in their order
}

// Part is an entry.
type Part struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	nameHead     = "backup.json"
	dirLog       = "log/"
	dirNotes     = "checkpoints/"
	dirEvidence  = "evidence/"
	nameManifest = "manifest.json"
	nameSum      = "manifest.sha256"
)

// Kinds of entries, in their order.
const (
	kindHead = iota
	kindLog
	kindNote
	kindEvidence
	kindManifest
	kindSum
	kindUnknown
)

func kindOf(name string) int {
	switch name {
	case nameHead:
		return kindHead
	case nameManifest:
		return kindManifest
	case nameSum:
		return kindSum
	}
	for i, dir := range []string{dirLog, dirNotes, dirEvidence} {
		if strings.HasPrefix(name, dir) {
			return kindLog + i
		}
	}
	return kindUnknown
}

// Bounds on what is held in memory at once.
const (
	partSize    = 4 << 20              // of a part of the log, about: it ends with the record that reaches it
	maxPart     = partSize + (2 << 20) // so a part has at most one record more
	maxObject   = 1 << 20
	maxNote     = 1 << 20
	maxManifest = 256 << 20
)

// none stands for the agreement in the name of a checkpoint of the ledger's tree.
const none = eventstore.LedgerWide

func noteName(agreement string, size uint64) string {
	if agreement == "" {
		agreement = none
	}
	return fmt.Sprintf("%s%s/%020d", dirNotes, agreement, size)
}

func logName(seq uint64) string { return fmt.Sprintf("%s%020d", dirLog, seq) }

// line is what stands before the bytes of a record.
type line struct {
	Seq     uint64              `json:"seq"`
	Subject string              `json:"subject"`
	Stored  time.Time           `json:"stored"`
	Headers map[string][]string `json:"headers,omitempty"`
	Bytes   int                 `json:"bytes"`
}

// appendRecord writes a record, as parseRecord reads it.
func appendRecord(b []byte, rec eventstore.Record) ([]byte, error) {
	head, err := json.Marshal(line{rec.Seq, rec.Subject, rec.Stored.UTC(), rec.Headers, len(rec.Data)})
	if err != nil {
		return nil, err
	}
	b = append(append(b, head...), '\n')
	return append(append(b, rec.Data...), '\n'), nil
}

// parseRecord takes the first record of b.
func parseRecord(b []byte) (rec eventstore.Record, rest []byte, err error) {
	head, rest, _ := bytes.Cut(b, []byte("\n"))
	var l line
	if err := json.Unmarshal(head, &l); err != nil {
		return rec, nil, err
	}
	if l.Bytes < 0 || l.Bytes >= len(rest) || rest[l.Bytes] != '\n' {
		return rec, nil, fmt.Errorf("sequence %d has not the %d bytes that it says", l.Seq, l.Bytes)
	}
	return eventstore.Record{Seq: l.Seq, Subject: l.Subject, Data: rest[:l.Bytes:l.Bytes], Stored: l.Stored, Headers: l.Headers}, rest[l.Bytes+1:], nil
}

// encode writes one of the backup's own JSON files.
func encode(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", " ")
	return append(b, '\n'), err
}

// decode reads what encode writes; members that a later version adds are let pass.
func decode[T any](name string, b []byte) (v T, err error) {
	if err := json.Unmarshal(b, &v); err != nil {
		return v, failure(CodeMalformed, "%s does not read: %v", name, err)
	}
	return v, nil
}
