package web

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// entityKey names something in the ledger: by its agreement, "" for what is the
// ledger's own, and its path there.
type entityKey struct {
	agreement domain.Key
	path      string
}

// titles are what things are called, as far as a page had to know: each is asked for
// once. What has no title, and what is not there at the point of the page, is in it
// with nil.
type titles struct{ known map[entityKey]domain.Text }

// know notes what something is called.
func (t *titles) know(agreement domain.Key, path string, title domain.Text) {
	if t.known == nil {
		t.known = map[entityKey]domain.Text{}
	}
	if len(title) == 0 {
		title = nil
	}
	t.known[entityKey{agreement, path}] = title
}

// title is what something is called at the point of the page.
func (v *visit) title(agreement domain.Key, path string) domain.Text {
	if kind, _, _ := strings.Cut(path, "/"); kind == "area" || kind == "mechanism" || kind == "obligation" {
		path = "agreement/" + string(agreement) + "/" + path // as decisions name them
	}
	if title, ok := v.titles.known[entityKey{agreement, path}]; ok || v.models == nil {
		return title
	}
	v.titles.know(agreement, path, nil)
	if err := v.learn(agreement, path); err != nil && !refused(err) {
		v.fail(err)
	}
	return v.titles.known[entityKey{agreement, path}]
}

// learn finds what something is called, or all of its kind where they are asked for
// together.
func (v *visit) learn(agreement domain.Key, path string) error {
	at := v.At
	if agreement != at.Agreement {
		at = v.whole()
	}
	words := strings.SplitN(path, "/", 5)
	if len(words) == 4 {
		return v.learnPart(agreement, path, words[0], domain.Key(words[1]), words[2], domain.Key(words[3]), at)
	}
	if len(words) != 2 {
		return nil
	}
	ctx, key := v.request.Context(), domain.Key(words[1])
	know := func(title domain.Text, err error) error {
		v.titles.know(agreement, path, title)
		return err
	}
	switch words[0] {
	case "agreement":
		a, err := v.models.Agreement(ctx, key, at)
		return know(a.Title, err)
	case "party":
		p, err := v.models.Party(ctx, key, at)
		return know(p.Title, err)
	case "project":
		p, err := v.models.Project(ctx, agreement, key, at)
		return know(p.Title, err)
	case "meeting":
		m, err := v.models.Meeting(ctx, agreement, key, at)
		return know(m.Title, err)
	case "amendment":
		a, err := v.models.Amendment(ctx, agreement, key, at)
		return know(a.Title, err)
	case "fund":
		f, err := v.models.Fund(ctx, agreement, key, at)
		return know(f.Title, err)
	case "indicator":
		i, err := v.models.Indicator(ctx, agreement, key, at)
		return know(i.Title, err)
	}
	return nil
}

// learnPart is learn for a part of an aggregate.
func (v *visit) learnPart(agreement domain.Key, path, kind string, of domain.Key, part string, key domain.Key, at projections.Point) error {
	ctx := v.request.Context()
	know := func(key domain.Key, title domain.Text) {
		v.titles.know(agreement, kind+"/"+string(of)+"/"+part+"/"+string(key), title)
	}
	switch kind + "/" + part {
	case "project/milestone":
		m, err := v.models.Milestone(ctx, agreement, of, key, at)
		know(key, m.Title)
		return err
	case "project/gate":
		gates, err := everyIn(ctx, agreement, of, at, v.models.Gates)
		for _, g := range gates {
			know(g.Gate, g.Title)
		}
		return err
	case "meeting/decision":
		decisions, err := everyIn(ctx, agreement, of, at, v.models.Decisions)
		for _, d := range decisions {
			know(d.Decision, d.Title)
		}
		return err
	case "meeting/action":
		actions, err := everyIn(ctx, agreement, of, at, v.models.Actions)
		for _, a := range actions {
			know(a.Action, a.Title)
		}
		return err
	case "agreement/mechanism":
		m, err := v.models.Mechanism(ctx, agreement, key, at)
		know(key, m.Title)
		return err
	case "agreement/obligation":
		o, err := v.models.Obligation(ctx, agreement, key, at)
		know(key, o.Title)
		return err
	case "agreement/area", "agreement/prior":
		a, err := v.models.Agreement(ctx, agreement, at)
		v.knowAgreement(a)
		return err
	case "fund/pledge", "agreement/signature", "amendment/signature": // their keys are often those of parties
		know(key, v.title("", "party/"+string(key)))
	}
	return nil
}

// knowAgreement notes what an agreement, its areas and the cooperation before it are
// called.
func (v *visit) knowAgreement(a projections.Agreement) {
	path := "agreement/" + string(a.Agreement)
	v.titles.know(a.Agreement, path, a.Title)
	for _, area := range a.Areas {
		v.titles.know(a.Agreement, path+"/area/"+string(area.Area), area.Title)
	}
	for _, prior := range a.Prior {
		v.titles.know(a.Agreement, path+"/prior/"+string(prior.Entry), prior.Title)
	}
}

// knowMilestones notes what milestones that a page has read are called.
func (v *visit) knowMilestones(milestones []projections.Milestone) {
	for _, m := range milestones {
		v.titles.know(m.Agreement, milestoneEntity(m.Project, m.Milestone), m.Title)
	}
}
