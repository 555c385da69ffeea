package ocds

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Commands reads a package and returns what it says as commands, in the order
// of its releases. The line of each is the number of its release, from 1. A
// package that cannot be read, or that contradicts itself, gives an error and
// no commands at all.
func Commands(r io.Reader) (iter.Seq[ledger.Item], error) {
	publisher, releases, err := read(r)
	if err != nil {
		return nil, err
	}
	c := &converter{actor: cmp.Or(publisher, "OCDS publisher"), parties: map[string]party.State{}, contracts: map[string]*progress{}}
	for i, rel := range releases {
		c.line, c.rel = i+1, rel
		if err := c.release(); err != nil {
			return nil, err
		}
	}
	return slices.Values(c.items), nil
}

// converter turns releases into commands, remembering what earlier ones said.
type converter struct {
	actor     string
	parties   map[string]party.State // by OCDS id
	roles     map[string][]string    // by OCDS id, as in the latest release that says
	suppliers map[string][]organisation
	buyer     organisation
	contracts map[string]*progress
	items     []ledger.Item

	rel  *release
	line int
}

// progress is what has been said of one contract.
type progress struct {
	ids        project.ID
	claimant   domain.Key
	confirming []domain.Key
	milestones map[domain.Key]said
	ended      bool
}

// add appends a command of the present release, effective on its date unless
// meta says otherwise.
func (c *converter) add(cmd domain.Command, meta domain.Meta) {
	meta.Actor = c.actor
	meta.Effective = cmp.Or(meta.Effective, c.rel.effective)
	meta.Evidence = []domain.Hash{c.rel.hash}
	c.items = append(c.items, ledger.Item{Line: c.line, Request: ledger.Request{Command: cmd, Meta: meta}})
}

func (c *converter) release() error {
	for _, o := range c.rel.Parties {
		c.party(o)
	}
	if c.rel.Buyer.ID != "" {
		c.buyer = c.rel.Buyer
	}
	for _, a := range c.rel.Awards {
		if len(a.Suppliers) > 0 {
			if c.suppliers == nil {
				c.suppliers = map[string][]organisation{}
			}
			c.suppliers[string(a.ID)] = a.Suppliers
		}
	}
	for i := range c.rel.Contracts {
		if err := c.contract(&c.rel.Contracts[i], fmt.Sprintf("%s.contracts[%d]", c.rel.where, i)); err != nil {
			return err
		}
	}
	return nil
}

// party registers an organisation, or changes it where it is named otherwise.
// OCDS does not say whether a public body is national or local, so a party
// that neither supplies nor finances is of kind other.
func (c *converter) party(o organisation) domain.Key {
	key := slug(o.ID)
	if len(o.Roles) > 0 {
		if c.roles == nil {
			c.roles = map[string][]string{}
		}
		c.roles[o.ID] = o.Roles
	}
	known, seen := c.parties[o.ID]
	now := party.State{Party: key, Title: c.text(cmp.Or(o.Name, o.ID)), Kind: cmp.Or(known.Kind, "other")}
	if c.supplies(o.ID) {
		now.Kind = "private-sector"
	}
	switch {
	case !seen:
		c.add(party.Register(now), domain.Meta{})
	case o.Name != "" && !now.Title.Equal(known.Title) || now.Kind != known.Kind:
		c.add(party.Change(now), domain.Meta{})
	default:
		return key
	}
	c.parties[o.ID] = now
	return key
}

// supplies reports whether the organisation is on the supplying side.
func (c *converter) supplies(id string) bool {
	return slices.ContainsFunc(c.roles[id], func(role string) bool {
		return slices.Contains([]string{"privateParty", "supplier", "tenderer", "equityInvestor", "funder", "leadBank"}, role)
	})
}

func (c *converter) text(s string) domain.Text {
	return domain.Text{cmp.Or(c.rel.Language, "en"): strings.TrimSpace(s)}
}

// contract follows one contract of the present release.
func (c *converter) contract(k *contract, where string) error {
	id := c.rel.OCID + "-" + string(k.ID)
	p, known := c.contracts[id]
	if !known {
		var err error
		if p, err = c.newContract(k, slug(id), where); err != nil {
			return err
		}
		c.contracts[id] = p
	}
	if err := c.milestones(p, k, where, !known); err != nil {
		return err
	}
	if k.Status == "terminated" && !p.ended {
		p.ended = true
		c.add(agreement.Terminate{ID: agreement.ID{Agreement: p.ids.Agreement}}, domain.Meta{Reason: "The publisher says that the contract is terminated"})
	}
	return nil
}

// newContract drafts and signs an agreement for a contract that was not seen
// before, and starts its project when the agreement takes effect.
func (c *converter) newContract(k *contract, key domain.Key, where string) (*progress, error) {
	signatories := k.Signatories
	if len(signatories) == 0 {
		signatories = append([]organisation{c.buyer}, c.suppliers[string(k.AwardID)]...)
	}
	p := &progress{ids: project.ID{Agreement: key, Project: "contract-" + slug(string(k.ID))}, milestones: map[domain.Key]said{}}
	var parties []domain.Key
	for _, o := range signatories {
		if o.ID == "" {
			continue
		}
		if _, seen := c.parties[o.ID]; !seen {
			c.party(o)
		}
		parties = append(parties, slug(o.ID))
		if p.claimant == "" && c.supplies(o.ID) {
			p.claimant = slug(o.ID)
		}
	}
	if len(parties) < 2 {
		return nil, domain.Refuse(domain.CodeMissingField, where+".signatories", "a contract needs two signatories, or a buyer and an award with suppliers")
	}
	p.claimant = cmp.Or(p.claimant, parties[len(parties)-1])
	for _, k := range parties {
		if k != p.claimant {
			p.confirming = append(p.confirming, k)
		}
	}
	term, err := c.term(k, where)
	if err != nil {
		return nil, err
	}
	signed, err := c.date(k.DateSigned, where+".dateSigned")
	if err != nil {
		return nil, err
	}
	id := agreement.ID{Agreement: key}
	from := domain.Meta{Effective: signed} // the release may be published much later
	c.add(agreement.Draft{Agreement: key, Kind: agreement.KindFramework, Title: c.text(cmp.Or(k.Title, string(key))), Parties: parties, Document: k.hash, Term: term}, from)
	area := c.area(id, k, from)
	c.add(project.Propose{Agreement: key, Project: p.ids.Project, Title: c.text(cmp.Or(k.Title, string(key))), Kind: "other", Areas: []domain.Key{area}, Lead: p.claimant}, from)
	c.add(project.Approve{ID: p.ids}, from)
	if signed == 0 || k.Status != "active" && k.Status != "terminated" {
		return p, nil
	}
	c.add(agreement.OpenConsultation{ID: id}, from)
	for _, o := range signatories {
		if o.ID != "" {
			c.add(agreement.Sign{ID: id, Party: slug(o.ID), Signatory: cmp.Or(c.contact(o.ID), o.Name, o.ID), Date: signed, Document: k.hash}, from)
		}
	}
	c.add(project.Start{ID: p.ids}, domain.Meta{Effective: max(signed, min(term.Start, c.rel.effective))})
	return p, nil
}

func (c *converter) term(k *contract, where string) (domain.Period, error) {
	start, err := c.date(k.Period.StartDate, where+".period.startDate")
	if err != nil {
		return domain.Period{}, err
	}
	end, err := c.date(k.Period.EndDate, where+".period.endDate")
	return domain.Period{Start: start, End: end}, err
}

// area adds the area of a contract: what its first item is classified as.
func (c *converter) area(id agreement.ID, k *contract, from domain.Meta) domain.Key {
	key, title := domain.Key("contract"), cmp.Or(k.Title, "Contract")
	if len(k.Items) > 0 && k.Items[0].Classification.ID != "" {
		class := k.Items[0].Classification
		key = slug(class.Scheme + "-" + string(class.ID))
		title = cmp.Or(class.Description, k.Items[0].Description, string(key))
	}
	c.add(agreement.AddArea{ID: id, Area: key, Title: c.text(title)}, from)
	return key
}

// contact returns who speaks for an organisation, as of the present release.
func (c *converter) contact(id string) string {
	for _, o := range c.rel.Parties {
		if o.ID == id {
			return o.ContactPoint.Name
		}
	}
	return ""
}

func (c *converter) date(s, where string) (domain.Date, error) {
	d, err := civil(s)
	if err != nil {
		return 0, domain.Refuse(domain.CodeInvalidValue, where, "%v", err)
	}
	return d, nil
}

// slug makes a key of an identifier: what a key cannot hold becomes '-'.
func slug(id string) domain.Key {
	var b strings.Builder
	for _, r := range strings.ToLower(id) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := strings.TrimSuffix(b.String(), "-")
	if len(s) > 64 { // the end tells contracts of one process apart
		s = strings.TrimLeft(s[len(s)-64:], "-")
	}
	return domain.Key(s)
}
