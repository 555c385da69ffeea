package api

import (
	"context"

	"github.com/milepost-ledger/milepost/projections"
)

// seen returns the read models of what the asker may see: every question is
// asked of these, and only what serves the ledger as a whole of the server's own.
func (s *server) seen(context.Context) (*projections.Models, error) { return s.cfg.Models, nil }
