package web

import (
	"context"
	"errors"
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// parties are the titles of parties that a page speaks of, by their keys.
type parties struct {
	in     *visit
	titles map[domain.Key]domain.Text
}

// partiesOf finds the titles of parties, each once. They are of the whole ledger, and
// so never of the second axis.
func (v *visit) partiesOf(ctx context.Context, keys ...domain.Key) (parties, error) {
	p := parties{v, map[domain.Key]domain.Text{}}
	at := projections.Point{Seq: v.At.Seq, At: v.At.At, Day: v.At.Day}
	for _, key := range keys {
		if _, known := p.titles[key]; known || key == "" {
			continue
		}
		p.titles[key] = nil
		switch party, err := v.models.Party(ctx, key, at); {
		case err == nil:
			p.titles[key] = party.Title
		case !isNotFound(err):
			return p, err
		}
	}
	return p, nil
}

// Party shows a party by its title, or else its key, and a dash for none.
func (p parties) Party(key domain.Key) template.HTML {
	switch title := p.titles[key]; {
	case key == "":
		return `<span class="none">–</span>`
	case title != nil:
		return p.in.Text(title)
	}
	return template.HTML(template.HTMLEscapeString(string(key)))
}

// PartyList shows some parties.
func (p parties) PartyList(keys []domain.Key) template.HTML {
	if len(keys) == 0 {
		return p.Party("")
	}
	var names []string
	for _, key := range keys {
		names = append(names, string(p.Party(key)))
	}
	return template.HTML(strings.Join(names, ", "))
}

// isNotFound reports whether err refuses a question about what is not there.
func isNotFound(err error) bool {
	var refused *domain.Rejected
	return errors.As(err, &refused) && refused.Code == domain.CodeNotFound
}
