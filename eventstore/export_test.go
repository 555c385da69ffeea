package eventstore

// MoveOn is moveOn, for tests that do not wait until a server is known to be stuck.
func (s *Store) MoveOn() { s.moveOn() }
