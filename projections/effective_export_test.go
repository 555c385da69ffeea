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
