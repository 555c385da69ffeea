package api

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// takeCosignatures serves the handing in of countersignatures.
func (s *server) takeCosignatures() {
	note := map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	s.handle(huma.Operation{
		OperationID: "cosign", Method: http.MethodPost, Path: "/v1/checkpoint/cosignatures", Tags: []string{"evidence"},
		Summary: "Hand in a party's countersignature of a checkpoint.",
		Description: "The body is a checkpoint of the ledger or of an agreement as this ledger signed it, with a countersignature (c2sp.org/tlog-cosignature, " +
			"Ed25519) by the key that a party has registered. `milepost cosign` makes one when the tree is consistent with what the party saw before.",
		RequestBody: &huma.RequestBody{Required: true, Content: note},
		Responses:   map[string]*huma.Response{"200": {Description: "The checkpoint with all countersignatures that it has.", Content: note}},
		Errors:      []int{400, 403, 413, 415, 422, 500, 503, 507},
	}, func(w http.ResponseWriter, r *http.Request) error {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "text/plain" {
			return newProblem(CodeMediaType, "Content-Type", "Send the note as text/plain.")
		}
		msg, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNote))
		if err != nil {
			return err
		}
		if err := s.awaitTrees(r.Context()); err != nil {
			return err
		}
		witnesses, err := s.witnesses(r.Context())
		if err != nil {
			return err
		}
		if err := s.seesTree(r.Context(), treeOf(msg)); err != nil {
			return err
		}
		p, err := renewed(r.Context())
		if err != nil {
			return err
		}
		if err := s.cosignedBy(p, msg, witnesses); err != nil {
			return err
		}
		var keys []*proof.Witness // of all parties: what another handed in before is kept
		for _, of := range witnesses {
			keys = append(keys, of.key)
		}
		signed, err := s.cfg.Notary.Cosign(r.Context(), msg, keys...)
		if err != nil {
			return err
		}
		writeNote(w, http.StatusOK, signed)
		return nil
	})
}

// cosignedBy refuses a checkpoint without a countersignature of a party that the
// asker acts for: one of another's is as good as none.
func (s *server) cosignedBy(p *access.Principal, msg []byte, witnesses []witness) error {
	right, _ := access.Route("POST /v1/checkpoint/cosignatures")
	parties, all := p.Parties(right)
	var own []*proof.Witness
	for _, w := range witnesses {
		if all || slices.Contains(parties, w.party) {
			own = append(own, w.key)
		}
	}
	verifiers, err := proof.Verifiers(s.cfg.Notary.Keys()...)
	if err != nil {
		return err
	}
	signed, err := proof.Open(msg, verifiers, own...)
	if err == nil && len(signed.Cosignatures) == 0 {
		err = notary.ErrNoCosignature
	}
	return err
}

// treeOf reads of which agreement's tree a checkpoint says it is, "" where it does
// not say so; then it is refused for what it is.
func treeOf(msg []byte) domain.Key {
	origin, _, _ := strings.Cut(string(msg), "\n")
	_, agreement, _ := proof.ParseOrigin(origin)
	return domain.Key(agreement)
}
