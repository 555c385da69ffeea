package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/backup"
)

// backups serves that from which the ledger can be made again.
func (s *server) backups() {
	room := make(chan struct{}, 1) // each reads the whole log
	s.handle(huma.Operation{
		OperationID: "get-backup", Method: http.MethodGet, Path: "/v1/backup", Tags: []string{"operations"},
		Summary: "All from which the ledger can be made again, in one file.",
		Description: "The log as it is stored, the evidence, and the kept checkpoints with their countersignatures, up to a checkpoint that is signed " +
			"when the log has been sent; no keys. A file of evidence that is damaged is left out, and the manifest names it. `milepost backup` keeps it when it is whole and verifies, `milepost restore` makes the ledger of it. " +
			"An answer that breaks off is no backup.",
		Responses: map[string]*huma.Response{"200": {Description: "The backup.",
			Content: map[string]*huma.MediaType{mediaTar: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
			Headers: map[string]*huma.Param{
				"Content-Disposition": {Description: "The name of the file.", Schema: &huma.Schema{Type: huma.TypeString}},
			}}},
		Errors: []int{403, 500, 503},
	}, func(w http.ResponseWriter, r *http.Request) error {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			return newProblem(CodeOverloaded, "", "Another backup is being made; try again when it is done.")
		}
		return s.getBackup(w, r)
	})
}

func (s *server) getBackup(w http.ResponseWriter, r *http.Request) error {
	if err := seesAll(access.From(r.Context()), ""); err != nil {
		return err
	}
	if err := s.cfg.Store.Writable(); err != nil { // a copy signs nothing: the origin has it all
		return err
	}
	if _, err := s.checkpoint(r.Context(), ""); err != nil { // of what cannot be signed
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaTar)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", backup.FileName(s.cfg.Name, time.Now())))
	if r.Method == http.MethodHead {
		return nil
	}
	source := backup.Source{Log: s.cfg.Store, Notary: s.cfg.Notary, Program: s.cfg.Version}
	out := patientlyTo(w)
	defer out.end()
	lost, err := source.Write(r.Context(), out)
	if err != nil {
		if r.Context().Err() == nil || !errors.Is(err, r.Context().Err()) {
			level := slog.LevelError
			if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "write" { // who asked has gone, and net/http is about to see it
				level = slog.LevelInfo
			}
			s.cfg.Logger.Log(r.Context(), level, "a backup broke off", "error", err)
		}
		panic(http.ErrAbortHandler) // cut the answer off, so that it is not taken for whole
	}
	for _, file := range lost { // the rest is saved all the same
		s.cfg.Logger.ErrorContext(r.Context(), "evidence is damaged, and not in the backup", "sha256", file.SHA256, "seq", file.Seq)
	}
	s.noteBackup(r.Context())
	return nil
}
