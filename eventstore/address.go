package eventstore

import (
	"errors"
	"net/url"
	"strings"
)

// errAddress does not say what is wrong with the address, nor does what net/url says
// of it: that quotes a part of the password.
var errAddress = errors.New("the address of a server is no URL: characters of a password that mean something there are written with a percent sign, " +
	"% as %25, # as %23, / as %2F, ? as %3F, @ as %40, and a comma as %2C")

// parseAddresses is what Config.URL has. The client library parses it once more.
func parseAddresses(addresses string) (list []*url.URL, err error) {
	for address := range strings.SplitSeq(addresses, ",") {
		address = strings.TrimSpace(address)
		if !strings.Contains(address, "://") {
			address = "nats://" + address // as the client library takes it
		}
		u, err := url.Parse(address)
		// A password with a # or a / that begins with digits is taken for a port.
		if err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
			return nil, errAddress
		}
		list = append(list, u)
	}
	return list, nil
}

// WithoutUser is the address of servers, as Config.URL has it, without the user and the
// password that may be in it.
func WithoutUser(addresses string) string {
	var list []string
	for address := range strings.SplitSeq(addresses, ",") {
		parsed, err := parseAddresses(address)
		if err != nil {
			list = append(list, "a server")
			continue
		}
		parsed[0].User = nil
		list = append(list, parsed[0].String())
	}
	return strings.Join(list, ",")
}
