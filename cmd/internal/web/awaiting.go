package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// awaitingPage is what waits for the viewer's parties, or for any that is chosen.
var awaitingPage = page{"GET /awaiting", "awaiting", awaitingAnswer{}, of((*site).awaiting)}

type awaitingAnswer struct {
	*visit
	Mine   []domain.Key // the viewer's parties
	Chosen domain.Key   // "" for those
	All    []projections.Party
	Within int
	Awaits []awaits
	Kinds  []kindOfWait
}

// kindOfWait explains a kind of what is awaited.
type kindOfWait struct{ Kind, Means string }

func (s *site) awaiting(ctx context.Context, v *visit) (awaitingAnswer, error) {
	v.Title, v.Section = v.Say("Awaiting me"), "awaiting"
	query := v.request.URL.Query()
	answer := awaitingAnswer{visit: v, Mine: v.myParties(), Chosen: domain.Key(query.Get("party")), Within: projections.DefaultWithin}
	var err error
	if text := query.Get("within"); text != "" {
		if answer.Within, err = strconv.Atoi(text); err != nil {
			return answer, api.InvalidParameter("within", "Want a number of days, such as 30.")
		}
	}
	answer.All, err = every(ctx, v.At, v.models.Parties)
	if err != nil {
		return answer, err
	}
	parties, page := answer.Mine, projections.Page{Limit: 25}
	if answer.Chosen != "" {
		parties = []domain.Key{answer.Chosen}
	}
	if len(parties) == 1 {
		page.Cursor = v.page().Cursor
	}
	for _, party := range parties {
		a, err := v.awaits(ctx, party, answer.Within, page)
		if notThere(err) && answer.Chosen == "" {
			continue // it was not registered at the point of the page
		}
		if err != nil {
			return answer, err
		}
		answer.Awaits = append(answer.Awaits, a)
	}
	for _, k := range v.kindsOfWaits() {
		if slices.ContainsFunc(answer.Awaits, func(a awaits) bool {
			return slices.ContainsFunc(a.Items, func(i awaited) bool { return i.Kind == k.Kind })
		}) {
			answer.Kinds = append(answer.Kinds, k)
		}
	}
	return answer, nil
}

func (v *visit) kindsOfWaits() []kindOfWait {
	return []kindOfWait{
		{projections.AwaitsSignature, v.Say("An agreement or an amendment takes effect when each party has signed the same text.")},
		{projections.AwaitsConfirmation, v.Say("Another party claims that something is done, or reports a figure. It counts when you have confirmed it; dispute or return what is not right.")},
		{projections.AwaitsAction, v.Say("You owe it, or lead the project that it belongs to: say so when it is done.")},
		{projections.AwaitsReport, v.Say("A period with a target has come to its end, or a figure was returned to you: report what was reached.")},
	}
}

// More is the address of the rest of what waits for a party.
func (a awaitingAnswer) More(party domain.Key, cursor string) string {
	return a.link("/awaiting", url.Values{"party": {string(party)}, "within": {strconv.Itoa(a.Within)}, "cursor": {cursor}})
}
