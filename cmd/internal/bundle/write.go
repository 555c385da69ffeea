package bundle

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Write writes the bundle. After an error what was written is not a bundle, and
// Verify says so. progress, if not nil, is called with how many events are written.
func (b *Bundle) Write(ctx context.Context, w io.Writer, progress func(done, total uint64)) error {
	out := &archive{tar: tar.NewWriter(w), sum: sha256.New()}
	out.object(nameManifest, b.Manifest)
	out.object(nameKeys, b.keys)
	for _, n := range b.notes {
		_, agreement, err := proof.ParseOrigin(n.Origin)
		if err != nil {
			return err
		}
		out.bytes(checkpointName(domain.Key(agreement), n.Size), n.Note)
	}
	if out.err == nil {
		out.err = b.writeEvents(ctx, out, progress)
	}
	for _, f := range b.proofs {
		out.bytes(proofName(f.Index+1), f.Marshal())
	}
	for _, name := range b.files {
		if out.err == nil {
			out.err = b.writeFile(ctx, out, name)
		}
	}
	return out.close()
}

func (b *Bundle) writeEvents(ctx context.Context, out *archive, progress func(done, total uint64)) error {
	out.begin(nameEvents, b.length)
	to := bufio.NewWriterSize(out, 256<<10)
	left := b.Manifest.Events
	var room []byte
	for lines, err := range b.source.lines(ctx, 1, b.Manifest.Seq, b.filter()) {
		if err != nil {
			return err
		}
		for _, l := range lines {
			if left == 0 {
				break
			}
			left--
			room = appendLine(room[:0], l.seq, l.data)
			if _, err := to.Write(room); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(b.Manifest.Events-left, b.Manifest.Events)
		}
	}
	if left > 0 {
		return fmt.Errorf("bundle: the log ends %d events too early", left)
	}
	return to.Flush()
}

func (b *Bundle) writeFile(ctx context.Context, out *archive, name domain.Hash) error {
	file, err := b.source.Files.Evidence(ctx, string(name))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	out.begin(dirEvidence+string(name), file.Size)
	if out.err == nil {
		_, err = io.Copy(out, file)
	}
	return err
}

// archive writes entries, and counts and hashes them. After an error it writes
// nothing more.
type archive struct {
	tar     *tar.Writer
	sum     hash.Hash
	entries int
	err     error
}

// begin starts an entry of so many bytes.
func (a *archive) begin(name string, size int64) {
	if a.err != nil {
		return
	}
	a.entries++
	_, _ = fmt.Fprintf(a.sum, "%s %d\n", name, size) // a hash takes every write
	a.err = a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644})
}

func (a *archive) Write(b []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	_, _ = a.sum.Write(b)
	n, err := a.tar.Write(b)
	a.err = err
	return n, err
}

func (a *archive) bytes(name string, b []byte) {
	a.begin(name, int64(len(b)))
	_, _ = a.Write(b) // which keeps the error
}

func (a *archive) object(name string, v any) {
	a.bytes(name, encodeObject(v))
}

// close writes the last entry.
func (a *archive) close() error {
	a.object(nameEnd, End{Entries: a.entries, SHA256: hex.EncodeToString(a.sum.Sum(nil))})
	if a.err != nil {
		return a.err
	}
	return a.tar.Close()
}
