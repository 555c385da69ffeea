package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/restriction"
)

// Refuses refuses a command that is asked of ref, with these data, as one about
// something that is not there, where ref or something that the data name is
// withheld from the view. What is not there for anybody it does not refuse: the
// rules do. creating says that the command begins ref, which need not be there.
// Before it refuses it waits until the view has reached the log's end. The main
// models refuse nothing.
func (m *Models) Refuses(ctx context.Context, ref domain.Ref, creating bool, data json.RawMessage) error {
	if m.opts.View == nil {
		return nil
	}
	if err := m.Wait(ctx, 0); err != nil { // it may be in the making
		return err
	}
	refused, err := m.refusal(ref, creating, data)
	if refused == nil || err != nil {
		return err
	}
	ends, err := m.logEnds(ctx)
	if err != nil {
		return err
	}
	if err := m.Wait(ctx, ends); err != nil {
		return err
	}
	refused, err = m.refusal(ref, creating, data)
	if err != nil {
		return err
	}
	return refused
}

// refusal is what Refuses answers by what is known, nil where it does not refuse.
func (m *Models) refusal(ref domain.Ref, creating bool, data json.RawMessage) (refused, err error) {
	f, err := m.acquire(0)
	if err != nil {
		return nil, err
	}
	defer f.inUse.Done()
	w := f.withheld.Load()
	switch {
	case m.scope.covers(ref.Agreement, ref.Kind):
	case !creating:
		return domain.NotFound(ref.Kind, ref.Kind, ref.Key), nil
	case ref.Kind != agreement.Kind && ref.Agreement != "":
		return domain.NotFound(agreement.Kind, agreement.Kind, ref.Agreement), nil
	case w.has("", foreignPath(ref.Agreement)): // it exists
		return domain.NotFound(ref.Kind, ref.Kind, ref.Key), nil
	}
	if w.has(ref.Agreement, ref.Path()) {
		return domain.NotFound(ref.Kind, ref.Kind, ref.Key), nil
	}
	said, ok := readSaid(data)
	if !ok {
		return nil, nil // nor can the command be read
	}
	for _, p := range said.pairs {
		if of, ok := namesAgreement(ref, p); ok && !m.scope.has(of) {
			return domain.NotFound(said.field(p), agreement.Kind, of), nil
		}
	}
	if mentions := w.mentionsIn(ref, said.pairs); len(mentions) > 0 {
		return said.refuse(ref, mentions[0]), nil
	}
	return nil, nil
}

// namesAgreement reports whether a pair in a command of ref names an agreement
// other than the one that it is asked of.
func namesAgreement(ref domain.Ref, p pair) (domain.Key, bool) {
	of := domain.Key(p.key)
	switch p.kind {
	case "parent", "renew", "by":
		return of, ref.Kind == agreement.Kind && of.Valid()
	case agreement.Kind:
		return of, of != ref.Agreement && of.Valid()
	}
	return of, false
}

// field names the field of a command in which a pair stands, as the rules do.
func (s *said) field(p pair) string {
	field := p.member
	if p.path != "" { // which of a list's
		n := 0
		for _, other := range s.pairs {
			if other.path == "" && other.member == p.member && s.places[other.group] == s.places[p.group] {
				if other.key == p.path {
					break
				}
				n++
			}
		}
		field = fmt.Sprintf("%s[%d]", field, n)
	}
	if place := s.places[p.group]; place != "" {
		field = place + "." + field
	}
	return field
}

// refuse refuses a command of ref for what it mentions in the words in which the
// rules refuse what is not there.
func (s *said) refuse(ref domain.Ref, m mention) error {
	field, key := s.field(m.pair), domain.Key(m.key)
	nothing := &agreement.State{ID: agreement.ID{Agreement: m.agreement}}
	switch own := ref.Kind == agreement.Kind || ref.Kind == restriction.Kind; {
	case m.path != "":
		return meeting.NoEntity(field, m.agreement, m.path)
	case m.kind == "area" && (!own || m.member != "area"):
		return nothing.RequireArea(field, key)
	case m.kind == "decision" && ref.Kind != meeting.Kind:
		return nothing.RequireDecision(field, key, "")
	case m.kind == "amendment":
		return nothing.RequireAmendment(field, key)
	}
	return domain.NotFound(cmp.Or(field, m.kind), m.kind, key)
}
