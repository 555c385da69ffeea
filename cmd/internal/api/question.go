package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/projections"
)

// Question is what every question to the read models may carry. It and what
// else is embedded in questions is exported because huma looks no further.
type Question struct {
	AsOf   string `query:"as_of" doc:"The point to answer as of: an RFC 3339 instant, a civil date (its end, in the ledger's time zone) or seq:N; now when absent." example:"2018-12-31"`
	MinSeq uint64 `query:"min_seq" doc:"Wait until the read models have reached this sequence, as a receipt names it: read your own write."`
}

func (q Question) asked() Question { return q }

// asks is a question to the read models. One about an agreement, or what is
// below it, embeds InAgreement too.
type asks interface{ asked() Question }

// AsOfHeaders say of every answer of the read models which point it is as of.
type AsOfHeaders struct {
	Seq       uint64 `header:"Milepost-Seq" doc:"The sequence that this is as of."`
	At        string `header:"Milepost-At" doc:"Ledger time of that sequence; absent before the first."`
	Effective string `header:"Milepost-Effective-At" doc:"The date by which it is effective; absent where effective_at was not asked for."`
}

func asOfHeaders(p projections.Point) AsOfHeaders {
	h := AsOfHeaders{Seq: p.Seq, Effective: p.Effective.String()}
	if !p.At.IsZero() {
		h.At = p.At.UTC().Format(time.RFC3339Nano)
	}
	return h
}

// ListQuestion is a question that is answered page by page.
type ListQuestion struct {
	Question
	PageQuestion
}

type PageQuestion struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most entries of one answer."`
	Cursor string `query:"cursor" doc:"Goes on where an answer ended: its next. Good for the same question only."`
	Format string `query:"format" enum:"json,csv,xlsx" doc:"The form of the list: JSON, or its items as a table, CSV or an Excel workbook; else what the header Accept says."`
}

func (q PageQuestion) page() projections.Page {
	return projections.Page{Cursor: q.Cursor, Limit: q.Limit}
}

// list is the answer to every question that has several.
type list[T any] struct {
	AsOf  projections.Point `json:"as_of" doc:"The point that this is as of."`
	Items []T               `json:"items"`
	Next  string            `json:"next" doc:"Cursor of what follows; empty at the end."`
}

// itemAnswer is the answer to a question for one aggregate, or a part of one.
type itemAnswer[T any] struct {
	ETag string `header:"ETag" doc:"Version of the aggregate, for If-Match: how many of its events the answer is of."`
	AsOfHeaders
	Body T
}

// getList serves a question that has several answers; read gives one page.
func getList[I interface {
	asks
	page() projections.Page
}, T any](s *server, op huma.Operation, read func(context.Context, *projections.Models, *I, projections.Point) (items []T, next string, err error)) {
	getListing[I, list[T], T](s, op, func(ctx context.Context, in *I) (listing, error) {
		models, at, err := s.point(ctx, *in, (*in).page())
		if err != nil {
			return listing{}, err
		}
		items, next, err := read(ctx, models, in, at)
		return listing{list[T]{at, items, next}, items, next, at}, err
	})
}

// getItem serves a question for one thing; read gives it with the version of
// its aggregate.
func getItem[I asks, T any](s *server, op huma.Operation, read func(context.Context, *projections.Models, *I, projections.Point) (item T, version uint64, err error)) {
	get(s, op, func(ctx context.Context, in *I) (*itemAnswer[T], error) {
		models, at, err := s.point(ctx, *in, projections.Page{})
		if err != nil {
			return nil, err
		}
		item, version, err := read(ctx, models, in, at)
		if err != nil {
			return nil, err
		}
		return &itemAnswer[T]{etag(version), asOfHeaders(at), item}, nil
	})
}

// reading describes a question to the read models.
func reading(id, tag, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Path: path, Tags: []string{tag}, Summary: summary, Errors: []int{400, 403, 404, 422, 500, 503, 507}}
}

// point waits until the read models of what the asker sees can answer q, for a
// moment, and returns them and the point that it is to be answered as of: for a
// further page, that of the page before.
func (s *server) point(ctx context.Context, in asks, page projections.Page) (*projections.Models, projections.Point, error) {
	q := in.asked()
	asOf := pointText(q.AsOf)
	models, err := s.seenBy(ctx, q.MinSeq, asOf)
	if err != nil {
		return nil, projections.Point{}, err
	}
	var at projections.Point
	if below, ok := in.(interface{ inAgreement() InAgreement }); ok {
		of := below.inAgreement()
		at, err = models.ResolveEffective(ctx, asOf, of.Agreement, of.EffectiveAt, page)
	} else {
		at, err = models.ResolvePage(ctx, asOf, page)
	}
	return models, at, err
}

// pointText reads a point from a query. No point is written with a space: one
// that is there was the plus sign of a time zone, not escaped.
func pointText(s string) projections.AsOf { return projections.AsOf(strings.ReplaceAll(s, " ", "+")) }

// seenBy is seen, once the read models have reached what a question needs.
func (s *server) seenBy(ctx context.Context, minSeq uint64, points ...projections.AsOf) (*projections.Models, error) {
	models, err := s.seen(ctx)
	if err == nil {
		err = s.awaitIn(ctx, models, minSeq, points...)
	}
	return models, err
}

// await waits for the read models of the whole ledger, see awaitIn.
func (s *server) await(ctx context.Context, minSeq uint64, points ...projections.AsOf) error {
	return s.awaitIn(ctx, s.cfg.Models, minSeq, points...)
}

// awaitIn waits, for as long as a client has patience, until read models have
// reached minSeq, and each sequence among points that the log has.
//
// They must follow the log, and have caught up with it once: what they call
// now would be long ago otherwise. Those of a view must have what those of the
// whole ledger have: what one asker was told, no other is behind by.
func (s *server) awaitIn(ctx context.Context, models *projections.Models, minSeq uint64, points ...projections.AsOf) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	position := models.Position()
	if position.Err != nil {
		return &projections.BehindError{Asked: minSeq, Reached: position.Seq, Err: position.Err}
	}
	for _, p := range points {
		digits, isSeq := strings.CutPrefix(string(p), "seq:")
		if seq, err := strconv.ParseUint(digits, 10, 64); isSeq && err == nil && seq > position.Seq {
			last, err := s.cfg.Store.Last(ctx)
			if err != nil {
				return err
			}
			if seq <= last { // else it is in the future, which is not worth waiting for
				minSeq = max(minSeq, seq)
			}
		}
	}
	if !s.caughtUp.Load() {
		last, err := s.cfg.Store.Last(ctx)
		if err != nil {
			return err
		}
		minSeq = max(minSeq, last)
	}
	if models != s.cfg.Models {
		minSeq = max(minSeq, s.cfg.Models.Position().Seq)
	}
	if err := models.Wait(ctx, minSeq); err != nil {
		return err
	}
	if models == s.cfg.Models {
		s.caughtUp.Store(true)
	}
	return nil
}
