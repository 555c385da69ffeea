package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Evidence says where bytes are stored: under their own hash.
type Evidence struct {
	SHA256 domain.Hash `json:"sha256" doc:"SHA-256 of the bytes, in lower-case hexadecimal: what a command names as evidence."`
	Size   int64       `json:"size" doc:"How many bytes there are."`
}

const (
	mediaBytes = "application/octet-stream"

	// maxUploads is how much evidence is taken in at once. Each upload can hold
	// a file of eventstore.MaxEvidence bytes until it is stored.
	maxUploads = 16
)

// evidence serves the files that commands name.
func (s *server) evidence() {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Evidence](), true, "Evidence")
	text := &huma.Schema{Type: huma.TypeString}
	binary := map[string]*huma.MediaType{mediaBytes: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	hash := &huma.Schema{Type: huma.TypeString, Pattern: domain.HashPattern}
	s.handle(huma.Operation{
		OperationID: "attach-evidence", Method: http.MethodPost, Path: "/v1/evidence", Tags: []string{"evidence"},
		Summary: "Store a file, under its SHA-256.",
		Description: fmt.Sprintf("The body is the file's bytes, at most %d, of whatever Content-Type. When the query or a digest header says "+
			"what their SHA-256 is and they have another, they are refused. What is stored is never changed nor removed. A command names it in "+
			"its field `evidence`; one that names what is not stored is refused.", eventstore.MaxEvidence),
		Parameters: []*huma.Param{
			{Name: "sha256", In: "query", Description: "The SHA-256 that the bytes must have, in lower-case hexadecimal.", Schema: hash},
			{Name: headerContentDigest, In: "header", Description: "The same, as RFC 9530 writes it: sha-256=:base64:. Other algorithms are not looked at.", Schema: text},
			{Name: headerReprDigest, In: "header", Description: "The same.", Schema: text},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: binary},
		Responses: map[string]*huma.Response{
			"201": answer("Stored.", schema, "Location"),
			"200": answer("Was stored already.", schema, "Location"),
		},
		Errors: []int{400, 403, 413, 415, 422, 500, 503, 507},
	}, func(w http.ResponseWriter, r *http.Request) error {
		return s.attachEvidence(w, r)
	})
	s.handle(huma.Operation{
		OperationID: "get-evidence", Method: http.MethodGet, Path: "/v1/evidence/{sha256}", Tags: []string{"evidence"},
		Summary: "A stored file.",
		Description: "Its bytes are checked against the hash on the way: an answer that has all Content-Length bytes has the right ones, " +
			"and one of which the store has others breaks off. HEAD is answered too.",
		Parameters: []*huma.Param{{Name: "sha256", In: "path", Required: true, Description: "SHA-256 of the file, in lower-case hexadecimal.", Schema: hash, Example: strings.Repeat("0123456789abcdef", 4)}},
		Responses: map[string]*huma.Response{"304": {Description: "If-None-Match names the hash: you have it."}, "200": {Description: "The bytes.", Content: binary, Headers: map[string]*huma.Param{
			"ETag":                {Description: "The hash.", Schema: text},
			"Content-Disposition": {Description: "The name of the file: the hash.", Schema: text},
			headerReprDigest:      {Description: "The hash, as RFC 9530 writes it.", Schema: text},
		}}},
		Errors: []int{400, 403, 404, 500, 503},
	}, s.getEvidence)
}

func (s *server) attachEvidence(w http.ResponseWriter, r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return newProblem(CodeMediaType, "Content-Encoding", "Send the file as it is, not compressed.")
	}
	want, err := announcedHash(r)
	if err != nil {
		return err
	}
	if r.ContentLength > eventstore.MaxEvidence {
		return eventstore.ErrEvidenceTooLarge
	}
	e, err := s.attach(r.Context(), patiently(w, r), want)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/evidence/"+e.Hash)
	status := http.StatusOK
	known, err := s.seesEvidence(r.Context(), domain.Hash(e.Hash))
	if err != nil {
		return err
	}
	if e.New || !known { // that others stored it is nothing for who does not see it
		status = http.StatusCreated
	}
	writeJSON(w, status, Evidence{domain.Hash(e.Hash), e.Size})
	return nil
}

// attach stores a file for the asker, who may then name it as evidence.
func (s *server) attach(ctx context.Context, file io.Reader, want domain.Hash) (eventstore.Evidence, error) {
	release, err := s.uploads.enter("Too many files are being attached. Nothing was stored; try again in a moment.")
	if err != nil {
		return eventstore.Evidence{}, err
	}
	defer release()
	e, err := s.cfg.Store.PutEvidence(ctx, file, string(want))
	if err == nil {
		s.attached.add(access.From(ctx).Key, domain.Hash(e.Hash))
	}
	return e, err
}

func (s *server) getEvidence(w http.ResponseWriter, r *http.Request) error {
	hash := domain.Hash(r.PathValue("sha256"))
	digest, err := hex.DecodeString(string(hash))
	if err != nil || !hash.Valid() {
		return newProblem(CodeInvalidParameter, "sha256", "Want a SHA-256 as 64 lower-case hexadecimal digits.")
	}
	if sees, err := s.seesEvidence(r.Context(), hash); err != nil {
		return err
	} else if !sees {
		return eventstore.ErrEvidenceNotFound
	}
	file, err := s.cfg.Store.Evidence(r.Context(), string(hash))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	in := bufio.NewReaderSize(file, 64<<10)
	if r.Method != http.MethodHead {
		if _, err := in.Peek(1); err != nil { // nothing is sent yet, so this can still be said
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", mediaBytes)
	h.Set("Content-Disposition", `attachment; filename="`+string(hash)+`"`) // whatever it is, no page of ours
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("ETag", `"`+string(hash)+`"`)
	h.Set(headerReprDigest, digestOf(digest))
	h.Set("Cache-Control", "private, max-age=31536000, immutable") // other than the answers that move with the log
	if known := r.Header.Get("If-None-Match"); strings.Contains(known, h.Get("ETag")) || known == "*" {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	out := patientlyTo(w)
	defer out.end()
	if _, err := in.WriteTo(out); err != nil {
		if damaged := (*eventstore.EvidenceDamagedError)(nil); errors.As(err, &damaged) {
			s.cfg.Logger.ErrorContext(r.Context(), "evidence is damaged", "error", err)
		}
		panic(http.ErrAbortHandler) // cut the answer off, so that it is not taken for whole
	}
	return nil
}
