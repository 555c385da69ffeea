package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// The events are also a stream of server-sent events, at the address of their
// list: who accepts text/event-stream gets it.

const (
	mediaStream       = "text/event-stream"
	headerLastEventID = "Last-Event-ID"
)

const (
	defaultStreams        = 5000
	defaultStreamPatience = 10 * time.Second
	heartbeat             = 15 * time.Second
	reconnect             = 2 * time.Second // for which a browser waits before it comes back
)

const streamDoc = "The stored events, as server-sent events: id is the sequence, data is the CloudEvent as stored, in one line. They are unnamed, so a " +
	"browser's EventSource hands all of them to onmessage, and the type is in the data. The stream takes agreement, kind, type and " +
	"after, begins after the sequence in Last-Event-ID, else in after, else with what comes from now on, and never ends by itself. " +
	"Each event comes once and in order: whoever comes back with the last id misses nothing and repeats nothing. At least every 15 " +
	"seconds there is an id, without data where nothing matched: everything up to it was looked at. A stream that ends says why by " +
	"a named event, with JSON {after, detail}: dropped (the reader was too slow), rights-changed (what the asker may see is not " +
	"what it was), closing (the server stops), unavailable (the read models stopped). Come back then."

// stream documents the stream beside the list, which is there already.
func (s *server) documentStream() {
	op := s.api.OpenAPI().Paths["/v1/events"].Get
	op.Responses["200"].Content[mediaStream] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: streamDoc}}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: headerLastEventID, In: "header", Description: "Of a stream: the sequence after which to go on. It wins over after.",
		Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"},
	})
}

// streaming is the middleware of the list of events that serves the stream to
// those who want that.
func (s *server) streaming(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if r.Method != http.MethodGet || negotiation.SelectQValue(r.Header.Get("Accept"), []string{mediaJSON, sheet.MediaCSV, sheet.MediaXLSX, mediaStream}) != mediaStream {
		next(ctx)
		return
	}
	if err := s.stream(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// streamQuestion is what a stream is asked for.
type streamQuestion struct {
	filter feed.Filter
	after  *uint64 // nil: from now on
}

// stream answers with the events from a sequence on, and goes on until the
// reader leaves, is too slow or may no longer see them, or the server stops. What it
// returns is a problem that was found before the stream began.
func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	q, err := readStreamQuestion(r)
	if err != nil {
		return err
	}
	if right, _ := access.Subscription("sse"); !access.From(r.Context()).Begin(right) {
		return forbidden("", right)
	}
	models, err := s.seenBy(r.Context(), 0)
	if err != nil {
		return err
	}
	after := models.Position().Seq
	if q.after != nil {
		if err := s.checkPosition(r.Context(), *q.after, after); err != nil {
			return err
		}
		after = *q.after
	}
	leave, err := s.streams.enter("There are " + strconv.Itoa(s.cfg.MaxStreams) + " streams already, which is the most there may be. Try again later.")
	if err != nil {
		return err
	}
	s.metrics.streams.Inc()
	defer func() {
		leave()
		s.metrics.streams.Dec()
	}()
	out := newEventWriter(w, s.cfg.StreamPatience, s.clock, after)
	ended := s.pass(r.Context(), out, models, q.filter, s.noteAlong(r, "GET /v1/events", access.From(r.Context())))
	s.metrics.streamsEnded.WithLabelValues(ended).Inc()
	return nil
}

// readStreamQuestion reads the parameters, of which the list's own mean nothing
// to a stream.
func readStreamQuestion(r *http.Request) (q streamQuestion, err error) {
	position := func(name, text string) error {
		seq, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return newProblem(CodeInvalidParameter, name, "Want the sequence of an event, a whole number.")
		}
		q.after = &seq
		return nil
	}
	for name, values := range r.URL.Query() {
		value := values[0] // checkQuery refused more
		switch name {
		case "agreement":
			if q.filter.Agreement = domain.Key(value); !q.filter.Agreement.Valid() {
				err = newProblem(CodeInvalidParameter, name, "Want the key of an agreement, such as wuxi-2017.")
			}
		case "kind":
			q.filter.Kinds = []string{value}
			if _, ok := catalogue.Aggregate(value); !ok { // it would be silent for ever
				err = newProblem(CodeInvalidParameter, name, "There is no such kind; there are "+strings.Join(aggregateKinds(), ", ")+".")
			}
		case "type":
			q.filter.Types = []string{value}
			if !knownType(value) {
				err = newProblem(CodeInvalidParameter, name, "There is no such type of events; want one such as milepost.project.started.v1.")
			}
		case "after":
			err = position(name, value)
		default:
			err = newProblem(CodeInvalidParameter, name, "A stream of events takes agreement, kind, type and after.")
		}
		if err != nil {
			return q, err
		}
	}
	if id := r.Header.Get(headerLastEventID); id != "" {
		err = position(headerLastEventID, id)
	}
	return q, err
}

func aggregateKinds() (kinds []string) {
	for _, a := range catalogue.Aggregates {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}

func knownType(name string) bool {
	for _, e := range catalogue.EventTypes() {
		if e.Type == name {
			return true
		}
	}
	return false
}

// checkPosition refuses a place that the log has not reached: the reader has
// read another log, and would hear nothing until this one gets there.
func (s *server) checkPosition(ctx context.Context, after, reached uint64) error {
	if after <= reached {
		return nil
	}
	last, err := s.cfg.Store.Last(ctx)
	if err != nil || after <= last {
		return err
	}
	return newProblem(CodeInvalidParameter, "after", "The log has no event "+strconv.FormatUint(after, 10)+
		" yet: this position is of another ledger, or the ledger was restored from a backup that lacks it.")
}

// Why streams end, as the named event and the metric call it.
const (
	endLeft          = "left" // the reader did; nobody to tell
	endDropped       = "dropped"
	endRightsChanged = "rights-changed"
	endClosing       = "closing"
	endUnavailable   = "unavailable"
)

// pass hands on what the feed gives, and heartbeats, and returns why it ended. note
// is called before events go out.
func (s *server) pass(ctx context.Context, out *eventWriter, models *projections.Models, filter feed.Filter, note func() error) string {
	if err := out.begin(); err != nil {
		return out.failed(err)
	}
	type step struct {
		chunk feed.Chunk
		err   error
	}
	following, stop := context.WithCancel(ctx)
	follow := s.cfg.Feed.Follow(following, models, filter, out.after) // out is this goroutine's alone
	steps := make(chan step)
	go func() {
		defer close(steps)
		for chunk, err := range follow {
			select {
			case steps <- step{chunk, err}:
			case <-following.Done():
				return
			}
		}
	}()
	defer func() {
		stop()
		for range steps { // until it has gone
		}
	}()

	beats, quiet := s.heartbeats()
	defer quiet()
	looked, closing := out.after, stageOf(ctx).closing
	for {
		var chunk feed.Chunk
		select {
		case <-ctx.Done():
			return endLeft
		case <-closing:
			return out.end(endClosing, "The server stops. Come back in a moment.")
		case next, ok := <-steps:
			switch {
			case !ok || ctx.Err() != nil:
				return endLeft
			case errors.Is(next.err, projections.ErrClosed): // the server stops, or a view was closed while nobody asked it anything
				return out.end(endUnavailable, "The read models were closed. Come back in a moment.")
			case next.err != nil:
				s.cfg.Logger.WarnContext(ctx, "stream of events broke off", "after", out.after, "error", next.err)
				return out.end(endUnavailable, "The read models have stopped. Come back in a moment.")
			}
			chunk, looked = next.chunk, next.chunk.UpTo
		case <-beats:
		}
		// Nothing goes out, and no position, that is not the asker's to see now.
		if err := s.stillSees(ctx, models, looked); err != nil {
			return out.end(endRightsChanged, "What you may see has changed. Come back.")
		}
		if len(chunk.Events) > 0 {
			if err := note(); err != nil {
				return out.end(endUnavailable, "The access log cannot be written, so nothing more is sent. Come back in a moment.")
			}
		}
		var err error
		switch {
		case len(chunk.Events) > 0:
			err = out.events(chunk)
			s.metrics.streamEvents.Add(float64(len(chunk.Events)))
		case chunk.UpTo == 0:
			err = out.beat(looked)
		}
		if err != nil {
			return out.failed(err)
		}
	}
}

// heartbeats are ticks, until quiet is called.
func (s *server) heartbeats() (beats <-chan time.Time, quiet func()) {
	if s.beats != nil { // a test's
		return s.beats, func() {}
	}
	t := time.NewTicker(heartbeat)
	return t.C, t.Stop
}
