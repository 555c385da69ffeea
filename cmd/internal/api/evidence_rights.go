package api

import (
	"cmp"
	"context"
	"strconv"
	"sync"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// A file is seen by whoever sees an event that names it. So nobody may name a file
// that they neither see nor have: by its hash alone they would bring it to light.

// seesEvidence reports whether something that the asker sees names a file.
func (s *server) seesEvidence(ctx context.Context, hash domain.Hash) (bool, error) {
	return s.seesNow(ctx, func(models *projections.Models) (bool, error) { return models.SeesEvidence(ctx, hash) })
}

// citable refuses files that a command names, as evidence or in what it says, and
// that the asker does not see and has not stored itself, as far as this server
// remembers, as not being there. Whoever has the file can store it again.
func (s *server) citable(ctx context.Context, models *projections.Models, req *ledger.Request) error {
	if models == s.cfg.Models {
		return nil
	}
	for i, hash := range req.Meta.Evidence {
		if may, err := s.mayCite(ctx, hash); err != nil || !may {
			return cmp.Or(err, ledger.EvidenceNotStored("evidence["+strconv.Itoa(i)+"]", hash))
		}
	}
	said := domain.Envelope{Data: domain.EncodeValue(req.Command)}
	for hash := range said.Files() {
		may, err := s.mayCite(ctx, hash)
		if err == nil && !may {
			may, err = s.cfg.Store.HasEvidence(ctx, string(hash))
			may = !may // the hash of what is not stored, such as a text on paper, is only a hash
		}
		if err != nil || !may {
			return cmp.Or(err, ledger.EvidenceNotStored("", hash))
		}
	}
	return nil
}

func (s *server) mayCite(ctx context.Context, hash domain.Hash) (bool, error) {
	if s.attached.has(access.From(ctx).Key, hash) {
		return true, nil
	}
	return s.seesEvidence(ctx, hash)
}

// attached remembers who stored which files.
type attached struct {
	mu    sync.Mutex
	files map[attachment]struct{}
}

type attachment struct {
	by   domain.Key
	hash domain.Hash
}

// maxAttached bounds what is remembered; beyond it all is forgotten.
const maxAttached = 100_000

func (a *attached) add(by domain.Key, hash domain.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.files == nil || len(a.files) >= maxAttached {
		a.files = map[attachment]struct{}{}
	}
	a.files[attachment{by, hash}] = struct{}{}
}

func (a *attached) has(by domain.Key, hash domain.Hash) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.files[attachment{by, hash}]
	return ok
}
