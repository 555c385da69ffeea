package ocds

import (
	"cmp"
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/amendment"
)

// amended is what has been said of one amendment.
type amended struct {
	id       amendment.ID
	date     domain.Date // of the amendment
	document source
	signed   bool
}

// amends proposes the amendments of a contract in effect that are new, each by
// the side that confirms milestones. One whose date has come has taken effect:
// every party signed it on that date.
//
// What an amendment changes is left as OCDS has it, in the releases: its one
// change here is the term, where that is published otherwise than it was signed.
func (c *converter) amends(p *progress, k *contract, where string) error {
	if !p.inEffect || p.ended {
		return nil
	}
	for i := range k.Amendments {
		n := &k.Amendments[i]
		at := fmt.Sprintf("%s.amendments[%d]", where, i)
		date, err := c.date(n.Date, at+".date")
		if err != nil {
			return err
		}
		id := string(cmp.Or(n.ID, scalar(n.Date), scalar(fmt.Sprint(i+1)))) // OCDS lets it have none
		key := keyOf("amendment-", id)
		a, known := p.amendments[key]
		if !known {
			a = &amended{id: amendment.ID{Agreement: p.ids.Agreement, Amendment: key}, document: n.source}
			p.amendments[key] = a
			c.propose(p, a, n, id, i == len(k.Amendments)-1)
		}
		if a.date = cmp.Or(date, a.date, c.rel.effective); a.date <= c.rel.effective && !a.signed {
			a.signed = true
			for _, o := range p.signatories {
				c.add(amendment.Sign{
					ID: a.id, Party: keyOf("", o.ID), Signatory: c.signatory(o), Date: a.date, Document: a.document.hash,
				}, domain.Meta{})
			}
		}
	}
	return nil
}

// propose proposes an amendment; the last of a release with the term that the
// release gives.
func (c *converter) propose(p *progress, a *amended, n *amendmentNotice, id string, last bool) {
	cmd := amendment.Propose{
		Agreement: a.id.Agreement, Amendment: a.id.Amendment, Rationale: c.text(cmp.Or(n.Rationale, n.Description, "No rationale was published.")),
		Party: p.confirming[0], Document: c.keep(n.source),
	}
	if n.Description != "" {
		cmd.Title = c.text(n.Description)
	}
	if last && p.term != p.agreed {
		p.agreed, cmd.Term = p.term, p.term
	}
	c.add(cmd, domain.Meta{Reason: "other", Note: origin{inAmendments, id}.reason(), Evidence: []domain.Hash{n.hash}})
}
