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

// namedFiles are those that events name, in the order in which they do. A file is never
// removed, and one that is named as evidence was stored before its first event.
type namedFiles struct {
	list  []namedFile
	known map[domain.Hash]int // places in list
}

type namedFile struct {
	hash      domain.Hash
	evidence  bool   // else it may be the hash of what is on paper
	seq       uint64 // of the first event that names it so
	agreement domain.Key
	path      string // of its aggregate
}

func (n *namedFiles) add(env *domain.Envelope, seq uint64) {
	for hash, evidence := range env.Files() {
		at, known := n.known[hash]
		if known && (n.list[at].evidence || !evidence) {
			continue
		}
		hash = domain.Hash(strings.Clone(string(hash))) // else the event stays in memory
		f := namedFile{hash, evidence, seq, domain.Key(strings.Clone(string(env.Ref.Agreement))), env.Ref.Path()}
		if known {
			n.list[at] = f
			continue
		}
		n.known[hash] = len(n.list)
		n.list = append(n.list, f)
	}
}

// check reads all files, and returns how many there are or should be, and the first
// difference: of what is stored from what events name.
func (n *namedFiles) check(ctx context.Context, in Files, progress func(done, total uint64)) (files int, first *Difference, err error) {
	more := 0
	for i, f := range n.list {
		err := in.CheckEvidence(ctx, string(f.hash))
		damaged := (*eventstore.EvidenceDamagedError)(nil)
		missing := errors.Is(err, eventstore.ErrEvidenceNotFound)
		if !missing || f.evidence {
			files++
		}
		what := ""
		switch {
		case err == nil, missing && !f.evidence:
		case missing:
			what = fmt.Sprintf("the file %s that it names as evidence is not stored", f.hash)
		case errors.As(err, &damaged):
			what = fmt.Sprintf("the file %s that it names is damaged: %s", f.hash, damaged.Reason)
		default:
			return files, nil, err
		}
		switch {
		case what == "":
		case first == nil || f.seq < first.Seq:
			if first != nil {
				more++
			}
			first = &Difference{Code: DiffersEvidence, Seq: f.seq, Agreement: f.agreement, Entity: f.path, What: what}
		default:
			more++
		}
		if progress != nil {
			progress(uint64(i+1), uint64(len(n.list)))
		}
	}
	if more > 0 {
		first.What += fmt.Sprintf("; so it is with %d more", more)
	}
	return files, first, nil
}
