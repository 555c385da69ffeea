package web

import (
	"errors"
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// whole is the point of the page for what belongs to no agreement, such as parties:
// that is never on the effective axis.
func (v *visit) whole() projections.Point {
	return projections.Point{Seq: v.At.Seq, At: v.At.At, Day: v.At.Day}
}

// Party shows a party, and leads to its page. One that is not registered is called by
// its key.
func (v *visit) Party(key domain.Key) template.HTML {
	if key == "" {
		return none
	}
	return v.Entity("", "party/"+string(key)).Linked()
}

// PartyName is a party's name for where no markup can be.
func (v *visit) PartyName(key domain.Key) string {
	return v.Entity("", "party/"+string(key)).PlainShort()
}

// Parties shows several of them.
func (v *visit) Parties(keys []domain.Key) template.HTML {
	all := make([]template.HTML, len(keys))
	for i, key := range keys {
		all[i] = v.Party(key)
	}
	return joined(all, `<span class="soft"> · </span>`)
}

// AgreementLink shows an agreement, and leads to its page.
func (v *visit) AgreementLink(key domain.Key) template.HTML {
	if key == "" {
		return none
	}
	return v.Entity(string(key), "agreement/"+string(key)).Linked()
}

// AreaNames shows some areas of the agreement.
func (v *visit) AreaNames(keys []domain.Key) template.HTML {
	names := make([]template.HTML, len(keys))
	for i, key := range keys {
		names[i] = v.EntityIn("area/" + string(key)).Short()
	}
	return joined(names, ", ")
}

// refused reports whether an error says that what is asked for cannot be, and not that
// it could not be found out.
func refused(err error) bool {
	var r *domain.Rejected
	return errors.As(err, &r)
}

// notThere reports whether an error says that something is not there, or not for
// the asker to see.
func notThere(err error) bool {
	var r *domain.Rejected
	return errors.As(err, &r) && r.Code == domain.CodeNotFound
}
