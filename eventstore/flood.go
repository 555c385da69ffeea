package eventstore

import "time"

// For each request that a subscriber makes, the server remembers the way back of
// the answers until the subscriber stops listening for them, or for answerTime. One
// that only asks would fill the memory with that.
const (
	answerTime    = 40 * time.Second // longer than a request for records waits, which is 30 s by default
	maxUnanswered = 50_000           // of one subscriber: far more than one makes that reads
	floodCheck    = 250 * time.Millisecond
)

// unanswered is how many requests of a consumer's reader the server remembers.
func (s *Store) unanswered(consumer string) (n int) {
	ledger := s.srv.Load().GlobalAccount()
	if ledger.NumPendingAllResponses() <= maxUnanswered { // counting takes longer
		return 0
	}
	publish, _ := Permissions(s.stream, consumer)
	for _, subject := range publish {
		n += ledger.NumPendingResponses(subject)
	}
	return n
}

// cutFloods ends the connections of subscribers that ask more than they read, until
// the store is closed. With its connection goes what the server remembers of it, so one
// may come back.
func (s *Store) cutFloods() {
	tick := time.NewTicker(floodCheck)
	defer tick.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		for _, consumer := range s.gate.known() {
			if s.Connections(consumer) == 0 {
				continue
			}
			if n := s.unanswered(consumer); n > maxUnanswered {
				s.log.Warn("a subscriber asks more than it reads and is cut off", "subscriber", consumer, "unanswered", n)
				if err := s.Disconnect(consumer); err != nil {
					s.log.Error("a subscriber cannot be cut off", "subscriber", consumer, "error", err)
				}
			}
		}
	}
}
