package webhook

import (
	"context"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
)

// Actor is who disables a webhook that nobody answers for.
const Actor = "milepost"

// disable disables the webhook in the log. When that cannot be done, the runner
// goes on, and it comes to this again with the next failure.
func (r *runner) disable(ctx context.Context, reason, note string) error {
	receipt, err := r.d.opts.Execute(ctx, ledger.Request{
		Command: hooks.Disable{ID: hooks.ID{Webhook: r.hook.Webhook}},
		Meta:    domain.Meta{Actor: Actor, Reason: reason, Note: note},
	})
	if err != nil {
		r.d.opts.Logger.Warn("a webhook that fails was not disabled", "webhook", r.hook.Webhook, "error", err)
		return ctx.Err()
	}
	r.d.opts.Logger.Warn("a webhook was disabled", "webhook", r.hook.Webhook, "reason", reason, "note", note)
	if err := r.d.opts.Directory.Wait(ctx, receipt.Seq); err != nil {
		return err
	}
	return errChanged
}
