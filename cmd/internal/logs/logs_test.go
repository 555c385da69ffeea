package logs

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesOfARequestSayWhich(t *testing.T) {
	// given a logger, and the scope of a request
	var out bytes.Buffer
	log := Scoped(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		},
	})))
	ctx := Scope(t.Context(), slog.String("request", "r1"))

	// when something is logged, with it and without
	log.InfoContext(ctx, "one", "a", 1)
	Note(ctx, slog.String("command", "c1"))
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	Scoped(log).With("b", 2).InfoContext(inner, "two")
	Note(inner, slog.String("command", "c2"))
	log.InfoContext(ctx, "three")
	log.Info("four")
	Note(t.Context(), slog.String("command", "nobody's"))
	log.InfoContext(t.Context(), "five")

	// then each line has what was noted up to there, once
	require.Equal(t, "msg=one request=r1 a=1\nmsg=two b=2 request=r1 command=c1\nmsg=three request=r1 command=c2\nmsg=four\nmsg=five\n", out.String())
}

func TestNotesFromManyGoroutines(t *testing.T) {
	ctx := Scope(t.Context(), slog.String("request", "r1"))
	log := Scoped(slog.New(slog.DiscardHandler))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			Note(ctx, slog.String("command", "c"))
			log.ErrorContext(ctx, "x")
		})
	}
	all.Wait()
	require.Len(t, ctx.Value(scopeKey{}).(*scope).attrs, 2)
}
