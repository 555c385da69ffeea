package eventstore

import (
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

var errNotDelivered = errors.New("eventstore: a message without JetStream's delivery data")

// delivered makes a record of a message that a consumer delivered.
//
// JetStream puts what it knows into the reply subject:
//
//	$JS.ACK.<stream>.<consumer>.<times>.<sequence>.<consumer sequence>.<time>.<pending>
//	$JS.ACK.<domain>.<account>.<stream>.<consumer>. ... .<pending>[.<random>]
//
// The client library can read it, but at a tenth of the whole cost of reading
// a log.
func delivered(m jetstream.Msg) (Record, error) {
	rest, ok := strings.CutPrefix(m.Reply(), "$JS.ACK.")
	if !ok {
		return Record{}, errNotDelivered
	}
	skip := 3
	if strings.Count(rest, ".") > 6 {
		skip = 5
	}
	for range skip {
		if _, rest, ok = strings.Cut(rest, "."); !ok {
			return Record{}, errNotDelivered
		}
	}
	var field [3]uint64 // sequence, consumer sequence, time
	for i := range field {
		var tok string
		tok, rest, _ = strings.Cut(rest, ".")
		if field[i], ok = decimal(tok); !ok {
			return Record{}, errNotDelivered
		}
	}
	return Record{
		Seq:     field[0],
		Subject: m.Subject(),
		Data:    m.Data(),
		Stored:  time.Unix(0, int64(field[2])).UTC(),
	}, nil
}

func decimal(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, s != ""
}
