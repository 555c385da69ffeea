package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

const (
	headerSettlement = "Milepost-Settlement"
	settlementDoc    = "pending or settled; awaits names the parties that have not countersigned it."

	treeLedger    = "ledger"
	treeAgreement = "agreement"
)

// proofs serves the proof of one event.
func (s *server) proofs() {
	s.handle(huma.Operation{
		OperationID: "prove-event", Method: http.MethodGet, Path: "/v1/events/{seq}/proof", Tags: []string{"evidence"},
		Summary: "A proof file of one event: its bytes, and that they are in the tree of a checkpoint.",
		Description: "In the form of c2sp.org/tlog-proof, with the event as extra data. `milepost verify` checks it with no server. The checkpoint is the " +
			"newest one that covers the event and has the most countersignatures.",
		Parameters: []*huma.Param{
			{Name: "seq", In: "path", Required: true, Description: "Sequence of the event.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}, Example: 1},
			{Name: "tree", In: "query", Description: "In which tree: that of the ledger, or that of the event's agreement.",
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{treeLedger, treeAgreement}, Default: treeLedger}},
			{Name: "checkpoint", In: "query", Description: "Prove it against the kept checkpoint with this many leaves.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The proof file.",
			Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
			Headers: map[string]*huma.Param{
				headerOrigin:     {Description: "The tree.", Schema: &huma.Schema{Type: huma.TypeString}},
				headerSettlement: {Description: settlementDoc, Schema: &huma.Schema{Type: huma.TypeString}},
			}}},
		Errors: []int{400, 403, 404, 422, 500, 503},
	}, s.proveEvent)
}

func (s *server) proveEvent(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	leaf, raw, err := s.leaf(ctx, r.PathValue("seq"))
	if err != nil {
		return err
	}
	agreement, index := domain.Key(""), leaf.Seq-1
	switch tree := r.URL.Query().Get("tree"); {
	case tree == treeAgreement && leaf.Agreement == "":
		return newProblem(CodeInvalidParameter, "tree", "The event belongs to no agreement: ask for the tree of the ledger.")
	case tree == treeAgreement:
		agreement, index = leaf.Agreement, leaf.Index
	case tree != "" && tree != treeLedger:
		return newProblem(CodeInvalidParameter, "tree", "Want ledger or agreement.")
	}
	signed, err := s.coveringCheckpoint(r, agreement, index)
	if err != nil {
		return err
	}
	hashes, err := s.included(ctx, agreement, signed, index, raw)
	if err != nil {
		return err
	}
	settlement, err := s.settle(ctx, leaf)
	if err != nil {
		return err
	}
	file := proof.File{Event: raw, Index: index, Hashes: hashes, Checkpoint: signed.Note}
	w.Header().Set("Content-Type", mediaNote)
	w.Header().Set("Content-Disposition", `attachment; filename="`+s.cfg.Name+"-"+strconv.FormatUint(leaf.Seq, 10)+`.tlog-proof"`)
	w.Header().Set(headerOrigin, signed.Origin)
	w.Header().Set(headerSettlement, settlement.header())
	_, _ = w.Write(file.Marshal()) // a client that is gone hears nothing
	return nil
}

// included proves that an event is a leaf in the tree of a checkpoint.
func (s *server) included(ctx context.Context, agreement domain.Key, signed proof.Signed, index uint64, raw []byte) (tlog.RecordProof, error) {
	if err := s.awaitTrees(ctx); err != nil {
		return nil, err
	}
	hashes, err := s.cfg.Models.ProveInclusion(ctx, agreement, signed.Tree(), index)
	if err != nil {
		return nil, err
	}
	// The read models could have been edited: what does not verify here is not
	// handed out.
	return hashes, proof.CheckInclusion(signed.Checkpoint, index, tlog.RecordHash(raw), hashes)
}

// leaf finds an event by the text of its sequence: what the read models know of
// it, and its bytes in the log.
func (s *server) leaf(ctx context.Context, text string) (leaf projections.LeafOf, raw []byte, err error) {
	seq, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return leaf, nil, newProblem(CodeInvalidParameter, "seq", "Want the sequence of an event, a whole number.")
	}
	if err := s.seesEvent(ctx, seq); err != nil {
		return leaf, nil, err
	}
	if err := s.await(ctx, 0, projections.AsOf("seq:"+text)); err != nil {
		return leaf, nil, err
	}
	if leaf, err = s.cfg.Models.Leaf(ctx, seq); err != nil {
		return leaf, nil, err
	}
	rec, err := s.cfg.Store.Get(ctx, seq)
	return leaf, rec.Data, err
}

// coveringCheckpoint chooses the checkpoint to prove against: the one asked for,
// else the newest of those with the most countersignatures.
func (s *server) coveringCheckpoint(r *http.Request, agreement domain.Key, index uint64) (best proof.Signed, err error) {
	if r.URL.Query().Has("checkpoint") {
		size, err := wholeNumber(r, "checkpoint", true)
		if err != nil {
			return best, err
		}
		best, err = s.keptCheckpoint(string(agreement), size)
		if problem := (*Problem)(nil); errors.As(err, &problem) {
			problem.Field = "checkpoint"
		}
		if err == nil && best.Size <= index {
			return best, newProblem(CodeInvalidParameter, "checkpoint", "That checkpoint does not cover the event: it has "+strconv.FormatUint(best.Size, 10)+" leaves, and the event is leaf "+strconv.FormatUint(index, 10)+".")
		}
		return best, err
	}
	return s.bestCheckpoint(r.Context(), agreement, index)
}

// bestCheckpoint is the newest of those that cover a leaf with the most
// countersignatures.
func (s *server) bestCheckpoint(ctx context.Context, agreement domain.Key, index uint64) (best proof.Signed, err error) {
	if best, err = s.checkpoint(ctx, string(agreement)); err != nil {
		return best, err
	}
	for _, k := range s.cfg.Notary.Kept(string(agreement)) {
		if k.Size > index && len(k.Unverified) > len(best.Unverified) {
			best = k
		}
	}
	if best.Size <= index { // a copy has what its origin signed up to then, and signs no more
		return best, s.cfg.Store.Writable()
	}
	return best, nil
}

// settlementOf is settle by the sequence, as soon as the read models have it.
func (s *server) settlementOf(ctx context.Context, seq uint64) (Settlement, error) {
	leaf, err := s.cfg.Models.Leaf(ctx, seq)
	if err != nil {
		return Settlement{}, err
	}
	return s.settle(ctx, leaf)
}

// settle finds out whether one event is settled.
func (s *server) settle(ctx context.Context, leaf projections.LeafOf) (Settlement, error) {
	t, err := s.settler(ctx)
	if err != nil {
		return Settlement{}, err
	}
	return t.of(ctx, leaf)
}
