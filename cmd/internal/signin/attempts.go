package signin

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Attempts to sign in that are let through at once, and how fast more are, for
// each address and for all together. A person never gets there; secrets of 256
// bits would be safe without, but not the server's time and its log.
const (
	burstEach = 10
	burstAll  = 200
)

var (
	paceEach = rate.Every(6 * time.Second)
	paceAll  = rate.Every(200 * time.Millisecond)
)

// mostAddresses bounds how many addresses are remembered.
const mostAddresses = 10_000

// attempts counts the attempts to sign in.
type attempts struct {
	all  *rate.Limiter
	mu   sync.Mutex
	each map[netip.Prefix]*rate.Limiter
}

func newAttempts() *attempts {
	return &attempts{all: rate.NewLimiter(paceAll, burstAll), each: map[netip.Prefix]*rate.Limiter{}}
}

// take counts one attempt. A wait other than 0 says that it is one too many, and
// when the next may come; it is not counted.
func (a *attempts) take(address string, now time.Time) (wait time.Duration) {
	own := a.of(block(address), now)
	mine := own.ReserveN(now, 1)
	if wait = mine.DelayFrom(now); wait > 0 {
		mine.CancelAt(now)
		return wait
	}
	all := a.all.ReserveN(now, 1)
	if wait = all.DelayFrom(now); wait > 0 {
		all.CancelAt(now)
		mine.CancelAt(now)
	}
	return wait
}

func (a *attempts) of(from netip.Prefix, now time.Time) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.each[from]; ok {
		return l
	}
	if len(a.each) >= mostAddresses {
		for other, l := range a.each { // those that have rested are as good as new
			if l.TokensAt(now) >= burstEach {
				delete(a.each, other)
			}
		}
	}
	l := rate.NewLimiter(paceEach, burstEach)
	if len(a.each) < mostAddresses { // beyond, the limit for all must do
		a.each[from] = l
	}
	return l
}

// block is the addresses that one person has: a single one of IPv4, of IPv6 the
// network that a household gets.
func block(address string) netip.Prefix {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{} // all that cannot be told apart are one
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the bits fit
	return p
}
