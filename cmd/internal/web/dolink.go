package web

import (
	"fmt"
	"net/url"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// doLink leads to the form of a command.
type doLink struct{ Command, Label, Address string }

// Do is a link to the form of a command, with fields that are filled in already, as
// names and values in turn: Do("approve-project", "agreement", a, "project", p). It
// is nil where the asker may not, or cannot from this page: one of the past, or of a
// copy of the ledger. The form comes back here.
func (v *visit) Do(command string, pairs ...any) *doLink {
	fields := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := fmt.Sprint(pairs[i+1]); value != "" {
			fields.Set(fmt.Sprint(pairs[i]), value)
		}
	}
	agreement := domain.Key(fields.Get("agreement"))
	if agreement == "" {
		agreement = v.Agreement
	}
	if !v.Now() || v.site.api.Writable() != nil || !v.mayDo(command, agreement) {
		return nil
	}
	fields.Set("next", v.Here("cursor", ""))
	return &doLink{command, v.Label(command), "/do/" + command + "?" + fields.Encode()}
}

// mayDo reports whether the asker may give a command over an agreement, or where
// that is "" over any, in the name of some party. In whose name it is given is known
// when it is, and judged then.
func (v *visit) mayDo(command string, agreement domain.Key) bool {
	right, ok := access.Command(command)
	_, aggregate, err := catalogue.Command(command)
	switch p := v.Principal; {
	case !ok || err != nil || !p.Begin(right):
		return false
	case catalogue.LedgerWide(aggregate.Kind):
		agreement = ""
	case agreement == "":
		return true
	}
	if v.Principal.May(right, agreement) || v.Principal.Administers(agreement) {
		return true
	}
	parties, _ := v.Principal.Parties(right)
	for _, party := range parties {
		if v.Principal.May(right, agreement, party) {
			return true
		}
	}
	return false
}
