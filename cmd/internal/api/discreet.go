package api

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// discreet is what refused a command in words that the asker may read: a rule goes
// by all that there is, and can speak of something that is withheld. Then it is not
// told what that is, nor a figure that counts it.
func (s *server) discreet(ctx context.Context, models *projections.Models, req *ledger.Request, err error) error {
	rejected := (*domain.Rejected)(nil)
	if models == s.cfg.Models || !errors.As(err, &rejected) {
		return err
	}
	if !models.Names(rejected.Message) && !models.Names(rejected.Field) {
		if ofLog[rejected.Code] || !tellsFigure(rejected.Message, req) {
			return err
		}
		partly, failed := s.seesPartly(ctx, models, req.Command.Ref())
		if failed != nil {
			return failed
		}
		if !partly {
			return err
		}
	}
	p := newProblem(rejected.Code, "", "A rule refuses this, because of something else in the ledger.")
	if p.Status == http.StatusNotFound {
		p.Detail = "Something that this refers to is not there."
	}
	return p
}

// ofLog are the refusals of which the figures are versions and sequences, which
// receipts tell too.
var ofLog = map[string]bool{domain.CodeStaleVersion: true, domain.CodeKeyReused: true}

// figures are the numbers in a text, those in keys and dates too.
var figures = regexp.MustCompile(`[0-9][0-9.]*`)

// tellsFigure reports whether a refusal has a figure that its command has not.
func tellsFigure(message string, req *ledger.Request) bool {
	command := string(domain.EncodeValue(req.Command))
	for _, figure := range figures.FindAllString(message, -1) {
		if !strings.Contains(command, figure) {
			return true
		}
	}
	return false
}

// seesPartly reports whether the asker sees something of an aggregate and not all.
func (s *server) seesPartly(ctx context.Context, models *projections.Models, ref domain.Ref) (bool, error) {
	var events [2]uint64
	for i, m := range []*projections.Models{s.cfg.Models, models} {
		if err := s.awaitEnd(ctx, m); err != nil {
			return false, err
		}
		var err error
		if events[i], err = m.EventsOf(ctx, ref); err != nil {
			return false, err
		}
	}
	return events[1] < events[0], nil
}
