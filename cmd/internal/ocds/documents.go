package ocds

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// readEvidence finds out which events cite evidence. Only the log has that.
func (x *exporter) readEvidence() error {
	x.cited = map[uint64][]domain.Hash{}
	filter := eventstore.Subject(x.Ledger, string(x.Agreement), "*", "*")
	for rec, err := range x.store.Read(x.ctx, 1, x.At.Seq, filter) {
		if err != nil {
			return err
		}
		env, err := domain.DecodeEnvelope(rec.Data)
		if err != nil {
			return err
		}
		if len(env.Evidence) > 0 {
			x.cited[rec.Seq] = env.Evidence
		}
	}
	return nil
}

// attachment is a piece of evidence and what it was cited for first.
type attachment struct {
	hash domain.Hash
	to   *entity
	on   string // instant
}

// cite notes the evidence of the event behind a change, and what the text of the
// agreement is.
func (x *exporter) cite(c *projections.Change) error {
	e := x.entities[c.Entity]
	for _, hash := range x.cited[c.Seq] {
		if !x.listed[hash] {
			x.listed[hash] = true
			x.pending = append(x.pending, attachment{hash, e, x.instant(x.at)})
		}
	}
	delete(x.cited, c.Seq)
	if e.path == agreement.Ref(x.Agreement).Path() && c.Field == "document" {
		var text domain.Hash
		if err := json.Unmarshal(c.New, &text); err != nil {
			return err
		}
		x.texts[text] = true
	}
	return nil
}

// attach shows the evidence of the day as documents, each where it was cited
// first: at a milestone, with the contract, or with its implementation.
func (r *draft) attach() error {
	for _, a := range r.pending {
		doc, err := r.document(a)
		if err != nil {
			return err
		}
		if doc == nil {
			continue
		}
		id, _ := doc["id"].(string)
		switch kind, _, part, _ := a.to.of(); {
		case kind == project.Kind && part == "milestone":
			r.attached[a.to] = append(r.attached[a.to], doc)
		case kind == agreement.Kind || kind == amendment.Kind:
			r.say(inContracts+"/documents", id, doc, ofContractPart)
		default:
			r.say(inContracts+"/implementation/documents", id, doc, ofImplementation)
		}
	}
	r.pending = nil
	return nil
}

// maxJSON is how long evidence may be that is looked into for what it says.
const maxJSON = 16 << 20

// document describes a piece of evidence. Evidence that is itself the
// description of a document, as the import keeps them, is given as that; a
// release of OCDS is where the rest came from, and no document of the contract.
func (x *exporter) document(a attachment) (object, error) {
	r, err := x.store.Evidence(x.ctx, string(a.hash))
	if errors.Is(err, eventstore.ErrEvidenceNotFound) {
		return nil, nil // cited before the ledger asked for it to be stored
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	buffered := bufio.NewReader(r)
	if first, _ := buffered.Peek(1); r.Size <= maxJSON && string(first) == "{" {
		raw, err := io.ReadAll(buffered)
		if err != nil {
			return nil, err
		}
		var as map[string]any
		if json.Unmarshal(raw, &as) == nil {
			if as["ocid"] != nil {
				return nil, nil
			}
			if doc := description(as); doc != nil {
				return doc, nil
			}
		}
	}
	doc := object{"id": string(a.hash), "url": x.Evidence + string(a.hash), "datePublished": a.on}
	var title domain.Text
	if raw, ok := a.to.fields["title"]; ok && json.Unmarshal(raw, &title) == nil {
		x.put(doc, "title", title)
	}
	if kind, _, _, _ := a.to.of(); kind == agreement.Kind && x.texts[a.hash] {
		doc["documentType"] = "contractSigned"
	}
	return doc, nil
}

// description returns what OCDS knows of a document, nil when it is none.
func description(as map[string]any) object {
	doc := object{}
	for name, valid := range map[string]func(string) bool{
		"id": anything, "documentType": anything, "title": anything, "description": anything, "format": anything, "language": anything,
		"author": anything, "url": isURI, "datePublished": isInstant, "dateModified": isInstant,
	} {
		if s, ok := as[name].(string); ok && s != "" && valid(s) {
			doc[name] = s
		}
	}
	if doc["id"] == nil || doc["url"] == nil {
		return nil
	}
	return doc
}

func anything(string) bool { return true }

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

func isInstant(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}
