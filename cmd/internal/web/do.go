package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// doPage lists what the asker may have recorded, by what it is about.
var doPage = page{"GET /do", "do", doAnswer{}, of((*site).do)}

type doAnswer struct {
	*visit
	Kinds  []doKind
	Origin string // where commands are given, where this is a copy
}

// doKind is the commands on one kind of aggregate.
type doKind struct {
	Kind, Label, Doc string
	Commands         []doCommand
}

type doCommand struct {
	Link *doLink
	Doc  string
}

func (s *site) do(_ context.Context, v *visit) (doAnswer, error) {
	v.Title, v.Section = v.Say("Record"), "do"
	answer := doAnswer{visit: v}
	if err := s.api.Writable(); err != nil {
		answer.Origin = s.api.Problem(v.request.Context(), err).Detail
	}
	for _, a := range catalogue.Aggregates {
		kind := doKind{Kind: a.Kind, Label: v.Label(a.Kind), Doc: v.Say(a.Doc)}
		for _, c := range a.Commands {
			if link := v.Do(c.Name); link != nil {
				kind.Commands = append(kind.Commands, doCommand{link, v.Say(c.Doc)})
			}
		}
		if len(kind.Commands) > 0 {
			answer.Kinds = append(answer.Kinds, kind)
		}
	}
	return answer, nil
}
