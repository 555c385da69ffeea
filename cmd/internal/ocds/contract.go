package ocds

import (
	"cmp"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/project"
)

// contract follows one contract of the present release: it is drafted when it
// comes first, and signed when it is published as signed, then or later.
func (c *converter) contract(k *contract, where string) error {
	id := c.rel.OCID + "-" + string(k.ID)
	p, known := c.contracts[id]
	if !known {
		p = &progress{
			where: where, milestones: map[domain.Key]said{}, amendments: map[domain.Key]*amended{}, funds: map[domain.Currency]fund.ID{},
			paid: map[domain.Key]bool{}, indicators: map[string]*measured{}, metrics: map[string]bool{}, documents: map[domain.Hash]bool{},
		}
		p.ids = project.ID{Agreement: keyOf("", id), Project: keyOf("contract-", string(k.ID))}
		c.contracts[id] = p
	}
	start := len(c.items)
	if err := c.read(p, k, where); err != nil {
		return err
	}
	p.publish(k.Documents, aboutContract)
	p.publish(k.Implementation.Documents, aboutImplementation)
	if !known {
		if err := c.draft(p, k); err != nil {
			return err
		}
	}
	if p.signed != 0 && !p.inEffect && (p.status == "active" || p.status == "terminated") {
		c.sign(p, k)
	}
	for _, follow := range []func(*progress, *contract, string) error{c.schedules, c.amends, c.pays, c.measures, c.moves} {
		if err := follow(p, k, where); err != nil {
			return err
		}
	}
	if p.status == "terminated" && p.inEffect && !p.ended {
		p.ended = true
		c.add(agreement.Terminate{ID: agreement.ID{Agreement: p.ids.Agreement}}, domain.Meta{Reason: "The publisher says that the contract is terminated"})
	}
	c.cite(p, start)
	return nil
}

// read takes over what the present release says of the contract itself; what
// it leaves out stays as it was.
func (c *converter) read(p *progress, k *contract, where string) error {
	var dates [3]domain.Date
	for i, f := range []struct{ value, name string }{
		{k.DateSigned, ".dateSigned"}, {k.Period.StartDate, ".period.startDate"}, {k.Period.EndDate, ".period.endDate"},
	} {
		var err error
		if dates[i], err = c.date(f.value, where+f.name); err != nil {
			return err
		}
	}
	p.signed = cmp.Or(dates[0], p.signed)
	p.term = domain.Period{Start: cmp.Or(dates[1], p.term.Start), End: cmp.Or(dates[2], p.term.End)}
	p.status, p.value = cmp.Or(k.Status, p.status), cmp.Or(k.Value, p.value)
	return nil
}

// draft drafts an agreement and proposes its project.
func (c *converter) draft(p *progress, k *contract) error {
	signatories := k.Signatories
	if len(signatories) == 0 {
		signatories = append([]organisation{c.buyer}, c.suppliers[c.rel.OCID+" "+string(k.AwardID)]...)
	}
	var parties []domain.Key
	for _, o := range signatories {
		key := keyOf("", o.ID)
		if o.ID == "" || slices.Contains(parties, key) {
			continue
		}
		if _, seen := c.parties[o.ID]; !seen {
			c.party(o)
		}
		p.signatories, parties = append(p.signatories, o), append(parties, key)
		if p.claimant == "" && c.supplies(o.ID) {
			p.claimant = key
		}
	}
	if len(parties) < 2 {
		return domain.Refuse(domain.CodeMissingField, p.where+".signatories", "a contract needs two signatories, or a buyer and an award with suppliers")
	}
	p.claimant = cmp.Or(p.claimant, parties[len(parties)-1])
	for _, key := range parties {
		if key != p.claimant {
			p.confirming = append(p.confirming, key)
		}
	}
	p.document, p.agreed = c.keep(k.source), p.term
	id := agreement.ID{Agreement: p.ids.Agreement}
	title := c.text(cmp.Or(k.Title, string(p.ids.Agreement)))
	from := domain.Meta{Effective: min(cmp.Or(p.signed, c.rel.effective), c.rel.effective)} // the release may be published much later
	drafted := domain.Meta{Effective: from.Effective, Reason: contractOrigin(c.rel.OCID, string(k.ID)).reason(), Evidence: []domain.Hash{k.hash}}
	c.add(agreement.Draft{Agreement: id.Agreement, Kind: agreement.KindFramework, Title: title, Parties: parties, Document: k.hash, Term: p.term}, drafted)
	area := c.area(id, k, from)
	c.add(project.Propose{Agreement: id.Agreement, Project: p.ids.Project, Title: title, Kind: "other", Areas: []domain.Key{area}, Lead: p.claimant}, from)
	c.add(project.Approve{ID: p.ids}, from)
	return nil
}

// sign has each signatory sign the contract as it is published now, and starts
// its project.
func (c *converter) sign(p *progress, k *contract) {
	id := agreement.ID{Agreement: p.ids.Agreement}
	from := domain.Meta{Effective: p.signed}
	if k.hash != p.document {
		p.document = c.keep(k.source)
		c.add(agreement.Revise{ID: id, Document: k.hash}, domain.Meta{Effective: p.signed, Evidence: []domain.Hash{k.hash}})
	}
	c.add(agreement.OpenConsultation{ID: id}, from)
	for _, o := range p.signatories {
		c.add(agreement.Sign{ID: id, Party: keyOf("", o.ID), Signatory: c.signatory(o), Date: p.signed, Document: k.hash}, from)
	}
	c.add(project.Start{ID: p.ids}, domain.Meta{Effective: max(p.signed, min(p.term.Start, c.rel.effective))})
	p.inEffect = true
}

// signatory is who signs for an organisation, as far as that is published.
func (c *converter) signatory(o organisation) string { return cmp.Or(c.contacts[o.ID], o.Name, o.ID) }

// area adds the area of a contract: what its first item is classified as.
func (c *converter) area(id agreement.ID, k *contract, from domain.Meta) domain.Key {
	key, title := domain.Key("contract"), cmp.Or(k.Title, "Contract")
	if len(k.Items) > 0 && k.Items[0].Classification.ID != "" {
		class := k.Items[0].Classification
		key = keyOf("", class.Scheme+"-"+string(class.ID))
		title = cmp.Or(class.Description, k.Items[0].Description, string(key))
	}
	c.add(agreement.AddArea{ID: id, Area: key, Title: c.text(title)}, from)
	return key
}
