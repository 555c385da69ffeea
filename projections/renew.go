package projections

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// A renewal that failed is tried again after a pause, which grows: what keeps it
// from being done may take a person, and trying costs a core.
const (
	renewPause    = time.Minute
	maxRenewPause = time.Hour
)

// Renew makes read models in place of those of a former version, which serve until
// then, as often as it takes. It returns when there is nothing to make anew, or ctx
// ends. Build tells how it gets on.
func (m *Models) Renew(ctx context.Context, log Log) {
	for pause := renewPause; m.due() != ""; pause = min(2*pause, maxRenewPause) {
		m.renew(ctx, log)
		if m.due() == "" || !m.rest(ctx, pause) {
			return
		}
	}
}

// rest lets a pause pass before the next try. Where a disk was full it ends when there
// is more room by as much as what serves takes. It reports whether to go on.
func (m *Models) rest(ctx context.Context, pause time.Duration) bool {
	over := time.After(pause)
	var look <-chan time.Time
	free, err := durable.Free(m.opts.Dir)
	enough := free + m.size()
	if err == nil && errors.Is(m.Build().Err, durable.ErrNoRoom) {
		tick := time.NewTicker(followPause)
		defer tick.Stop()
		look = tick.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-look:
			if free, err = durable.Free(m.opts.Dir); err == nil && free >= enough {
				return true
			}
		}
	}
}

// size is that of the file that serves.
func (m *Models) size() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.live == nil {
		return 0
	}
	info, err := os.Stat(m.live.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// renew tries once. A ledger and its views take turns.
func (m *Models) renew(ctx context.Context, log Log) {
	select {
	case m.opts.turn <- struct{}{}:
		defer func() { <-m.opts.turn }()
	case <-ctx.Done():
		return
	}
	m.building.Lock()
	defer m.building.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.setGiveUp(cancel)
	defer m.setGiveUp(nil)
	if why := m.due(); why != "" {
		_ = m.build(ctx, log, why, nil, nil) // Build tells
	}
}

func (m *Models) setGiveUp(f context.CancelFunc) {
	m.builds.mu.Lock()
	defer m.builds.mu.Unlock()
	m.builds.giveUp = f
}

// giveUpRenewal ends the renewal under way, if there is one, for who makes read
// models for a better reason.
func (m *Models) giveUpRenewal() {
	m.builds.mu.Lock()
	defer m.builds.mu.Unlock()
	if m.builds.giveUp != nil {
		m.builds.giveUp()
	}
}
