package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// guard says to which addresses a connection may be made. It is asked by the
// dialer with the address that is about to be connected to, after a name was
// resolved: what a name leads to at another moment is no concern of it.
type guard struct{ allow []netip.Prefix }

// dialer connects where the guard lets it. A nil resolver is the system's.
func (g guard) dialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, Resolver: resolver, Control: g.control}
}

func (g guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("webhook: address %q is not understood: %w", address, err)
	}
	if !g.permits(to.Addr()) {
		return &RefusedError{Address: to.Addr()}
	}
	return nil
}

// permits reports whether an address is public, or in a network that was allowed.
func (g guard) permits(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // ::ffff:10.0.0.1 connects to 10.0.0.1
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(g.allow, in) {
		return true
	}
	if a.Is6() && !global.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(reserved, in)
}

// RefusedError says that an address is neither public nor allowed.
type RefusedError struct{ Address netip.Addr }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("it leads to %s, which is no public address: give another one, or allow the network with serve --webhook-allow", e.Address)
}

// global is what IPv6 has given out as global unicast. Loopback, unspecified,
// link-local, site-local, unique-local, multicast, and NAT64 with an IPv4 address
// in it (64:ff9b::/96, 64:ff9b:1::/48) are outside of it.
var global = netip.MustParsePrefix("2000::/3")

// reserved are the networks of the special-purpose registries of IANA that are
// no place on the Internet, or may lead to one that is not.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers (CGNAT)
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, where clouds keep their metadata
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments: Teredo, benchmarks, ORCHID
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4: an IPv4 address is in it
	netip.MustParsePrefix("3fff::/20"),       // documentation
}
