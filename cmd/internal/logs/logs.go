// Package logs has every line of the log that is about a request say which one.
//
// A scope is begun with each request, and goes along in its context. Whatever is
// noted in it (the request's id, and that of the command as soon as it has one)
// is in each line that is logged with that context from then on, by whichever
// package: so nobody passes ids along to log them, and nobody can forget to. Lines
// that are about nobody's request have none.
package logs

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// scope is what is noted for the lines of a request.
type scope struct {
	mu    sync.Mutex
	attrs []slog.Attr // guarded by mu
}

type scopeKey struct{}

// Scope begins a scope.
func Scope(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, scopeKey{}, &scope{attrs: attrs})
}

// Note adds to the scope of a context, if it is in one. What is noted again under
// the same key replaces what was.
func Note(ctx context.Context, attr slog.Attr) {
	s, ok := ctx.Value(scopeKey{}).(*scope)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.attrs {
		if s.attrs[i].Key == attr.Key {
			s.attrs = slices.Clone(s.attrs)
			s.attrs[i] = attr
			return
		}
	}
	s.attrs = append(s.attrs[:len(s.attrs):len(s.attrs)], attr)
}

// Scoped returns a logger that writes what is noted in the scope of the context it
// is given, before all else of a line.
func Scoped(logger *slog.Logger) *slog.Logger {
	if _, is := logger.Handler().(handler); is {
		return logger
	}
	return slog.New(handler{logger.Handler()})
}

type handler struct{ next slog.Handler }

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	s, ok := ctx.Value(scopeKey{}).(*scope)
	if !ok {
		return h.next.Handle(ctx, r)
	}
	s.mu.Lock()
	attrs := s.attrs // never written to: see Note
	s.mu.Unlock()
	with := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	with.AddAttrs(attrs...)
	r.Attrs(func(a slog.Attr) bool {
		with.AddAttrs(a)
		return true
	})
	return h.next.Handle(ctx, with)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler { return handler{h.next.WithAttrs(attrs)} }
func (h handler) WithGroup(name string) slog.Handler       { return handler{h.next.WithGroup(name)} }
