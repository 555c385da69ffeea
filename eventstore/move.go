package eventstore

import "time"

// stuckTime is how long a server may get no append through before another one of
// its cluster is tried. It is longer than the choice of a new leader takes.
const stuckTime = 10 * time.Second

// judge notes whether a commit got through. A server that is cut off from the
// others still answers its clients, so nothing but this tells that it is.
func (c *committer) judge(f *flight) {
	switch errorKind(f.err) {
	default: // the leader has answered
		c.stuck = time.Time{}
	case "unknown", "unavailable":
		if c.stuck.IsZero() {
			c.stuck = f.sent
		}
		if time.Since(c.stuck) >= stuckTime {
			c.stuck = time.Time{}
			c.moveOn()
		}
	}
}

// moveOn has both connections made anew, to the next server of the cluster that
// is there. What is under way has then an unknown outcome.
func (s *Store) moveOn() {
	if s.srv.Load() != nil {
		return
	}
	s.log.Warn("nothing gets through this server, another one is tried", "server", s.write.ConnectedUrlRedacted())
	_ = s.write.ForceReconnect() // or it is closed
	_ = s.read.ForceReconnect()
}
