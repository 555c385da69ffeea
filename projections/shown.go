package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// shownError stops a projector before an event that makes something withheld
// that the view has shown.
type shownError struct{ entities []withheldEntity }

func (e *shownError) Error() string {
	return "projections: an event restricts what the view has shown; it is made anew"
}

// hasShown reports whether the view has an event that spoke of an entity. The
// caches of the projector know of those whose rows are not written yet.
func (p *projector) hasShown(e withheldEntity) (bool, error) {
	steps := strings.SplitN(e.path, "/", 3)
	if len(steps) < 2 {
		return false, nil
	}
	ref := domain.Ref{Agreement: e.agreement, Kind: steps[0], Key: domain.Key(steps[1])}
	of, ok, err := p.findAggregate(ref)
	switch {
	case !ok || err != nil:
		return false, err
	case len(steps) == 2:
		return p.hasEvents(ref, of)
	}
	if _, ok := p.entities.parts[partOf{of.id, steps[2]}]; ok {
		return true, nil
	}
	_, ok, err = p.findEntity(string(e.agreement), e.path)
	return ok, err
}

// hasEvents reports whether the view has an event of an aggregate: what is below
// an agreement names it, and what waits for a party, before it has one.
func (p *projector) hasEvents(ref domain.Ref, of entityRef) (bool, error) {
	if p.view.begun[of.id] || p.entities.whole {
		return p.view.begun[of.id], nil
	}
	_, ok, err := selectInt(p.conn, "SELECT 1 FROM event WHERE aggregate = ? LIMIT 1", of.id)
	return ok, err
}

// noteNames notes the words that would name what an event of ref tells of: its
// titles and, where ref is withheld itself, the keys of its parts.
func (p *projector) noteNames(ref domain.Ref, said said, whole bool) {
	for _, pr := range said.pairs {
		if whole && slices.Contains(partKinds()[ref.Kind], pr.kind) && domain.Key(pr.key).Valid() {
			p.noteWords(keyID(pr.key), 0)
		}
	}
	for _, title := range said.titles {
		if words := titleWords(title); len(words) > 0 {
			p.noteWords(titleID(words), len(words))
		}
	}
}

// noteShown notes what an event that the view has tells of.
func (p *projector) noteShown(a *aggregate, env *domain.Envelope) {
	v := p.view
	v.begun[a.entity.id] = true
	for h := range env.Files() {
		p.noteEvidence(h)
	}
}

func (p *projector) noteEvidence(h domain.Hash) {
	v := p.view
	if v.evidence[h] {
		return
	}
	raw, err := hex.DecodeString(string(h))
	if err != nil || len(raw) != sha256.Size {
		return // it is no hash, so it names no file
	}
	if len(v.evidence) >= maxSeenEvidence {
		clear(v.evidence)
	}
	v.evidence[h] = true
	p.out.add(evidenceRows, insertEvidence, []cell{{kind: columnBlob, s: string(raw)}})
}

// maxSeenEvidence bounds what is remembered so as not to be written again.
const maxSeenEvidence = 1 << 16
