package projections

// EffectiveUsers is how many questions use files of the second axis, or wait
// for one.
func (m *Models) EffectiveUsers() (n int) {
	m.effective.mu.Lock()
	defer m.effective.mu.Unlock()
	for _, e := range m.effective.kept {
		n += e.users
	}
	return n
}

// KeptEffective is how many files of the second axis are kept of so many
// events each, the one asked last first.
func KeptEffective(events ...int) int {
	var c effectiveFiles
	for _, n := range events {
		e := &effective{events: make([]placed, n), built: make(chan struct{})}
		close(e.built)
		c.kept = append(c.kept, e)
	}
	c.bound()
	return len(c.kept)
}
