package web

import (
	"context"
	"net/http"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/projections"
)

// replayPage folds the log again from its first event and says what came of it. It
// takes as long as that does; one runs at a time, and whoever leaves ends it.
var replayPage = page{"POST /audit/replay", "replay", replayAnswer{}, of((*site).replay)}

type replayAnswer struct {
	*visit
	Result projections.Replayed
}

func (s *site) replay(ctx context.Context, v *visit) (answer replayAnswer, err error) {
	v.Title, v.Section = v.Say("Replay"), "audit"
	v.Crumbs = []crumb{{v.Say("Audit"), "/audit"}}
	answer.visit = v
	v.request.Body = http.MaxBytesReader(v.writer, v.request.Body, 16<<10)
	if err := v.request.ParseForm(); err != nil || s.SignIn == nil || !s.SignIn.Genuine(v.request, v.request.PostForm.Get(tokenField)) {
		return answer, api.NotGenuine()
	}
	answer.Result, err = s.api.Replay(ctx, v.writer)
	return answer, err
}
