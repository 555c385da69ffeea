package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// horizon keeps a sequence such that everything after it is younger than
// JetStream's duplicate window. A register that has come so far knows every key
// that JetStream may have forgotten.
type horizon struct {
	mu         sync.Mutex
	asked      time.Time // when next was asked for
	past, next uint64
}

// seq returns the sequence: the log's last at the first call, and from then on
// one that it had some time ago, for which nobody has to wait.
func (h *horizon) seq(ctx context.Context, log Log) (uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	age := time.Since(h.asked)
	if age < eventstore.DuplicateWindow/4 {
		return h.past, nil
	}
	last, err := log.Last(ctx)
	if err != nil {
		return 0, err
	}
	if h.past = h.next; age > eventstore.DuplicateWindow/2 {
		h.past = last // next is too old to say anything of now
	}
	h.next, h.asked = last, time.Now()
	return h.past, nil
}
