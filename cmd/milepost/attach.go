package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

func newAttach(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "attach FILE...", Short: "Store files as evidence, and print their SHA-256",
		Long: "Store files as evidence, each under its SHA-256, by which commands name it (--evidence). - reads standard\n" +
			"input. A file may have 100 MiB. One that is stored already is left as it is; evidence is never removed.",
		Example: "  milepost attach minutes.pdf photo.jpg\n  milepost do claim-achievement --attach minutes.pdf ...",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			done, err := a.attach(cmd.Context(), files)
			if len(done) == 0 {
				return err
			}
			if printErr := a.printAttached(done); printErr != nil { // what is stored is told, even if another file was refused
				return printErr
			}
			return err
		},
	}
}

// attached is a file that is stored.
type attached struct {
	api.Evidence
	File string `json:"file"` // as it was given
}

func (a *app) printAttached(done []attached) error {
	answer, err := json.Marshal(map[string]any{"items": done})
	if err != nil {
		return err
	}
	names := []string{"sha256", "size", "file"}
	return a.printList(answer, "items", view{table: fields(names...), csv: names})
}

// attach stores files in order, and returns those that are stored; the first
// that is not ends it.
func (a *app) attach(ctx context.Context, files []string) (done []attached, err error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		e, err := a.attachFile(ctx, c, name)
		if err != nil {
			return done, fmt.Errorf("%s: %w", name, err)
		}
		done = append(done, attached{e, name})
	}
	return done, nil
}

func (a *app) attachFile(ctx context.Context, c *client, name string) (e api.Evidence, err error) {
	in, size := io.NopCloser(a.in), int64(-1)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return e, errors.Unwrap(err) // the name is said by the caller
		}
		in = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	defer func() { _ = in.Close() }() // only read
	if size > eventstore.MaxEvidence {
		return e, fmt.Errorf("has %d bytes, and evidence may have %d", size, eventstore.MaxEvidence)
	}
	progress := a.bar("attach "+name, size, true)
	defer progress.finish()
	sent := hashed(progress.reader(in))
	answer, err := c.post(ctx, path("v1", "evidence"), "application/octet-stream", sent)
	if sent.err != nil {
		return e, fmt.Errorf("read: %w", sent.err)
	}
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(answer, &e); err != nil {
		return e, fmt.Errorf("the answer cannot be read: %w", err)
	}
	if got := sent.sum(); e.SHA256 != got {
		return e, fmt.Errorf("sent bytes with SHA-256 %s, and the server stored %s: attach it again", got, e.SHA256)
	}
	return e, nil
}

// hashing hashes what is read of a file, and remembers an error of reading,
// which the HTTP client would call one of the connection.
type hashing struct {
	r    io.Reader
	hash hash.Hash
	err  error
}

func hashed(r io.Reader) *hashing { return &hashing{r: r, hash: sha256.New()} }

func (h *hashing) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	h.hash.Write(b[:n])
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// sum is the hash of all that was read.
func (h *hashing) sum() domain.Hash { return domain.Hash(hex.EncodeToString(h.hash.Sum(nil))) }

// withEvidence attaches files and is then the command's body that names them.
func (a *app) withEvidence(cmd *cobra.Command, command domain.CommandType, body map[string]any, files []string) ([]byte, error) {
	done, err := a.attach(cmd.Context(), files)
	if err != nil {
		return nil, err
	}
	evidence, _ := body["evidence"].([]any)
	for _, file := range done {
		evidence = append(evidence, string(file.SHA256))
	}
	body["evidence"] = evidence
	return a.body(command, "", body)
}
