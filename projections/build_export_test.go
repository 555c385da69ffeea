package projections

import "context"

// RenewOnce is Renew that tries once.
func (m *Models) RenewOnce(ctx context.Context, log Log) { m.renew(ctx, log) }

// Reading asks a question that lasts as long as f.
func (m *Models) Reading(ctx context.Context, f func()) error {
	return m.read(ctx, Point{}, func(*query) error {
		f()
		return nil
	})
}

// Settled waits until nothing is made, and what serves no longer is removed.
func (m *Models) Settled() {
	m.building.Lock()
	defer m.building.Unlock()
	m.retired.Wait()
}

// Asked reports whether somebody rebuilds or replays, or is about to.
func (m *Models) Asked() bool {
	free := m.asked.TryLock()
	if free {
		m.asked.Unlock()
	}
	return !free
}
