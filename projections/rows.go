package projections

import (
	"bytes"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

// kept lists, by kind of aggregate, the rows that the read models keep of one:
// its own, those of its parts, and what waits for somebody in it. A new read
// model is a table, a function that makes its row of a state, and a line here.
var kept = map[string]keeper{
	party.Kind: &keeps[party.State]{own: ownRow(partyTable, partyOf)},
	agreement.Kind: &keeps[agreement.State]{
		own: ownRow(agreementTable, agreementOf),
		parts: map[string]partRow[agreement.State]{
			mechanismTable.name:  partRowOf(mechanismTable, mechanismOf),
			obligationTable.name: partRowOf(obligationTable, obligationOf),
		},
		waits: agreementWaits,
	},
	project.Kind: &keeps[project.State]{
		own: (*projector).writeProject,
		parts: map[string]partRow[project.State]{
			milestoneTable.name: partRowOf(milestoneTable, milestoneOf),
			gateTable.name:      partRowOf(gateTable, gateOf),
		},
		also:  projectAlso,
		waits: projectWaits,
	},
	amendment.Kind: &keeps[amendment.State]{own: ownRow(amendmentTable, amendmentOf), waits: amendmentWaits},
	meeting.Kind: &keeps[meeting.State]{
		own: ownRow(meetingTable, meetingOf),
		parts: map[string]partRow[meeting.State]{
			decisionTable.name: partRowOf(decisionTable, decisionOf),
			actionTable.name:   partRowOf(actionTable, actionOf),
		},
		also:  meetingAlso,
		waits: meetingWaits,
	},
	fund.Kind: &keeps[fund.State]{
		own: ownRow(fundTable, fundOf),
		parts: map[string]partRow[fund.State]{
			pledgeTable.name:       partRowOf(pledgeTable, pledgeOf),
			commitmentTable.name:   partRowOf(commitmentTable, commitmentOf),
			disbursementTable.name: partRowOf(disbursementTable, disbursementOf),
			expenditureTable.name:  partRowOf(expenditureTable, expenditureOf),
		},
		also: fundAlso,
	},
	indicator.Kind: &keeps[indicator.State]{
		own:   ownRow(indicatorTable, indicatorOf),
		parts: map[string]partRow[indicator.State]{periodTable.name: partRowOf(periodTable, periodOf)},
		also:  indicatorAlso,
		waits: indicatorWaits,
	},
	keyring.Kind: &keeps[keyring.State]{own: ownRow(keyringTable, rotationOf)},
	access.Kind: &keeps[access.State]{
		own: ownRow(accessTable, principalOf),
		parts: map[string]partRow[access.State]{
			grantTable.name:    partRowOf(grantTable, grantOf),
			tokenTable.name:    partRowOf(tokenTable, tokenOf),
			identityTable.name: partRowOf(identityTable, identityOf),
		},
	},
	restriction.Kind: &keeps[restriction.State]{own: ownRow(restrictionTable, restrictionOf)},
	subscriber.Kind:  &keeps[subscriber.State]{own: ownRow(subscriberTable, subscriberOf)},
	webhook.Kind:     &keeps[webhook.State]{own: ownRow(webhookTable, webhookOf)},
}

// keeper is a keeps of any state.
type keeper interface {
	write(p *projector, a *aggregate, before, after any) error
}

// keeps says which rows are kept of the aggregates with state S.
type keeps[S any] struct {
	own   func(p *projector, a *aggregate, was, is *S) error
	parts map[string]partRow[S] // by kind of part; the others have no rows
	// also appends to the parts that changed those that did not and yet may look
	// different now: their rows, or what waits in them, depend on something else
	// in the state. nil where there are none.
	also func(was, is *S, parts []string) []string
	// waits appends what waits for a party in the aggregate itself, with kind
	// and key "", or in the part of that kind and key; nil where nothing does.
	waits func(s *S, kind string, key domain.Key, to []wait) []wait
}

// partRow writes the row of a part. One that did not change itself, but was
// named by also, is written only if its row differs from that of before.
type partRow[S any] func(p *projector, a *aggregate, was, is *S, part string, key domain.Key, changed bool) error

// write writes a new version of each row that the step from one state to the
// next changes.
func (k *keeps[S]) write(p *projector, a *aggregate, before, after any) error {
	was, _ := before.(*S)
	is := after.(*S)
	changed := len(p.parts)
	if k.also != nil && was != nil {
		p.parts = k.also(was, is, p.parts)
	}
	for i, part := range p.parts {
		if i >= changed && slices.Contains(p.parts[:i], part) {
			continue
		}
		kind, name, _ := strings.Cut(part, "/")
		key := domain.Key(name)
		if row, ok := k.parts[kind]; ok {
			if err := row(p, a, was, is, part, key, i < changed); err != nil {
				return err
			}
		}
		if err := k.writeWaits(p, a, was, is, part, kind, key); err != nil {
			return err
		}
	}
	if err := k.writeWaits(p, a, was, is, "", "", ""); err != nil {
		return err
	}
	return k.own(p, a, was, is)
}

// partRowOf keeps the rows of parts in t, as rowOf makes them. A part that is
// not there has a row like any other: rowOf is asked for it only to compare.
func partRowOf[S, T any](t *table[T], rowOf func(*S, domain.Key) *T) partRow[S] {
	return func(p *projector, a *aggregate, was, is *S, part string, key domain.Key, changed bool) error {
		row := rowOf(is, key)
		if !changed && bytes.Equal(encoded(p, t, "", rowOf(was, key)), encoded(p, t, "", row)) {
			return nil
		}
		e, err := p.partEntity(a.ref, a.entity, part)
		if err != nil {
			return err
		}
		return putVersion(p, t, e, row)
	}
}

// ownRow keeps the row of an aggregate in t, as rowOf makes it, unless it says
// what the last one said.
func ownRow[S, T any](t *table[T], rowOf func(*S) *T) func(*projector, *aggregate, *S, *S) error {
	return func(p *projector, a *aggregate, was, is *S) error {
		if a.row == nil && was != nil { // folded from the log
			a.row = encoded(p, t, a.entity.name, rowOf(was))
		}
		row := rowOf(is)
		now := encoded(p, t, a.entity.name, row)
		if bytes.Equal(a.row, now) {
			return nil
		}
		a.row = now
		return putVersion(p, t, a.entity, row)
	}
}

// encoded is a row as the digest would have it.
func encoded[T any](p *projector, t *table[T], entity string, row *T) []byte {
	p.room = t.cells(p.room[:0], row, &p.memo)
	return appendDigestRow(nil, t.name, entity, p.room)
}

// writeProject writes the row of a project and the progress of its agreement.
// Most events change a milestone and not the project: that is seen without
// making its row.
func (p *projector) writeProject(a *aggregate, was, is *project.State) error {
	if a.sums == nil {
		a.sums = &projectSums{}
		if was != nil { // folded from the log
			a.sums.update(was)
		}
	}
	before := a.sums.sums
	a.sums.update(is)
	if was != nil && a.sums.sums == before && !p.ownChanged {
		return nil
	}
	row := projectOf(is, a.sums.sums)
	if err := putVersion(p, projectTable, a.entity, row); err != nil {
		return err
	}
	if a.under.id == 0 {
		var err error
		if a.under, err = p.aggregateEntity(agreement.Ref(a.ref.Agreement)); err != nil {
			return err
		}
	}
	r, err := p.rollup(a.under.id)
	if err != nil {
		return err
	}
	if r.set(a.entity.id, share(row)) {
		return putVersion(p, progressTable, a.under, &r.sum)
	}
	return nil
}

// projectAlso: under another tolerance milestones have other colours; under
// another lead or in another state of the project they wait for others.
func projectAlso(was, is *project.State, parts []string) []string {
	if was.Tolerance == is.Tolerance && was.Lead == is.Lead && was.State == is.State {
		return parts
	}
	return appendParts(parts, milestoneTable.name, is.Milestones)
}

// appendParts appends every part in the list.
func appendParts[T any](parts []string, kind string, list domain.List[T]) []string {
	for key := range list.All() {
		parts = append(parts, kind+"/"+string(key))
	}
	return parts
}
