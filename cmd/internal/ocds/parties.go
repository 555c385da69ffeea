package ocds

import (
	"cmp"
	"errors"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/projections"
)

// signatory is a party that the process has to do with: it signs, pays or is
// paid.
type signatory struct {
	id   string // as it was published, else its key
	key  domain.Key
	row  projections.Party
	asOf uint64 // sequence that row is as of

	signs, supplies, pays, paid bool
}

// reference is how the rest of a release speaks of the party.
func (p *signatory) reference(language string) object {
	return object{"id": p.id, "name": cmp.Or(p.row.Title.In(language), p.id)}
}

// party returns a party as it is known at the end of the day, nil when there is
// none of that key.
func (x *exporter) party(key domain.Key) (*signatory, error) {
	p := x.parties[key]
	if p == nil {
		p = &signatory{id: string(key), key: key}
		first, _, err := x.models.Events(x.ctx, projections.EventQuery{To: x.At.Seq, Kind: party.Kind, Key: string(key), Page: projections.Page{Limit: 1}})
		if err != nil {
			return nil, err
		}
		if len(first) > 0 {
			if o, ok := parseOrigin(first[0].Reason, inParties); ok {
				p.id = o.id
			}
		}
	}
	if p.asOf != x.seq {
		row, err := x.models.Party(x.ctx, key, projections.Point{Seq: x.seq})
		if rejected := (*domain.Rejected)(nil); errors.As(err, &rejected) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		p.row, p.asOf = row, x.seq
	}
	if x.parties[key] == nil {
		x.parties[key], x.order = p, append(x.order, p)
	}
	return p, nil
}

// signatories returns the parties of the agreement in their roles. OCDS has to
// have a buyer, so where none is a public body the first one buys.
func (x *exporter) signatories(keys []domain.Key) (all []*signatory, err error) {
	buyer := false
	for _, key := range keys {
		p, err := x.party(key)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		switch p.signs = true; p.row.Kind {
		case "state-owned-enterprise", "private-sector", "academic", "fund-manager":
			p.supplies = true
		default:
			p.supplies = false
			buyer = true
		}
		all = append(all, p)
	}
	if !buyer && len(all) > 0 {
		all[0].supplies = false
	}
	return all, nil
}

// showParties shows each party by its name on that day, and its roles.
func (r *draft) showParties() error {
	for _, p := range r.order {
		if _, err := r.party(p.key); err != nil {
			return err
		}
		var roles []any
		for _, role := range []struct {
			has  bool
			name string
		}{{p.signs && !p.supplies, "buyer"}, {p.signs && p.supplies, "supplier"}, {p.pays, "payer"}, {p.paid, "payee"}} {
			if role.has {
				roles = append(roles, role.name)
			}
		}
		now := object{"roles": roles}
		r.put(now, "name", p.row.Title)
		r.say(inParties, p.id, present(now), ofContract)
	}
	return nil
}
