package projections

import "context"

// Dir is where the files are.
func (m *Models) Dir() string { return m.opts.Dir }

// OpenViews is how many views are open, or being closed.
func (v *Views) OpenViews() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.open)
}

// InUse is how many use views.
func (v *Views) InUse() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.open {
		n += o.users
	}
	return n
}

// SchemaVersion is in the names of files.
const SchemaVersion = schemaVersion

// SelectCommandOf finds a command of an aggregate.
const SelectCommandOf = selectCommandOf

// CommandHash is where the index of commands has an id.
var CommandHash = commandHash

// TextHash is the hash of a text.
var TextHash = textHash[string]

// ProjectionVersion is in the table meta.
const ProjectionVersion = projectionVersion

// SnapshotSum is what a snapshot has beside it when nobody has changed it.
var SnapshotSum = snapshotSum

// StateVersion is that of the states in snapshots.
const StateVersion = stateVersion

// AfterGivingUp has f called when the renewal under way is given up.
func (m *Models) AfterGivingUp(f func()) {
	m.builds.mu.Lock()
	defer m.builds.mu.Unlock()
	giveUp := m.builds.giveUp
	m.builds.giveUp = func() { giveUp(); f() }
}

// HoldsWhatItRead reports whether nobody can throw away what is counted between that it
// was read up to the present and that it is looked at.
func (m *Models) HoldsWhatItRead(ctx context.Context) (held bool, err error) {
	err = m.read(ctx, Point{}, func(q *query) error {
		at, err := readPosition(q.conn)
		if err != nil {
			return err
		}
		q.at.Seq = at.seq
		l := &m.live.timeline
		if err := l.readOn(q); err != nil {
			return err
		}
		held = !l.mu.TryLock()
		l.mu.RUnlock()
		return nil
	})
	return held, err
}
