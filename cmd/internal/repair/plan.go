package repair

import (
	"context"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Events yields events with the sequences that they are said to have, in any
// order, and again each time it is called. Some may be missing.
type Events func(ctx context.Context) iter.Seq2[eventstore.Record, error]

// Leaves returns the hashes of a range of sequences, as something remembers them.
type Leaves func(ctx context.Context, from, to uint64) ([]tlog.Hash, error)

// Input is what a plan is made from.
type Input struct {
	Ledger string
	Signed proof.Checkpoint // the newest of the ledger's tree; its signature was verified
	Log    Events           // what is left, by ascending sequence
	Last   uint64           // sequence that the log had, though it may not be left; see Last
	Source Events           // subjects may be left out
	Leaves Leaves           // of the read models; nil where there are none

	AcceptLoss bool // make a plan without the events that are lost, else there is none
}

// Damage is a sequence at which the log is not what was signed, and what becomes
// of it.
type Damage struct {
	Seq  uint64 `json:"seq"`
	What string `json:"what"` // one of the constants below
	From string `json:"from"` // where the event is taken from; "" where it cannot be proven
}

// What is wrong with a sequence.
const (
	Changed = "changed" // another event, or other bytes
	Missing = "missing"
	Moved   = "moved" // the event, under another subject than its own
)

// Where an event is taken from.
const (
	FromSource = "source"
	FromLog    = "log" // from another sequence of it, or from the same under its own subject
)

// Plan is how a log is made whole.
type Plan struct {
	Size    uint64   // sequences that the checkpoint covers
	Last    uint64   // of the log that is made
	Damaged []Damage // by ascending sequence
	Dropped uint64   // events behind the checkpoint that are signed at another place; they are left out there
	Lost    []uint64 // sequences behind the checkpoint that the log made ends before, ascending

	input    Input
	restored map[uint64][]byte // what is not at its sequence in the log
	dropped  map[uint64]bool   // sequences of the log after the checkpoint that are left out
}

// Whole says that nothing is to be done.
func (p *Plan) Whole() bool { return len(p.Damaged) == 0 && p.Dropped == 0 && len(p.Lost) == 0 }

// UnprovenError says that events can be proven neither from the log nor from the
// source.
type UnprovenError struct {
	Seqs []uint64 // nil where the hashes themselves are not known
	Size uint64
}

func (e *UnprovenError) Error() string {
	if e.Seqs == nil {
		return fmt.Sprintf("repair: which events the checkpoint at %d was signed for is not known: neither the log, nor the read models, nor the source give its root, alone or together", e.Size)
	}
	return fmt.Sprintf("repair: neither the log nor the source has what was signed at sequence %s", Ranges(e.Seqs))
}

// CodeEventsLost is the code of a LostError.
const CodeEventsLost = "repair-events-lost"

// LostError says that events behind the checkpoint cannot be read. Nothing proves
// how they were, so no source can supply them.
type LostError struct {
	Unread []uint64 // ascending
	Lost   []uint64 // these, and what came after the first of them
}

func (e *LostError) Error() string {
	return fmt.Sprintf("repair: sequence %s cannot be read, and no source can supply it, for no checkpoint is signed for it; with --accept-loss the log ends before it, and sequence %s is lost (code %s)",
		Ranges(e.Unread), Ranges(e.Lost), CodeEventsLost)
}

// Make reads the log and the source, and decides. The error is an *UnprovenError
// where a sequence cannot be proven, and a *LostError where one behind the
// checkpoint cannot be read and the loss is not accepted.
func Make(ctx context.Context, in Input) (*Plan, error) {
	p := &Plan{Size: in.Signed.Size, input: in, restored: map[uint64][]byte{}, dropped: map[uint64]bool{}}
	log, err := survey(ctx, in.Log, in.Ledger)
	if err != nil {
		return nil, err
	}
	log.last = max(log.last, in.Last)
	source, err := survey(ctx, in.Source, "")
	if err != nil {
		return nil, err
	}
	leaves, err := in.authentic(ctx, log, source)
	if err != nil {
		return nil, err
	}
	p.compare(leaves, log, source)
	if err := p.tail(leaves, log); err != nil {
		return nil, err
	}
	if len(p.Damaged) == 0 {
		return p, nil
	}
	return p, p.fetch(ctx, leaves, log)
}

// surveyed is what is at the sequences of a log or a source.
type surveyed struct {
	leaves map[uint64]tlog.Hash
	moved  map[uint64]bool // events under another subject than their own
	last   uint64
}

// survey hashes events, and where the ledger is given compares their subjects.
func survey(ctx context.Context, events Events, ledger string) (s surveyed, err error) {
	s = surveyed{leaves: map[uint64]tlog.Hash{}, moved: map[uint64]bool{}}
	for rec, err := range events(ctx) {
		if err != nil {
			return s, err
		}
		s.leaves[rec.Seq] = tlog.RecordHash(rec.Data)
		s.last = max(s.last, rec.Seq)
		if ledger == "" {
			continue
		}
		if own, _, err := subjectOf(ledger, rec.Data); err == nil && own != rec.Subject {
			s.moved[rec.Seq] = true
		}
	}
	return s, nil
}

// subjectOf is the subject of an event, as the event says.
func subjectOf(ledger string, event []byte) (string, domain.Envelope, error) {
	env, err := domain.DecodeEnvelope(event)
	if err != nil {
		return "", env, err
	}
	if env.Source != "/ledgers/"+ledger {
		return "", env, fmt.Errorf("the event is of %s", env.Source)
	}
	agreement := string(env.Ref.Agreement)
	if agreement == "" {
		agreement = eventstore.LedgerWide
	}
	return eventstore.Subject(ledger, agreement, env.Ref.Kind, string(env.Ref.Key)), env, nil
}

// compare holds the log against the leaves, and finds for each damaged sequence
// where its event is: in the source, or elsewhere in the log.
func (p *Plan) compare(leaves []tlog.Hash, log, source surveyed) {
	elsewhere := map[tlog.Hash]bool{}
	for seq, leaf := range log.leaves {
		if seq > p.Size || leaf != leaves[seq-1] {
			elsewhere[leaf] = true
		}
	}
	for i, leaf := range leaves {
		seq := uint64(i) + 1
		at, there := log.leaves[seq]
		d := Damage{Seq: seq, What: Changed}
		switch {
		case !there:
			d.What = Missing
		case at == leaf && !log.moved[seq]:
			continue
		case at == leaf:
			d.What, d.From = Moved, FromLog
		}
		if d.From == "" && elsewhere[leaf] {
			d.From = FromLog
		}
		if d.From == "" && source.leaves[seq] == leaf {
			d.From = FromSource
		}
		p.Damaged = append(p.Damaged, d)
	}
}

// tail decides what follows the checkpoint: what the log has there, but for events
// that are signed at another place, up to the first that cannot be read. What came
// after that one was decided with it known, and does not stay without it.
func (p *Plan) tail(leaves []tlog.Hash, log surveyed) error {
	p.Last = p.Size
	var unproven, unread []uint64
	for _, d := range p.Damaged {
		if d.From == "" {
			unproven = append(unproven, d.Seq)
		}
	}
	if unproven != nil {
		return &UnprovenError{Seqs: unproven, Size: p.Size}
	}
	signed := map[tlog.Hash]bool{}
	if log.last > p.Size {
		for _, leaf := range leaves {
			signed[leaf] = true
		}
	}
	for seq := p.Size + 1; seq <= log.last; seq++ {
		leaf, there := log.leaves[seq]
		if !there {
			unread = append(unread, seq)
		}
		switch {
		case there && signed[leaf]:
			p.dropped[seq] = true
			p.Dropped++
		case unread != nil:
			p.dropped[seq] = true
			p.Lost = append(p.Lost, seq)
		default:
			p.Last++
			if log.moved[seq] {
				p.Damaged = append(p.Damaged, Damage{Seq: seq, What: Moved, From: FromLog})
			}
		}
	}
	if unread != nil && !p.input.AcceptLoss {
		return &LostError{Unread: unread, Lost: p.Lost}
	}
	return nil
}
