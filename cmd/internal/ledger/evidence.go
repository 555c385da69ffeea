package ledger

import (
	"context"
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
)

// CodeEvidenceNotStored refuses a command that names evidence of which the
// ledger has no bytes: nobody could ever see what it rests on.
const CodeEvidenceNotStored = "evidence-not-stored"

// foundEvidence bounds how many hashes are remembered as stored.
const foundEvidence = 10_000

// EvidenceNotStored refuses evidence that a field names as not being there.
func EvidenceNotStored(field string, hash domain.Hash) error {
	return domain.Refuse(CodeEvidenceNotStored, field,
		"%s is not stored: attach the file first (milepost attach FILE, or POST /v1/evidence)", hash)
}

// checkEvidence refuses evidence that is not stored. What is stored is never
// removed, so the answer needs no guard, and what was found is looked for once.
func (l *Ledger) checkEvidence(ctx context.Context, evidence []domain.Hash) error {
	for i, hash := range evidence {
		if _, found := l.evidence.get(hash); found {
			continue
		}
		stored, err := l.log.HasEvidence(ctx, string(hash))
		if err != nil {
			return fmt.Errorf("look for evidence: %w", err)
		}
		if !stored {
			return EvidenceNotStored(fmt.Sprintf("evidence[%d]", i), hash)
		}
		l.evidence.put(hash, struct{}{})
	}
	return nil
}
