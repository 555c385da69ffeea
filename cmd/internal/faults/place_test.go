package faults_test

import (
	"context"
	"net"
	"net/http"
	"time"
)

// place is where a process runs: this machine, or a namespace that stands for
// a machine of its own (network_linux_test.go).
type place struct {
	address string   // by which the others reach it
	inside  []string // what runs a program there; nil for here
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// here is this machine.
func here() place { return place{address: "127.0.0.1", dial: (&net.Dialer{}).DialContext} }

// client speaks HTTP from within the place: whatever is done to the place's wire,
// who stands in it is heard. It keeps a connection for each of many writers.
func (p place) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: p.dial, MaxIdleConnsPerHost: 4096, IdleConnTimeout: time.Minute}}
}
