package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

// Keys are what checkpoints are verified with. Whoever does not trust the
// operator takes the first key down when the ledger is made, and comes from
// there to the present one by the rotations.
type Keys struct {
	Origin    string             `json:"origin" doc:"Origin of the ledger's tree; those of agreements have the agreement's key after it."`
	Key       string             `json:"key" doc:"The verifier key that the ledger signs with now."`
	Keys      []string           `json:"keys" doc:"All verifier keys that it ever signed with, the first one first."`
	Rotations []signing.Rotation `json:"rotations" doc:"How each key handed over to the next: a note that the old one signed."`
	Witnesses []WitnessKey       `json:"witnesses" doc:"The keys that parties countersign with."`
}

// WitnessKey is the key of a party.
type WitnessKey struct {
	Party domain.Key `json:"party"`
	Key   string     `json:"key" doc:"Verifier key; its countersignatures bear another key hash, as c2sp.org/tlog-cosignature says."`
}

// Consistency proves that one tree begins with another.
type Consistency struct {
	Origin     string      `json:"origin"`
	From       uint64      `json:"from" doc:"Leaves of the older tree."`
	To         uint64      `json:"to" doc:"Leaves of the tree of the checkpoint."`
	Hashes     []tlog.Hash `json:"hashes" doc:"The consistency proof of RFC 6962, section 2.1.2, in base64; none where from is 0 or to."`
	Checkpoint string      `json:"checkpoint" doc:"The newer checkpoint, a signed note."`
}

const (
	mediaNote     = "text/plain; charset=utf-8"
	headerOrigin  = "Milepost-Origin"
	maxNote       = 64 << 10
	signedNoteDoc = "The checkpoint: a signed note, see c2sp.org/tlog-checkpoint."
)

// checkpoints serves what proves that the log is whole: of the ledger's tree,
// and of each agreement's.
func (s *server) checkpoints() {
	get(s, huma.Operation{
		OperationID: "get-keys", Path: "/v1/keys", Tags: []string{"evidence"}, Errors: []int{400, 403, 500, 503},
		Summary: "The keys that checkpoints are verified with.",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body Keys }, error) {
		keys, err := s.keys(ctx)
		return &struct{ Body Keys }{keys}, err
	})
	s.tree("", "/v1/checkpoint", "the ledger")
	s.tree("agreement-", "/v1/agreements/{agreement}/checkpoint", "an agreement")
	s.takeCosignatures()
}

// tree serves the checkpoints of a kind of trees.
func (s *server) tree(prefix, path, of string) {
	var inPath []*huma.Param
	if prefix != "" {
		inPath = append(inPath, &huma.Param{Name: "agreement", In: "path", Required: true, Description: "Key of the agreement.",
			Schema: &huma.Schema{Type: huma.TypeString, Pattern: domain.KeyPattern}, Example: "wuxi-2017"})
	}
	s.handle(huma.Operation{
		OperationID: "get-" + prefix + "checkpoint", Method: http.MethodGet, Path: path, Tags: []string{"evidence"},
		Summary: "The tree of " + of + " at the end of the log, signed.",
		Description: "How many events there are and the root of their Merkle tree, with the ledger's signature and the countersignatures that " +
			"parties have handed in for it. It is on disk before it is answered.",
		Parameters: inPath,
		Responses: map[string]*huma.Response{"200": {Description: signedNoteDoc,
			Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
			Headers: map[string]*huma.Param{headerOrigin: {Description: "The tree.", Schema: &huma.Schema{Type: huma.TypeString}}}}},
		Errors: []int{400, 403, 404, 500, 503, 507},
	}, func(w http.ResponseWriter, r *http.Request) error {
		if err := s.seesTree(r.Context(), domain.Key(r.PathValue("agreement"))); err != nil {
			return err
		}
		signed, err := s.checkpoint(r.Context(), r.PathValue("agreement"))
		if err != nil {
			return err
		}
		writeNote(w, http.StatusOK, signed)
		return nil
	})

	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Consistency](), true, "Consistency")
	s.handle(huma.Operation{
		OperationID: "get-" + prefix + "consistency", Method: http.MethodGet, Path: path + "/consistency", Tags: []string{"evidence"},
		Summary: "Proof that the tree of " + of + " begins with the one it was.",
		Parameters: append(inPath,
			&huma.Param{Name: "from", In: "query", Required: true, Description: "Leaves of the older tree, as its checkpoint says.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
			&huma.Param{Name: "to", In: "query", Description: "Leaves of the newer one, of which a checkpoint is kept; that at the end of the log when absent.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}),
		Responses: map[string]*huma.Response{"200": {Description: "The proof, and the newer checkpoint.", Content: map[string]*huma.MediaType{mediaJSON: {Schema: schema}}}},
		Errors:    []int{400, 403, 404, 422, 500, 503, 507},
	}, s.consistency)
}

// writeNote answers with a checkpoint.
func writeNote(w http.ResponseWriter, status int, signed proof.Signed) {
	w.Header().Set("Content-Type", mediaNote)
	w.Header().Set(headerOrigin, signed.Origin)
	w.WriteHeader(status)
	_, _ = w.Write(signed.Note) // a client that is gone hears nothing
}

// checkpoint signs a tree as it is now.
func (s *server) checkpoint(ctx context.Context, agreement string) (proof.Signed, error) {
	if agreement != "" && !domain.Key(agreement).Valid() {
		return proof.Signed{}, domain.NotFound("agreement", "agreement", domain.Key(agreement))
	}
	signed, err := s.cfg.Notary.Checkpoint(ctx, agreement)
	if errors.Is(err, notary.ErrNoTree) {
		return signed, domain.NotFound("agreement", "agreement", domain.Key(agreement))
	}
	return signed, err
}

func (s *server) consistency(w http.ResponseWriter, r *http.Request) error {
	from, err := wholeNumber(r, "from", true)
	if err != nil {
		return err
	}
	to, err := wholeNumber(r, "to", false)
	if err != nil {
		return err
	}
	agreement := r.PathValue("agreement")
	if err := s.seesTree(r.Context(), domain.Key(agreement)); err != nil {
		return err
	}
	signed, err := s.checkpoint(r.Context(), agreement)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("to") {
		if signed, err = s.keptCheckpoint(agreement, to); err != nil {
			return err
		}
	}
	if from > signed.Size {
		return newProblem(projections.CodeInvalidRange, "from", "The tree "+signed.Origin+" has "+strconv.FormatUint(signed.Size, 10)+
			" leaves, fewer than from. If you have a checkpoint of a larger one that this ledger signed, the log has lost its end: keep both.")
	}
	answer := Consistency{Origin: signed.Origin, From: from, To: signed.Size, Hashes: []tlog.Hash{}, Checkpoint: string(signed.Note)}
	if from > 0 && from < signed.Size {
		if err := s.awaitTrees(r.Context()); err != nil {
			return err
		}
		hashes, err := s.cfg.Models.ProveConsistency(r.Context(), domain.Key(agreement), from, signed.Tree())
		if err != nil {
			return err
		}
		answer.Hashes = hashes
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// keptCheckpoint finds a checkpoint that is kept.
func (s *server) keptCheckpoint(agreement string, size uint64) (proof.Signed, error) {
	for _, k := range s.cfg.Notary.Kept(agreement) {
		if k.Size == size {
			return k, nil
		}
	}
	return proof.Signed{}, newProblem(domain.CodeNotFound, "to", "No checkpoint with "+strconv.FormatUint(size, 10)+" leaves is kept: the newest is, and each party's newest.")
}

// awaitTrees waits until the read models have all that the log has now: what a
// checkpoint covers that was signed a moment ago, and a key that was registered.
func (s *server) awaitTrees(ctx context.Context) error { return s.awaitEnd(ctx, s.cfg.Models) }

// awaitEnd waits until read models have all that the log has now.
func (s *server) awaitEnd(ctx context.Context, models *projections.Models) error {
	last, err := s.cfg.Store.Last(ctx)
	if err != nil {
		return err
	}
	return s.awaitIn(ctx, models, last)
}

func wholeNumber(r *http.Request, name string, required bool) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" && !required {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, newProblem(CodeInvalidParameter, name, "Want a whole number of leaves.")
	}
	return n, nil
}

// keys are all keys, as the log has them.
func (s *server) keys(ctx context.Context) (k Keys, err error) {
	all, rotations, err := signing.Chain(ctx, s.cfg.Store)
	if err != nil {
		return k, err
	}
	if err := s.await(ctx, 0); err != nil {
		return k, err
	}
	k = Keys{Origin: proof.Origin(s.cfg.Name, ""), Keys: s.cfg.Notary.Keys(), Rotations: rotations, Witnesses: []WitnessKey{}}
	if len(all) > len(k.Keys) { // rotated by another process a moment ago
		k.Keys = all
	}
	k.Key = k.Keys[len(k.Keys)-1]
	if k.Rotations == nil {
		k.Rotations = []signing.Rotation{}
	}
	witnesses, err := s.witnesses(ctx)
	for _, w := range witnesses {
		k.Witnesses = append(k.Witnesses, WitnessKey{w.party, w.vkey})
	}
	return k, err
}
