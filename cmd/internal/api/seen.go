package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/projections"
)

// renewed returns who asks, with the rights of this moment: since the request began
// to arrive they may have been revoked. What is done by a body is judged by this,
// when all of the body is here.
func renewed(ctx context.Context) (*access.Principal, error) {
	p, err := access.From(ctx).Renewed()
	if err == access.ErrUnknown {
		err = unauthenticated("", "What you signed in by was revoked.")
	}
	return p, err
}

// stillMay refuses who asks unless the right over anything at all is theirs at this
// moment.
func stillMay(ctx context.Context, right access.Right) error {
	p, err := renewed(ctx)
	if err == nil && !p.Begin(right) {
		err = forbidden("", right)
	}
	return err
}

// seen returns the read models of what the asker may see now: every question is
// asked of these, and only what serves the ledger as a whole of the server's own.
func (s *server) seen(ctx context.Context) (*projections.Models, error) {
	p, err := renewed(ctx)
	if err != nil {
		return nil, err
	}
	return s.shownTo(ctx, p)
}

// shownTo is seen, for who has just been found to ask.
func (s *server) shownTo(ctx context.Context, p *access.Principal) (*projections.Models, error) {
	view := p.View()
	if view.Whole() {
		return s.cfg.Models, nil
	}
	// The first who has a view waits until it is made, and no longer than for any
	// answer; whoever has it then keeps it until the request ends.
	short, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	if _, err := s.cfg.Views.Of(short, view); err != nil {
		return nil, err
	}
	return s.cfg.Views.Of(ctx, view)
}

// asked reads a key that a request names in its path or its query.
func asked(r *http.Request, name string) domain.Key {
	if key := r.PathValue(name); key != "" {
		return domain.Key(key)
	}
	return domain.Key(r.URL.Query().Get(name))
}

// saysTrue reads a parameter of the query that is true or false; unsaid is what it is
// when it is absent.
func saysTrue(r *http.Request, name string, unsaid bool) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return unsaid, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, newProblem(CodeInvalidParameter, name, "Want true or false.")
	}
	return yes, nil
}

// seesNow asks read models whether the asker sees something, and before it takes no
// for an answer again when they have all that the log has: it may have come a
// moment ago.
func (s *server) seesNow(ctx context.Context, sees func(*projections.Models) (bool, error)) (bool, error) {
	models, err := s.seen(ctx)
	if err != nil {
		return false, err
	}
	if yes, err := sees(models); yes || err != nil {
		return yes, err
	}
	if err := s.awaitEnd(ctx, models); err != nil {
		return false, err
	}
	return sees(models)
}

// seesTree refuses the tree of an agreement that the asker does not see as one
// that is not there. Everybody sees the ledger's own.
func (s *server) seesTree(ctx context.Context, of domain.Key) error {
	if of == "" {
		return nil
	}
	sees, err := s.seesNow(ctx, func(models *projections.Models) (bool, error) {
		if !of.Valid() {
			return false, nil
		}
		return models.Sees(ctx, agreement.Ref(of))
	})
	if err == nil && !sees {
		err = domain.NotFound("agreement", agreement.Kind, of)
	}
	return err
}

// seesAll refuses what is made of all events of an agreement, or where that is ""
// of the ledger, to whom some of them are withheld from.
func seesAll(p *access.Principal, of domain.Key) error {
	v := p.View()
	for _, r := range v.Restricted {
		if of == "" || r.Agreement == of {
			return newProblem(CodeForbidden, "", "This has every event, and your rights do not cover all of them. An auditor can get it.")
		}
	}
	return nil
}
