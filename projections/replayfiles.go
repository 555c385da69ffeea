package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Files is where the files are that events name as evidence; *eventstore.Store is one.
type Files interface {
	// CheckEvidence reads a file, and returns eventstore.ErrEvidenceNotFound or an
	// *eventstore.EvidenceDamagedError where it is not there as its hash says.
	CheckEvidence(ctx context.Context, hash string) error
}

// namedFiles are those that events name as evidence, in the order in which they do.
// Each was stored before its first event was, and is never removed.
type namedFiles struct {
	list  []namedFile
	known map[domain.Hash]bool
}

type namedFile struct {
	hash      domain.Hash
	seq       uint64 // of the first event that names it
	agreement domain.Key
	path      string // of its aggregate
}

func (n *namedFiles) add(env *domain.Envelope, seq uint64) {
	for _, hash := range env.Evidence {
		if !n.known[hash] {
			hash = domain.Hash(strings.Clone(string(hash))) // of the chunk that the event came in
			n.known[hash] = true
			n.list = append(n.list, namedFile{hash, seq, env.Ref.Agreement, env.Ref.Path()})
		}
	}
}

// check reads all files, and returns the first difference: what is stored from what
// events name.
func (n *namedFiles) check(ctx context.Context, in Files, progress func(done, total uint64)) (first *Difference, err error) {
	more := 0
	for i, f := range n.list {
		err := in.CheckEvidence(ctx, string(f.hash))
		damaged := (*eventstore.EvidenceDamagedError)(nil)
		missing := errors.Is(err, eventstore.ErrEvidenceNotFound)
		switch {
		case err != nil && !missing && !errors.As(err, &damaged):
			return nil, err
		case err != nil && first != nil:
			more++
		case missing:
			first = &Difference{Code: DiffersEvidence, Seq: f.seq, Agreement: f.agreement, Entity: f.path, What: fmt.Sprintf("the file %s that it names as evidence is not stored", f.hash)}
		case err != nil:
			first = &Difference{Code: DiffersEvidence, Seq: f.seq, Agreement: f.agreement, Entity: f.path, What: fmt.Sprintf("the file %s that it names as evidence is damaged: %s", f.hash, damaged.Reason)}
		}
		if progress != nil {
			progress(uint64(i+1), uint64(len(n.list)))
		}
	}
	if more > 0 {
		first.What += fmt.Sprintf("; so it is with %d more", more)
	}
	return first, nil
}
