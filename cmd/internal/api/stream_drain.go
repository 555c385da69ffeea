package api

import (
	"context"
	"net"
	"net/http"
)

// A shutdown waits for requests to end, and a stream never does; so streams are
// told. That goes by the context of the connections, whatever handlers lie
// between the server and the stream.

type drainingKey struct{}

// tellStreams has the streams of a server end when it is shut down.
func tellStreams(server *http.Server) {
	ctx, drain := context.WithCancel(context.Background())
	server.RegisterOnShutdown(drain)
	server.BaseContext = func(net.Listener) context.Context {
		return context.WithValue(context.Background(), drainingKey{}, ctx.Done())
	}
}

// draining is closed when the server is shut down.
func draining(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(drainingKey{}).(<-chan struct{})
	return done // nil, which is never ready, of a server of somebody else's
}
