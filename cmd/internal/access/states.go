package access

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/projections"
)

// Subscriber is a subscriber as of its last event.
type Subscriber struct {
	subscriber.State
	Version uint64 // how many events it has
	Seq     uint64 // of the last of them
}

// Webhook is a webhook as of its last event. State.State says whether it is
// enabled.
type Webhook struct {
	webhook.State
	Version uint64
	Seq     uint64
}

// Subscribers lists the subscribers that there are, those that were revoked too,
// in the order in which they were added.
func (d *Directory) Subscribers() (list []Subscriber) {
	each(d, subscriber.Kind, func(e entry, s *subscriber.State) { list = append(list, Subscriber{*s, e.version, e.seq}) })
	return list
}

// Webhooks lists the webhooks that there are, those that were removed too, in the
// order in which they were registered.
func (d *Directory) Webhooks() (list []Webhook) {
	each(d, webhook.Kind, func(e entry, s *webhook.State) { list = append(list, Webhook{*s, e.version, e.seq}) })
	return list
}

// each calls f with every aggregate of a kind, in the order of their first events.
func each[S any](d *Directory, kind string, f func(entry, *S)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, ref := range d.order {
		if ref.Kind == kind {
			e := d.entries[ref]
			f(e, e.state.(*S))
		}
	}
}

// restrictions lists what is restricted in all agreements.
func (d *Directory) restrictions() (list []projections.Restriction) {
	each(d, restriction.Kind, func(_ entry, s *restriction.State) {
		for key, r := range s.Projects.All() {
			if r.Restricted {
				list = append(list, projections.Restriction{Agreement: s.Agreement, Project: key})
			}
		}
		for key, r := range s.Areas.All() {
			if r.Restricted {
				list = append(list, projections.Restriction{Agreement: s.Agreement, Area: key})
			}
		}
	})
	return list
}

// Restricted lists what is restricted in an agreement, or where that is "" in all.
func (d *Directory) Restricted(agreement domain.Key) []projections.Restriction {
	return slices.DeleteFunc(d.restrictions(), func(r projections.Restriction) bool {
		return agreement != "" && r.Agreement != agreement
	})
}

// ViewOf is what a program sees that is sent events of an agreement, or where
// that is "" of all: never who may do what, and what is restricted only when it
// is cleared.
func (d *Directory) ViewOf(agreement domain.Key, cleared bool) projections.View {
	var v projections.View
	if agreement != "" {
		v.Agreements = []domain.Key{agreement}
	}
	if !cleared {
		v.Restricted = d.Restricted(agreement)
	}
	return v
}
