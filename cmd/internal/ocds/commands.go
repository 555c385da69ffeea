package ocds

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Commands reads a package and returns what it says as commands, in the order
// of its releases. The line of each is the number of its release, from 1. A
// package that cannot be read, or that contradicts itself, gives an error and
// no commands at all.
//
// What a command cites as evidence is kept before the command is handed out.
func Commands(r io.Reader, keep Keep) (iter.Seq[ledger.Item], error) {
	publisher, releases, err := read(r)
	if err != nil {
		return nil, err
	}
	c := &converter{
		actor: cmp.Or(publisher, "OCDS publisher"), parties: map[string]party.Register{}, roles: map[string][]string{},
		contacts: map[string]string{}, suppliers: map[string][]organisation{}, contracts: map[string]*progress{},
		files: map[domain.Hash][]byte{},
	}
	for i, rel := range releases {
		c.line, c.rel = i+1, rel
		if err := c.release(); err != nil {
			return nil, err
		}
	}
	return c.handOut(keep), nil
}

// converter turns releases into commands, remembering what earlier ones said.
type converter struct {
	actor     string
	parties   map[string]party.Register // by OCDS id
	roles     map[string][]string       // by OCDS id, as in the latest release that says
	contacts  map[string]string         // by OCDS id
	suppliers map[string][]organisation // by award, of the process at hand
	buyer     organisation
	contracts map[string]*progress
	items     []ledger.Item
	files     map[domain.Hash][]byte // that commands cite

	rel  *release
	line int
}

// progress is what has been said of one contract.
type progress struct {
	ids         project.ID
	where       string // in the file, where it came first
	signatories []organisation
	document    domain.Hash // of the draft
	term        domain.Period
	agreed      domain.Period // the term that the parties signed
	signed      domain.Date   // when it was signed, 0 before
	status      string
	claimant    domain.Key
	confirming  []domain.Key
	milestones  map[domain.Key]said
	present     []said // milestones in the present release
	amendments  map[domain.Key]*amended
	funds       map[domain.Currency]fund.ID
	paid        map[domain.Key]bool // transactions
	unpaid      []movement          // transactions from before it was in effect
	indicators  map[string]*measured
	metrics     map[string]bool // that have an indicator
	value       *value
	documents   map[domain.Hash]bool // published so far
	uncited     []published          // documents that no command has cited yet
	inEffect    bool
	baselined   bool
	ended       bool
}

// add appends a command of the present release, effective on its date unless
// meta says otherwise.
func (c *converter) add(cmd domain.Command, meta domain.Meta) {
	c.addUnless("", cmd, meta)
}

// addUnless is add for a command that may have nothing left to do, which the
// refusal with that code says.
func (c *converter) addUnless(code string, cmd domain.Command, meta domain.Meta) {
	meta.Actor = c.actor
	meta.Effective = cmp.Or(meta.Effective, c.rel.effective)
	meta.Evidence = append([]domain.Hash{c.keep(c.rel.source)}, meta.Evidence...)
	c.items = append(c.items, ledger.Item{
		Line: c.line, Request: ledger.Request{Command: cmd, Meta: meta}, Source: c.rel.OCID + " " + c.rel.ID, Unless: code,
	})
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
			c.suppliers[c.rel.OCID+" "+string(a.ID)] = a.Suppliers
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
// One that the ledger has already, from another package say, is left as it is.
// OCDS does not say whether a public body is national or local, so a party
// that neither supplies nor finances is of kind other.
func (c *converter) party(o organisation) domain.Key {
	key := keyOf("", o.ID)
	if len(o.Roles) > 0 {
		c.roles[o.ID] = o.Roles
	}
	if o.ContactPoint.Name != "" {
		c.contacts[o.ID] = o.ContactPoint.Name
	}
	known, seen := c.parties[o.ID]
	now := party.Register{Party: key, Title: c.text(cmp.Or(o.Name, o.ID)), Kind: cmp.Or(known.Kind, "other")}
	if c.supplies(o.ID) {
		now.Kind = "private-sector"
	}
	switch {
	case !seen:
		c.addUnless(domain.CodeAlreadyExists, now, from(inParties, o.ID))
	case o.Name != "" && !now.Title.Equal(known.Title) || now.Kind != known.Kind:
		c.addUnless(domain.CodeNothingChanged, party.Change(now), domain.Meta{})
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

func (c *converter) date(s, where string) (domain.Date, error) {
	d, err := civil(s)
	if err != nil {
		return 0, domain.Refuse(domain.CodeInvalidValue, where, "%v", err)
	}
	return d, nil
}

// keyOf makes a key of an identifier, always the same, and of another always
// another, but for one that differs in case only: where '-' for what a key cannot
// hold would lose something, the beginning of the SHA-256 is appended.
func keyOf(prefix, id string) domain.Key {
	var b strings.Builder
	for _, r := range strings.ToLower(id) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := prefix + b.String()
	lower := strings.ToLower(id)
	if b.String() == lower && domain.Key(s).Valid() {
		return domain.Key(s)
	}
	sum := sha256.Sum256([]byte(lower))
	return domain.Key(strings.TrimLeft(strings.TrimRight(s[:min(len(s), 55)], "-")+"-"+hex.EncodeToString(sum[:4]), "-"))
}
