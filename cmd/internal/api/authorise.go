package api

import (
	"context"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/projections"
)

// authorise lets a command through that the asker may give, and completes who
// gives it. In this order: an agreement out of scope is not there; then the role
// counts, the party, and the actor; and what is withheld from the asker is not
// there. A version that it expects is then one that the asker is shown. It returns
// the read models of what the asker sees.
func (s *server) authorise(ctx context.Context, req *ledger.Request) (*projections.Models, error) {
	p, err := renewed(ctx)
	if err != nil {
		return nil, err
	}
	of := req.Command.Ref().Agreement
	if of != "" && !p.Reads(of) {
		return nil, domain.NotFound("agreement", agreement.Kind, of)
	}
	right, _ := access.Command(req.Command.Name()) // the zero Right is nobody's
	party, field := domain.Key(""), "acting_for"
	if acting, ok := req.Command.(domain.Acting); ok {
		party = acting.ActingParty()
		if req.Meta.ActingFor == "" {
			field = "party"
		}
	}
	if !p.May(right, of, party, req.Meta.ActingFor) {
		if party == "" && req.Meta.ActingFor == "" {
			field = ""
		}
		return nil, forbidden(field, right)
	}
	if err := named(&req.Meta, p, of); err != nil {
		return nil, err
	}
	models, err := s.shownTo(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.citable(ctx, models, req); err != nil {
		return nil, err
	}
	if models == s.cfg.Models { // which refuse nothing, and show every version
		return models, nil
	}
	_, creating := req.Command.(domain.Creating)
	if err := models.Refuses(ctx, req.Command.Ref(), creating, domain.EncodeValue(req.Command)); err != nil {
		return nil, err
	}
	return models, s.expectsShown(ctx, models, req)
}

// expectsShown has the version that a command expects compared with the one that
// its asker is shown: that of the last event which is not withheld. The true one
// may be higher, and a command that is conditional on what an answer said would
// else be refused for what the asker can never see.
func (s *server) expectsShown(ctx context.Context, models *projections.Models, req *ledger.Request) error {
	if req.Meta.ExpectedVersion == nil {
		return nil
	}
	req.Shown = func(ctx context.Context, ref domain.Ref, seq uint64) (uint64, error) {
		if err := s.awaitIn(ctx, models, seq); err != nil {
			return 0, err
		}
		return models.Version(ctx, ref, projections.Point{Seq: seq})
	}
	return s.awaitEnd(ctx, models) // now, since others wait for the aggregate while it is decided
}

// named says who gives a command: the asker. An administrator may name another,
// as when it brings in what others did, and is then recorded beside.
func named(meta *domain.Meta, p *access.Principal, of domain.Key) error {
	switch meta.Actor {
	case "", string(p.Key):
		meta.Actor = string(p.Key)
		return nil
	}
	if !p.Administers(of) {
		return newProblem(CodeForbidden, "actor", "You are "+string(p.Key)+", and ask as yourself: leave the actor out. Only an administrator names another.")
	}
	meta.Principal = string(p.Key)
	return nil
}

// effected waits until what a command did to rights counts, so that the very next
// request is judged by it.
func (s *server) effected(ctx context.Context, receipt ledger.Receipt) {
	if receipt.Agreement != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience) // a log may be written to that cannot be followed
	defer cancel()
	if err := s.cfg.Access.Wait(ctx, receipt.Seq); err != nil {
		// It is done all the same. Where the log is not followed nobody is let in.
		s.cfg.Logger.ErrorContext(ctx, "the directory does not know yet what was done", "seq", receipt.Seq, "error", err)
	}
}
